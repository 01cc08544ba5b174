import type { IconName } from '../lib/components/icons';

/** A command that the palette offers. */
export type Action = {
  id: string;
  name: string;
  icon: IconName;
  /** The shortcut as the palette shows it. */
  shortcut?: string;
  run: () => void;
};
