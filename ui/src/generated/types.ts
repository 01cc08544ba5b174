// Generated from the Rust types by `cargo xtask gen`. Do not edit by hand.

export type ActivityEntry = { 
/**
 * Number of the entry. Later entries have higher numbers.
 */
number: number, 
/**
 * Time in Unix seconds.
 */
at: number, 
/**
 * Actor, such as `A visitor`, `Studio` or `API key CRM`.
 */
actor: string, 
/**
 * Network address from which the actor acted, if there is one.
 */
address: string | null, 
/**
 * Reference that the refused visitor was shown. An entry for several visitors has that of the
 * first.
 */
reference: string | null, 
/**
 * Kind of the entry.
 */
kind: ActivityKind, 
/**
 * Stable code of the event.
 */
code: string, 
/**
 * Title in a few words.
 */
title: string, 
/**
 * Reason or details.
 */
detail: string | null, 
/**
 * Values of which title and detail are made.
 */
parameters: Record<string, unknown>, 
/**
 * User whom the entry is about.
 */
subject: string | null, };
export type ActivityKind = "sign_in" | "refusal" | "act";
export type ActivityPage = { 
/**
 * Entries, newest first. There may be fewer than the maximum although more follow.
 */
entries: Array<ActivityEntry>, 
/**
 * Value of `before` for the next page. Null if all entries were searched.
 */
before: number | null, };
export type ActivityRequest = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * Only entries of this kind.
 */
kind: ActivityKind | null, 
/**
 * Only entries about this user, given by the whole ID or address.
 */
subject: string | null, 
/**
 * Only entries that contain this text: a user, a reference, an address or a code.
 */
text: string, 
/**
 * Only entries before the entry with this number.
 */
before: number | null, 
/**
 * Maximum number of entries.
 */
limit: number, };
export type Algorithm = "HS256" | "HS384" | "HS512";
export type ApiKey = { 
/**
 * First characters of the key after `lk_`.
 */
id: string, 
/**
 * Name that the administrator gave the key.
 */
name: string, 
/**
 * Time when the key was made, in Unix seconds.
 */
created_at: number, 
/**
 * Scopes of the key.
 */
scopes: Array<Scope>, 
/**
 * Time at which the key expires, in Unix seconds.
 */
expires_at: number | null, };
export type ApiKeyRef = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * ID of the key.
 */
key: string, };
export type Appearance = { 
/**
 * Light or dark theme.
 */
theme: Theme, };
export type CertificateFile = "certificate" | "key";
export type ChosenFile = { 
/**
 * Path of the file. Null if the user cancelled.
 */
path: string | null, };
export type ClaimTime = { 
/**
 * Name of the claim: `iat`, `nbf` or `exp`.
 */
member: string, 
/**
 * Time in RFC 3339 and UTC.
 */
at: string, 
/**
 * Time in words, such as `in 7 days`.
 */
words: string, };
export type CloseAsked = { 
/**
 * ID of the instance whose gateway is open.
 */
instance: string, 
/**
 * Number of people who are signed in there and would lose access.
 */
people: number, };
export type CodeForm = "bare" | "url" | "widget_tag" | "text" | "qr";
export type ComposeRequest = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * User who signs in.
 */
who: Who, 
/**
 * Lifetime in words: `7 days`, `12h`, `never`.
 */
expires_in: string, 
/**
 * Start time: `2026-11-29T23:10` in the time zone of this computer, or RFC 3339. Null if the
 * link works at once.
 */
not_before: string | null, 
/**
 * Whether the first sign-in uses the link up.
 */
single_use: boolean, 
/**
 * Whether to make a new code even if the single-use code of the same request is still shown.
 */
