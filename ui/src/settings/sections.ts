import type { Hosted, Instance } from '../generated/types';
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

type Entry = {
  id: SectionId;
  title: string;
  needsUsers?: true;
  /** Whether the section shows settings, which are not always known. */
  needsSettings?: true;
  only?: Hosted;
};

/** The sections of an instance in their order. */
const INSTANCE: Entry[] = [
  { id: 'name', title: 'Name and address' },
  { id: 'keys', title: 'Signing key', needsSettings: true },
  { id: 'codes', title: 'Codes and links', needsSettings: true },
  { id: 'typingmind', title: 'TypingMind’s users', only: 'elsewhere' },
  { id: 'rules', title: 'Sign-in rules', needsUsers: true, needsSettings: true },
  { id: 'sign-in', title: 'Opening a link', needsUsers: true, needsSettings: true },
  { id: 'activity', title: 'Activity', needsUsers: true, needsSettings: true },
  { id: 'api', title: 'API keys', needsUsers: true, needsSettings: true },
  { id: 'seats', title: 'Seats', needsUsers: true },
  { id: 'backup', title: 'Backup and moving', only: 'here' },
  { id: 'remove', title: 'Remove this instance' },
];

const STUDIO: Entry[] = [
  { id: 'appearance', title: 'Appearance' },
  { id: 'help', title: 'Help' },
];

/** Whether the settings of an instance are known. A key of few scopes may not read them at a gateway. */
export function areSettingsKnown(instance: Instance): boolean {
  return instance.connection?.settings_read ?? true;
}

/** The sections that apply to an instance, and those of Studio. */
export function sectionsFor(
  hosted: Hosted,
  areKnown: boolean,
): { heading: string; entries: Entry[] }[] {
  return [
    {
      heading: 'This instance',
      entries: INSTANCE.filter(
        ({ needsUsers, needsSettings, only }) =>
          (hasUsers({ hosted }) || !needsUsers) &&
          (areKnown || !needsSettings) &&
          (only === undefined || only === hosted),
      ),
    },
    { heading: 'Studio', entries: STUDIO },
  ];
}

export function titleOf(id: SectionId): string {
  return [...INSTANCE, ...STUDIO].find((entry) => entry.id === id)?.title ?? '';
}
