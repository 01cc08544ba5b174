//! The ledger of an instance: its issued links, and what became of each.

use latchkey_store::Wait as _;
use std::sync::Arc;

use jiff::tz::TimeZone;
use latchkey_core::activity::Actor;
use latchkey_core::directory::Directory;
use latchkey_core::inspect::{self, ClaimTime};
use latchkey_core::instance::{Instance, InstanceId};
use latchkey_core::ledger::{
    self, GivenAs, LinkCounts, LinkOrigin, LinkSort, LinkSortBy, LinkStatus, ListedLink,
    Revocation, RevocationScope, Use,
};
use latchkey_core::link::again::{self, Again, give_out};
use latchkey_core::link::compose::Composed;
use latchkey_core::link::qr::Qr;
use latchkey_core::paging::Search;
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::payload::Payload;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::session::browser_name;
use latchkey_core::{Error, Result as CoreResult, time};
use latchkey_store::files;
use latchkey_store::home::Home;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tauri::{AppHandle, Runtime, State};
use ts_rs::TS;

use crate::commands::copied::{Copied, CopyWhat, content};
use crate::commands::instance::InstanceRef;
use crate::commands::qr_files::{QrFormat, QrSaved, choose_qr_file};
use crate::commands::users::PageStart;
use crate::studio::{at_home, blocking, now};
use crate::{Problem, Studio, dialogs};

/// Maximum number of links on a page.
const MOST_ON_A_PAGE: usize = 200;

/// One time that a link was given out.
#[derive(Clone, Debug, Serialize, TS)]
pub struct GivenOut {
    /// Way.
    pub given: GivenAs,
    /// Time in Unix seconds.
    #[ts(type = "number")]
    pub at: i64,
    /// Actor in words: `in Studio`, `by the command line`, `by API key CRM`.
    pub by: String,
}

/// A sign-in by a link.
#[derive(Clone, Debug, Serialize, TS)]
pub struct LinkUse {
    /// Time in Unix seconds.
    #[ts(type = "number")]
    pub at: i64,
    /// Address of the visitor.
    pub address: Option<String>,
    /// Short name of the browser, such as `iPhone, Safari`.
    pub browser: Option<String>,
}

/// A link of the ledger. It differs from core's `IssuedLink`: it has its state, its times are in Unix
/// seconds, because the window words them, and actors are worded.
#[derive(Clone, Debug, Serialize, TS)]
pub struct IssuedLink {
    /// ID.
    pub id: String,
    /// State.
    pub status: LinkStatus,
    /// Time when it stopped working, in Unix seconds. Null if it works, or if the time is not known.
    #[ts(type = "number | null")]
    pub ended_at: Option<i64>,
    /// Whether sessions that it began ended with it.
    pub ends_sessions: bool,
    /// ID of the user whom it signs in. Null for an address that nobody has.
    pub user: Option<String>,
    /// Address or ID in the payload.
    pub subject: Option<String>,
    /// Display name when it was given out.
    pub name: Option<String>,
    /// Note of the administrator.
    pub note: Option<String>,
    /// Origin of the link.
    pub origin: LinkOrigin,
    /// Times that it was given out, the earliest first.
    pub given: Vec<GivenOut>,
    /// Time when it came into the ledger, in Unix seconds.
    #[ts(type = "number")]
    pub entered_at: i64,
    /// Time from which it works, in Unix seconds.
    #[ts(type = "number | null")]
    pub not_before: Option<i64>,
    /// Time until which it works, in Unix seconds.
    #[ts(type = "number | null")]
    pub expires_at: Option<i64>,
    /// Number of sign-ins for which it works. Null for no limit.
    #[ts(type = "number | null")]
    pub uses: Option<u64>,
    /// Number of sign-ins so far.
    #[ts(type = "number")]
    pub used: u64,
    /// First sign-in.
    pub first_use: Option<LinkUse>,
    /// Last sign-in.
    pub last_use: Option<LinkUse>,
    /// Whether it also has a short link.
    pub has_short: bool,
}

/// Filter and order of links.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct LinkQuery {
    /// Words that must all occur in the ID, the user, the subject, the name or the note.
    pub search: String,
    /// Only links with this state.
    pub status: Option<LinkStatus>,
    /// Only links that work, or only those that do not.
    pub works: Option<bool>,
    /// Only links of the person with this ID or address.
    pub user: Option<String>,
    /// Only links that the signing key with this ID has signed.
    pub key: Option<String>,
    /// Field to sort by.
    pub sort_by: LinkSortBy,
    /// Whether the order is reversed.
    pub descending: bool,
}

