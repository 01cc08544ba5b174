import type { InstanceSettings } from '../generated/types';

/** The edited settings, as every section of the form takes them. */
export type Edited = {
  draft: InstanceSettings;
  change: (changed: Partial<InstanceSettings>) => void;
  /** Returns the problem of a field. */
  errorOf: (field: string) => string | null;
};
