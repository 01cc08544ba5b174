// Generated from the Rust types by `cargo xtask gen`. Do not edit by hand.

export type ActivityEntry = { 
/**
 * It goes up with time.
 */
number: number, 
/**
 * When, in Unix seconds.
 */
at: number, 
/**
 * Who did it: `A visitor`, `Studio`, `API key CRM`.
 */
actor: string, 
/**
 * From where, if it came over a network.
 */
address: string | null, 
/**
 * The reference that a refused visitor was shown; of several visitors, the first one's.
 */
reference: string | null, 
/**
 * What kind of thing.
 */
kind: ActivityKind, 
/**
 * The stable code.
 */
code: string, 
/**
 * In a few words.
 */
title: string, 
/**
 * Why, or what exactly.
 */
detail: string | null, 
/**
 * Whom it is about.
 */
subject: string | null, };
export type ActivityKind = "sign_in" | "refusal" | "act";
export type ActivityPage = { 
/**
 * The entries, newest first. There may be fewer than were asked for, and more further on.
 */
entries: Array<ActivityEntry>, 
/**
 * Where to go on; nowhere, where everything was looked at.
 */
before: number | null, };
export type ActivityRequest = { 
/**
 * The instance's id.
 */
instance: string, 
/**
 * Only this kind.
 */
kind: ActivityKind | null, 
/**
 * Only what is about somebody, by the whole id or address.
 */
subject: string | null, 
/**
 * Only where this stands: whom it is about, the reference, the address, the code.
 */
text: string, 
/**
 * Only what was before the entry of this number.
 */
before: number | null, 
/**
 * How many.
 */
limit: number, };
export type Algorithm = "HS256" | "HS384" | "HS512";
export type ApiKey = { 
/**
 * First characters of the key after `lk_`.
 */
id: string, 
/**
 * Name that the administrator gave it.
 */
name: string, 
/**
 * When it was made, in Unix seconds.
 */
created_at: number, };
export type ApiKeyRef = { 
/**
 * The instance's id.
 */
instance: string, 
/**
 * The key's id.
 */
key: string, };
export type Appearance = { 
/**
 * Light or dark.
 */
theme: Theme, };
export type CertificateFile = "certificate" | "key";
export type ChosenFile = { 
/**
 * Where it is; nothing, where none was chosen.
 */
path: string | null, };
export type ClaimTime = { 
/**
 * `iat`, `nbf` or `exp`.
 */
member: string, 
/**
 * RFC 3339, in UTC.
 */
at: string, 
/**
 * `in 7 days`.
 */
words: string, };
export type CloseAsked = { 
/**
 * The instance whose gateway is open, by id.
 */
instance: string, 
/**
 * Number of people who are signed in there and lose access.
 */
people: number, };
export type CodeForm = "bare" | "url" | "widget_tag" | "text" | "qr";
export type ComposeRequest = { 
/**
 * The instance's id.
 */
instance: string, 
/**
 * Who is to sign in.
 */
who: Who, 
/**
 * In words: `7 days`, `12h`, `never`.
 */
expires_in: string, 
/**
 * `2026-11-29T23:10` in this computer's time zone, or RFC 3339; null for at once.
 */
not_before: string | null, 
/**
 * Whether the first sign-in uses it up.
 */
single_use: boolean, 
/**
 * Whether a new code is wanted although the single-use code of the same request is still shown.
 */
anew: boolean, };
export type Copied = { 
/**
 * When the clipboard is emptied if the content is still ours.
 */
clears_in_secs: number, };
export type CopyRequest = { 
/**
 * The preview's.
 */
revision: number, 
/**
 * What.
 */
what: CopyWhat, };
export type CopyWhat = "link" | "code" | "widget" | "qr";
export type ErrorCode = "invalid_payload" | "ambiguous_payload" | "invalid_url" | "invalid_setting" | "invalid_lifetime" | "invalid_time" | "code_too_long" | "no_code" | "input_too_large" | "qr_too_dense" | "invalid_picture" | "empty_secret" | "weak_secret" | "invalid_secret" | "no_signing_key" | "secret_concealed" | "keychain_unreachable" | "keys_locked" | "keys_missing" | "keys_in_use" | "wrong_passphrase" | "weak_passphrase" | "unknown_instance" | "instance_exists" | "unknown_user" | "user_exists" | "unknown_api_key" | "email_in_use" | "no_seats" | "invalid_cursor" | "too_many" | "hosted_elsewhere" | "address_in_use" | "directory_held" | "busy" | "already_open" | "invalid_data_folder" | "newer_format" | "older_format" | "damaged_file" | "storage" | "no_randomness" | "internal";
export type Forecast = { 
/**
 * How it sounds.
 */
tone: Tone, 
/**
 * `Signs in ada`.
 */
title: string, 
/**
 * What else is known, or is not, and what to do about it.
 */
detail: string, 
/**
 * The verdict's stable code; `None` for a code that verifies where the users are not known.
 */
verdict: string | null, 
/**
 * The user whom it is about, where there is one or would be.
 */
user: string | null, 
/**
 * How long the person stays signed in, where that is decided here.
 */
stay: string | null, };
export type GatewayStart = { 
/**
 * The id.
 */
instance: string, 
/**
 * An address of this computer.
 */
ip: string, 
/**
 * 1 to 65535.
 */
port: number, 
/**
 * How https is spoken.
 */
tls: Tls, };
export type GatewayState = { 
/**
 * The one that runs, if one does.
 */
running: RunningGateway | null, 
/**
 * Those that other programs run, for instances whose users were asked for.
 */
others: Array<OtherGateway>, 
/**
 * Where one can listen: this computer alone first, then the likeliest for a phone.
 */
addresses: Array<ListenAddress>, };
export type Hint = { 
/**
 * Its kind.
 */
code: HintCode, 
/**
 * The cause in a few words.
 */
title: string, 
/**
 * A sentence that says how to correct it.
 */
message: string, 
/**
 * Action in Latchkey that helps.
 */
next: NextStep | null, 
/**
 * Another of the administrator's instances, if the code or the link belongs to it.
 */
instance: string | null, };
export type HintCode = "signed_by_other_instance" | "secret_is_base64" | "secret_is_hex" | "secret_is_text" | "secret_has_quotes" | "secret_has_invisible_characters" | "signed_with_line_end" | "signed_with_byte_order_mark" | "signed_with_quotes" | "signed_with_base64" | "signed_with_hex" | "code_cut_off" | "plain_base64" | "times_in_milliseconds" | "times_in_microseconds" | "other_host";
export type Hosted = "here" | "elsewhere";
export type InspectRequest = { 
/**
 * The instance's id.
 */
instance: string, 
/**
 * Where the code is.
 */
source: InspectSource, };
export type InspectSource = { "kind": "text", 
/**
 * As it was pasted.
 */
text: string, } | { "kind": "picture", 
/**
 * The file's bytes.
 */
base64: string, } | { "kind": "clipboard" };
export type Inspection = { 
/**
 * Names this code to `redeem`.
 */
revision: number, 
/**
 * What it was found in.
 */
found_in: CodeForm, 
/**
 * The code's header.
 */
header: string, 
/**
 * The code's claims.
 */
claims: string, 
/**
 * The code's signature.
 */
signature: string, 
/**
 * The header, written to be read; null where it is not JSON.
 */
header_json: string | null, 
/**
 * The claims, written to be read; null where they are not JSON.
 */
claims_json: string | null, 
/**
 * The times among the claims.
 */
times: Array<ClaimTime>, 
/**
 * What would happen if it were opened now.
 */
forecast: Forecast, 
/**
 * The causes that are known, the most important first.
 */
hints: Array<Hint>, };
export type Instance = { 
/**
 * Its id, which never changes.
 */
id: string, 
/**
 * For people.
 */
name: string, 
/**
 * Where people open the application.
 */
url: string, 
/**
 * Who decides.
 */
hosted: Hosted, 
/**
 * The query parameter that carries the code.
 */
parameter: string, 
/**
 * How its codes are signed.
 */
algorithm: Algorithm, 
/**
 * The default lifetime in words: `7 days`, `12 hours`, `never`.
 */
lifetime: string, 
/**
 * Its rules.
 */
policy: Policy, 
/**
 * How its gateway lets people in.
 */
visiting: SignInSettings, 
/**
 * How much of its activity is kept.
 */
retention: Retention, 
/**
 * The values of `aud` that it accepts besides its URL.
 */
audiences: Array<string>, 
/**
 * Its signing key, if it has one.
 */
key: KeyStatus | null, 
/**
 * The keys of its API, which is off where there are none.
 */
api_keys: Array<ApiKey>, };
export type InstanceRef = { 
/**
 * The id.
 */
instance: string, };
export type InstanceSettings = { name: string, url: string, hosted: Hosted, parameter: string, algorithm: Algorithm, lifetime: string, policy: Policy, visiting: SignInSettings, retention: Retention, audiences: Array<string>, };
export type InstanceUpdate = { 
/**
 * The id.
 */
instance: string, 
/**
 * All of its settings.
 */
settings: InstanceSettings, };
export type KeyOrigin = "generated" | "pasted";
export type KeyStatus = { 
/**
 * Source of the key.
 */
origin: KeyOrigin, 
/**
 * When it was set, in Unix seconds.
 */
set_at: number, 
/**
 * Set where the key is shorter than RFC 7518 §3.2 asks for.
 */
warning: Warning | null, 
/**
 * How the secret is turned into the key.
 */
encoding: SecretEncoding, 
/**
 * Whether it can still be shown; it can be shown once.
 */
revealable: boolean, };
export type KeyStore = { "kind": "keychain" } & KeychainState | { "kind": "sealed_file" } & SealedFileState;
export type KeychainState = { "state": "ready" } | { "state": "unreachable", 
/**
 * Why.
 */
reason: Problem, };
export type ListenAddress = { 
/**
 * The address.
 */
ip: string, 
/**
 * What it belongs to: `eth0`; nothing for this computer's own.
 */
interface: string | null, };
export type Listener = { 
/**
 * The channel, as Tauri writes it.
 */
channel: string, };
export type LogFile = { 
/**
 * Path of today's file.
 */
path: string, };
export type LoginLink = { 
/**
 * `https://`
 */
scheme: string, 
/**
 * `chat.yourcompany.com:8443`
 */
authority: string, 
/**
 * `/path?a=b&externalAuthCode=`
 */
before: string, 
/**
 * The code's header.
 */
header: string, 
/**
 * The code's claims.
 */
claims: string, 
/**
 * The code's signature.
 */
signature: string, 
/**
 * `#fragment`, or nothing.
 */
after: string, };
export type MadeApiKey = { 
/**
 * The key. It is not shown again.
 */
key: string, 
/**
 * The instance as it is now.
 */
instance: Instance, };
export type MetadataInput = { "kind": "fields", 
/**
 * In order.
 */
fields: Array<[string, string]>, } | { "kind": "json", 
/**
 * As it was written.
 */
text: string, };
export type NewApiKey = { 
/**
 * The instance's id.
 */
instance: string, 
/**
 * What to call it: the system that uses it.
 */
name: string, };
export type NewInstance = { 
/**
 * For people; the URL's host where it is empty.
 */
name: string, 
/**
 * Where people open the application.
 */
url: string, 
/**
 * Who decides.
 */
hosted: Hosted, 
/**
 * Where its signing key comes from.
 */
secret: SecretSource, };
export type NewUser = { 
/**
 * The instance's id.
 */
instance: string, 
/**
 * The administrator's own key for this person.
 */
id: string, 
/**
 * The address; none where it is empty.
 */
email: string, 
/**
 * Everything else.
 */
metadata: MetadataInput, };
export type NextStep = "make_link" | "replace_secret" | "open_instance";
export type Origin = "link" | "added" | "import";
export type OtherGateway = { 
/**
 * The id of its instance.
 */
instance: string, 
/**
 * The program: `latchkey serve (process 4711)`.
 */
program: string, };
export type PageStart = { "kind": "first" } | { "kind": "after", 
/**
 * That page's `next`.
 */
cursor: string, } | { "kind": "row", 
/**
 * The number.
 */
row: number, };
export type Passphrase = { 
/**
 * It.
 */
passphrase: string, };
export type Policy = { 
/**
 * Off: every code is refused. On by default.
 */
external_auth: boolean, 
/**
 * Refuse codes without `exp`. Off by default.
 */
require_expiry: boolean, 
/**
 * Create users whom a code names for the first time. On by default.
 */
provisioning: boolean, 
/**
 * Take a returning user's e-mail and metadata from a newer code. On by default.
 */
refresh_profile: boolean, };
export type Preview = { 
/**
 * Names this preview to `copy` and `qr_save`.
 */
revision: number, 
/**
 * The link.
 */
link: LoginLink, 
/**
 * The code's header, written to be read.
 */
header_json: string, 
/**
 * The claims, written to be read.
 */
claims_json: string, 
/**
 * The times among the claims.
 */
times: Array<ClaimTime>, 
/**
 * The tag for a page.
 */
widget: string, 
/**
 * The QR code.
 */
qr: QrPreview | null, 
/**
 * Why there is no QR code, where there is none.
 */
qr_refused: Problem | null, 
/**
 * What would happen if the link were opened now.
 */
forecast: Forecast, 
/**
 * What to know before giving it out.
 */
warnings: Array<Warning>, 
/**
 * RFC 3339 in UTC; null for a link that never expires.
 */
expires_at: string | null, 
/**
 * Whether the first sign-in uses it up.
 */
single_use: boolean, };
export type Problem = { 
/**
 * For the UI to switch on.
 */
code: ProblemCode, 
/**
 * For a person.
 */
message: string, 
/**
 * The member that it is about.
 */
field: string | null, };
export type ProblemCode = ErrorCode | StudioErrorCode;
export type QrFormat = "png" | "svg";
export type QrLevel = "L" | "M";
export type QrPreview = { 
/**
 * 1 to 22.
 */
version: number, 
/**
 * Modules on a side, the quiet zone not counted.
 */
modules: number, 
/**
 * The error correction.
 */
level: QrLevel, 
/**
 * SVG path data of the dark modules, one unit a module, inside a quiet zone of 4: the view box
 * is `0 0 modules+8 modules+8`.
 */
path: string, 
/**
 * What to know about scanning it.
 */
warning: Warning | null, };
export type QrSaveRequest = { 
/**
 * The preview's.
 */
revision: number, 
/**
 * As what.
 */
format: QrFormat, };
export type QrSaved = { 
/**
 * The file's name; null where the person cancelled.
 */
file: string | null, };
export type RedeemRequest = { 
/**
 * The instance's id.
 */
instance: string, 
/**
 * The inspection's.
 */
revision: number, };
export type Redeemed = { 
/**
 * In words, as having happened.
 */
forecast: Forecast, 
/**
 * The user who is signed in now.
 */
user: UserProfile | null, 
/**
 * The seats as they are now.
 */
seats: Seats, };
export type Retention = { 
/**
 * Age up to which entries are kept. 365 days by default.
 */
age: string, 
/**
 * Maximum number of refusals that are kept, the latest ones. 100,000 by default.
 */
refusals: number, };
export type RevealedSecret = { 
/**
 * It.
 */
secret: string, };
export type RunningGateway = { 
/**
 * The id of its instance.
 */
instance: string, 
/**
 * Where people reach it.
 */
url: string, 
/**
 * Whether other computers can.
 */
on_network: boolean, 
/**
 * SHA-256 of the certificate's public key, where https is spoken.
 */
fingerprint: string | null, 
/**
 * A QR code of its address, where a phone can reach it: to try that.
 */
qr: QrPreview | null, 
/**
 * How often somebody has signed in since it was started.
 */
sign_ins: number, };
export type SealedFileState = { "state": "ready" } | { "state": "locked" } | { "state": "missing", 
/**
 * The file's path, and the ways out.
 */
reason: Problem, } | { "state": "new", 
/**
 * Why the keychain is not used.
 */
reason: Problem, };
export type SealedSecret = { 
/**
 * The instance's id.
 */
instance: string, 
/**
 * Its name.
 */
name: string, 
/**
 * Where people open the application.
 */
url: string, 
/**
 * Who decides about sign-ins.
 */
hosted: Hosted, };
export type SeatLimit = { 
/**
 * The instance's id.
 */
instance: string, 
/**
 * The number; null for no limit.
 */
limit: number | null, };
export type Seats = { 
/**
 * Taken by active users.
 */
used: number, 
/**
 * All there are; no limit, if `None`. It may be lower than what is used.
 */
limit: number | null, };
export type SecretEncoding = "text" | "base64" | "hex";
export type SecretReplacement = { 
/**
 * The id.
 */
instance: string, 
/**
 * Where the key comes from.
 */
secret: SecretSource, };
export type SecretSource = { "kind": "generate" } | { "kind": "paste", 
/**
 * The JWT secret.
 */
secret: string, 
/**
 * The encoding of the key in the secret.
 */
encoding: SecretEncoding, };
export type SignInSettings = { 
/**
 * What it takes.
 */
step: SignInStep, 
/**
 * How long a session lasts, at most.
 */
session: string, 
/**
 * Whether a session ends when the code that began it expires. Off by default.
 */
session_ends_with_link: boolean, 
/**
 * How long a session lasts without a use; as long as with one, by default.
 */
session_idle: string, 
/**
 * Where people may be sent back to, beside the instance itself.
 */
return_to: Array<string>, 
/**
 * Whose pages may show the widget; nobody's by default.
 */
embed_in: Array<string>, };
export type SignInStep = "automatic" | "confirm";
export type SortBy = "id" | "email" | "created" | "last_sign_in";
export type Start = { 
/**
 * Latchkey's version.
 */
version: string, 
/**
 * Where everything is kept.
 */
data_dir: string, 
/**
 * All instances that can be read, by name.
 */
instances: Array<Instance>, 
/**
 * What is wrong with the others.
 */
problems: Array<Problem>, 
/**
 * The instance that was last worked on, if it is still there.
 */
current: string | null, 
/**
 * Where the signing keys are.
 */
key_store: KeyStore, 
/**
 * How Studio looks.
 */
appearance: Appearance, 
/**
 * How gateways were started last.
 */
gateways: Array<GatewayStart>, };
export type Status = "active" | "suspended";
export type StudioErrorCode = "stale_preview" | "stale_inspection" | "clipboard_unavailable" | "clipboard_empty";
export type StudioEvent = { "kind": "activity", 
/**
 * The instance's id.
 */
instance: string, } | { "kind": "users", 
/**
 * The instance's id.
 */
instance: string, } | { "kind": "gateway" } | { "kind": "instances" } | { "kind": "close_asked" };
export type Theme = "system" | "light" | "dark";
export type Tls = { "kind": "off" } | { "kind": "self_signed" } | { "kind": "files", 
/**
 * The path of the certificate with its chain.
 */
certificate: string, 
/**
 * The path of its private key.
 */
key: string, };
export type Tone = "good" | "caution" | "refused";
export type User = { 
/**
 * The administrator's own key for this person.
 */
id: string, 
/**
 * The address, as written.
 */
email: string | null, 
/**
 * Whether the user may sign in.
 */
status: Status, 
/**
 * How the user came in.
 */
origin: Origin, 
/**
 * When the user came in.
 */
created_at: number, 
/**
 * The last sign-in.
 */
last_sign_in: number | null, 
/**
 * How often the user has signed in.
 */
sign_ins: number, 
/**
 * When the profile was last set.
 */
profile_as_of: number, };
export type UserPage = { 
/**
 * They, in order.
 */
users: Array<User>, 
/**
 * Which of all the first one is, counted from 0.
 */
first_row: number, 
/**
 * How many answer the query.
 */
total: number, 
/**
 * Where the next page begins, if there is one.
 */
next: string | null, 
/**
 * Problems of users, also of those that the query leaves out.
 */
notices: Array<Warning>, };
export type UserProfile = { 
/**
 * The user.
 */
user: User, 
/**
 * The metadata: a JSON object, written to be read.
 */
metadata_json: string, };
export type UserQuery = { 
/**
 * Words, each of which is to occur in the id, the address or a name.
 */
search: string, 
/**
 * Only users of this status.
 */
status: Status | null, 
/**
 * Only users who came in this way.
 */
origin: Origin | null, 
/**
 * What by.
 */
sort_by: SortBy, 
/**
 * From the greatest to the least.
 */
descending: boolean, };
export type UserRef = { 
/**
 * The instance's id.
 */
instance: string, 
/**
 * The user's.
 */
id: string, };
export type UsersRequest = { 
/**
 * The instance's id.
 */
instance: string, 
/**
 * Which users.
 */
query: UserQuery, 
/**
 * From where on.
 */
place: PageStart, 
/**
 * How many at most; 200 are the most.
 */
limit: number, };
export type Warning = { 
/**
 * For callers to switch on: `short_key`.
 */
code: string, 
/**
 * For a person.
 */
message: string, };
export type Who = { "kind": "email", 
/**
 * The address.
 */
email: string, } | { "kind": "id", 
/**
 * The id.
 */
id: string, 
/**
 * Send digits as a text and not as a number.
 */
as_text: boolean, } | { "kind": "user", 
/**
 * The administrator's own key for this person.
 */
id: string, 
/**
 * The address; none where it is empty.
 */
email: string, 
/**
 * Everything else.
 */
metadata: MetadataInput, };