/// Request for a page of links.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct LinksRequest {
    /// ID of the instance.
    pub instance: String,
    /// Filter and order.
    pub query: LinkQuery,
    /// Position of the page.
    pub place: PageStart,
    /// Maximum number of links, at most 200.
    pub limit: usize,
}

/// A page of links.
#[derive(Clone, Debug, Serialize, TS)]
pub struct LinkPage {
    /// Links in the requested order.
    pub links: Vec<IssuedLink>,
    /// Row of the first link, counted from 0.
    #[ts(type = "number")]
    pub first_row: u64,
    /// Number of links that match the query.
    #[ts(type = "number")]
    pub total: u64,
    /// Position of the next page, if there is one.
    pub next: Option<String>,
}

/// A link by ID.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct LinkRef {
    /// ID of the instance.
    pub instance: String,
    /// ID of the link.
    pub id: String,
}

/// Person of a link, as the form in Compose takes them.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LinkPerson {
    /// An existing user, by address.
    Email {
        /// E-mail address.
        email: String,
    },
    /// An existing user, by ID.
    Id {
        /// ID of the user.
        id: String,
        /// Whether digits are sent as a text and not as a number.
        as_text: bool,
    },
    /// A new or returning user.
    User {
        /// ID: the administrator's own key for the person.
        id: String,
        /// E-mail address. Empty for none.
        email: String,
        /// Metadata as indented JSON: an object.
        metadata_json: String,
    },
}

/// Person and terms of a link, to make another one like it.
#[derive(Clone, Debug, Serialize, TS)]
pub struct LinkTerms {
    /// Person.
    pub who: LinkPerson,
    /// Lifetime in words. Null if it is not known.
    pub expires_in: Option<String>,
    /// Number of sign-ins. Null for no limit.
    #[ts(type = "number | null")]
    pub uses: Option<u64>,
    /// End of the account that the link creates: a time in RFC 3339, or days after the first sign-in
    /// such as `14 days`. Null for no end.
    pub account_ends: Option<String>,
    /// Note. Empty for none.
    pub note: String,
}

/// A link with all that the ledger has of it.
#[derive(Clone, Debug, Serialize, TS)]
pub struct LinkDetails {
    /// The link.
    pub link: IssuedLink,
    /// Why it cannot be copied again. Null if it can.
    pub not_copyable: Option<Problem>,
    /// Fields of Compose for another link of this kind. Null if the person is not known any more.
    pub terms: Option<LinkTerms>,
    /// Claims of the code, as indented JSON. Null after the user was removed, and for codes of other
    /// systems.
    pub claims_json: Option<String>,
    /// Times among the claims.
    pub times: Vec<ClaimTime>,
    /// ID of the signing key, if it is known.
    pub key: Option<String>,
}

/// Links to revoke.
#[derive(Clone, Debug, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LinksToRevoke {
    /// One link.
    Link {
        /// ID of the link.
        id: String,
    },
    /// All links of a person until now.
    Person {
        /// ID of the user.
        user: String,
    },
    /// All links that were issued before a time.
    Before {
        /// Time: `2026-11-29T23:10` in the time zone of this computer, or RFC 3339.
        at: String,
    },
}

/// Request to revoke links.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct LinkRevocation {
    /// ID of the instance.
    pub instance: String,
    /// The links.
    pub links: LinksToRevoke,
    /// Whether sessions that the links began end at the next request.
    pub ends_sessions: bool,
}

/// Request to copy a link of the ledger again.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct LinkCopy {
    /// ID of the instance.
    pub instance: String,
    /// ID of the link.
    pub id: String,
    /// Part to copy.
    pub what: CopyWhat,
}

/// Request to save the QR code of a link of the ledger.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct LinkQrSave {
    /// ID of the instance.
    pub instance: String,
    /// ID of the link.
    pub id: String,
    /// Format of the file.
    pub format: QrFormat,
}

/// Returns a page of links.
#[tauri::command]
pub async fn links(
    studio: State<'_, Arc<Studio>>,
    request: LinksRequest,
) -> Result<LinkPage, Problem> {
    at_home(studio, move |studio, home| {
        let instance = instance(home, &request.instance)?;
        let ledger = studio.ledger(home, &instance)?;
        let (query, sort) = request.query.parse()?;
        let place = request.place.try_into()?;
        let limit = request.limit.clamp(1, MOST_ON_A_PAGE);
        let page = ledger.links(&query, sort, &place, limit).wait()?;
        Ok(LinkPage {
            links: page.links.into_iter().map(Into::into).collect(),
            first_row: page.first_row,
            total: page.total,
            next: page.next.map(|cursor| cursor.to_string()),
        })
    })
    .await
}

