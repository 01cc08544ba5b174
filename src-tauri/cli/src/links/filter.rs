//! Filter and order of links.

use jiff::Timestamp;
use latchkey_core::ledger::{LinkQuery, LinkSort, LinkSortBy, LinkStatus};
use latchkey_core::paging::Search;
use latchkey_core::protocol::user_id::UserId;

use crate::args::{LinkFilterArguments, LinkSortArgument, LinkStatusArgument, ListLinksArguments};
use crate::failure::Failure;

/// Returns the links that a filter matches.
pub(super) fn query_of(filter: &LinkFilterArguments, now: Timestamp) -> Result<LinkQuery, Failure> {
    let user = filter.user.as_deref();
    Ok(LinkQuery {
        search: Search::new(&filter.search),
        status: filter.status.map(|status| match status {
            LinkStatusArgument::NotUsed => LinkStatus::NotUsed,
            LinkStatusArgument::InUse => LinkStatus::InUse,
            LinkStatusArgument::UsedUp => LinkStatus::UsedUp,
            LinkStatusArgument::Expired => LinkStatus::Expired,
            LinkStatusArgument::Revoked => LinkStatus::Revoked,
            LinkStatusArgument::Superseded => LinkStatus::Superseded,
        }),
        works: filter.works,
        user: user.map(|user| UserId::parse(user, "user")).transpose()?,
        key: filter.key.clone(),
        now: now.as_second(),
    })
}

/// Returns whether a query leaves links out.
pub(super) fn filters(query: &LinkQuery) -> bool {
    let everything = LinkQuery {
        now: query.now,
        ..LinkQuery::default()
    };
    *query != everything
}

/// Returns the order of a list. Without an order, the newest links come first, or last if the order is
/// reversed.
pub(super) fn sort_of(arguments: &ListLinksArguments) -> LinkSort {
    let Some(sort) = arguments.sort else {
        return LinkSort {
            by: LinkSortBy::Entered,
            descending: !arguments.page.descending,
        };
    };
    LinkSort {
        by: match sort {
            LinkSortArgument::Entered => LinkSortBy::Entered,
            LinkSortArgument::Expires => LinkSortBy::Expires,
            LinkSortArgument::LastUse => LinkSortBy::LastUse,
            LinkSortArgument::Person => LinkSortBy::Person,
        },
        descending: arguments.page.descending,
    }
}