anew: boolean, };
export type Copied = { 
/**
 * Seconds until the clipboard is cleared, unless another program replaces the content.
 */
clears_in_secs: number, };
export type CopyRequest = { 
/**
 * Revision of the preview.
 */
revision: number, 
/**
 * Part to copy.
 */
what: CopyWhat, };
export type CopyWhat = "link" | "code" | "widget" | "qr";
export type ErrorCode = "invalid_payload" | "ambiguous_payload" | "invalid_url" | "invalid_setting" | "invalid_lifetime" | "invalid_time" | "code_too_long" | "no_code" | "input_too_large" | "qr_too_dense" | "invalid_picture" | "empty_secret" | "weak_secret" | "invalid_secret" | "no_signing_key" | "secret_concealed" | "keychain_unreachable" | "keys_locked" | "keys_missing" | "keys_in_use" | "wrong_passphrase" | "weak_passphrase" | "unknown_instance" | "instance_exists" | "unknown_user" | "user_exists" | "unknown_api_key" | "email_in_use" | "no_seats" | "invalid_cursor" | "invalid_import" | "too_many" | "hosted_elsewhere" | "address_in_use" | "directory_held" | "unreachable" | "wrong_certificate" | "key_refused" | "scope_missing" | "older_gateway" | "newer_gateway" | "not_copied" | "not_connected" | "unexpected_answer" | "busy" | "already_open" | "invalid_data_folder" | "newer_format" | "older_format" | "damaged_file" | "storage" | "no_randomness" | "internal";
export type Forecast = { 
/**
 * Tone of the forecast.
 */
tone: Tone, 
/**
 * Title, such as `Signs in ada`.
 */
title: string, 
/**
 * Sentence with details, and what to do about a refusal.
 */
detail: string, 
/**
 * Stable code of the verdict. `None` for a code that verifies if the users are not known here.
 */
verdict: string | null, 
/**
 * User whom the link signs in or would create.
 */
user: string | null, 
/**
 * Time for which the person stays signed in, if that is decided here.
 */
stay: string | null, };
export type GatewayStart = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * IP address of this computer.
 */
ip: string, 
/**
 * Port, from 1 to 65535.
 */
port: number, 
/**
 * Use of https.
 */
tls: Tls, };
export type GatewayState = { 
/**
 * The gateway that Studio runs.
 */
running: RunningGateway | null, 
/**
 * Gateways of other programs, for the instances whose users were requested.
 */
others: Array<OtherGateway>, 
/**
 * Addresses on which a gateway can listen: first the loopback address, then those that a phone
 * most likely reaches.
 */
addresses: Array<ListenAddress>, };
export type Hint = { 
/**
 * Kind of the cause.
 */
code: HintCode, 
/**
 * Title in a few words.
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
 * Instance of the same administrator to which the code or the link belongs, if it is another
 * one.
 */
instance: string | null, };
export type HintCode = "signed_by_other_instance" | "secret_is_base64" | "secret_is_hex" | "secret_is_text" | "secret_has_quotes" | "secret_has_invisible_characters" | "signed_with_line_end" | "signed_with_byte_order_mark" | "signed_with_quotes" | "signed_with_base64" | "signed_with_hex" | "code_cut_off" | "plain_base64" | "times_in_milliseconds" | "times_in_microseconds" | "other_host" | "other_parameter";
export type Hosted = "here" | "elsewhere" | "gateway";
export type InspectRequest = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * Source of the code.
 */
