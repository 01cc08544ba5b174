// Generated from the Rust types by `cargo xtask gen`. Do not edit by hand.

export type AccountEndChange = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * ID of the user.
 */
id: string, 
/**
 * Time when the account ends: a time in this computer's time zone, or days from now such as
 * `14 days`. Null for no end.
 */
ends: string | null, };
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
export type ActivityExport = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * Only entries of this kind.
 */
kind: ActivityKind | null, 
/**
 * Only entries that contain this text.
 */
text: string, 
/**
 * Format of the file.
 */
format: LineFormat, };
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
 * Only entries about the link with this ID.
 */
link: string | null, 
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
expires_at: number | null, 
/**
 * Time of the last use, in Unix seconds, some minutes old at most.
 */
last_used_at: number | null, };
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
export type AutomaticBackups = { 
/**
 * Whether one is made every day.
 */
on: boolean, 
/**
 * Time of the last one, in Unix seconds.
 */
last: number | null, 
/**
 * Folder in which they are.
 */
folder: string, };
export type AutomaticBackupsChange = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * Whether one is made every day.
 */
on: boolean, };
export type BackupRequest = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * Passphrase that seals the keys. Null leaves out the keys.
 */
passphrase: string | null, 
/**
 * Whether the instance moves to a server. Its gateway is then ended first. Fails if another
 * program has the instance open.
 */
moves: boolean, };
export type BackupSaved = { 
/**
 * Name of the file. Null if the administrator cancelled the dialog or the backup.
 */
file: string | null, 
/**
 * Commands to run on the server. `backup_command_copy` copies them.
 */
commands: Array<string>, };
export type CertificateFile = "certificate" | "key";
export type ChosenBackup = { 
/**
 * Name of the file.
 */
file: string, 
/**
 * Name of the instance.
 */
name: string, 
/**
 * Time when it was made, in RFC 3339.
 */
made_at: string, 
/**
 * Number of users.
 */
users: number, 
/**
 * Whether it has keys, which a passphrase opens.
 */
has_keys: boolean, };
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
 * Number of sign-ins for which the link works. Null for no limit.
 */
uses: number | null, 
/**
 * End of the account that the link creates: a time in the time zone of this computer, RFC 3339,
 * or days after the first sign-in such as `14 days`. Null for no end.
 */
account_ends: string | null, 
/**
 * Whether to make a new code even if the code of the same request must not be replaced silently.
 */
anew: boolean, };
export type ConnectBy = { "kind": "text", 
/**
 * The string.
 */
text: string, } | { "kind": "key", 
/**
 * Address of the gateway's administration.
 */
url: string, 
/**
 * Fingerprint of the certificate. Empty if a public authority vouches for it.
 */
fingerprint: string, 
/**
 * API key with the scope `admin`.
 */
key: string, };
export type ConnectRequest = { 
/**
 * Name of the instance here. Empty for its name there.
 */
name: string, 
/**
 * Access to the gateway.
 */
by: ConnectBy, };
export type Connection = { 
/**
 * Address of the gateway's administration.
 */
url: string, 
/**
 * Host and port of the address.
 */
host: string, 
/**
 * ID of the instance at the gateway.
 */
instance: string, 
/**
 * Fingerprint of the certificate. Null if a public authority vouches for it.
 */
fingerprint: string | null, 
/**
 * ID of the API key by which this computer is connected.
 */
key_id: string, 
/**
 * Whether the settings were read at the gateway. A key of few scopes may not read them; then all
 * but the name and the URL are defaults.
 */
settings_read: boolean, };
export type ConnectionParts = { 
/**
 * Host and port of the gateway's administration.
 */
host: string, 
/**
 * ID of the instance at the gateway.
 */
instance: string, 
/**
 * Fingerprint of the certificate. Null if a public authority vouches for it.
 */
fingerprint: string | null, };
export type ConnectionText = { 
/**
 * The string. It has a pairing code.
 */
text: string, };
export type Copied = { 
/**
 * Seconds until the clipboard is cleared, unless another program replaces the content.
 */
clears_in_secs: number, };
export type CopiedLink = { 
/**
 * Warning to read before giving the link away: that it works longer than its signing key, or that
 * a new link is refused now. Null if there is none.
 */
warning: Warning | null, 
/**
 * Seconds until the clipboard is cleared, unless another program replaces the content.
 */
clears_in_secs: number, };
export type CopiedUsers = { 
/**
 * Time of the copy, in Unix seconds. Null if there is none yet.
 */
at: number | null, 
/**
 * Users of the page.
 */
users: Array<TypingMindUser>, 
/**
 * Number of users that match.
 */
total: number, 
/**
 * Number of all users.
 */
everybody: number, 
/**
 * Groups of all users.
 */
groups: Array<TypingMindGroup>, };
export type CopiedUsersRequest = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * Only users whose ID or address contains each of these words.
 */
