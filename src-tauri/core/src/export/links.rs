//! Export of the ledger to CSV and JSON Lines.

use std::borrow::Cow;

use super::csv;
use super::line_format::LineFormat;
use crate::admin::{LedgerLink, LedgerUse};
use crate::directory::Directory;
use crate::instance::Hosted;
use crate::ledger::{LinkPageStart, LinkQuery, LinkSort};
use crate::protocol::user_id::UserId;
use crate::{Error, Result, time};

/// Number of links that are read at once.
const PAGE: usize = 1000;

/// Headings of the columns.
const HEADINGS: [&str; 26] = [
    "id",
    "status",
    "ended_at",
    "user",
    "subject",
    "name",
    "note",
    "origin",
    "given_at",
    "given_as",
    "given_by",
    "given_by_api_key",
    "times_given",
    "has_short",
    "key",
    "issued_at",
    "not_before",
    "expires_at",
    "uses",
    "used",
    "first_use_at",
    "first_use_address",
    "first_use_browser",
    "last_use_at",
    "last_use_address",
    "last_use_browser",
];

/// Writes all links that match a query, in the order in which they came into the ledger, and returns
/// their number. Where the instance is `hosted` says whether their use is known. `write` gets the
/// content in pieces, and may fail to end the export. It gets nothing before the first links are read.
pub async fn export_links(
    directory: &dyn Directory,
    query: &LinkQuery,
    hosted: Hosted,
    format: LineFormat,
    mut write: impl FnMut(&[u8]) -> Result<()> + Send,
) -> Result<u64> {
    let mut bytes = match format {
        LineFormat::Csv => csv::beginning(HEADINGS)?,
        LineFormat::JsonLines => Vec::new(),
    };
    let (mut place, mut count) = (LinkPageStart::First, 0);
    loop {
        let page = directory
            .links(query, LinkSort::default(), &place, PAGE)
            .await?;
        count += page.links.len() as u64;
        let links: Vec<_> = page.links.into_iter().map(LedgerLink::from).collect();
        match format {
            LineFormat::Csv => {
                bytes.extend(csv::lines(links.iter().map(|link| cells(link, hosted)))?);
            }
            LineFormat::JsonLines => {
                for link in &links {
                    serde_json::to_writer(&mut bytes, &link.members(hosted)?)
                        .map_err(Error::internal)?;
                    bytes.push(b'\n');
                }
            }
        }
        write(&bytes)?;
        bytes.clear();
        let Some(next) = page.next else {
            return Ok(count);
        };
        place = LinkPageStart::After(next);
    }
}

fn cells(link: &LedgerLink, hosted: Hosted) -> [Cow<'_, str>; 26] {
    let (first, given) = (link.given.first(), link.given.len());
    let text =
        |text: Option<&'_ str>| -> Cow<'_, str> { text.unwrap_or_default().to_owned().into() };
    let moment =
        |at: Option<i64>| -> Cow<'_, str> { at.map(time::exact).unwrap_or_default().into() };
    let uses = link.uses.limit().map(|uses| uses.to_string());
    let is_reported = hosted.is_latchkey();
    let sign_ins = is_reported.then(|| link.used.to_string());
    let [first_use, last_use] = [&link.first_use, &link.last_use]
        .map(|sign_in| use_cells(sign_in.as_ref().filter(|_| is_reported)));
    let [first_at, first_address, first_browser] = first_use;
    let [last_at, last_address, last_browser] = last_use;
    [
        link.id.as_str().into(),
        link.status.name_at(hosted).into(),
        moment(link.ended_at),
        text(link.user.as_ref().map(UserId::as_str)),
        text(link.subject.as_deref()),
        text(link.name.as_deref()),
        text(link.note.as_deref()),
        link.origin.name().into(),
        moment(first.map(|first| first.at)),
        text(first.map(|first| first.given.name())),
        text(first.map(|first| first.by.name())),
        text(first.and_then(|first| first.by.api_key())),
        given.to_string().into(),
        link.has_short.to_string().into(),
        text(link.key.as_deref()),
        moment(link.issued_at),
        moment(link.not_before),
        moment(link.expires_at),
        uses.unwrap_or_default().into(),
        sign_ins.unwrap_or_default().into(),
        first_at,
        first_address,
        first_browser,
        last_at,
        last_address,
        last_browser,
    ]
}

fn use_cells(sign_in: Option<&LedgerUse>) -> [Cow<'_, str>; 3] {
    let Some(LedgerUse {
        at,
        address,
        browser,
    }) = sign_in
    else {
        return [const { Cow::Borrowed("") }; 3];
    };
    let address = address.map(|address| address.to_string());
    [
        time::exact(*at).into(),
        address.unwrap_or_default().into(),
        browser.as_deref().unwrap_or_default().into(),
    ]
}
