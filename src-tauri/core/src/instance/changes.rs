//! Events for the changes between two states of an instance.

use jiff::Timestamp;

use crate::activity::{Change, ChangedSetting, Event, EventData};
use crate::instance::{Hosted, Instance, Policy, Retention, Settings, SignInSettings};

/// Returns the events for the changes from `before` to `after`, which happen now.
#[must_use]
pub fn events_between(before: &Instance, after: &Instance, now: Timestamp) -> Vec<Event> {
    let mut events = Vec::new();
    let (was, is) = (&before.settings, &after.settings);
    match (was.policy.external_auth, is.policy.external_auth) {
        (true, false) => events.push(EventData::ExternalAuthSwitchedOff),
        (false, true) => events.push(EventData::ExternalAuthSwitchedOn),
        _ => {}
    }
    let changes = changed_settings(was, is);
    if !changes.is_empty() {
        events.push(EventData::SettingsChanged { changes });
    }
    events.extend(signing_key_events(before, after, now));
    match (&before.typingmind, &after.typingmind) {
        (was, Some(is)) if is.key.is_some() && was.as_ref() != Some(is) => {
            events.push(EventData::TypingMindKeySet {
                region: is.region.to_string(),
            });
        }
        (Some(_), None) => events.push(EventData::TypingMindDisconnected),
        _ => {}
    }
    events.extend(key_events(before, after, now));
    events.into_iter().map(Event::from).collect()
}

/// Returns the events for the changes of signing keys.
fn signing_key_events(before: &Instance, after: &Instance, now: Timestamp) -> Vec<EventData> {
    let mut events = Vec::new();
    let leaked = |id: &str| {
        let mut dropped = after.dropped.iter();
        dropped.any(|dropped| dropped.leaked && dropped.key.id == id)
    };
    let retires_at = |id: &str| {
        let mut retiring = after.retiring.iter();
        let found = retiring.find(|retiring| retiring.key.id == id);
        found.map(|retiring| retiring.retires_at)
    };
    match (&before.key, &after.key) {
        (Some(was), Some(is)) if was.id == is.id => {
            if !was.revealed && is.revealed {
                events.push(EventData::SecretShown);
            }
        }
        (Some(was), Some(is)) => match retires_at(&was.id) {
            _ if leaked(&was.id) => events.push(EventData::KeyLeaked {
                key: was.key_id().to_owned(),
                new: Some(is.key_id().to_owned()),
            }),
            Some(retires_at) => events.push(EventData::KeyRotated {
                key: is.key_id().to_owned(),
                old: was.key_id().to_owned(),
                retires_at,
            }),
            None => {
                events.push(EventData::SecretReplaced);
                // Elsewhere the application decides whether the old key still verifies.
                if after.settings.hosted == Hosted::Here && was.key_id() != is.key_id() {
                    let key = was.key_id().to_owned();
                    events.push(EventData::KeyRetired { key });
                }
            }
        },
        (None, Some(_)) => events.push(EventData::SecretReplaced),
        (Some(_), None) => events.push(EventData::SecretLost),
        (None, None) => {}
    }
    for was in &before.retiring {
        let key = was.key.key_id().to_owned();
        match retires_at(&was.key.id) {
            Some(retires_at) if retires_at != was.retires_at => {
                events.push(EventData::KeyRetirementSet { key, retires_at });
            }
            Some(_) => {}
            None if leaked(&was.key.id) => events.push(EventData::KeyLeaked { key, new: None }),
            // The date has passed, or all keys were given up.
            None if was.retires_at <= now.as_second() || after.key.is_none() => {}
            None => events.push(EventData::KeyRetired { key }),
        }
    }
    events
}

