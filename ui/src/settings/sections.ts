import type { Hosted } from '../generated/types';
import { hasUsers } from '../lib/hosted';

export type SectionId =
  | 'name'
  | 'keys'
  | 'codes'
  | 'typingmind'
  | 'rules'
  | 'sign-in'
  | 'activity'
  | 'api'
  | 'seats'
  | 'backup'
  | 'remove'
  | 'appearance'
  | 'help';

type Entry = { id: SectionId; title: string; needsUsers?: true; only?: Hosted };

/** The sections of an instance in their order. */
const INSTANCE: Entry[] = [
  { id: 'name', title: 'Name and address' },
  { id: 'keys', title: 'Signing key' },
  { id: 'codes', title: 'Codes and links' },
  { id: 'typingmind', title: 'TypingMind’s users', only: 'elsewhere' },
  { id: 'rules', title: 'Sign-in rules', needsUsers: true },
  { id: 'sign-in', title: 'Opening a link', needsUsers: true },
  { id: 'activity', title: 'Activity', needsUsers: true },
  { id: 'api', title: 'API keys', needsUsers: true },
  { id: 'seats', title: 'Seats', needsUsers: true },
  { id: 'backup', title: 'Backup and moving', only: 'here' },
  { id: 'remove', title: 'Remove this instance' },
];

const STUDIO: Entry[] = [
  { id: 'appearance', title: 'Appearance' },
  { id: 'help', title: 'Help' },
];

/** The sections that apply to an instance, and those of Studio. */
export function sectionsFor(hosted: Hosted): { heading: string; entries: Entry[] }[] {
  return [
    {
      heading: 'This instance',
      entries: INSTANCE.filter(
        ({ needsUsers, only }) =>
          (hasUsers({ hosted }) || !needsUsers) && (only === undefined || only === hosted),
      ),
    },
    { heading: 'Studio', entries: STUDIO },
  ];
}

export function titleOf(id: SectionId): string {
  return [...INSTANCE, ...STUDIO].find((entry) => entry.id === id)?.title ?? '';
}
