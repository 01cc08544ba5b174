//! English words of the activity. Entries store no words and get them when they are read.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::changed_setting::{Change, ChangedSetting};
use super::event::{EventData, ProfileField};
use super::repeats::Repeats;
use crate::instance::scope::Scope;
use crate::ledger::{RequestEnd, RevocationScope};
use crate::time;

impl EventData {
    /// Returns a title of a few words.
    #[must_use]
    pub fn title(&self) -> String {
        let fixed = match self {
            Self::SignedIn => "Signed in",
            Self::Provisioned => "Created by a link",
            Self::Refused(_)
            | Self::ApiKeyRefused
            | Self::ApiKeyExpired
            | Self::ApiKeyScopeMissing { .. }
            | Self::PairingRefused => return self.refused("Refused"),
            Self::SeveralRefusals { reasons } => {
                let times = more_times(reasons.values().sum());
                return format!("Refused {times}, for several reasons");
            }
            Self::LinkMade => "Link made",
            Self::LinkGivenOut { .. } => "Link given out again",
            Self::LinkRevoked
            | Self::LinksRevoked {
                scope: RevocationScope::Link(_),
                ..
            } => "Link revoked",
            Self::LinksRevoked { .. } => "Links revoked",
            Self::LinkAsked { .. } => "New link asked for",
            Self::LinkRequestClosed {
                how: RequestEnd::Granted,
            } => "New link made on request",
            Self::LinkRequestClosed {
                how: RequestEnd::Dismissed,
            } => "Request for a new link dismissed",
            Self::LinkRequestClosed {
                how: RequestEnd::Revoked,
            } => "Request for a new link closed, because the link was revoked",
            Self::Added => "Added",
            Self::Imported { users: 1 } => "Imported",
            Self::Imported { users } => return format!("Imported: {users} users"),
            Self::ProfileChanged { .. } => "Profile changed",
            Self::Suspended => "Suspended",
            Self::Reactivated => "Reactivated",
            Self::AccountEnded { .. } => "Account ended",
            Self::AccountEndSet { ends_at: Some(_) } => "End of the account set",
            Self::AccountEndSet { ends_at: None } => "End of the account removed",
            Self::Removed => "Removed",
            Self::SignedOutEverywhere => "Signed out everywhere",
            Self::SignedOut => "Signed out",
            Self::SeatLimitSet(Change { to, .. }) => {
                return format!("Seat limit: {}", limit_or_none(*to));
            }
            Self::TimesCorrected { .. } => "Recorded times set to now",
            Self::InstanceMade => "Instance made",
            Self::BackedUp { .. } => "Backup made",
            Self::Restored { .. } => "Restored from a backup",
            Self::ExternalAuthSwitchedOn => "External authentication switched on",
            Self::ExternalAuthSwitchedOff => "External authentication switched off",
            Self::SettingsChanged { .. } => "Settings changed",
            Self::SecretReplaced => "Signing key replaced",
            Self::KeyRotated { .. } => "Signing key rotated",
            Self::KeyRetirementSet { .. } => "Retirement of a signing key set",
            Self::KeyRetired { .. } => "Signing key retired",
            Self::KeyLeaked { .. } => "Leaked signing key given up",
            Self::SecretLost => "Signing key given up",
            Self::SecretShown => "Signing key shown",
            Self::ApiKeyMade { .. } => "API key made",
            Self::ApiKeyRevoked { .. } => "API key revoked",
            Self::PairingMade { .. } => "Pairing code made",
            Self::PairingExchanged { .. } => "Paired: API key made",
            Self::PairingRevoked { .. } => "Pairing code revoked",
            Self::GatewayStarted { .. } => "Gateway started",
            Self::GatewayStopped { .. } => "Gateway stopped",
            Self::GatewayRecovered => "Sign-ins work again",
            Self::TypingMindKeySet { .. } => "TypingMind connected",
            Self::TypingMindDisconnected => "TypingMind disconnected",
            Self::TypingMindUserAdded {
                unconfirmed: true, ..
            } => "Adding at TypingMind",
            Self::TypingMindUserAdded { .. } => "Added at TypingMind",
            Self::TypingMindUserRemoved {
                unconfirmed: true, ..
            } => "Removing at TypingMind",
            Self::TypingMindUserRemoved { .. } => "Removed at TypingMind",
            Self::Worded(worded) => &worded.title,
        };
        fixed.to_owned()
    }

