//! `latchkey links revoke`.

use std::process::ExitCode;

use jiff::tz::TimeZone;
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::RevocationRequest;
use latchkey_core::directory::Directory;
use latchkey_core::instance::Instance;
use latchkey_core::ledger::{
    LinkPageStart, LinkQuery, LinkSort, LinkStatus, Revocation, RevocationScope, StopsElsewhere,
    not_revoked,
};
use latchkey_core::shell::quoted;
use latchkey_core::time;
use latchkey_store::Wait as _;
use serde_json::{Value, json};

use crate::args::RevokeArguments;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::Text;

/// Revokes links and says what that has changed. The exit code is 1 for an instance that is hosted
/// elsewhere, because the codes still work there, unless all of them had ended before.
pub(super) fn revoke(
    arguments: &RevokeArguments,
    instance: &Instance,
    ledger: &dyn Directory,
    output: &Output,
    by: &AuditContext,
) -> Result<ExitCode, Failure> {
    let stops = StopsElsewhere::of(&instance.settings);
    let is_elsewhere = stops.is_some();
    let scope = scope(arguments)?;
    let revoking = Revoking {
        ledger,
        instance,
        by,
        is_elsewhere,
        ends_sessions: arguments.end_sessions,
        allows_unknown: arguments.unknown,
    };
    let Done {
        text,
        mut json,
        is_over,
        left,
    } = match scope {
        Some(scope) => revoking.many(scope)?,
        None => revoking.each(&arguments.ids)?,
    };
    // A link that had ended works nowhere.
    let stops = stops.filter(|_| !is_over);
    if let Some(members) = json.as_object_mut() {
        members.insert("end_sessions".into(), arguments.end_sessions.into());
        members.insert("works_elsewhere".into(), stops.is_some().into());
    }
    output.print(text, || json)?;
    if left > 0 {
        output.warn(&format!(
            "{left} of them still {}. Another system says that its code is newer than this moment, or the clock of this computer is behind. Check the clock, and revoke by the ID.",
            if left == 1 { "works" } else { "work" }
        ));
    }
    let Some(stops) = stops else {
        return Ok(ExitCode::SUCCESS);
    };
    output.warn(&still_works(stops, instance, output.program()));
    Ok(ExitCode::FAILURE)
}

/// Returns the links that are revoked together. `None` if IDs name them.
fn scope(arguments: &RevokeArguments) -> Result<Option<RevocationScope>, Failure> {
    if !arguments.ids.is_empty() {
        return Ok(None);
    }
    let request = RevocationRequest {
        user: arguments.user.clone(),
        before: arguments.before.clone(),
        key: arguments.key.clone(),
        ..RevocationRequest::default()
    };
    Ok(Some(request.parse(&TimeZone::system())?.scope))
}

/// Says what works against links of an instance that is hosted elsewhere.
fn still_works(stops: StopsElsewhere, instance: &Instance, program: &str) -> String {
    let StopsElsewhere {
        reason,
        of_person,
        of_everybody,
    } = stops;
    let name = quoted(instance.id.as_str());
    let remove = match &instance.typingmind {
        Some(_) => format!(": {program} users remove --instance {name} ID"),
        None => ".".to_owned(),
    };
    format!(
        "{reason}. {of_everybody}: {program} instance set {name} --secret-file FILE. {of_person}{remove}"
    )
}

/// Result of a revocation.
struct Done {
    text: Text,
    json: Value,
    /// Whether all links that were named had ended by themselves before.
    is_over: bool,
    /// Number of links that were to stop and still work.
    left: u64,
}

struct Revoking<'a> {
    ledger: &'a dyn Directory,
    instance: &'a Instance,
    by: &'a AuditContext,
    is_elsewhere: bool,
    ends_sessions: bool,
    allows_unknown: bool,
}