source: InspectSource, };
export type InspectSource = { "kind": "text", 
/**
 * Pasted text.
 */
text: string, } | { "kind": "picture", 
/**
 * Content of the file in base64.
 */
base64: string, } | { "kind": "clipboard" };
export type Inspection = { 
/**
 * Number that names this code to `redeem`.
 */
revision: number, 
/**
 * Form in which the code was found.
 */
found_in: CodeForm, 
/**
 * Header of the code.
 */
header: string, 
/**
 * Claims of the code.
 */
claims: string, 
/**
 * Signature of the code.
 */
signature: string, 
/**
 * Header as indented JSON. Null if it is not JSON.
 */
header_json: string | null, 
/**
 * Claims as indented JSON. Null if they are not JSON.
 */
claims_json: string | null, 
/**
 * Times among the claims.
 */
times: Array<ClaimTime>, 
/**
 * Forecast of opening the code now.
 */
forecast: Forecast, 
/**
 * Actions that correct the cause of a refusal.
 */
remedies: Array<Remedy>, 
/**
 * Known causes of a refusal, the most important first.
 */
hints: Array<Hint>, };
export type Instance = { 
/**
 * ID, which never changes.
 */
id: string, 
/**
 * Name for people.
 */
name: string, 
/**
 * URL of the application.
 */
url: string, 
/**
 * Whether the URL leads to the computer that it is opened on.
 */
is_loopback: boolean, 
/**
 * Whether sign-ins are decided here or elsewhere.
 */
hosted: Hosted, 
/**
 * Query parameter that carries the code.
 */
parameter: string, 
/**
 * Signature algorithm of its codes.
 */
algorithm: Algorithm, 
/**
 * Default lifetime of links in words: `7 days`, `12 hours`, `never`.
 */
lifetime: string, 
/**
 * Rules for codes.
 */
policy: Policy, 
/**
 * Settings of signing in at its gateway.
 */
visiting: SignInSettings, 
/**
 * Retention of its activity.
 */
retention: Retention, 
/**
 * Values of `aud` that are accepted besides its URL.
 */
audiences: Array<string>, 
/**
 * Its signing key, if it has one.
 */
key: KeyStatus | null, 
/**
 * Its API keys. Without any, the API is off.
 */
api_keys: Array<ApiKey>, };
export type InstanceRef = { 
/**
 * ID of the instance.
 */
instance: string, };
export type InstanceSettings = { name: string, url: string, hosted: Hosted, parameter: string, algorithm: Algorithm, lifetime: string, policy: Policy, visiting: SignInSettings, retention: Retention, audiences: Array<string>, };
export type InstanceUpdate = { 
/**
 * ID of the instance.
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
 * Time when the key was set, in Unix seconds.
 */
set_at: number, 
/**
 * Warning if the key is shorter than RFC 7518 §3.2 requires.
 */
warning: Warning | null, 
/**
 * Encoding of the secret.
 */
encoding: SecretEncoding, 
/**
 * Whether the secret can still be shown. It can be shown only once.
 */
revealable: boolean, };
export type KeyStore = { "kind": "keychain" } & KeychainState | { "kind": "sealed_file" } & SealedFileState;
export type KeychainState = { "state": "ready" } | { "state": "unreachable", 
/**
 * Reason.
 */
reason: Problem, };
export type ListenAddress = { 
/**
 * IP address.
 */
ip: string, 
/**
 * Name of the network interface, such as `eth0`. Null for the loopback address.
 */
interface: string | null, };
export type Listener = { 
/**
 * The channel in Tauri's text form.
 */
channel: string, };
export type LogFile = { 
/**
 * Path of today's file.
 */
path: string, };
export type LoginLink = { 
/**
 * Scheme, as `https://`.
 */
scheme: string, 
/**
 * Host and port, as `chat.yourcompany.com:8443`.
 */
authority: string, 
/**
 * Path and query up to the code, as `/path?a=b&externalAuthCode=`.
 */
before: string, 
/**
 * Header of the code.
 */
header: string, 
/**
 * Claims of the code.
 */
claims: string, 
/**
 * Signature of the code.
 */
signature: string, 
/**
 * Rest of the query and `#fragment`, or an empty text.
 */
after: string, };
export type MadeApiKey = { 
/**
 * The key, which cannot be shown again.
 */
key: string, 
/**
 * The instance with the new key.
 */
instance: Instance, };
export type MetadataInput = { "kind": "fields", 
/**
 * Names with their texts, in the order of the form.
 */
fields: Array<[string, string]>, } | { "kind": "json", 
/**
 * The object as text.
 */
text: string, };
export type NewApiKey = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * Name of the system that uses the key.
 */
name: string, 
/**
 * Names of its scopes, at least one.
 */
scopes: Array<string>, 
/**
 * Time after which the key expires, such as `90 days` or `never`.
 */
expires_in: string, };
export type NewInstance = { 
/**
 * Name for people. If it is empty, the host of the URL.
 */
name: string, 
/**
 * URL of the application.
 */
url: string, 
/**
 * Whether sign-ins are decided here or elsewhere.
 */
hosted: Hosted, 
/**
 * Source of its signing key.
 */
secret: SecretSource, };
export type NewUser = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * ID: the administrator's own key for the person.
 */
id: string, 
/**
 * E-mail address. Empty for none.
 */
email: string, 
/**
 * Metadata.
 */
