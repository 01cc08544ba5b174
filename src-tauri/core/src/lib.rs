//! The domain of Latchkey: payloads and codes, login links, verdicts, and the rules of users,
//! seats, sessions and instances.
//!
//! | concern | module |
//! |---|---|
//! | payloads, claims and signed codes | [`protocol`] |
//! | login links, QR codes and widget tags | [`link`] |
//! | what opening a code does | [`verdict`], [`sign_in`] |
//! | what a code says, and what is wrong with it | [`inspect`] |
//! | users and their seats | [`directory`] |
//! | users from and to CSV and JSON files | [`import`], [`export`] |
//! | who is signed in, and where to | [`session`] |
//! | who did what, and when | [`activity`] |
//! | applications and their settings | [`instance`] |
//! | requests and responses of the administration API | [`admin`] |
//! | the users of an instance that is at TypingMind | [`typingmind`] |
//! | signing keys and other secrets | [`secret`] |
//! | commands to copy | [`shell`] |
//!
//! Core is pure: it has no file, socket, clock, thread, async runtime, window, HTTP or terminal.
//! Time is a parameter. Its one input from the operating system is random bytes. The only signature
//! algorithm is HMAC.

pub mod activity;
pub mod admin;
pub mod directory;
pub mod error;
pub mod export;
mod hash;
pub mod import;
pub mod inspect;
pub mod instance;
pub mod last_field;
pub mod ledger;
pub mod link;
pub mod paging;
pub mod protocol;
pub mod secret;
pub mod session;
pub mod shell;
pub mod sign_in;
pub mod time;
pub mod typingmind;
pub mod verdict;

pub use error::{Error, ErrorCode, Result};
