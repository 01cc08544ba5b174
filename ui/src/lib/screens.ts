import type { IconName } from './components/icons';

/** The screens in the order of the rail. The shortcut of a screen is its position. */
export const screens = [
  { id: 'compose', name: 'Compose', icon: 'plus' },
  { id: 'links', name: 'Links', icon: 'link' },
  { id: 'users', name: 'Users', icon: 'users' },
  { id: 'inspect', name: 'Inspect', icon: 'scan' },
  { id: 'activity', name: 'Activity', icon: 'activity' },
  { id: 'settings', name: 'Settings', icon: 'gear' },
] as const satisfies { id: string; name: string; icon: IconName }[];

/** A screen of the rail, or the gateway's, which the foot of the rail opens. */
export type ScreenId = (typeof screens)[number]['id'] | 'gateway';
