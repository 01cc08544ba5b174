//! Loading the facts that a command depends on.

use std::collections::{BTreeMap, BTreeSet};

use latchkey_core::Result;
use latchkey_core::directory::{
    Command, DueAccounts, DueScan, EmailUsers, Facts, Lookup, MAX_DUE, Needs, Person, Redemption,
    SharedEmail, User, is_grantable,
};
use latchkey_core::ledger::{Asking, LinkPerson, MAX_REQUESTS, NewLinkRequest};
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::session::{Session, SessionKey};

use super::errors::damaged;
use super::journal::View;
use super::record::{Counters, UserRecord};
use super::{keys, ledger, requests};

/// IDs of all users of each shared address, the oldest user first, by the key of the address.
pub(super) type Shared = BTreeMap<String, Vec<String>>;

/// Loads the facts that a command depends on.
/// `now` is its time in Unix seconds.
pub(super) fn of_command(view: &View<'_>, command: &Command, now: i64) -> Result<Facts> {
    load(view, now, |facts| command.needs(facts))
}

/// Loads the facts that the verdict on a redemption depends on.
pub(super) fn of_redemption(view: &View<'_>, redemption: &Redemption, now: i64) -> Result<Facts> {
    load(view, now, |facts| redemption.needs(facts))
}

/// Loads the facts that decide whether a new link can be asked for.
pub(super) fn of_asking(view: &View<'_>, asking: &Asking, now: i64) -> Result<Facts> {
    load(view, now, |facts| asking.needs(facts))
}

/// Loads the facts that show whether a session goes on at a time, in Unix seconds.
pub(super) fn of_session(view: &View<'_>, session: &Session, now: i64) -> Result<Facts> {
    let mut facts = Facts::default();
    facts.cutoffs = ledger::instance_cutoffs(view)?;
    fill(view, now, facts, |facts| session.needs(facts))
}

/// Returns the requests for new links that are open at a time, in Unix seconds, the newest first.
/// Leaves out those of which a row cannot be read.
pub(super) fn open_requests(view: &View<'_>, now: i64) -> Result<Vec<NewLinkRequest>> {
    let mut open = Vec::new();
    for request in requests::all(view)? {
        let facts = load(view, now, |facts| request.needs(facts));
        let Some(facts) = requests::unless_damaged(facts)? else {
            continue;
        };
        if is_grantable(&request, &facts, now) {
            open.push(request);
        }
    }
    Ok(open)
}

/// Returns the number of open requests. Below the maximum, requests that cannot be granted any more
/// are counted, too, because judging all of them takes long.
fn count_requests(view: &View<'_>, now: i64) -> Result<usize> {
    let stored = requests::count(view)?;
    if stored < MAX_REQUESTS {
        return Ok(stored);
    }
    Ok(open_requests(view, now)?.len())
}

/// Loads the facts that are looked up.
pub(super) fn of_lookup(view: &View<'_>, lookup: &Lookup, now: i64) -> Result<Facts> {
    lookup.require_limits()?;
    Ok(load(view, now, |facts| lookup.needs(facts))?.settled())
}

fn load(view: &View<'_>, now: i64, needs: impl Fn(&Facts) -> Needs) -> Result<Facts> {
    let counters = counters(view)?;
    let mut facts = Facts::default();
    facts.counts = counters.counts();
    facts.change = counters.changes + 1;
    facts.latest_time = view.read(keys::LATEST_TIME)?;
    facts.cutoffs = ledger::instance_cutoffs(view)?;
    facts.last_outbox_entry = view.read(keys::LAST_OUTBOX_ENTRY)?.unwrap_or_default();
    fill(view, now, facts, needs)
}

/// Loads needed facts until nothing is missing.
fn fill(
    view: &View<'_>,
    now: i64,
    mut facts: Facts,
    needs: impl Fn(&Facts) -> Needs,
) -> Result<Facts> {
    loop {
        let needs = needs(&facts);
        if needs.is_empty() {
            return Ok(facts);
        }
        if let Some(scan) = needs.due {
            facts.due = Some(due(view, now, scan)?);
        }
        add(view, now, needs, &mut facts)?;
    }
}

