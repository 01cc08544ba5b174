//! Storage: the engines of the directory, the data folder and the keys.
//!
//! | concern | module |
//! |---|---|
//! | the embedded engine (sled) | [`embedded`] |
//! | a directory that another process holds | [`remote`], [`control`] |
//! | TypingMind's API and the copy of its users | [`typingmind`] |
//! | the data folder as a whole | [`home`], [`instances`] |
//! | signing keys | [`keys`] |
//! | backups | [`backup`] |
//! | private files | [`files`] |
//!
//! Rules are deliberately absent. They are in `latchkey-core`.

pub mod backup;
pub mod control;
mod elapsed;
pub mod embedded;
pub mod files;
pub mod home;
pub mod instances;
pub mod keys;
pub mod remote;
pub mod typingmind;
mod wait;

pub use embedded::EmbeddedDirectory;
pub use remote::{RemoteDirectory, RemoteGateway};
pub use wait::Wait;
