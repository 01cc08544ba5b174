//! The administration API: everything that an administrator does with the users of an instance.
//! It has listeners of its own, which visitors cannot reach.
//!
//! | concern | module |
//! |---|---|
//! | users, seats, sessions, recorded times | `users` |
//! | entries of the activity | `activity` |
//! | dry runs, redemptions, links | `codes` |
//! | stream of changes | `changes` |
//! | all rows of the directory, for backups | `snapshots`, `open_snapshots` |
//! | the directory that is served | `administration` |
//! | the table of routes | `router` |
//! | who makes a request, refusals | `context`, `refused` |
//! | the local socket | `control_socket` |
//! | requests from the network | `network` |

mod activity;
mod administration;
mod changes;
mod codes;
mod context;
mod control_socket;
mod local;
mod network;
mod open_snapshots;
mod paging;
mod refused;
mod router;
mod snapshots;
mod users;

pub use administration::{Administration, GiveWay};
pub use control_socket::{ControlSocket, ServedSocket};
pub use local::serve_locally;
pub use network::{admin_router, serve_admin};
