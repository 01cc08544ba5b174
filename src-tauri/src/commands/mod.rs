//! The commands of the window. Each file has one concern, with the types of its requests and
//! responses.

pub mod activity;
pub mod api_keys;
pub mod appearance;
pub mod backups;
pub mod compose;
pub mod connections;
pub mod copied;
pub mod exports;
pub mod gateway;
pub mod giving_out;
pub mod help;
pub mod inspect;
pub mod instance;
pub mod instances;
pub mod keys;
pub mod link_notes;
pub mod links;
pub mod preview;
pub mod qr_files;
pub mod requests;
pub mod secrets;
pub mod sessions;
pub mod start;
pub mod transfers;
pub mod typingmind;
pub mod users;
pub mod who;
pub mod window;
