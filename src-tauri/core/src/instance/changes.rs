//! Events for the changes between two states of an instance.

use crate::activity::Event;
use crate::instance::{Hosted, Instance, Policy, Retention, Settings, SignInSettings, SignInStep};

/// Returns the events for the changes from `before` to `after`.
#[must_use]
pub fn acts_between(before: &Instance, after: &Instance) -> Vec<Event> {
    let mut acts = Vec::new();
    let (was, is) = (&before.settings, &after.settings);
    match (was.policy.external_auth, is.policy.external_auth) {
        (true, false) => acts.push(Event::act(
            "external_auth_switched_off",
            "External authentication switched off",
        )),
        (false, true) => acts.push(Event::act(
            "external_auth_switched_on",
            "External authentication switched on",
        )),
        _ => {}
    }
    let changed = changed_settings(was, is);
    if !changed.is_empty() {
        let act = Event::act("settings_changed", "Settings changed");
        acts.push(act.with(changed.join(", ")));
    }
    match (&before.key, &after.key) {
        (was, Some(is)) if was.as_ref().is_none_or(|was| was.id != is.id) => {
            acts.push(Event::act("secret_replaced", "Signing key replaced"));
        }
        (Some(_), None) => acts.push(Event::act("secret_lost", "Signing key given up")),
        (Some(was), Some(is)) if !was.revealed && is.revealed => {
            acts.push(Event::act("secret_shown", "Signing key shown"));
        }
        _ => {}
    }
    for key in &after.api_keys {
        if !before.api_keys.iter().any(|known| known.id == key.id) {
            acts.push(Event::act("api_key_made", "API key made").with(&key.name));
        }
    }
    for key in &before.api_keys {
        if !after.api_keys.iter().any(|known| known.id == key.id) {
            acts.push(Event::act("api_key_revoked", "API key revoked").with(&key.name));
        }
    }
    acts
}

/// Returns the changed settings with their old and new values, such as `session length: 14 days → 1
/// hour`.
fn changed_settings(was: &Settings, is: &Settings) -> Vec<String> {
    let (was, is) = (named(was), named(is));
    was.into_iter()
        .zip(is)
        .filter(|((_, was), (_, is))| was != is)
        .map(|((name, was), (_, is))| format!("{name}: {was} → {is}"))
        .collect()
}

/// Returns all settings with their names, except the switch of external authentication, which has
/// its own events. None of them is secret.
fn named(settings: &Settings) -> [(&'static str, String); 18] {
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
    } = settings;
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
    let Retention { age, refusals } = retention;
    [
        ("name", name.as_str().to_owned()),
        ("URL", url.to_string()),
        (
            "hosting",
            match hosted {
                Hosted::Here => "here".to_owned(),
                Hosted::Elsewhere => "elsewhere".to_owned(),
            },
        ),
        ("parameter", parameter.as_str().to_owned()),
        ("algorithm", algorithm.to_string()),
        ("link lifetime", lifetime.to_string()),
        ("expiry required", yes_or_no(*require_expiry)),
        ("users created by links", yes_or_no(*provisioning)),
        ("profiles taken from links", yes_or_no(*refresh_profile)),
        (
            "sign-in step",
            match step {
                SignInStep::Automatic => "automatic".to_owned(),
                SignInStep::Confirm => "confirm".to_owned(),
            },
        ),
        ("session length", session.to_string()),
        (
            "sessions end with the link",
            yes_or_no(*session_ends_with_link),
        ),
        ("idle time-out", session_idle.to_string()),
        ("return addresses", list(return_to)),
        ("widget", list(embed_in)),
        ("audiences", list(audiences)),
        ("activity kept", age.to_string()),
        ("refusals kept", refusals.to_string()),
    ]
}

fn yes_or_no(on: bool) -> String {
    if on { "yes" } else { "no" }.to_owned()
}

fn list<T: ToString>(all: &[T]) -> String {
    if all.is_empty() {
        return "none".to_owned();
    }
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    all.join(" ")
}
