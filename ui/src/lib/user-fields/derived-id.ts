/** Returns an ID for a new user: the local part of the e-mail address, else the name with dots. */
export function derivedId(email: string, name: string): string {
  const local = email.includes('@') ? (email.split('@')[0] ?? '') : '';
  return slug(local) || slug(name);
}

function slug(text: string): string {
  return text
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toLocaleLowerCase('en')
    .split(/[^\p{L}\p{N}_+-]+/u)
    .filter((word) => word !== '')
    .join('.');
}