search: string, 
/**
 * Only users in the group with this ID.
 */
group: string | null, 
/**
 * Field to sort by.
 */
sort_by: CopySortBy, 
/**
 * Whether the order is reversed.
 */
descending: boolean, 
/**
 * Index of the first row.
 */
first: number, 
/**
 * Maximum number of users.
 */
limit: number, };
export type CopyRequest = { 
/**
 * ID of its instance.
 */
instance: string, 
/**
 * Revision of the preview.
 */
revision: number, 
/**
 * Part to copy.
 */
what: CopyWhat, 
/**
 * Note, supersession and short link of the link.
 */
notes: LinkNotes, };
export type CopySortBy = "email" | "id" | "created";
export type CopyState = { 
/**
 * Time of the copy, in Unix seconds.
 */
at: number, 
/**
 * Number of users.
 */
users: number, };
export type CopyWhat = "link" | "code" | "widget" | "qr" | "message";
export type DroppedFile = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * Name of the file.
 */
name: string, 
/**
 * Content in base64.
 */
base64: string, };
export type EditedProfile = { 
/**
 * E-mail address. Empty for none.
 */
email: string, 
/**
 * Metadata.
 */
metadata: MetadataInput, };
export type ErrorCode = "invalid_request" | "invalid_payload" | "ambiguous_payload" | "invalid_url" | "invalid_setting" | "invalid_lifetime" | "invalid_time" | "code_too_long" | "no_code" | "input_too_large" | "qr_too_dense" | "invalid_picture" | "empty_secret" | "weak_secret" | "invalid_secret" | "no_signing_key" | "secret_concealed" | "keychain_unreachable" | "keys_locked" | "keys_missing" | "keys_in_use" | "wrong_passphrase" | "weak_passphrase" | "unknown_instance" | "instance_exists" | "unknown_user" | "user_exists" | "user_ended" | "user_changed" | "unknown_session" | "unknown_link" | "not_copyable" | "not_askable" | "unknown_request" | "unknown_api_key" | "unknown_signing_key" | "email_in_use" | "no_seats" | "invalid_cursor" | "invalid_import" | "too_many" | "hosted_elsewhere" | "on_gateway" | "address_in_use" | "directory_held" | "unreachable" | "outcome_unknown" | "wrong_certificate" | "key_refused" | "scope_missing" | "older_gateway" | "newer_gateway" | "not_copied" | "not_connected" | "unexpected_answer" | "busy" | "already_open" | "invalid_data_folder" | "newer_format" | "older_format" | "damaged_file" | "storage" | "no_randomness" | "internal";
export type ExportFormat = "csv" | "json";
export type Exported = { 
/**
 * Name of the file. Null if the user chose none or has cancelled.
 */
file: string | null, 
/**
 * Number of users, entries or links in it.
 */
count: number, };
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
export type GivenAs = "link" | "code" | "qr_code" | "widget" | "message" | "file";
export type GivenOut = { 
/**
 * Way.
 */
given: GivenAs, 
/**
 * Time in Unix seconds.
 */
at: number, 
/**
 * Actor in words: `in Studio`, `by the command line`, `by API key CRM`.
 */
by: string, };
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
export type HintCode = "signed_by_other_instance" | "secret_is_base64" | "secret_is_hex" | "secret_is_text" | "secret_has_quotes" | "secret_has_invisible_characters" | "signed_with_line_end" | "signed_with_byte_order_mark" | "signed_with_quotes" | "signed_with_base64" | "signed_with_hex" | "code_cut_off" | "plain_base64" | "key_retired" | "times_in_milliseconds" | "times_in_microseconds" | "other_host" | "other_parameter";
export type Hosted = "here" | "elsewhere" | "gateway";
export type ImportChoices = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * Whether existing users get the profile of their row.
 */
update: boolean, 
/**
 * Whether people who were removed are added again.
 */