    /// Returns the reason and what to do about it, or the details. It does not repeat the title.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Refused(refusal) => Some(refusal.detail()),
            Self::ApiKeyRefused => Some(
                "Compare the key of the request with the one that was made for that system."
                    .to_owned(),
            ),
            Self::ApiKeyExpired => {
                Some("Make a new key for that system, and revoke this one.".to_owned())
            }
            Self::ApiKeyScopeMissing { .. } => Some(
                "If that system needs the scope, make a new key with it, and revoke this one."
                    .to_owned(),
            ),
            Self::SeveralRefusals { reasons } => Some(by_reason(reasons)),
            Self::LinkGivenOut { given } => Some(given.words().to_owned()),
            Self::LinkAsked { reason } => Some(format!("the link is {}", reason.words())),
            Self::LinksRevoked {
                scope,
                ends_sessions,
            } => Some(links_revoked(scope, *ends_sessions)),
            Self::ProfileChanged { fields } => {
                let fields = fields.iter().map(|field| match field {
                    ProfileField::Email => "email",
                    ProfileField::Metadata => "metadata",
                });
                Some(listed(fields))
            }
            Self::SeatLimitSet(change) => {
                Some(said("seat limit", change, |limit| limit_or_none(*limit)))
            }
            Self::TimesCorrected { users } => Some(listed(users)),
            Self::SettingsChanged { changes } => {
                Some(listed(changes.iter().map(ChangedSetting::words)))
            }
            Self::ApiKeyMade {
                name,
                scopes,
                expires_at,
            }
            | Self::PairingExchanged {
                name,
                scopes,
                expires_at,
            } => Some(key_made(name, scopes, *expires_at)),
            Self::PairingMade { name, scopes } => Some(key_made(name, scopes, None)),
            Self::PairingRefused => Some(
                "A code works once, for ten minutes. If it was yours, make a new one. If not, somebody guesses."
                    .to_owned(),
            ),
            Self::ApiKeyRevoked { name } | Self::PairingRevoked { name } => Some(name.clone()),
            Self::KeyRotated { .. }
            | Self::KeyRetirementSet { .. }
            | Self::KeyRetired { .. }
            | Self::KeyLeaked { .. } => self.signing_keys(),
            Self::GatewayStarted { address } | Self::GatewayStopped { address } => {
                Some(address.clone())
            }
            Self::BackedUp { keys: true } => Some("with the keys".to_owned()),
            Self::BackedUp { keys: false } => Some("without the keys".to_owned()),
            Self::Restored { made_at } => {
                Some(format!("made at {}", time::exact(*made_at)))
            }
            Self::AccountEnded { ended_at: at } | Self::AccountEndSet { ends_at: Some(at) } => {
                Some(time::exact(*at))
            }
            Self::TypingMindKeySet { region } => Some(format!("region {region}")),
            Self::TypingMindUserAdded {
                unconfirmed: true, ..
            }
            | Self::TypingMindUserRemoved {
                unconfirmed: true, ..
            } => Some(
                "It is not known whether this was done. Copy the users again to see.".to_owned(),
            ),
            Self::TypingMindUserAdded { id, .. } | Self::TypingMindUserRemoved { id, .. } => {
                Some(format!("TypingMind's ID {id}"))
            }
            Self::Worded(worded) => worded.detail.clone(),
            Self::SignedIn
            | Self::Provisioned
            | Self::LinkMade
            | Self::LinkRevoked
            | Self::LinkRequestClosed { .. }
            | Self::Added
            | Self::Imported { .. }
            | Self::Suspended
            | Self::Reactivated
            | Self::AccountEndSet { ends_at: None }
            | Self::Removed
            | Self::SignedOutEverywhere
            | Self::SignedOut
            | Self::InstanceMade
            | Self::ExternalAuthSwitchedOn
            | Self::ExternalAuthSwitchedOff
            | Self::SecretReplaced
            | Self::SecretLost
            | Self::SecretShown
            | Self::GatewayRecovered
            | Self::TypingMindDisconnected => None,
        }
    }

    /// Returns the details of a change of the signing keys.
    fn signing_keys(&self) -> Option<String> {
        Some(match self {
            Self::KeyRotated {
                key,
                old,
                retires_at,
            } => format!(
                "{key} is active, {old} verifies until {}",
                time::exact(*retires_at)
            ),
            Self::KeyRetirementSet { key, retires_at } => {
                format!("{key} verifies until {}", time::exact(*retires_at))
            }
            Self::KeyLeaked {
                key,
                new: Some(new),
            } => format!("{key}, and {new} is active in its place"),
            Self::KeyRetired { key } | Self::KeyLeaked { key, new: None } => key.clone(),
            _ => return None,
        })
    }

    /// Returns the title of an entry. With `repeats` it has the number of refusals that the entry
    /// stands for.
    pub(super) fn title_of(&self, repeats: Option<&Repeats>) -> String {
        match (self, repeats) {
            (
                Self::Refused(_)
                | Self::ApiKeyRefused
                | Self::ApiKeyExpired
                | Self::ApiKeyScopeMissing { .. }
                | Self::PairingRefused,
                Some(repeats),
            ) => self.refused(&format!("Refused {}", more_times(repeats.count))),
            _ => self.title(),
        }
    }

    /// Returns the title of a refusal, which begins with `words`.
    fn refused(&self, words: &str) -> String {
        match self {
            Self::Refused(refusal) => format!("{words}: {}", refusal.title()),
            Self::ApiKeyExpired => format!("{words}: the API key has expired"),
            Self::ApiKeyScopeMissing { scope } => {
                format!("{words}: the API key lacks the scope '{scope}'")
            }
            Self::PairingRefused => format!("{words}: no valid pairing code"),
            _ => format!("{words}: no API key of this instance"),
        }
    }
}

