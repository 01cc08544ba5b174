//! Filter of users, of the commands that list and export them.

use latchkey_core::directory::{Origin, Search, UserQuery};
use latchkey_core::verdict::Status;

use crate::args::{FilterArguments, OriginArgument, StatusArgument};

/// Returns the users whom a filter matches.
pub(crate) fn query_of(filter: &FilterArguments) -> UserQuery {
    UserQuery {
        search: Search::new(&filter.search),
        status: filter.status.map(|status| match status {
            StatusArgument::Active => Status::Active,
            StatusArgument::Suspended => Status::Suspended,
            StatusArgument::Ended => Status::Ended,
        }),
        origin: filter.origin.map(|origin| match origin {
            OriginArgument::Link => Origin::Link,
            OriginArgument::Added => Origin::Added,
            OriginArgument::Import => Origin::Import,
        }),
    }
}
