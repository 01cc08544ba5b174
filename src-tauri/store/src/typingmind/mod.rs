//! TypingMind's API, and the copy of its users in the folder of an instance.
//!
//! | concern | module |
//! |---|---|
//! | requests to the API | [`client`] |
//! | the file with the copy | [`copy_file`] |
//!
//! [`Home`](crate::home::Home) puts them together: it knows the key, and records what an
//! administrator does there.

mod client;
mod copy_file;

pub use client::{ChangeFailed, Limits, TypingMindClient};
pub(crate) use copy_file::{Copies, remove, write};
