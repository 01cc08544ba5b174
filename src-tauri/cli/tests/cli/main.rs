//! Tests of the command line as a script uses it: standard output, standard error and exit codes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test panics when it fails"
)]

mod activity;
mod admin_listener;
mod administering;
mod answers;
mod backups;
mod connected;
mod connected_answers;
mod connecting;
#[path = "../../../store/tests/store/directory/copied.rs"]
mod copied;
mod directory;
#[cfg(unix)]
mod documents;
mod environment;
#[cfg(target_os = "linux")]
mod exports;
#[cfg(target_os = "linux")]
mod faults;
mod fields;
mod folders;
mod guests;
mod inspect;
mod instances;
mod ledger;
mod ledger_revoking;
mod links;
#[cfg(unix)]
mod log;
mod mails;
mod manual;
mod naming;
mod notices;
mod pairing_kills;
mod pasted;
#[cfg(unix)]
mod private_files;
#[cfg(target_os = "linux")]
mod proofs;
#[cfg(unix)]
mod records;
mod refused_links;
#[cfg(unix)]
mod requests;
mod revoked;
mod root;
mod run;
mod sealed;
mod serve;
mod serve_listening;
mod serve_running;
#[cfg(unix)]
mod service_secret;
mod sessions;
mod short_links;
mod signing_keys;
#[cfg(target_os = "linux")]
mod snapshots;
#[cfg(target_os = "linux")]
#[path = "../../../../tests/soak.rs"]
mod soak;
#[path = "../../../../tests/typingmind/stand_in.rs"]
mod stand_in;
mod storage;
mod terminal;
#[cfg(target_os = "linux")]
mod terminal_qr;
mod transfers;
mod typingmind;