metadata: MetadataInput, };
export type NextStep = "make_link" | "replace_secret" | "open_instance";
export type Origin = "link" | "added" | "import";
export type OtherGateway = { 
/**
 * ID of its instance.
 */
instance: string, 
/**
 * Name of the program, such as `latchkey serve (process 4711)`.
 */
program: string, };
export type PageStart = { "kind": "first" } | { "kind": "after", 
/**
 * Value of `next` of the earlier page.
 */
cursor: string, } | { "kind": "row", 
/**
 * Number of the row, counted from 0.
 */
row: number, };
export type Passphrase = { 
/**
 * The passphrase.
 */
passphrase: string, };
export type Policy = { 
/**
 * Whether codes are accepted at all. On by default.
 */
external_auth: boolean, 
/**
 * Whether codes without `exp` are refused. Off by default.
 */
require_expiry: boolean, 
/**
 * Whether a code for a new user creates the user. On by default.
 */
provisioning: boolean, 
/**
 * Whether a newer code updates the address and the metadata of a returning user. On by
 * default.
 */
refresh_profile: boolean, };
export type Preview = { 
/**
 * Number that names this preview to `copy` and `qr_save`.
 */
revision: number, 
/**
 * The link.
 */
link: LoginLink, 
/**
 * Header of the code, as indented JSON.
 */
header_json: string, 
/**
 * Claims of the code, as indented JSON.
 */
claims_json: string, 
/**
 * Times among the claims.
 */
times: Array<ClaimTime>, 
/**
 * Widget tag for a page.
 */
widget: string, 
/**
 * QR code, if the link fits into one.
 */
qr: QrPreview | null, 
/**
 * Reason why there is no QR code.
 */
qr_refused: Problem | null, 
/**
 * Forecast of opening the link now.
 */
forecast: Forecast, 
/**
 * Actions that correct the cause of a refusal.
 */
remedies: Array<Remedy>, 
/**
 * Warnings to read before giving the link away.
 */
warnings: Array<Warning>, 
/**
 * End of the link in RFC 3339 and UTC. Null if it never expires.
 */
expires_at: string | null, 
/**
 * Whether the first sign-in uses the link up.
 */
single_use: boolean, };
export type Problem = { 
/**
 * Code for the UI to match on.
 */
code: ProblemCode, 
/**
 * Message for a person.
 */
message: string, 
/**
 * Field of the request that the error is about.
 */
field: string | null, };
export type ProblemCode = ErrorCode | StudioErrorCode;
export type QrFormat = "png" | "svg";
export type QrLevel = "L" | "M";
export type QrPreview = { 
/**
 * Version of the QR code, from 1 to 22.
 */
version: number, 
/**
 * Number of modules on a side, without the quiet zone.
 */
modules: number, 
/**
 * Error correction level.
 */
level: QrLevel, 
/**
 * SVG path data of the dark modules. A module is one unit wide. The quiet zone is 4 units, so
 * the view box is `0 0 modules+8 modules+8`.
 */
path: string, 
/**
 * Warning about scanning the code.
 */
warning: Warning | null, };
export type QrSaveRequest = { 
/**
 * Revision of the preview.
 */
revision: number, 
/**
 * Format of the file.
 */
format: QrFormat, };
export type QrSaved = { 
/**
 * Name of the file. Null if the user cancelled.
 */
file: string | null, };
export type RedeemRequest = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * Revision of the inspection.
 */
revision: number, };
export type Redeemed = { 
/**
 * Result in the form of a forecast.
 */
forecast: Forecast, 
/**
 * User who is signed in now.
 */
user: UserProfile | null, 
/**
 * Seats after the redemption.
 */
seats: Seats, };
export type Remedy = { "kind": "show_user", 
/**
 * ID of the user.
 */
user: string, } | { "kind": "show_users" } | { "kind": "add_user" } | { "kind": "new_person" } | { "kind": "new_link" } | { "kind": "seat_limit" } | { "kind": "sign_in_rules" };
export type Retention = { 
/**
 * Maximum age of entries. 365 days by default.
 */
age: string, 
/**
 * Maximum number of refusals. The latest are kept. 100,000 by default.
 */
refusals: number, };
export type RevealedSecret = { 
/**
 * The secret.
 */
secret: string, };
export type RunningGateway = { 
/**
 * ID of its instance.
 */
instance: string, 
/**
 * URL of the gateway.
 */
url: string, 
/**
 * Whether other computers can reach it.
 */
on_network: boolean, 
/**
 * SHA-256 of the certificate's public key. Null without https.
 */
fingerprint: string | null, 
/**
 * QR code of the gateway's URL. Null if a phone cannot reach it.
 */
qr: QrPreview | null, 
/**
 * Number of sign-ins since the gateway was started.
 */
sign_ins: number, };
export type Scope = "links" | "users:read" | "users" | "activity" | "admin";
export type SealedFileState = { "state": "ready" } | { "state": "locked" } | { "state": "missing", 
/**
 * Path of the file, and what to do.
 */
reason: Problem, } | { "state": "new", 
/**
 * Reason why the keychain is not used.
 */
reason: Problem, };
export type SealedSecret = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * Name of the instance.
 */
name: string, 
/**
 * URL of the application.
 */
url: string, 
/**
 * Whether sign-ins are decided here or elsewhere.
 */
hosted: Hosted, };
export type SeatLimit = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * New number. Null for no limit.
 */
limit: number | null, };
export type Seats = { 
/**
 * Number of seats that active users take.
 */
used: number, 
/**
 * Number of all seats. `None` for no limit. It may be lower than that of used seats.
 */
limit: number | null, };
export type SecretEncoding = "text" | "base64" | "hex";
export type SecretReplacement = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * Source of the new key.
 */