add_removed: boolean, };
export type ImportCounts = { add: number, change: number, same: number, keep: number, problem: number, };
export type ImportRow = { 
/**
 * Number of the row in the file.
 */
number: number, 
/**
 * ID, which may be derived. Empty if an invalid row has none.
 */
id: string, 
/**
 * E-mail address. Empty if there is none.
 */
email: string, 
/**
 * Name. Empty if there is none.
 */
name: string, 
/**
 * Effect of the import.
 */
action: RowAction, 
/**
 * Fields in which the row differs from the existing user.
 */
fields: Array<string>, 
/**
 * Whether the user was removed before and is added again.
 */
again: boolean, 
/**
 * Whether the existing user is suspended, and stays so.
 */
suspended: boolean, 
/**
 * Sentence about the problem of the row.
 */
problem: string | null, };
export type ImportRowsRequest = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * Only rows with this effect.
 */
action: RowAction | null, 
/**
 * Number of rows to skip.
 */
first: number, 
/**
 * Maximum number of rows, at most 200.
 */
limit: number, };
export type ImportState = { 
/**
 * Name of the file.
 */
file: string, 
/**
 * Whether the file was read as Windows-1252, so that accents may be wrong.
 */
windows_1252: boolean, 
/**
 * Headings of the columns that are not imported.
 */
left_out: Array<string>, 
/**
 * Number of rows.
 */
rows: number, 
/**
 * Numbers of rows by plan.
 */
counts: ImportCounts, 
/**
 * Seats when the plan was made.
 */
seats: Seats, 
/**
 * Whether existing users get the profile of their row.
 */
update: boolean, 
/**
 * Whether people who were removed are added again.
 */
add_removed: boolean, 
/**
 * Number of users that were added so far.
 */
added: number, 
/**
 * Number of users that were changed so far.
 */
changed: number, 
/**
 * Number of rows that the import has passed.
 */
passed: number, 
/**
 * Whether the import has passed all rows.
 */
ended: boolean, };
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
hints: Array<Hint>, 
/**
 * Key of the instance that has signed the code. Null if none has, or if that key has retired.
 */
signed_by: SignedBy | null, 
/**
 * Why the gateway on a server, which has the key, could not be asked. Only what can be read
 * without it is then known.
 */
unasked: Problem | null, };
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
 * Retention of its activity and its ledger.
 */
retention: Retention, 
/**
 * Values of `aud` that are accepted besides its URL.
 */
audiences: Array<string>, 
/**
 * Whether older links of a person stop working whenever a new one is given out.
 */
supersede: boolean, 
/**
 * Template of the message in which a person gets a link.
 */
message: string, 
/**
 * Ways to stop its links, if an application elsewhere decides. Null if revoked links stop by themselves.
 */
stops_elsewhere: StopsElsewhere | null, 
/**
 * Its signing key, if it has one.
 */
key: KeyStatus | null, 
/**
 * Signing keys that were replaced and verify until a date, the oldest first.
 */
retiring: Array<RetiringKey>, 
/**
 * Connection to TypingMind's API, for an instance that is hosted there.
 */
typingmind: TypingMindConnection | null, 
/**
 * Its API keys. Without any, the API is off.
 */
api_keys: Array<ApiKey>, 
/**
 * Connection to the gateway on a server that has the instance. Its keys are known only after
 * `instance_refresh`.
 */
connection: Connection | null, };
export type InstanceRef = { 
/**
 * ID of the instance.
 */
instance: string, };
export type InstanceSettings = { name: string, url: string, hosted: Hosted, parameter: string, algorithm: Algorithm, lifetime: string, policy: Policy, visiting: SignInSettings, retention: Retention, audiences: Array<string>, supersede: boolean, message: string, };
export type InstanceUpdate = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * All of its settings.
 */
settings: InstanceSettings, 
/**
 * Settings from which the administrator began. Only those that differ from `settings` are
 * changed, so that changes by others in between are kept.
 */
