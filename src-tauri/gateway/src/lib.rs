//! The gateway of an instance that is hosted here: it lets people in who open a login link, keeps them
//! signed in, and tells a proxy who somebody is.
//!
//! | concern | module |
//! |---|---|
//! | which paths there are | [`router`] |
//! | opening a link, continuing, signing out | `visit` |
//! | those who wait for their codes to be redeemed | `redemptions` |
//! | who is signed in, and when last | `session`, `seen` |
//! | whose form it is, and whether a program looks ahead | `forms`, `previewers` |
//! | what a request is for, as the browser says it | `fetch_metadata` |
//! | which host a request names | `host` |
//! | asking for a proxy | `verify` |
//! | users and links for other systems | `api` |
//! | the widget in other sites' pages | `widget` |
//! | what people see | `pages` |
//! | what is around every answer, and what it carries | `around`, `headers` |
//! | listening and time limits | [`serve`] |
//! | from its start to its end | [`run`] |
//! | TLS | [`Certificate`], `self_signed` |
//! | how many may come at once | `capacity` |
//! | who visits, and how often | [`Visitors`], `rate_limit` |
//! | what is counted | [`metrics_router`] |
//! | which address a phone reaches | [`interfaces`] |
//!
//! It decides nothing: what a code does, and whether a session is good, are rules of core. The
//! administrator's own surface is not here and never listens on a network.

mod api;
mod around;
mod capacity;
mod certificate;
mod fetch_metadata;
mod forms;
mod gateway;
mod headers;
mod host;
mod house;
mod interfaces;
mod metrics;
mod pages;
mod previewers;
mod rate_limit;
mod redemptions;
mod refusal_log;
mod refused;
mod router;
mod seen;
mod self_signed;
mod sent;
mod serve;
mod session;
mod verify;
mod visit;
mod visitors;
mod widget;

pub use certificate::Certificate;
pub use gateway::{Gateway, InstanceSnapshot};
pub use house::run;
pub use interfaces::{Interface, interfaces};
pub use metrics::metrics_router;
pub use router::router;
pub use serve::{Handle, Listening, serve};
pub use visitors::{Network, NoNetwork, Visitors};