/// Returns the numbers of links by their state.
#[tauri::command]
pub async fn link_counts(
    studio: State<'_, Arc<Studio>>,
    request: InstanceRef,
) -> Result<LinkCounts, Problem> {
    at_home(studio, move |studio, home| {
        let instance = instance(home, &request.instance)?;
        let ledger = studio.ledger(home, &instance)?;
        ledger.link_counts(now().at).wait()
    })
    .await
}

/// Returns a link with all that the ledger has of it.
#[tauri::command]
pub async fn link(
    studio: State<'_, Arc<Studio>>,
    request: LinkRef,
) -> Result<LinkDetails, Problem> {
    at_home(studio, move |studio, home| {
        let instance = instance(home, &request.instance)?;
        let (listed, claims) = find(&*studio.ledger(home, &instance)?, &request.id)?;
        let copyable = again::claims(&listed, claims.clone(), |key| instance.has_key(key));
        Ok(LinkDetails {
            not_copyable: copyable.err().map(Into::into),
            terms: LinkTerms::of(&listed, claims.as_ref()),
            times: claims.as_ref().map_or_else(Vec::new, |claims| {
                inspect::times(&claims.members(), now().at)
            }),
            claims_json: claims.map(|claims| format!("{:#}", Value::Object(claims.members()))),
            key: listed.link.key.clone(),
            link: listed.into(),
        })
    })
    .await
}

/// Revokes links, from the next request on. Where an application elsewhere decides, this only marks
/// them as revoked in the ledger.
#[tauri::command]
pub async fn links_revoke(
    studio: State<'_, Arc<Studio>>,
    request: LinkRevocation,
) -> Result<(), Problem> {
    at_home(studio, move |studio, home| {
        let instance = instance(home, &request.instance)?;
        let revocation = request.parse()?;
        revocation.require_possible(&instance.settings)?;
        let ledger = studio.ledger(home, &instance)?;
        ledger.revoke_links(revocation, &now()).wait()
    })
    .await
}

/// Copies a part of a link of the ledger again: the same code as before.
#[tauri::command]
pub async fn link_copy(
    studio: State<'_, Arc<Studio>>,
    request: LinkCopy,
) -> Result<Copied, Problem> {
    blocking(studio, move |studio| {
        let (what, given) = (request.what, request.what.given());
        let content = given_again(
            studio,
            &request.instance,
            &request.id,
            given,
            |composed, instance, name| {
                let name = || name.unwrap_or_else(|| composed.claims.payload.display_name());
                let url = composed.link.url();
                let zone = TimeZone::system();
                let message = || Ok(instance.message_to(name(), &url, composed, &zone));
                content(what, composed, &url, &Qr::for_url(&url), message)
            },
        );
        studio.clipboard().put(content?)?;
        Ok::<_, Problem>(Copied::default())
    })
    .await
}

/// Asks for a file and writes the QR code of a link of the ledger to it.
#[tauri::command]
pub async fn link_qr_save<R: Runtime>(
    app: AppHandle<R>,
    studio: State<'_, Arc<Studio>>,
    request: LinkQrSave,
) -> Result<QrSaved, Problem> {
    let Some(path) = choose_qr_file(&app, request.format).await else {
        return Ok(QrSaved { file: None });
    };
    blocking(studio, move |studio| -> Result<QrSaved, Error> {
        let bytes = given_again(
            studio,
            &request.instance,
            &request.id,
            GivenAs::File,
            |composed, _, _| request.format.bytes(&Qr::for_url(&composed.link.url())?),
        );
        files::replace(&path, &bytes?)?;
        Ok(QrSaved {
            file: Some(dialogs::file_name(&path)),
        })
    })
    .await
}

/// Returns an instance by its ID.
pub(crate) fn instance(home: &Home, id: &str) -> CoreResult<Instance> {
    home.instances().get(&InstanceId::parse(id)?)
}

fn find(ledger: &dyn Directory, id: &str) -> CoreResult<(ListedLink, Option<Claims>)> {
    ledger
        .link(id, now().at)
        .wait()?
        .ok_or_else(ledger::unknown_link)
}

/// Gives a link of the ledger out again, in the form that `form` makes of the link, its instance and
/// the name of its person.
fn given_again<T>(
    studio: &Studio,
    id: &str,
    link: &str,
    given: GivenAs,
    form: impl FnOnce(&Composed, &Instance, Option<&str>) -> CoreResult<T>,
) -> CoreResult<T> {
    let home = studio.home()?;
    let instance = instance(&home, id)?;
    let ledger = studio.ledger(&home, &instance)?;
    if instance.connection.is_some() {
        let (listed, _) = find(&*ledger, link)?;
        let composed = home
            .copy_link_there(&instance, link, given, &now())?
            .try_into()?;
        return form(&composed, &instance, listed.link.name.as_deref());
    }
    let by = now();
    let keys = home.key_set(&instance, by.at)?;
    let again = Again {
        id: link,
        given,
        target: &instance.settings.target(),
        keys: &keys.usable(by.at),
    };
    let given = give_out(&*ledger, again, &by, |composed, link| {
        form(composed, &instance, link.name.as_deref())
    });
    given.wait()
}

