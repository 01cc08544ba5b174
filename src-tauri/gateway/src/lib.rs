//! The gateway of an instance that is hosted here. It signs in people who open a login link, keeps
//! them signed in, and tells a proxy who a visitor is.
//!
//! | concern | module |
//! |---|---|
//! | paths | [`router()`] |
//! | opening a link, continuing, signing out | `visit`, `visit_source`, `short_link`, `sign_in` |
//! | configuration, cookies, content security policies | `config`, `config_cache`, `cookies`, `content_security` |
//! | sessions, time of their last use | `session`, `last_seen` |
//! | time of the last use of API keys | `key_uses` |
//! | forms of other sites, link previews | `csrf`, `link_preview` |
//! | purpose of a request (`Sec-Fetch-*`) | `fetch_metadata` |
//! | header `Host` | `host` |
//! | forward authentication for a proxy | `verify` |
//! | users and links for other systems | `api` |
//! | administration on a local socket and on the network | `admin` |
//! | the widget in other sites' pages | `widget` |
//! | pages, error pages | `pages`, `error_page` |
//! | extractors, middleware, headers of each answer | `extract`, `middleware`, `headers` |
//! | reference of a request, span of its log lines | `request_scope` |
//! | listener and timeouts | [`serve()`] |
//! | start, maintenance, end | [`run`] |
//! | automatic backups | [`DailyBackups`] |
//! | TLS | [`Certificate`], `pem`, `self_signed` |
//! | limits of sockets, open files and connections | `socket_limits`, `connection_limit` |
//! | client address, rate limits, lockout | `client_address`, [`ClientLimits`], `lockout` |
//! | metrics | [`metrics_router()`] |
//! | addresses that a phone can reach | [`interfaces()`] |
//!
//! The gateway decides nothing: core decides what a code does and whether a session is valid. Its
//! listener for visitors has no path for administrators.

mod admin;
mod api;
mod body_limit;
mod certificate;
mod client_address;
mod config;
mod config_cache;
mod connection_limit;
mod content_security;
mod cookies;
mod csrf;
mod daily_backups;
mod error_page;
mod extract;
mod fetch_metadata;
mod gateway;
mod guesses;
mod headers;
mod host;
mod interfaces;
mod key_uses;
mod last_seen;
mod lifecycle;
mod link_preview;
mod listening;
mod lockout;
mod metrics;
mod metrics_router;
mod middleware;
mod own_sessions;
mod pages;
mod pem;
mod rate_limit;
mod refusal_log;
mod request_scope;
mod router;
mod self_signed;
mod serve;
mod session;
mod short_link;
mod sign_in;
mod socket_limits;
mod unread_body;
mod verify;
mod visit;
mod visit_source;
mod widget;

pub use admin::{
    Administration, ControlSocket, GiveWay, ServedSocket, admin_router, serve_admin, serve_locally,
};
pub use certificate::Certificate;
pub use client_address::{InvalidNetwork, Network};
pub use config::InstanceSnapshot;
pub use daily_backups::{Checks, DailyBackups};
pub use gateway::Gateway;
pub use interfaces::{Interface, interfaces};
pub use lifecycle::run;
pub use metrics_router::metrics_router;
pub use rate_limit::ClientLimits;
pub use router::router;
pub use serve::{Handle, Listener, serve};