before: InstanceSettings, };
export type IssuedLink = { 
/**
 * ID.
 */
id: string, 
/**
 * State.
 */
status: LinkStatus, 
/**
 * Time when it stopped working, in Unix seconds. Null if it works, or if the time is not known.
 */
ended_at: number | null, 
/**
 * Whether sessions that it began ended with it.
 */
ends_sessions: boolean, 
/**
 * ID of the user whom it signs in. Null for an address that nobody has.
 */
user: string | null, 
/**
 * Address or ID in the payload.
 */
subject: string | null, 
/**
 * Display name when it was given out.
 */
name: string | null, 
/**
 * Note of the administrator.
 */
note: string | null, 
/**
 * Origin of the link.
 */
origin: LinkOrigin, 
/**
 * Times that it was given out, the earliest first.
 */
given: Array<GivenOut>, 
/**
 * Time when it came into the ledger, in Unix seconds.
 */
entered_at: number, 
/**
 * Time from which it works, in Unix seconds.
 */
not_before: number | null, 
/**
 * Time until which it works, in Unix seconds.
 */
expires_at: number | null, 
/**
 * Number of sign-ins for which it works. Null for no limit.
 */
uses: number | null, 
/**
 * Number of sign-ins so far.
 */
used: number, 
/**
 * First sign-in.
 */
first_use: LinkUse | null, 
/**
 * Last sign-in.
 */
last_use: LinkUse | null, 
/**
 * Whether it also has a short link.
 */
has_short: boolean, };
export type Judgement = { 
/**
 * Forecast of opening the link now.
 */
forecast: Forecast, 
/**
 * Actions that correct the cause of a refusal.
 */
remedies: Array<Remedy>, };
export type KeyLinks = { 
/**
 * Number of links.
 */
count: number, 
/**
 * Whether some of them never expire.
 */
some_never_expire: boolean, 
/**
 * Time when the last of the others expires. Null if there are no others.
 */
last_expires_at: string | null, };
export type KeyOrigin = "generated" | "pasted";
export type KeyRetirement = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * ID of the key.
 */
key: string, 
/**
 * Time for which the key still verifies: `7 days`, `now`.
 */
retire_after: string, 
/**
 * Whether others may know the key. Then it stops now, with all links that it has signed.
 */
leaked: boolean, };
export type KeyStatus = { 
/**
 * ID by which links name the key. It is not secret.
 */
id: string, 
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
export type LineFormat = "csv" | "json_lines";
export type LinkCopy = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * ID of the link.
 */
id: string, 
/**
 * Part to copy.
 */
what: CopyWhat, };
export type LinkCounts = { not_used: number, in_use: number, used_up: number, expired: number, revoked: number, superseded: number, };
export type LinkDetails = { 
/**
 * The link.
 */
link: IssuedLink, 
/**
 * Why it cannot be copied again. Null if it can.
 */
not_copyable: Problem | null, 
/**
 * Time at which its signing key retires, in Unix seconds. Null if it expires before.
 */
key_retires_at: number | null, 
/**
 * Fields of Compose for another link of this kind. Null if the person is not known any more.
 */
terms: LinkTerms | null, 
/**
 * Claims of the code, as indented JSON. Null after the user was removed, and for codes of other
 * systems.
 */
claims_json: string | null, 
/**
 * Times among the claims.
 */
times: Array<ClaimTime>, 
/**
 * ID of the signing key, if it is known.
 */
key: string | null, };
export type LinkExport = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * Filter. Null for all links.
 */
query: LinkQuery | null, 
/**
 * Format of the file.
 */
format: LineFormat, };
export type LinkNotes = { 
/**
 * Note of the administrator. Empty for none.
 */
note: string, 
/**
 * Whether older links of the person stop working.
 */
supersedes: boolean, 
/**
 * Whether a short link is given out in place of the long one.
 */
short: boolean, };
export type LinkOrigin = "taken" | "scanned" | "foreign";
export type LinkPage = { 
/**
 * Links in the requested order.
 */
links: Array<IssuedLink>, 
/**
 * Row of the first link, counted from 0.
 */
first_row: number, 
/**
 * Number of links that match the query.
 */
total: number, 
/**
 * Position of the next page, if there is one.
 */
next: string | null, };
export type LinkQrSave = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * ID of the link.
 */
id: string, 
/**
 * Format of the file.
 */
format: QrFormat, };
export type LinkQuery = { 
/**
 * Words that must all occur in the ID, the user, the subject, the name or the note.
 */
search: string, 
/**
 * Only links with this state.
 */
status: LinkStatus | null, 
/**
 * Only links that work, or only those that do not.
 */
works: boolean | null, 
/**
 * Only links of the person with this ID or address.
 */
user: string | null, 
/**
 * Only links that the signing key with this ID has signed.
 */
key: string | null, 
/**
 * Field to sort by.
 */
sort_by: LinkSortBy, 
/**
 * Whether the order is reversed.
 */
descending: boolean, };
export type LinkRef = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * ID of the link.
 */