/** Every command: what it takes, and what it answers with. */
export type Commands = {
  start: { request: null; response: Start };
  appearance_set: { request: Appearance; response: null };
  instance_add: { request: NewInstance; response: Instance };
  sample_instance_add: { request: null; response: Instance };
  instance_select: { request: InstanceRef; response: null };
  instance_update: { request: InstanceUpdate; response: Instance };
  instance_remove: { request: InstanceRef; response: null };
  secret_replace: { request: SecretReplacement; response: Instance };
  secret_reveal: { request: InstanceRef; response: RevealedSecret };
  secret_copy: { request: InstanceRef; response: Copied };
  secret_conceal: { request: InstanceRef; response: Instance };
  api_key_make: { request: NewApiKey; response: MadeApiKey };
  api_key_revoke: { request: ApiKeyRef; response: Instance };
  compose: { request: ComposeRequest; response: Preview };
  copy: { request: CopyRequest; response: Copied };
  qr_save: { request: QrSaveRequest; response: QrSaved };
  users: { request: UsersRequest; response: UserPage };
  user: { request: UserRef; response: UserProfile };
  user_add: { request: NewUser; response: UserProfile };
  user_suspend: { request: UserRef; response: UserProfile };
  user_reactivate: { request: UserRef; response: UserProfile };
  user_sign_out: { request: UserRef; response: UserProfile };
  user_remove: { request: UserRef; response: null };
  users_correct_times: { request: InstanceRef; response: null };
  seats: { request: InstanceRef; response: Seats };
  seats_set: { request: SeatLimit; response: Seats };
  activity: { request: ActivityRequest; response: ActivityPage };
  inspect: { request: InspectRequest; response: Inspection };
  redeem: { request: RedeemRequest; response: Redeemed };
  gateway: { request: null; response: GatewayState };
  gateway_start: { request: GatewayStart; response: GatewayState };
  gateway_stop: { request: null; response: GatewayState };
  gateway_file_choose: { request: CertificateFile; response: ChosenFile };
  log_file: { request: null; response: LogFile };
  log_folder_open: { request: null; response: null };
  keys_create: { request: Passphrase; response: KeyStore };
  keys_unlock: { request: Passphrase; response: KeyStore };
  keys_retry: { request: null; response: KeyStore };
  keys_use_sealed_file: { request: null; response: KeyStore };
  keys_sealed: { request: null; response: Array<SealedSecret> };
  keys_start_anew: { request: Passphrase; response: KeyStore };
  listen: { request: Listener; response: null };
  close_asked: { request: null; response: CloseAsked | null };
  close: { request: null; response: null };
};
