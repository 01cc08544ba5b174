/** Returns a URL without a trailing slash, such as `https://chat.yourcompany.com:8443/app`. */
export function addressOf(url: string): string {
  return url.replace(/\/$/u, '');
}

/** Returns host and port of a URL, such as `chat.yourcompany.com:8443`; an invalid URL unchanged. */
export function authorityOf(url: string): string {
  try {
    return new URL(url).host || url;
  } catch {
    return url;
  }
}

/** Whether two URLs lead to the same server; `localhost` is this computer. */
export function sameServer(a: string, b: string): boolean {
  const plain = (url: string) => {
    const { protocol, hostname, port } = new URL(url);
    return `${protocol}//${hostname === 'localhost' ? '127.0.0.1' : hostname}:${port}`;
  };
  return plain(a) === plain(b);
}
