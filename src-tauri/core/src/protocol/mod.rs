//! The protocol: payloads, claims and codes.

pub mod account_end;
pub mod audience;
pub mod claims;
pub mod code;
pub mod email;
pub mod json;
pub mod lifetime;
pub mod link_id;
pub mod metadata;
pub(crate) mod numeric_date;
pub mod payload;
pub mod text;
pub mod user_id;
pub mod uses;
