import type {
  Commands,
  Forecast,
  Hosted,
  Inspection,
  Instance,
  IssuedLink,
  LinkDetails,
  LinkPage,
  LinksRequest,
  OpenRequest,
  Preview,
  RunningGateway,
  Start,
  StopsElsewhere,
  StudioEvent,
  User,
  UserPage,
  UsersRequest,
} from '../src/generated/types';

/** Answers of the Rust side for tests of the screens. */

function stopsLike(hosted: Hosted): StopsElsewhere | null {
  if (hosted !== 'elsewhere') return null;
  return {
    reason: 'chat.yourcompany.com does not know this list',
    of_person: 'Remove the person there',
    of_everybody: 'Change the secret there',
  };
}

export function instanceLike(changed: Partial<Instance> = {}): Instance {
  return {
    id: 'your-company',
    name: 'Your Company',
    url: 'https://chat.yourcompany.com/',
    is_loopback: false,
    hosted: 'elsewhere',
    parameter: 'externalAuthCode',
    algorithm: 'HS256',
    lifetime: '7 days',
    policy: {
      external_auth: true,
      require_expiry: false,
      provisioning: true,
      refresh_profile: true,
    },
    visiting: {
      step: 'automatic',
      session: '14 days',
      session_ends_with_link: false,
      session_idle: 'never',
      return_to: [],
      embed_in: [],
    },
    retention: { age: '365 days', refusals: 100_000, links: '365 days' },
    audiences: [],
    supersede: false,
    message: 'Hello {name}, here is your link: {link}',
    stops_elsewhere: stopsLike(changed.hosted ?? 'elsewhere'),
    typingmind: null,
    api_keys: [],
    connection: null,
    retiring: [],
    key: {
      id: 'activeKey',
      origin: 'pasted',
      set_at: 1_795_300_000,
      warning: null,
      encoding: 'text',
      revealable: true,
    },
    ...changed,
  };
}

export function startLike(changed: Partial<Start> = {}): Start {
  return {
    version: '0.1.0',
    data_dir: '/data',
    instances: [],
    problems: [],
    current: null,
    key_store: { kind: 'keychain', state: 'ready' },
    appearance: { theme: 'system' },
    gateways: [],
    ...changed,
  };
}

export function forecastLike(changed: Partial<Forecast> = {}): Forecast {
  return {
    tone: 'good',
    title: 'Verifies, expires in 7 days',
    detail: 'Not known here.',
    verdict: null,
    user: null,
    stay: null,
    ...changed,
  };
}

/** A link that the gateway of an instance on a server has not signed yet. */
export function outlineLike(changed: Partial<Preview> = {}): Preview {
  const preview = previewLike();
  return {
    ...preview,
    id: null,
    link: { ...preview.link, signature: '' },
    signed: false,
    widget: null,
    qr: null,
    qr_size: { version: 9, modules: 53, level: 'M', warning: null },
    forecast: null,
    ...changed,
  };
}

/** An instance at a gateway on a server. */
export function connectedLike(changed: Partial<Instance> = {}): Instance {
  return instanceLike({
    id: 'acme',
    name: 'Acme',
    url: 'https://chat.acme.example/',
    hosted: 'gateway',
    connection: {
      url: 'https://admin.acme.example:8443/',
      host: 'admin.acme.example:8443',
      instance: 'acme',
      fingerprint: 'AA:BB:CC',
      key_id: 'thiskey1',
      settings_read: true,
    },
    ...changed,
  });
}

export function previewLike(changed: Partial<Preview> = {}): Preview {
  return {
    revision: 1,
    id: 'shown-link',
    link: {
      scheme: 'https://',
      authority: 'chat.yourcompany.com',
      before: '/?externalAuthCode=',
      header: 'aGVhZGVy',
      claims: 'Y2xhaW1z',
      signature: 'c2lnbmF0dXJl',
      after: '#top',
    },
    signed: true,
    header_json: '{\n  "alg": "HS256"\n}',
    claims_json: '{\n  "email": "ada@yourcompany.com",\n  "exp": 1795904800\n}',
    times: [{ member: 'exp', at: '2026-11-29T06:26:40Z', words: 'in 7 days' }],
    widget: '<script defer></script>',
    qr: { version: 9, modules: 53, level: 'M', path: 'M4 4h1v1h-1z', warning: null },
    qr_size: null,
    qr_refused: null,
    forecast: forecastLike(),
    remedies: [],
    warnings: [],
    expires_at: '2026-11-29T06:26:40Z',
    uses: null,
    taken: false,
    short: null,
    ...changed,
  };
}

export function inspectionLike(changed: Partial<Inspection> = {}): Inspection {
  return {
    revision: 1,
    found_in: 'url',
    header: 'aGVhZGVy',
    claims: 'Y2xhaW1z',
    signature: 'c2lnbmF0dXJl',
    header_json: '{\n  "alg": "HS256"\n}',
    claims_json: '{\n  "user": {\n    "id": "ada"\n  },\n  "exp": 1795904800\n}',
    times: [{ member: 'exp', at: '2026-11-29T06:26:40Z', words: 'in 7 days' }],
    forecast: {
      tone: 'good',
      title: 'Signs in ada',
      detail: 'The code verifies and expires in 7 days.',
      verdict: 'signed_in',
      user: 'ada',
      stay: null,
    },
    remedies: [],
    hints: [],
    signed_by: null,
    unasked: null,
    ...changed,
  };
}

export function runningLike(changed: Partial<RunningGateway> = {}): RunningGateway {
  return {
    instance: 'your-company',
    url: 'http://127.0.0.1:4711/',
    on_network: false,
    fingerprint: null,
    qr: null,
    sign_ins: 0,
    ...changed,
  };
}