impl Revoking<'_> {
    /// Revokes links by their IDs. If one is not known, revokes none, unless that is allowed.
    fn each(&self, ids: &[String]) -> Result<Done, Failure> {
        let (mut text, mut links, mut stopped) = (Text::new(), Vec::new(), 0_u64);
        let mut is_over = true;
        let mut found = Vec::new();
        for (at, id) in ids.iter().enumerate() {
            if ids.iter().take(at).any(|earlier| earlier == id) {
                continue;
            }
            let link = self.ledger.link(id, self.by.at).wait()?;
            let starts_at = link.as_ref().and_then(|(listed, _)| listed.link.not_before);
            let now = self.by.at.as_second();
            let starts_at = starts_at.filter(|at| *at > now);
            let terms = link.as_ref().map(|(listed, _)| listed.link.terms());
            let has_expired = terms.is_some_and(|terms| terms.had_expired_at(now));
            let before = link.map(|(listed, _)| listed.standing.status);
            // One after the other is revoked, so the others are looked up before.
            if before.is_none() && !self.allows_unknown && ids.len() > 1 {
                return Err(not_revoked(id).into());
            }
            // One that was marked before may have expired since.
            is_over &= has_expired || before.is_some_and(LinkStatus::ended_by_itself);
            found.push((id, before, starts_at));
        }
        let hosted = self.instance.settings.hosted;
        for (id, before, starts_at) in found {
            self.revoke(RevocationScope::Link(id.clone()))?;
            stopped += u64::from(before.is_some_and(LinkStatus::works));
            text.line(self.words_of_one(id, before, starts_at));
            let before = before.map(|status| status.name_at(hosted));
            links.push(json!({ "id": id, "before": before }));
        }
        Ok(Done {
            text,
            json: json!({ "links": links, self.counted(): stopped }),
            is_over,
            left: 0,
        })
    }

    /// Revokes the links of a scope, and counts those that worked before.
    fn many(&self, scope: RevocationScope) -> Result<Done, Failure> {
        let (words, named) = match &scope {
            RevocationScope::Person(user) => (format!("of {user}"), json!({ "user": user })),
            RevocationScope::Before(at) => {
                let at = time::exact(*at);
                (format!("from before {at}"), json!({ "before": at }))
            }
            RevocationScope::Key(key) => {
                (format!("with the signing key {key}"), json!({ "key": key }))
            }
            RevocationScope::Link(id) => (format!("with the id {id}"), json!({ "link": id })),
        };
        let working = LinkQuery {
            works: Some(true),
            user: match &scope {
                RevocationScope::Person(user) => Some(user.clone()),
                _ => None,
            },
            key: match &scope {
                RevocationScope::Key(key) => Some(key.clone()),
                _ => None,
            },
            now: self.by.at.as_second(),
            ..LinkQuery::default()
        };
        let is_before = matches!(scope, RevocationScope::Before(_));
        let before = self.count(&working)?;
        self.revoke(scope)?;
        let left = self.count(&working)?;
        let stopped = before.saturating_sub(left);
        let counted = match stopped {
            0 => "none of them worked".to_owned(),
            1 => "1 of them worked until now".to_owned(),
            stopped => format!("{stopped} of them worked until now"),
        };
        let text = if self.is_elsewhere {
            format!(
                "Marked all links {words} as revoked in the list. Until now it showed {stopped} of them as given out."
            )
        } else {
            format!(
                "Revoked all links {words}; {counted}.{}",
                if self.ends_sessions {
                    " Any sessions that began with them have ended."
                } else {
                    ""
                }
            )
        };
        let mut done = named;
        if let Some(members) = done.as_object_mut() {
            members.insert(self.counted().into(), stopped.into());
        }
        Ok(Done {
            text: text.into(),
            json: done,
            is_over: false,
            left: if is_before { 0 } else { left },
        })
    }

    /// Returns the name of the number of links that worked until now. Elsewhere, they are only marked.
    const fn counted(&self) -> &'static str {
        if self.is_elsewhere {
            "marked"
        } else {
            "stopped"
        }
    }

    fn revoke(&self, scope: RevocationScope) -> Result<(), Failure> {
        let revocation = Revocation {
            scope,
            ends_sessions: self.ends_sessions,
            allows_unknown: self.allows_unknown,
        };
        let revoked = revocation.revoke(self.instance, self.ledger, self.by);
        Ok(revoked.wait()?)
    }

    fn count(&self, query: &LinkQuery) -> Result<u64, Failure> {
        let page = self
            .ledger
            .links(query, LinkSort::default(), &LinkPageStart::First, 1);
        Ok(page.wait()?.total)
    }

    fn words_of_one(&self, id: &str, before: Option<LinkStatus>, starts_at: Option<i64>) -> String {
        if let Some(status) = before.filter(|status| status.ended_by_itself()) {
            let had = match status {
                LinkStatus::Expired => "had expired",
                _ => "was used up",
            };
            let left = if self.ends_sessions {
                format!("{id} {had} before.{}", self.about_sessions())
            } else {
                format!("{id} {had} before, so nothing was left to take back.")
            };
            return if self.is_elsewhere {
                left
            } else {
                format!("{left} No new link can be asked for with it any more.")
            };
        }
        if self.is_elsewhere {
            let was = match before {
                None => ", which was not in it",
                Some(LinkStatus::Revoked) => ", as it was before",
                Some(_) => "",
            };
            return format!("Marked {id} as revoked in the list{was}.");
        }
        let what = match before {
            Some(status) if status.works() => starts_at.map_or_else(
                || format!("Revoked {id}, which worked until now."),
                |at| format!("Revoked {id}, which was to work from {}.", time::exact(at)),
            ),
            Some(status) => format!("Revoked {id}, which was {} before.", status.words()),
            None => format!("{id} is not in the list. A code with this id is refused from now on."),
        };
        format!("{what}{}", self.about_sessions())
    }

    const fn about_sessions(&self) -> &'static str {
        if self.ends_sessions {
            " Any sessions that began with it have ended."
        } else {
            ""
        }
    }
}
