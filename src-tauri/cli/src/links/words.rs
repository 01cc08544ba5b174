//! Links in words.

use latchkey_core::instance::Hosted;
use latchkey_core::ledger::{IssuedLink, LinkOrigin, ListedLink, Use};
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::time;
use serde_json::Value;

use crate::text::Text;

/// Adds a row: ID, user or address, name, state, uses, expiry, last sign-in, note.
pub(super) fn row(listed: &ListedLink, hosted: Hosted, text: &mut Text) {
    let ListedLink { link, standing } = listed;
    text.row(&[
        &link.id,
        person(link),
        link.name.as_deref().unwrap_or("-"),
        standing.status.words_at(hosted),
        &listed.uses_words(hosted),
        &expiry(link),
        &moment(last_use(link, hosted).map(|last| last.at)),
        link.note.as_deref().unwrap_or_default(),
    ]);
}

/// Returns everything that the ledger knows of a link.
pub(super) fn details(listed: &ListedLink, claims: Option<&Claims>, hosted: Hosted) -> Text {
    let ListedLink { link, standing } = listed;
    let mut text = Text::new();
    let mut field = |name: &str, value: &str| text.line(format_args!("{name:<12}  {value}"));
    field("id", &link.id);
    field("state", standing.status.words_at(hosted));
    if let Some(at) = standing.ended_at {
        let is_mark = standing.status.is_mark_at(hosted);
        field(if is_mark { "marked" } else { "ended" }, &time::exact(at));
    }
    if standing.ends_sessions {
        field("sessions", "ended with the link");
    }
    field("user", link.user.as_ref().map_or("-", UserId::as_str));
    field("subject", link.subject.as_deref().unwrap_or("-"));
    field("name", link.name.as_deref().unwrap_or("-"));
    field("note", link.note.as_deref().unwrap_or("-"));
    field("origin", origin(link.origin));
    for given in &link.given {
        let (words, at) = (given.given.words(), time::exact(given.at));
        let by = given.by.after_verb();
        field("given out", &format!("{at}, {words}, {by}"));
    }
    field("short link", if link.has_short { "yes" } else { "no" });
    field("key", link.key.as_deref().unwrap_or("-"));
    field("entered", &time::exact(link.entered_at));
    field("issued", &moment(link.issued_at));
    if let Some(at) = link.not_before {
        field("works from", &time::exact(at));
    }
    field("expires", &expiry(link));
    field("uses", &listed.uses_words(hosted));
    if let (Some(first), Some(last)) = (&link.first_use, last_use(link, hosted)) {
        field("first use", &described(first));
        field("last use", &described(last));
    }
    let claims = claims.map(|claims| Value::Object(claims.members()).to_string());
    field("claims", claims.as_deref().unwrap_or("-"));
    text
}

/// Returns the ID of the user, or the address that nobody had. `--user` takes both.
fn person(link: &IssuedLink) -> &str {
    let user = link.user.as_ref().map(UserId::as_str);
    user.or(link.subject.as_deref()).unwrap_or("-")
}

const fn origin(origin: LinkOrigin) -> &'static str {
    match origin {
        LinkOrigin::Taken => "given out with Latchkey",
        LinkOrigin::Scanned => "scanned from the screen",
        LinkOrigin::Foreign => "made by another system",
    }
}

fn expiry(link: &IssuedLink) -> String {
    // A code of another system that was not used yet is known by its ID alone.
    let is_unseen = link.origin == LinkOrigin::Foreign && link.used == 0;
    let unknown = if is_unseen { "-" } else { "never" };
    let known = link.expires_at.map(time::exact);
    known.unwrap_or_else(|| unknown.to_owned())
}

/// Returns the last use of a link of an instance, where use is reported. A link may have one from
/// the time at which the instance was hosted by Latchkey.
fn last_use(link: &IssuedLink, hosted: Hosted) -> Option<&Use> {
    let last = link.last_use.as_ref();
    last.filter(|_| hosted.is_latchkey())
}

fn moment(at: Option<i64>) -> String {
    at.map_or_else(|| "-".to_owned(), time::exact)
}

fn described(sign_in: &Use) -> String {
    let mut words = time::exact(sign_in.at);
    if let Some(address) = sign_in.address {
        words = format!("{words}, from {address}");
    }
    if let Some(browser) = &sign_in.browser {
        words = format!("{words}, {browser}");
    }
    words
}
