/** `https://chat.yourcompany.com:8443/app` of a URL, as a person reads it. */
export function addressOf(url: string): string {
  return url.replace(/\/$/u, '');
}

/** `chat.yourcompany.com:8443` of a URL; the text as it is where it is no URL. */
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

/** Whether a URL leads to the computer that it is opened on. */
export function isThisComputer(url: string): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(new URL(url).hostname);
}
