//! What the window may ask for. A file is one concern; the types that cross are beside the command.

pub mod activity;
pub mod api_keys;
pub mod appearance;
pub mod compose;
pub mod gateway;
pub mod help;
pub mod inspect;
pub mod instance;
pub mod instances;
pub mod keys;
pub mod secrets;
pub mod start;
pub mod users;
pub mod who;
pub mod window;
