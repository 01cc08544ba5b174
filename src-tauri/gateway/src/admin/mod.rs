//! The administration API: everything that an administrator does with the users of an instance.
//! It has listeners of its own, which visitors cannot reach.
//!
//! | concern | module |
//! |---|---|
//! | users, seats, recorded times | `users` |
//! | sessions | `sessions` |
//! | entries of the activity | `activity` |
//! | dry runs, redemptions, links | `codes` |
//! | settings, signing key, API keys | `settings`, `keys`, `api_keys` |
//! | links and inspections | `links` |
//! | state of the gateway | `gateway_state` |
//! | stream of changes | `changes` |
//! | all rows of the directory, for backups | `snapshots`, `open_snapshots` |
//! | exchange of pairing codes | `pairing` |
//! | repeated requests | `idempotency` |
//! | the `OpenAPI` description | `document` |
//! | the directory that is served | `administration` |
//! | the table of routes | `router`, `route` |
//! | the program that serves the API | `program` |
//! | who makes a request, refusals | `context`, `refused` |
//! | the local socket | `control_socket` |
//! | requests from the network | `network` |

mod activity;
mod administration;
mod api_keys;
mod changes;
mod codes;
mod context;
mod control_socket;
mod document;
mod gateway_state;
mod idempotency;
mod kept_changes;
mod keys;
mod ledger;
mod links;
mod local;
mod network;
mod open_snapshots;
mod paging;
mod pairing;
mod params;
mod program;
mod refused;
mod requests;
mod route;
mod router;
mod sessions;
mod settings;
mod sign_ins_today;
mod snapshots;
mod users;

pub use administration::{Administration, GiveWay};
pub use control_socket::{ControlSocket, ServedSocket};
pub use local::serve_locally;
pub use network::{admin_router, serve_admin};