fn add(view: &View<'_>, now: i64, needs: Needs, facts: &mut Facts) -> Result<()> {
    for id in needs.people {
        let person = Person {
            user: user(view, &id)?,
            removed_at: view.read(&keys::removal(id.as_str()))?,
            cutoffs: ledger::cutoffs(view, &LinkPerson::User(id.clone()))?,
        };
        facts.set_person(id, person);
    }
    for id in needs.links_since_edit {
        let links = view.read(&keys::newer_links(id.as_str()))?;
        facts.set_links_since_edit(id, links);
    }
    for id in needs.recent_links {
        let links = view.read(&keys::recent_links(id.as_str()))?;
        facts.set_recent_links(id, links);
    }
    for email in needs.emails {
        let users = email_users(view, &email)?;
        facts.set_email(&email, users);
    }
    for link in needs.links {
        let known = ledger::link(view, &link)?;
        facts.set_link(link, known);
    }
    for link in needs.short_codes {
        let code = ledger::short_code(view, &link)?;
        facts.set_short_code(link, code);
    }
    for person in needs.linked {
        let linked = !view.all_keys(&keys::claims(&person, ""))?.is_empty();
        facts.set_linked(person, linked);
    }
    for person in needs.requests {
        let known = requests::request(view, &person)?;
        facts.set_request(person, known);
    }
    if needs.open_requests {
        facts.open_requests = Some(count_requests(view, now)?);
    }
    for key in needs.sessions {
        facts.set_session(key, session(view, &key)?);
    }
    Ok(())
}

/// Returns the accounts that are due at a time, in Unix seconds.
pub(super) fn due(view: &View<'_>, now: i64, scan: DueScan) -> Result<DueAccounts> {
    let end = keys::due(now.saturating_add(1), "");
    let pending = view.pending_keys(keys::DUE).filter(|key| *key < &*end);
    let mut first: BTreeSet<Vec<u8>> = pending.map(<[u8]>::to_vec).collect();
    let (pending, mut carried) = (first.len(), 0);
    let most = match scan {
        DueScan::First => MAX_DUE,
        DueScan::Counted => usize::MAX,
    };
    for key in view.carried_keys(keys::DUE).take(most) {
        let key = key?;
        if key >= end {
            break;
        }
        // A pending row may be in the tree, too.
        if first.contains(&key) {
            continue;
        }
        carried += 1;
        if carried <= MAX_DUE {
            first.insert(key);
        }
    }
    let users = first.iter().take(MAX_DUE).map(|key| {
        let user = keys::due_user_of(key).ok_or_else(damaged)?;
        UserId::parse(user, "id").map_err(|cause| damaged().because(cause))
    });
    Ok(DueAccounts {
        at: now,
        count: (pending + carried) as u64,
        first: users.collect::<Result<_>>()?,
    })
}

/// Returns the numbers of users, seats and changes.
pub(super) fn counters(view: &View<'_>) -> Result<Counters> {
    Ok(view.read(keys::COUNTERS)?.unwrap_or_default())
}

/// Returns the user with an ID.
pub(super) fn user(view: &View<'_>, id: &UserId) -> Result<Option<User>> {
    let user: Option<UserRecord> = view.read(&keys::user(id.as_str()))?;
    user.map(|user| user.into_user(id)).transpose()
}

/// Returns the user who has an address. If several have it, returns the oldest.
pub(super) fn owner(view: &View<'_>, email: &Email) -> Result<Option<UserId>> {
    let owner: Option<String> = view.read(&keys::email(email))?;
    owner.map(|owner| UserId::parse(&owner, "id")).transpose()
}

/// Returns the session with a key.
pub(super) fn session(view: &View<'_>, key: &SessionKey) -> Result<Option<Session>> {
    view.read(&keys::session(key))
}

fn email_users(view: &View<'_>, email: &Email) -> Result<EmailUsers> {
    let sharers = shared(view)?.remove(&email.key()).unwrap_or_default();
    let former: Vec<(String, i64)> = view.read(&keys::former_users(email))?.unwrap_or_default();
    let former = former
        .iter()
        .map(|(id, at)| Ok((UserId::parse(id, "id")?, *at)));
    Ok(EmailUsers {
        owner: owner(view, email)?,
        sharers: ids(&sharers)?,
        former: former.collect::<Result<_>>()?,
        cutoffs: ledger::cutoffs(view, &LinkPerson::Email(email.clone()))?,
    })
}

/// Returns the addresses that several users have.
pub(super) fn shared_emails(view: &View<'_>) -> Result<Vec<SharedEmail>> {
    let shared = shared(view)?.into_iter();
    let shared = shared.map(|(email, users)| {
        Ok(SharedEmail {
            email,
            users: ids(&users)?,
        })
    });
    shared.collect()
}

pub(super) fn shared(view: &View<'_>) -> Result<Shared> {
    Ok(view.read(keys::SHARED_EMAILS)?.unwrap_or_default())
}

fn ids(texts: &[String]) -> Result<Vec<UserId>> {
    texts.iter().map(|id| UserId::parse(id, "id")).collect()
}