/// Returns the events for the changes of API keys and pairings.
fn key_events(before: &Instance, after: &Instance, now: Timestamp) -> Vec<EventData> {
    let mut events = Vec::new();
    let was_waiting = |name: &str| before.pairings.iter().any(|known| known.name == name);
    for key in &after.api_keys {
        if before.api_keys.iter().any(|known| known.id == key.id) {
            continue;
        }
        let (name, scopes, expires_at) = (key.name.clone(), key.scopes.clone(), key.expires_at);
        let is_waiting = after.pairings.iter().any(|waiting| waiting.name == name);
        events.push(if was_waiting(&name) && !is_waiting {
            EventData::PairingExchanged {
                name,
                scopes,
                expires_at,
            }
        } else {
            EventData::ApiKeyMade {
                name,
                scopes,
                expires_at,
            }
        });
    }
    for key in &before.api_keys {
        if !after.api_keys.iter().any(|known| known.id == key.id) {
            let name = key.name.clone();
            events.push(EventData::ApiKeyRevoked { name });
        }
    }
    for pairing in &after.pairings {
        if !before.pairings.contains(pairing) {
            let (name, scopes) = (pairing.name.clone(), pairing.scopes.clone());
            events.push(EventData::PairingMade { name, scopes });
        }
    }
    for pairing in &before.pairings {
        let name = &pairing.name;
        let is_waiting = after.pairings.iter().any(|waiting| waiting.name == *name);
        let has_key = after.api_keys.iter().any(|key| key.name == *name);
        if !is_waiting && !has_key && !pairing.is_expired(now) {
            let name = name.clone();
            events.push(EventData::PairingRevoked { name });
        }
    }
    events
}

/// Returns the changed settings, except the switch of external authentication, which has its own
/// events. None of them is secret.
fn changed_settings(was: &Settings, is: &Settings) -> Vec<ChangedSetting> {
    // Destructured, so that the compiler reports a new setting that is missing here.
    let Settings {
        name,
        url,
        hosted,
        parameter,
        algorithm,
        lifetime,
        policy,
        visiting,
        retention,
        audiences,
        supersede,
        message,
    } = was;
    let Policy {
        external_auth: _,
        require_expiry,
        provisioning,
        refresh_profile,
    } = policy;
    let SignInSettings {
        step,
        session,
        session_ends_with_link,
        session_idle,
        return_to,
        embed_in,
    } = visiting;
    let Retention {
        age,
        refusals,
        links,
    } = retention;
    let changes = [
        text(name.as_str(), is.name.as_str(), ChangedSetting::Name),
        text(url, &is.url, ChangedSetting::Url),
        value(*hosted, is.hosted, ChangedSetting::Hosted),
        text(
            parameter.as_str(),
            is.parameter.as_str(),
            ChangedSetting::Parameter,
        ),
        value(*algorithm, is.algorithm, ChangedSetting::Algorithm),
        value(*lifetime, is.lifetime, ChangedSetting::Lifetime),
        value(
            *require_expiry,
            is.policy.require_expiry,
            ChangedSetting::RequireExpiry,
        ),
        value(
            *provisioning,
            is.policy.provisioning,
            ChangedSetting::Provisioning,
        ),
        value(
            *refresh_profile,
            is.policy.refresh_profile,
            ChangedSetting::RefreshProfile,
        ),
        value(*step, is.visiting.step, ChangedSetting::Step),
        value(*session, is.visiting.session, ChangedSetting::Session),
        value(
            *session_ends_with_link,
            is.visiting.session_ends_with_link,
            ChangedSetting::SessionEndsWithLink,
        ),
        value(
            *session_idle,
            is.visiting.session_idle,
            ChangedSetting::SessionIdle,
        ),
        texts(return_to, &is.visiting.return_to, ChangedSetting::ReturnTo),
        texts(embed_in, &is.visiting.embed_in, ChangedSetting::EmbedIn),
        value(*age, is.retention.age, ChangedSetting::RetentionAge),
        value(
            *refusals,
            is.retention.refusals,
            ChangedSetting::RetainedRefusals,
        ),
        value(*links, is.retention.links, ChangedSetting::RetainedLinks),
        texts(audiences, &is.audiences, ChangedSetting::Audiences),
        value(*supersede, is.supersede, ChangedSetting::Supersede),
        text(
            message.as_str(),
            is.message.as_str(),
            ChangedSetting::Message,
        ),
    ];
    changes.into_iter().flatten().collect()
}

/// Returns the change of a setting, if it was changed.
fn value<T: PartialEq>(
    from: T,
    to: T,
    setting: impl Fn(Change<T>) -> ChangedSetting,
) -> Option<ChangedSetting> {
    (from != to).then(|| setting(Change { from, to }))
}

fn text<T: ToString + ?Sized>(
    from: &T,
    to: &T,
    setting: impl Fn(Change<String>) -> ChangedSetting,
) -> Option<ChangedSetting> {
    value(from.to_string(), to.to_string(), setting)
}

fn texts<T: ToString>(
    from: &[T],
    to: &[T],
    setting: impl Fn(Change<Vec<String>>) -> ChangedSetting,
) -> Option<ChangedSetting> {
    let texts = |all: &[T]| all.iter().map(ToString::to_string).collect();
    value(texts(from), texts(to), setting)
}