secret: SecretSource, };
export type SecretSource = { "kind": "generate" } | { "kind": "paste", 
/**
 * JWT secret.
 */
secret: string, 
/**
 * Encoding of the secret.
 */
encoding: SecretEncoding, };
export type SignInSettings = { 
/**
 * Step between opening a link and signing in.
 */
step: SignInStep, 
/**
 * Maximum length of a session.
 */
session: string, 
/**
 * Whether a session ends when the code that began it expires. Off by default.
 */
session_ends_with_link: boolean, 
/**
 * Time without use after which a session ends. By default it ends only by its length.
 */
session_idle: string, 
/**
 * Origins to which visitors may return, besides the instance itself.
 */
return_to: Array<string>, 
/**
 * Origins whose pages may show the widget. Empty by default.
 */
embed_in: Array<string>, };
export type SignInStep = "automatic" | "confirm";
export type SortBy = "id" | "email" | "created" | "last_sign_in";
export type Start = { 
/**
 * Version of Latchkey.
 */
version: string, 
/**
 * Path of the data folder.
 */
data_dir: string, 
/**
 * All readable instances in the order of their names.
 */
instances: Array<Instance>, 
/**
 * Errors of the instances that cannot be read.
 */
problems: Array<Problem>, 
/**
 * ID of the instance that was selected last, if it still exists.
 */
current: string | null, 
/**
 * State of the key store.
 */
key_store: KeyStore, 
/**
 * Appearance of Studio.
 */
appearance: Appearance, 
/**
 * Options with which gateways were last started.
 */
gateways: Array<GatewayStart>, };
export type Status = "active" | "suspended";
export type StudioErrorCode = "stale_preview" | "stale_inspection" | "clipboard_unavailable" | "clipboard_empty";
export type StudioEvent = { "kind": "activity", 
/**
 * ID of the instance.
 */
instance: string, } | { "kind": "users", 
/**
 * ID of the instance.
 */
instance: string, } | { "kind": "gateway" } | { "kind": "instances" } | { "kind": "close_asked" };
export type Theme = "system" | "light" | "dark";
export type Tls = { "kind": "off" } | { "kind": "self_signed" } | { "kind": "files", 
/**
 * Path of the certificate with its chain.
 */
certificate: string, 
/**
 * Path of the private key.
 */
key: string, };
export type Tone = "good" | "caution" | "refused";
export type User = { 
/**
 * ID: the administrator's own key for the person.
 */
id: string, 
/**
 * Name in the metadata.
 */
name: string | null, 
/**
 * E-mail address as written.
 */
email: string | null, 
/**
 * Whether the user may sign in.
 */
status: Status, 
/**
 * Way in which the user was created.
 */
origin: Origin, 
/**
 * Time when the user was created, in Unix seconds.
 */
created_at: number, 
/**
 * Time of the last sign-in, in Unix seconds.
 */
last_sign_in: number | null, 
/**
 * Number of sign-ins.
 */
sign_ins: number, 
/**
 * Time when the profile was last set, in Unix seconds.
 */
profile_as_of: number, };
export type UserPage = { 
/**
 * Users in the requested order.
 */
users: Array<User>, 
/**
 * Row of the first user, counted from 0.
 */
first_row: number, 
/**
 * Number of users who match the query.
 */
total: number, 
/**
 * Position of the next page, if there is one.
 */
next: string | null, 
/**
 * Warnings about users, also about users who do not match the query.
 */
notices: Array<Warning>, };
export type UserProfile = { 
/**
 * The user.
 */
user: User, 
/**
 * Metadata as indented JSON: an object.
 */
metadata_json: string, };
export type UserQuery = { 
/**
 * Words that must all occur in the ID, the address or a name.
 */
search: string, 
/**
 * Only users with this status.
 */
status: Status | null, 
/**
 * Only users who were created in this way.
 */
origin: Origin | null, 
/**
 * Field to sort by.
 */
sort_by: SortBy, 
/**
 * Whether the order is reversed.
 */
descending: boolean, };
export type UserRef = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * ID of the user.
 */
id: string, };
export type UsersRequest = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * Filter and order.
 */
query: UserQuery, 
/**
 * Position of the page.
 */
place: PageStart, 
/**
 * Maximum number of users, at most 200.
 */
limit: number, };
export type Warning = { 
/**
 * Code for callers to match on, such as `short_key`.
 */
code: string, 
/**
 * Message for a person.
 */
message: string, };
export type Who = { "kind": "email", 
/**
 * E-mail address.
 */
email: string, } | { "kind": "id", 
/**
 * ID of the user.
 */
id: string, 
/**
 * Whether digits are sent as a text and not as a number.
 */
as_text: boolean, } | { "kind": "user", 
/**
 * ID: the administrator's own key for the person.
 */
id: string, 
/**
 * E-mail address. Empty for none.
 */
email: string, 
/**
 * Metadata.
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