fn links_revoked(scope: &RevocationScope, ends_sessions: bool) -> String {
    let links = match scope {
        RevocationScope::Link(_) => return "with its sessions".to_owned(),
        RevocationScope::Person(user) => format!("all links of {user}"),
        RevocationScope::Before(at) => format!("all links from before {}", time::exact(*at)),
        RevocationScope::Key(key) => format!("all links that key {key} has signed"),
    };
    if ends_sessions {
        format!("{links}, with their sessions")
    } else {
        links
    }
}

fn more_times(count: u64) -> String {
    match count {
        1 => "once more".to_owned(),
        count => format!("{count} more times"),
    }
}

fn key_made(name: &str, scopes: &[Scope], expires_at: Option<i64>) -> String {
    let mut words = name.to_owned();
    if !scopes.is_empty() {
        words = format!("{words}, for {}", Scope::names(scopes));
    }
    match expires_at {
        Some(at) => format!("{words}, until {}", time::exact(at)),
        None => words,
    }
}

fn by_reason(reasons: &BTreeMap<String, u64>) -> String {
    let reasons = reasons
        .iter()
        .map(|(code, count)| format!("{code} {count}"));
    format!("By reason: {}.", listed(reasons))
}

fn listed<T: ToString>(all: impl IntoIterator<Item = T>) -> String {
    let all: Vec<String> = all.into_iter().map(|one| one.to_string()).collect();
    all.join(", ")
}

fn limit_or_none(limit: Option<u64>) -> String {
    limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string())
}

impl ChangedSetting {
    /// Returns the name of the setting with the old and the new value, such as `session length: 14 days
    /// → 1 hour`.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Name(change) => said("name", change, String::as_str),
            Self::Url(change) => said("URL", change, String::as_str),
            Self::Hosted(change) => said("hosting", change, |hosted| hosted.name()),
            Self::Parameter(change) => said("parameter", change, String::as_str),
            Self::Algorithm(change) => said("algorithm", change, Clone::clone),
            Self::Lifetime(change) => said("link lifetime", change, Clone::clone),
            Self::RequireExpiry(change) => said("expiry required", change, |on| yes_or_no(*on)),
            Self::Provisioning(change) => {
                said("users created by links", change, |on| yes_or_no(*on))
            }
            Self::RefreshProfile(change) => {
                said("profiles taken from links", change, |on| yes_or_no(*on))
            }
            Self::Step(change) => said("sign-in step", change, |step| step.name()),
            Self::Session(change) => said("session length", change, Clone::clone),
            Self::SessionEndsWithLink(change) => {
                said("sessions end with the link", change, |on| yes_or_no(*on))
            }
            Self::SessionIdle(change) => said("idle time-out", change, Clone::clone),
            Self::ReturnTo(change) => said("return addresses", change, |all| list(all)),
            Self::EmbedIn(change) => said("widget", change, |all| list(all)),
            Self::RetentionAge(change) => said("activity kept", change, Clone::clone),
            Self::RetainedRefusals(change) => said("refusals kept", change, Clone::clone),
            Self::RetainedLinks(change) => said("links kept", change, Clone::clone),
            Self::Audiences(change) => said("audiences", change, |all| list(all)),
            Self::AutomaticBackups(change) => {
                said("automatic backups", change, |on| yes_or_no(*on))
            }
            Self::Supersede(change) => {
                said("new links replace older ones", change, |on| yes_or_no(*on))
            }
            // A message has several lines, so the words leave its text out.
            Self::Message(_) => "message with a link: changed".to_owned(),
        }
    }
}