id: string, };
export type LinkRevocation = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * The links.
 */
links: RevocationRequest, };
export type LinkSortBy = "entered" | "expires" | "last_use" | "person";
export type LinkStatus = "not_used" | "in_use" | "used_up" | "expired" | "revoked" | "superseded";
export type LinkTerms = { 
/**
 * Person.
 */
who: Who, 
/**
 * Lifetime in words. Null if it is not known.
 */
expires_in: string | null, 
/**
 * Number of sign-ins. Null for no limit.
 */
uses: number | null, 
/**
 * End of the account that the link creates: a time in RFC 3339, or days after the first sign-in
 * such as `14 days`. Null for no end.
 */
account_ends: string | null, 
/**
 * Note. Empty for none.
 */
note: string, };
export type LinkUse = { 
/**
 * Time in Unix seconds.
 */
at: number, 
/**
 * Address of the visitor.
 */
address: string | null, 
/**
 * Short name of the browser, such as `iPhone, Safari`.
 */
browser: string | null, };
export type LinksRequest = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * Filter and order.
 */
query: LinkQuery, 
/**
 * Position of the page.
 */
place: PageStart, 
/**
 * Maximum number of links, at most 200.
 */
limit: number, };
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
export type NewTypingMindUser = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * E-mail address.
 */
email: string, };
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
export type OpenRequest = { 
/**
 * Number of the request.
 */
number: number, 
/**
 * ID of the user. Null for an address that nobody has.
 */
user: string | null, 
/**
 * ID of the user, or the address.
 */
subject: string, 
/**
 * Display name.
 */
name: string | null, 
/**
 * ID of the link that does not work any more.
 */
link: string, 
/**
 * Reason why it does not work any more.
 */
reason: RequestReason, 
/**
 * Time when that link was issued, in Unix seconds.
 */
issued_at: number | null, 
/**
 * Time until which it worked, in Unix seconds.
 */
expires_at: number | null, 
/**
 * Time of the request, in Unix seconds.
 */
asked_at: number, 
/**
 * Address of the visitor.
 */
address: string | null, 
/**
 * Short name of the browser, such as `iPhone, Safari`.
 */
browser: string | null, };
export type OpenRequestRef = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * Number of the request.
 */
number: number, };
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
 * ID of the link in the ledger. Null if it is not signed.
 */
id: string | null, 
/**
 * The link. Its signature is empty if it is not signed.
 */
link: LoginLink, 
/**
 * Whether the link is signed.
 */
signed: boolean, 
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
 * Widget tag for a page. Null if the link is not signed.
 */
widget: string | null, 
/**
 * QR code, if the link is signed and fits into one.
 */
qr: QrPreview | null, 
/**
 * Size of the QR code that the link will have. Null if it is signed.
 */
qr_size: QrSize | null, 
/**
 * Reason why there is no QR code.
 */
qr_refused: Problem | null, 
/**
 * Forecast of opening the link now. Null if only a gateway on a server knows it
 * (`link_forecast`).
 */
forecast: Forecast | null, 
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
 * Number of sign-ins for which the link works. Null for no limit.
 */
uses: number | null, 
/**
 * Whether the link was given out. It then stays until the request changes.
 */
taken: boolean, 
/**
 * Short link, once it is in the ledger and works. Null before that.
 */
short: ShortPreview | null, };
export type PreviewRef = { 
/**
 * ID of its instance.
 */
instance: string, 
/**
 * Revision of the preview.
 */
revision: number, };
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
 * ID of its instance.
 */
instance: string, 
/**
 * Revision of the preview.
 */
revision: number, 
/**
 * Format of the file.
 */
format: QrFormat, 
/**
 * Note, supersession and short link of the link.
 */
notes: LinkNotes, };
export type QrSaved = { 
/**
 * Name of the file. Null if the user cancelled.
 */
file: string | null, };
export type QrSize = { 
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
 * Warning about scanning the code.
 */
warning: Warning | null, };
export type Reconnect = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * Connection string for the same instance.
 */