impl LinkQuery {
    pub(super) fn parse(self) -> CoreResult<(ledger::LinkQuery, LinkSort)> {
        let user = self.user.as_deref();
        let query = ledger::LinkQuery {
            search: Search::new(&self.search),
            status: self.status,
            works: self.works,
            user: user.map(|user| UserId::parse(user, "user")).transpose()?,
            key: self.key,
            now: now().at.as_second(),
        };
        let sort = LinkSort {
            by: self.sort_by,
            descending: self.descending,
        };
        Ok((query, sort))
    }
}

impl LinkRevocation {
    fn parse(self) -> CoreResult<Revocation> {
        let scope = match self.links {
            LinksToRevoke::Link { id } => RevocationScope::Link(id),
            LinksToRevoke::Person { user } => {
                RevocationScope::Person(UserId::parse(&user, "user")?)
            }
            LinksToRevoke::Before { at } => {
                let at = time::parse(&at, &TimeZone::system(), "before")?;
                RevocationScope::Before(at.as_second())
            }
        };
        Ok(Revocation {
            scope,
            ends_sessions: self.ends_sessions,
        })
    }
}

impl LinkTerms {
    fn of(listed: &ListedLink, claims: Option<&Claims>) -> Option<Self> {
        let link = &listed.link;
        let lifetime = claims.and_then(|claims| claims.registered.lifetime());
        let who = match claims {
            Some(claims) => LinkPerson::of(claims),
            None => LinkPerson::Id {
                id: link.user.as_ref()?.as_str().to_owned(),
                as_text: false,
            },
        };
        Some(Self {
            who,
            expires_in: lifetime.map(|lifetime| lifetime.to_string()),
            uses: link.uses.limit(),
            account_ends: claims
                .and_then(|claims| claims.registered.account_end)
                .map(|end| end.to_string()),
            note: link.note.clone().unwrap_or_default(),
        })
    }
}

impl LinkPerson {
    fn of(claims: &Claims) -> Self {
        match &claims.payload {
            Payload::Email(email) => Self::Email {
                email: email.as_str().to_owned(),
            },
            Payload::Id(id) => Self::Id {
                id: id.user_id().as_str().to_owned(),
                as_text: claims.members().get("id").is_some_and(Value::is_string),
            },
            Payload::User(user) => Self::User {
                id: user.id.as_str().to_owned(),
                email: user
                    .email
                    .as_ref()
                    .map_or_else(String::new, |email| email.as_str().to_owned()),
                metadata_json: user.metadata.json_to_read(),
            },
        }
    }
}

impl From<ListedLink> for IssuedLink {
    fn from(listed: ListedLink) -> Self {
        let ListedLink {
            link,
            standing,
            has_short,
        } = listed;
        let given = link.given.into_iter().map(|given| GivenOut {
            given: given.given,
            at: given.at,
            by: by(&given.by),
        });
        Self {
            id: link.id,
            status: standing.status,
            ended_at: standing.ended_at,
            ends_sessions: standing.ends_sessions,
            user: link.user.map(|user| user.as_str().to_owned()),
            subject: link.subject,
            name: link.name,
            note: link.note,
            origin: link.origin,
            given: given.collect(),
            entered_at: link.entered_at,
            not_before: link.not_before,
            expires_at: link.expires_at,
            uses: link.uses.limit(),
            used: link.used,
            first_use: link.first_use.map(Into::into),
            last_use: link.last_use.map(Into::into),
            has_short,
        }
    }
}

impl From<Use> for LinkUse {
    fn from(sign_in: Use) -> Self {
        Self {
            at: sign_in.at,
            address: sign_in.address.map(|address| address.to_string()),
            browser: sign_in.browser.as_deref().and_then(browser_name),
        }
    }
}

/// Returns an actor in words, for the end of a sentence.
fn by(actor: &Actor) -> String {
    match actor {
        Actor::Studio => "in Studio".into(),
        Actor::CommandLine => "by the command line".into(),
        Actor::Visitor => "by a visitor".into(),
        Actor::ApiKey(name) => format!("by API key {name}"),
        Actor::Latchkey => "by Latchkey".into(),
    }
}
