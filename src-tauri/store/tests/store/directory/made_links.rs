//! Links for the tests of the ledger, and short ways to work with them.

use jiff::Timestamp;
use latchkey_core::activity::AuditContext;
use latchkey_core::directory::Directory;
use latchkey_core::instance::Policy;
use latchkey_core::ledger::{
    LinkPageStart, LinkQuery, LinkSort, LinkStatus, ListedLink, Revocation, RevocationScope,
    TakenLink,
};
use latchkey_core::link::compose::{LinkSpec, Target, compose};
use latchkey_core::link::{BaseUrl, Parameter};
use latchkey_core::paging::Search;
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::code::{Algorithm, VerifiedCode, verify};
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::protocol::payload::Payload;
use latchkey_core::protocol::uses::Uses;
use latchkey_store::Wait as _;
use serde_json::{Map, Value, json};

use super::at;
use crate::by;
use crate::signed::{RULES, key};

pub(super) const HOUR: i64 = 3600;

/// A link as Latchkey makes it.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) claims: Claims,
    pub(super) code: VerifiedCode,
}

impl Made {
    pub(super) fn id(&self) -> &str {
        &self.code.link
    }

    pub(super) fn taken(&self) -> TakenLink {
        TakenLink::new(self.claims.clone(), Some("key-1".to_owned()))
    }
}

/// Makes a link at a time that works for a number of sign-ins. It expires after an hour.
pub(super) fn made_with(payload: &Value, uses: Option<u64>, at: Timestamp) -> Made {
    let target = Target {
        url: BaseUrl::parse("https://chat.acme.example").unwrap(),
        parameter: Parameter::default(),
        algorithm: Algorithm::HS256,
    };
    let payload = Payload::from_claims(payload.as_object().unwrap()).unwrap();
    let spec = LinkSpec {
        uses: Uses::parse(uses, "uses").unwrap(),
        ..LinkSpec::new(payload, Lifetime::Secs(HOUR))
    };
    let composed = compose(&target, &key(), spec, at).unwrap();
    let code = verify(composed.code.expose(), &[&key()], RULES, at).unwrap();
    Made {
        claims: composed.claims,
        code,
    }
}

pub(super) fn made(user: &str) -> Made {
    made_with(&json!({ "user": { "id": user } }), None, at(0))
}

pub(super) fn made_for(user: &str, limit: Option<u64>) -> Made {
    made_with(&json!({ "user": { "id": user } }), limit, at(0))
}

pub(super) fn made_at(user: &str, at: Timestamp) -> Made {
    made_with(&json!({ "user": { "id": user } }), None, at)
}

pub(super) fn take_at(directory: &dyn Directory, link: &Made, at: Timestamp) {
    directory.take_link(link.taken(), &by(at)).wait().unwrap();
}

pub(super) fn take(directory: &dyn Directory, link: &Made) {
    take_at(directory, link, at(0));
}

/// Gives a link out for a user.
pub(super) fn give(directory: &dyn Directory, user: &str) -> Made {
    let link = made(user);
    take(directory, &link);
    link
}

pub(super) fn redeem(directory: &dyn Directory, code: &VerifiedCode) -> &'static str {
    redeem_by(directory, code, &by(at(0)))
}

pub(super) fn redeem_by(
    directory: &dyn Directory,
    code: &VerifiedCode,
    by: &AuditContext,
) -> &'static str {
    let redeemed = directory.redeem(Ok(code), Policy::default(), by).wait();
    redeemed.unwrap().code()
}

pub(super) fn revoke_at(
    directory: &dyn Directory,
    scope: RevocationScope,
    ends_sessions: bool,
    at: Timestamp,
) {
    let revocation = Revocation {
        scope,
        ends_sessions,
        allows_unknown: true,
    };
    directory.revoke_links(revocation, &by(at)).wait().unwrap();
}

pub(super) fn revoke(directory: &dyn Directory, scope: RevocationScope) {
    revoke_at(directory, scope, false, at(0));
}

pub(super) fn listed_at(directory: &dyn Directory, id: &str, at: Timestamp) -> ListedLink {
    let found = directory.link(id, at).wait().unwrap();
    found.unwrap().0
}

pub(super) fn listed(directory: &dyn Directory, id: &str) -> ListedLink {
    listed_at(directory, id, at(0))
}

pub(super) fn status(directory: &dyn Directory, id: &str) -> LinkStatus {
    listed(directory, id).standing.status
}

pub(super) fn claims(directory: &dyn Directory, id: &str) -> Option<Map<String, Value>> {
    let (_, claims) = directory.link(id, at(0)).wait().unwrap().unwrap();
    claims.map(|claims| claims.members())
}

pub(super) fn query() -> LinkQuery {
    LinkQuery {
        now: at(0).as_second(),
        ..LinkQuery::default()
    }
}

/// Returns all links in an order.
pub(super) fn all(directory: &dyn Directory, sort: LinkSort) -> Vec<ListedLink> {
    let page = directory
        .links(&query(), sort, &LinkPageStart::First, 1000)
        .wait();
    page.unwrap().links
}

/// Returns the links that match a query, the first entered first.
pub(super) fn find(directory: &dyn Directory, query: &LinkQuery) -> Vec<String> {
    let page = directory.links(query, LinkSort::default(), &LinkPageStart::First, 1000);
    let links = page.wait().unwrap().links;
    links.into_iter().map(|listed| listed.link.id).collect()
}

pub(super) fn search(directory: &dyn Directory, words: &str) -> Vec<String> {
    let query = LinkQuery {
        search: Search::new(words),
        ..query()
    };
    find(directory, &query)
}