text: string, };
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
user: string, } | { "kind": "extend_user", 
/**
 * ID of the user.
 */
user: string, } | { "kind": "show_users" } | { "kind": "add_user" } | { "kind": "new_person" } | { "kind": "new_link" } | { "kind": "seat_limit" } | { "kind": "sign_in_rules" };
export type RemoteGateway = { 
/**
 * Address at which people open links. Null if the gateway is closed.
 */
address: string | null, 
/**
 * Time when the gateway was started, in Unix seconds. Null if it is closed.
 */
started_at: number | null, 
/**
 * Name of the program, such as `latchkey serve`.
 */
program: string, 
/**
 * Version of the program.
 */
version: string, 
/**
 * Number of sign-ins since midnight in UTC.
 */
sign_ins_today: number, };
export type RequestReason = "expired" | "used_up" | "superseded";
export type RestoreRequest = { 
/**
 * Name of the restored instance.
 */
name: string, 
/**
 * Whether an instance with that name is replaced.
 */
replace: boolean, 
/**
 * Passphrase of the keys. Null leaves out the keys.
 */
passphrase: string | null, };
export type Retention = { 
/**
 * Maximum age of entries. 365 days by default.
 */
age: string, 
/**
 * Maximum number of refusals. The latest are kept. 100,000 by default.
 */
refusals: number, 
/**
 * Maximum time since a link in the ledger stopped working. 365 days by default. A link whose
 * code has not expired stays in the ledger.
 */
links: string, };
export type RetiringKey = { 
/**
 * ID by which links name the key. It is not secret.
 */
id: string, 
/**
 * Source of the key.
 */
origin: KeyOrigin, 
/**
 * Time when the key was set, in Unix seconds.
 */
set_at: number, 
/**
 * Time at which the key retires, in Unix seconds.
 */
retires_at: number, };
export type RevealedSecret = { 
/**
 * The secret.
 */
secret: string, };
export type RevocationRequest = { 
/**
 * ID of a link.
 */
link?: string, 
/**
 * ID or address of a person, all of whose links until now are revoked.
 */
user?: string, 
/**
 * Time before which all revoked links were issued. It is not in the future. In the window it may
 * be a time of this computer's zone, such as `2026-11-29T23:10`.
 */
before?: string, 
/**
 * ID of a signing key, all of whose links until now are revoked.
 */
key?: string, 
/**
 * Whether sessions that the links began end at the next request.
 */
end_sessions: boolean, 
/**
 * Whether the link may be one that is not in the ledger, such as the code of another system
 * before its first use.
 */
unknown?: boolean, };
export type RowAction = "add" | "change" | "same" | "keep" | "problem";
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
secret: SecretSource, 
/**
 * Time for which the old key still verifies: `30 days`, `now`. Null for an instance that is
 * hosted elsewhere, where the application decides.
 */
retire_after: string | null, };
export type SecretSource = { "kind": "generate" } | { "kind": "paste", 
/**
 * JWT secret.
 */
secret: string, 
/**
 * Encoding of the secret.
 */
encoding: SecretEncoding, };
export type SeenCertificate = { 
/**
 * Fingerprint that is trusted. Null if a public authority vouches for the certificate.
 */
known: string | null, 
/**
 * Fingerprint of the certificate that the gateway shows now.
 */
seen: string, };
export type ServerCommand = { 
/**
 * Index of the command.
 */
number: number, };
export type SessionRef = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * ID of the user.
 */
id: string, 
/**
 * Name of the session among those of the user.
 */
session: string, };
export type ShortPreview = { 
/**
 * URL of the short link.
 */
url: string, 
/**
 * QR code of the URL.
 */
qr: QrPreview, };
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
export type SignRequest = { 
/**
 * ID of its instance.
 */
instance: string, 
/**
 * Revision of the preview.
 */
revision: number, 
/**
 * Way in which the link is given out.
 */
given: GivenAs, 
/**
 * Note, supersession and short link of the link.
 */
notes: LinkNotes, };
export type SignedBy = { 
/**
 * ID of the key. Null for a key that was given for one call.
 */
key: string | null, 
/**
 * Time at which the key retires. Null for the active key.
 */
retires_at: string | null, };
export type SigningKeyLinks = { 
/**
 * ID of the key.
 */
key: string, 
/**
 * Links that work now and that the key has signed.
 */
links: KeyLinks, };
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
export type Status = "active" | "suspended" | "ended";
export type StopsElsewhere = { 
/**
 * Reason why revoked links still work.
 */
reason: string, 
/**
 * Way to stop the links of a person at the application.
 */
of_person: string, 
/**
 * Way to stop the links of everybody at the application.
 */
of_everybody: string, };
export type StudioErrorCode = "stale_preview" | "stale_inspection" | "clipboard_unavailable" | "clipboard_empty";
export type StudioEvent = { "kind": "activity", 
/**
 * ID of the instance.
 */
instance: string, } | { "kind": "users", 
/**
 * ID of the instance.
 */
instance: string, } | { "kind": "copy", 
/**
 * ID of the instance.
 */
instance: string, } | { "kind": "copies_due" } | { "kind": "gateway" } | { "kind": "instances" } | { "kind": "close_asked" };
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
export type TrustRequest = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * Fingerprint that the administrator has compared.
 */
