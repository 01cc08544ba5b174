//! What an administrator has changed, told by what an instance was and what it is.

use super::Event;
use crate::instance::{Instance, Settings};

/// The acts that lie between an instance as it was and as it is.
pub(crate) fn acts_between(before: &Instance, after: &Instance) -> Vec<Event> {
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

/// What the settings are called that differ.
fn changed_settings(was: &Settings, is: &Settings) -> Vec<&'static str> {
    // Taken apart so that a setting that is added is not forgotten here.
    let Settings {
        name,
        url,
        hosted,
        parameter,
        algorithm,
        lifetime,
        policy,
        visiting,
    } = is;
    [
        ("name", was.name != *name),
        ("URL", was.url != *url),
        ("hosting", was.hosted != *hosted),
        ("parameter", was.parameter != *parameter),
        ("algorithm", was.algorithm != *algorithm),
        ("link lifetime", was.lifetime != *lifetime),
        (
            "expiry required",
            was.policy.require_expiry != policy.require_expiry,
        ),
        (
            "users created by links",
            was.policy.provisioning != policy.provisioning,
        ),
        (
            "profiles taken from links",
            was.policy.refresh_profile != policy.refresh_profile,
        ),
        ("sign-in step", was.visiting.step != visiting.step),
        ("session length", was.visiting.session != visiting.session),
        (
            "return addresses",
            was.visiting.return_to != visiting.return_to,
        ),
        ("widget", was.visiting.embed_in != visiting.embed_in),
    ]
    .into_iter()
    .filter_map(|(name, changed)| changed.then_some(name))
    .collect()
}