/// Returns the words for a change of a setting.
fn said<'a, T, W: Display>(
    name: &str,
    change: &'a Change<T>,
    words: impl Fn(&'a T) -> W,
) -> String {
    format!("{name}: {} → {}", words(&change.from), words(&change.to))
}

const fn yes_or_no(on: bool) -> &'static str {
    if on { "yes" } else { "no" }
}

fn list(all: &[String]) -> String {
    if all.is_empty() {
        "none".to_owned()
    } else {
        all.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::Deserialize;
    use serde_json::{Map, Value};

    use super::super::kind::Kind;
    use super::super::worded::WordedEvent;
    use super::*;

    /// An event in its stored form, and its words.
    #[derive(Deserialize)]
    struct Row {
        stored: Value,
        kind: Kind,
        code: String,
        title: String,
        detail: Option<String>,
        parameters: Map<String, Value>,
    }

    fn rows() -> Vec<Row> {
        serde_json::from_str(include_str!("../../tests/core/events.json")).unwrap()
    }

    fn data(row: &Row) -> EventData {
        serde_json::from_value(row.stored.clone()).unwrap()
    }

    #[test]
    fn every_event_is_stored_and_worded_as_in_the_table() {
        for row in rows() {
            let data = data(&row);
            assert_eq!(serde_json::to_value(&data).unwrap(), row.stored);
            assert_eq!(data.kind(), row.kind, "{data:?}");
            assert_eq!(data.code(), row.code, "{data:?}");
            assert_eq!(data.title(), row.title, "{data:?}");
            assert_eq!(data.detail(), row.detail, "{data:?}");
            assert_eq!(data.parameters(), row.parameters, "{data:?}");
        }
    }

    #[test]
    fn no_detail_of_a_refusal_repeats_its_title() {
        for row in rows() {
            let Some(reason) = row.title.strip_prefix("Refused: ") else {
                continue;
            };
            let detail = row.detail.unwrap().to_lowercase();
            assert!(
                !detail.contains(&reason.to_lowercase()),
                "{reason}: {detail}"
            );
        }
    }

    /// Returns the names that may replace `?`. serde lists them in its error for an unknown name.
    fn names_at(unknown: &str) -> BTreeSet<String> {
        let cause = serde_json::from_str::<EventData>(unknown).unwrap_err();
        let cause = cause.to_string();
        let (_, expected) = cause.split_once("expected ").unwrap();
        let names = expected.split('`').skip(1).step_by(2);
        names.map(str::to_owned).collect()
    }

    #[test]
    fn the_table_has_every_event() {
        let stored: Vec<String> = rows().iter().map(|row| row.stored.to_string()).collect();
        for (unknown, event) in [
            (r#""?""#, ""),
            (r#"{"refused":"?"}"#, "refused"),
            (r#"{"refused":{"code":"?"}}"#, r#"{"code":"#),
            (r#"{"profile_changed":{"fields":["?"]}}"#, "fields"),
            (
                r#"{"settings_changed":{"changes":[{"setting":"?"}]}}"#,
                "setting",
            ),
        ] {
            for name in names_at(unknown) {
                let name = format!("\"{name}\"");
                let mut rows = stored.iter().filter(|row| row.contains(event));
                assert!(rows.any(|row| row.contains(&name)), "{event} {name}");
            }
        }
    }

    #[test]
    fn stored_words_of_an_act_without_parameters_become_the_event_and_others_are_kept() {
        for row in rows() {
            let found = data(&row);
            let worded = WordedEvent {
                kind: row.kind,
                code: row.code,
                title: row.title,
                detail: row.detail,
            };
            let read = EventData::from(worded.clone());
            if found.parameters().is_empty() && found.kind() != Kind::Refusal {
                assert_eq!(read, found);
            } else {
                assert_eq!(read, EventData::Worded(worded));
            }
        }
    }

    #[test]
    fn unknown_stored_words_are_kept() {
        let worded = WordedEvent {
            kind: Kind::Act,
            code: "suspended".to_owned(),
            title: "Shut out".to_owned(),
            detail: None,
        };
        let read = EventData::from(worded);
        assert_eq!(read.title(), "Shut out");
        assert_eq!(read.code(), "suspended");
    }
}
