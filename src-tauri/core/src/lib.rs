//! The domain of Latchkey: who may be named by a login link, how the link is signed, judged and
//! shown, which instances there are, and where their signing keys are kept.
//!
//! | concern | module |
//! |---|---|
//! | who signs in | [`payload`], [`email`], [`user_id`], [`metadata`] |
//! | what opening a code does | [`verdict`], [`redeem`], [`link_use`] |
//! | who is signed in, and where to | [`session`], [`return_address`] |
//! | users and their seats | [`directory`] |
//! | who did what, and when | [`activity`] |
//! | what is signed | [`claims`], [`lifetime`], [`time`], [`audience`] |
//! | the signed code | [`code`]: [`code::sign`], [`code::verify`], [`code::unverified`], [`code::recognize`] |
//! | the link and its other shapes | [`link`], [`widget`], [`qr`] |
//! | composing and inspecting as a whole | [`compose`], [`preview`], [`forecast`], [`inspect`], [`diagnosis`] |
//! | applications and their settings | [`instance`] |
//! | signing keys | [`secret`], [`keys`] |
//! | all of it, as kept on a computer | [`home`], [`preferences`], [`files`], [`text`] |
//!
//! What is deliberately absent: any face (no window, HTTP, terminal or async runtime), any clock
//! (`now` is a parameter), and any signature algorithm but HMAC.

pub mod activity;
pub mod api_key;
pub mod audience;
pub mod claims;
pub mod code;
pub mod compose;
pub mod diagnosis;
pub mod directory;
pub mod email;
pub mod error;
pub mod files;
pub mod forecast;
pub mod home;
pub mod inspect;
pub mod instance;
pub mod json;
pub mod keys;
pub mod lifetime;
pub mod link;
pub mod link_use;
pub mod metadata;
pub mod payload;
pub mod preferences;
pub mod preview;
pub mod qr;
pub mod redeem;
pub mod return_address;
pub mod secret;
pub mod session;
pub mod text;
pub mod time;
pub mod user_id;
pub mod verdict;
pub mod warning;
pub mod widget;

pub use error::{Error, ErrorCode, Result};
