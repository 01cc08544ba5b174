//! The protocol: payloads, claims and codes.

pub mod audience;
pub mod claims;
pub mod code;
pub mod email;
pub mod json;
pub mod lifetime;
pub mod metadata;
pub mod payload;
pub mod text;
pub mod user_id;