export function userLike(changed: Partial<User> = {}): User {
  return {
    id: 'ada-1815',
    name: null,
    email: 'ada@yourcompany.com',
    status: 'active',
    origin: 'link',
    created_at: 1_795_300_000,
    last_sign_in: null,
    sign_ins: 0,
    profile_as_of: 1_795_300_000,
    ends_at: null,
    ...changed,
  };
}

/** The only page of a table with these users. */
export function pageLike(users: User[]): UserPage {
  return { users, first_row: 0, total: users.length, next: null, notices: [] };
}

/** Returns the page of users that a request asks for, of a table of `total` users. */
export function pageOf(request: UsersRequest, total: number): UserPage {
  const { place, limit, query } = request;
  const first =
    place.kind === 'first' ? 0 : place.kind === 'row' ? place.row : Number(place.cursor) + 1;
  const end = Math.min(total, first + limit);
  const users = Array.from({ length: Math.max(0, end - first) }, (_, at) =>
    userLike({ id: `${query.search || 'user'}-${first + at}` }),
  );
  return {
    users,
    first_row: Math.min(first, total),
    total,
    next: end < total ? String(end - 1) : null,
    notices: [],
  };
}

export function requestLike(changed: Partial<OpenRequest> = {}): OpenRequest {
  return {
    number: 7,
    user: 'ada',
    subject: 'ada',
    name: 'Ada Okafor',
    link: 'link-0',
    reason: 'expired',
    issued_at: 1_795_300_000,
    expires_at: 1_795_900_000,
    asked_at: 1_796_000_000,
    address: '203.0.113.7',
    browser: 'iPhone, Safari',
    ...changed,
  };
}

export function linkLike(changed: Partial<IssuedLink> = {}): IssuedLink {
  return {
    id: 'link-0',
    status: 'not_used',
    ended_at: null,
    ends_sessions: false,
    user: 'ada',
    subject: 'ada',
    name: 'Ada Okafor',
    note: null,
    origin: 'taken',
    given: [{ given: 'link', at: 1_795_300_000, by: 'in Studio' }],
    entered_at: 1_795_300_000,
    not_before: null,
    expires_at: 1_795_904_800,
    uses: 3,
    used: 0,
    first_use: null,
    last_use: null,
    has_short: false,
    ...changed,
  };
}

export function linkDetailsLike(link: IssuedLink, changed: Partial<LinkDetails> = {}): LinkDetails {
  return {
    link,
    not_copyable: null,
    key_retires_at: null,
    terms: {
      who: { kind: 'id', id: 'ada', as_text: false },
      expires_in: '7 days',
      uses: link.uses,
      account_ends: null,
      note: link.note ?? '',
    },
    claims_json: '{\n  "id": "ada"\n}',
    times: [],
    key: 'key-1',
    ...changed,
  };
}

/** Returns the page of links that a request asks for, of a ledger of `total` links. */
export function linksOf(request: LinksRequest, total: number): LinkPage {
  const { place, limit } = request;
  const first =
    place.kind === 'first' ? 0 : place.kind === 'row' ? place.row : Number(place.cursor) + 1;
  const end = Math.min(total, first + limit);
  const links = Array.from({ length: Math.max(0, end - first) }, (_, at) =>
    linkLike({ id: `link-${first + at}` }),
  );
  return {
    links,
    first_row: Math.min(first, total),
    total,
    next: end < total ? String(end - 1) : null,
  };
}

export type Asked = {
  [K in keyof Commands]: { name: K; request: Commands[K]['request'] };
}[keyof Commands];

/**
 * Returns the request of the last call of a command.
 *
 * The last call of all is no measure: another part of the page may ask for its data at any time.
 */
export function lastAsked<K extends keyof Commands>(
  asked: Asked[],
  wanted: K,
): Commands[K]['request'] | undefined {
  return asked.findLast(({ name }) => name === wanted)?.request;
}

/** Waits until the page has all answers, and asks for nothing more. */
export async function settle(asked: Asked[]): Promise<void> {
  let before = -1;
  while (before !== asked.length) {
    before = asked.length;
    // An answer comes in the next turn, and what it leads to may be asked a turn later.
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setTimeout(resolve));
  }
}

type Answers = {
  [K in keyof Commands]?: (
    request: Commands[K]['request'],
  ) => Commands[K]['response'] | Promise<Commands[K]['response']>;
};

/** Calls the page's end of the channel that it listens to. */
let send: ((event: StudioEvent) => void) | null = null;

/** Tells the page an event, as the Rust side does after `listenForEvents`. */
export function tell(event: StudioEvent): void {
  send?.(event);
}

/** Stands in for the Rust side: answers from a table, and keeps what it was asked. */
export function answer(answers: Answers): Asked[] {
  const asked: Asked[] = [];
  const invoke = (name: string, args: unknown): Promise<unknown> => {
    const { request } = args as { request: never };
    asked.push({ name, request } as Asked);
    const answerOf = answers[name as keyof Commands];
    // Settled in a later turn, as an answer from another process is.
    return new Promise((resolve, reject) =>
      setTimeout(() => {
        try {
          resolve(answerOf ? answerOf(request) : null);
        } catch (thrown) {
          // The Rust side rejects with a plain object.
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
          reject(thrown);
        }
      }),
    );
  };
  const transformCallback = (receive: (message: unknown) => void): number => {
    let index = 0;
    send = (message) => receive({ message, index: index++ });
    return 1;
  };
  Object.assign(window, { __TAURI_INTERNALS__: { invoke, transformCallback } });
  return asked;
}

/** Throws a problem as the Rust side rejects with it. */
export function refuse(code: string, message: string, field: string | null = null): never {
  // eslint-disable-next-line @typescript-eslint/only-throw-error
  throw { code, message, field };
}
