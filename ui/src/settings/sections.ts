import type { Hosted } from '../generated/types';

export type SectionId =
  | 'name'
  | 'keys'
  | 'codes'
  | 'rules'
  | 'sign-in'
  | 'activity'
  | 'api'
  | 'seats'
  | 'remove'
  | 'appearance'
  | 'help';

type Entry = { id: SectionId; title: string; onlyHere?: true };

/** The sections of an instance in their order. */
const INSTANCE: Entry[] = [
  { id: 'name', title: 'Name and address' },
  { id: 'keys', title: 'Signing key' },
  { id: 'codes', title: 'Codes and links' },
  { id: 'rules', title: 'Sign-in rules', onlyHere: true },
  { id: 'sign-in', title: 'Opening a link', onlyHere: true },
  { id: 'activity', title: 'Activity', onlyHere: true },
  { id: 'api', title: 'API keys', onlyHere: true },
  { id: 'seats', title: 'Seats', onlyHere: true },
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
      entries: INSTANCE.filter(({ onlyHere }) => hosted === 'here' || !onlyHere),
    },
    { heading: 'Studio', entries: STUDIO },
  ];
}

export function titleOf(id: SectionId): string {
  return [...INSTANCE, ...STUDIO].find((entry) => entry.id === id)?.title ?? '';
}