fingerprint: string, };
export type TypingMindConnect = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * `us`, `eu`, or the URL of a proxy.
 */
region: string, 
/**
 * New API key. Null keeps the current one.
 */
key: string | null, };
export type TypingMindConnection = { 
/**
 * `us`, `eu`, or the URL of a proxy.
 */
region: string, 
/**
 * Host of the API.
 */
host: string, 
/**
 * Time when the API key was set, in Unix seconds. Null without a key.
 */
key_set_at: number | null, };
export type TypingMindGroup = { 
/**
 * TypingMind's ID of the group.
 */
id: string, 
/**
 * Name of the group.
 */
name: string, };
export type TypingMindUser = { 
/**
 * TypingMind's ID.
 */
id: string, 
/**
 * E-mail address.
 */
email: string | null, 
/**
 * Time when the user was created, in Unix seconds.
 */
created_at: number | null, 
/**
 * Names of the groups.
 */
groups: Array<string>, };
export type TypingMindUserRef = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * TypingMind's ID.
 */
id: string, };
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
profile_as_of: number, 
/**
 * Time when the account ends or has ended, in Unix seconds.
 */
ends_at: number | null, };
export type UserEdit = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * ID of the user.
 */
id: string, 
/**
 * Profile that the form showed at first. What is equal to it is not changed.
 */
before: EditedProfile, 
/**
 * New profile.
 */
after: EditedProfile, };
export type UserExport = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * Filter. Null for all users.
 */
query: UserQuery | null, 
/**
 * Format of the file.
 */
