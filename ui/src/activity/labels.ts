import type { ActivityKind } from '../generated/types';

export const KINDS: Record<ActivityKind, string> = {
  sign_in: 'Sign-ins',
  refusal: 'Refusals',
  act: 'Changes',
};
