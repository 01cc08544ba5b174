import type { Problem, ProblemCode } from '../generated/types';

const TITLES: Partial<Record<ProblemCode, string>> = {
  unreachable: 'The gateway does not answer',
  wrong_certificate: 'The certificate is another one',
  key_refused: 'The gateway refuses it',
  scope_missing: 'The key may not do everything',
  older_gateway: 'The gateway is an older Latchkey',
  newer_gateway: 'The gateway is a newer Latchkey',
};

/** Returns the title for a refused connection. */
export function titleOf({ code }: Problem): string {
  return TITLES[code] ?? 'The gateway is not connected';
}