format: ExportFormat, };
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
export type UserSession = { 
/**
 * Name of the session among those of its user.
 */
id: string, 
/**
 * Short name of the browser, such as `iPhone, Safari`.
 */
browser: string | null, 
/**
 * Name of the browser as the browser sent it.
 */
user_agent: string | null, 
/**
 * Address from which the link was opened.
 */
address: string | null, 
/**
 * Time when the session began, in Unix seconds.
 */
created_at: number, 
/**
 * Time of the last use, in Unix seconds.
 */
last_seen: number, 
/**
 * Time when the session ends unless it is used again, in Unix seconds.
 */
ends_at: number, 
/**
 * Whether the session is valid in the widget only.
 */
in_frame: boolean, 
/**
 * ID of the link that began the session.
 */
link: string | null, };
export type UserSessions = { 
/**
 * The sessions, the latest first.
 */
sessions: Array<UserSession>, 
/**
 * Number of all sessions in which the user is signed in.
 */
total: number, };
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
export type Verified = { 
/**
 * Whether there is no fault, and the expected seal is there if one was given.
 */
sound: boolean, 
/**
 * The result in one sentence.
 */
title: string, 
/**
 * The faults, the comparison, and what was not verified, each in one sentence.
 */
details: Array<string>, 
/**
 * Last seal. Null if no entry is sealed.
 */
last: string | null, };
export type VerifyRequest = { 
/**
 * ID of the instance.
 */
instance: string, 
/**
 * Seal to compare: number and hash, with a colon between them. Null for none.
 */
expect: string | null, };
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
  signing_key_links: { request: InstanceRef; response: Array<SigningKeyLinks> };
  signing_key_retire: { request: KeyRetirement; response: Instance };
  secret_reveal: { request: InstanceRef; response: RevealedSecret };
  secret_copy: { request: InstanceRef; response: Copied };
  secret_conceal: { request: InstanceRef; response: Instance };
  api_key_make: { request: NewApiKey; response: MadeApiKey };
  api_key_revoke: { request: ApiKeyRef; response: Instance };
  automatic_backups: { request: InstanceRef; response: AutomaticBackups };
  automatic_backups_set: { request: AutomaticBackupsChange; response: AutomaticBackups };
  backup_save: { request: BackupRequest; response: BackupSaved };
  save_cancel: { request: null; response: null };
  backup_command_copy: { request: ServerCommand; response: Copied };
  backup_choose: { request: null; response: ChosenBackup | null };
  backup_restore: { request: RestoreRequest; response: Instance };
  compose: { request: ComposeRequest; response: Preview };
  link_forecast: { request: PreviewRef; response: Judgement };
  link_sign: { request: SignRequest; response: Preview };
  copy: { request: CopyRequest; response: CopiedLink };
  qr_save: { request: QrSaveRequest; response: QrSaved };
  links: { request: LinksRequest; response: LinkPage };
  link_counts: { request: InstanceRef; response: LinkCounts };
  link: { request: LinkRef; response: LinkDetails };
  links_revoke: { request: LinkRevocation; response: LinkStatus | null };
  link_copy: { request: LinkCopy; response: CopiedLink };
  link_qr_save: { request: LinkQrSave; response: QrSaved };
  link_requests: { request: InstanceRef; response: Array<OpenRequest> };
  link_request_grant: { request: OpenRequestRef; response: CopiedLink };
  link_request_dismiss: { request: OpenRequestRef; response: null };
  users: { request: UsersRequest; response: UserPage };
  user: { request: UserRef; response: UserProfile };
  user_add: { request: NewUser; response: UserProfile };
  user_edit: { request: UserEdit; response: UserProfile };
  user_suspend: { request: UserRef; response: UserProfile };
  user_reactivate: { request: UserRef; response: UserProfile };
  user_set_account_end: { request: AccountEndChange; response: UserProfile };
  user_sign_out: { request: UserRef; response: UserProfile };
  user_remove: { request: UserRef; response: null };
  users_correct_times: { request: InstanceRef; response: null };
  seats: { request: InstanceRef; response: Seats };
  seats_set: { request: SeatLimit; response: Seats };
  user_sessions: { request: UserRef; response: UserSessions };
  session_end: { request: SessionRef; response: null };
  import_choose: { request: InstanceRef; response: ImportState | null };
  import_dropped: { request: DroppedFile; response: ImportState };
  import_plan: { request: ImportChoices; response: ImportState };
  import_rows: { request: ImportRowsRequest; response: Array<ImportRow> };
  import_next: { request: InstanceRef; response: ImportState };
  import_close: { request: null; response: null };
  users_export: { request: UserExport; response: Exported };
  activity_export: { request: ActivityExport; response: Exported };
  links_export: { request: LinkExport; response: Exported };
  typingmind_connect: { request: TypingMindConnect; response: Instance };
  typingmind_disconnect: { request: InstanceRef; response: Instance };
  typingmind_sync: { request: InstanceRef; response: CopyState };
  typingmind_users: { request: CopiedUsersRequest; response: CopiedUsers };
  typingmind_user: { request: TypingMindUserRef; response: TypingMindUser | null };
  typingmind_user_of_link: { request: LinkRef; response: TypingMindUser | null };
  typingmind_user_add: { request: NewTypingMindUser; response: TypingMindUser };
  typingmind_user_remove: { request: TypingMindUserRef; response: null };
  activity: { request: ActivityRequest; response: ActivityPage };
  activity_verify: { request: VerifyRequest; response: Verified };
  inspect: { request: InspectRequest; response: Inspection };
  redeem: { request: RedeemRequest; response: Redeemed };
  gateway: { request: null; response: GatewayState };
  gateway_start: { request: GatewayStart; response: GatewayState };
  gateway_stop: { request: null; response: GatewayState };
  gateway_file_choose: { request: CertificateFile; response: ChosenFile };
  connection_parts: { request: ConnectionText; response: ConnectionParts };
  instance_connect: { request: ConnectRequest; response: Instance };
  instance_reconnect: { request: Reconnect; response: Instance };
  instance_refresh: { request: InstanceRef; response: Instance };
  gateway_remote: { request: InstanceRef; response: RemoteGateway };
  certificate_seen: { request: InstanceRef; response: SeenCertificate };
  certificate_trust: { request: TrustRequest; response: Instance };
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
