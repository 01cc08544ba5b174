//! Changes of settings: parses what a person entered, and applies it to the settings.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Algorithm, Hosted, Name, Settings, SignInStep};
use crate::link::message::MessageTemplate;
use crate::link::{BaseUrl, Parameter};
use crate::protocol::audience::Audience;
use crate::protocol::lifetime::Lifetime;
use crate::session::SessionRules;
use crate::session::return_address::WebOrigin;
use crate::{Error, ErrorCode, Result};

/// Change of an instance's settings, as a person enters it. `None` leaves a setting unchanged. In
/// JSON, a setting that stays unchanged is left out, and null is refused.
#[serde_with::apply(
    Option => #[serde(default, deserialize_with = "crate::admin::some", skip_serializing_if = "Option::is_none")]
              #[schema(nullable = false)],
    Option<Lifetime> => #[schema(value_type = Option<String>, example = "12 hours")],
)]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the members of Settings")]
pub struct SettingsChange {
    pub name: Option<String>,
    pub url: Option<String>,
    pub hosted: Option<Hosted>,
    pub parameter: Option<String>,
    pub algorithm: Option<Algorithm>,
    pub lifetime: Option<Lifetime>,
    pub external_auth: Option<bool>,
    pub require_expiry: Option<bool>,
    pub provisioning: Option<bool>,
    pub refresh_profile: Option<bool>,
    pub step: Option<SignInStep>,
    pub session: Option<Lifetime>,
    pub session_ends_with_link: Option<bool>,
    pub session_idle: Option<Lifetime>,
    pub return_to: Option<Vec<String>>,
    pub embed_in: Option<Vec<String>>,
    pub retention_age: Option<Lifetime>,
    pub retained_refusals: Option<u64>,
    pub retained_links: Option<Lifetime>,
    pub audiences: Option<Vec<String>>,
    pub supersede: Option<bool>,
    pub message: Option<String>,
}

impl SettingsChange {
    /// Applies the change.
    ///
    /// Fails with [`InvalidSetting`](crate::ErrorCode::InvalidSetting) or
    /// [`InvalidUrl`](crate::ErrorCode::InvalidUrl) and the name of the setting that breaks a rule.
    /// Some settings may then be changed already.
    pub fn apply(&self, settings: &mut Settings) -> Result<()> {
        if let Some(name) = &self.name {
            settings.name = Name::parse(name)?;
        }
        if let Some(url) = &self.url {
            settings.url = BaseUrl::typed(url)?;
        }
        let place = self.new_place(settings.hosted)?;
        let moves_elsewhere = place.is_some_and(|place| place != settings.hosted);
        assign(&mut settings.hosted, place);
        if let Some(parameter) = &self.parameter {
            settings.parameter = Parameter::parse(parameter)?;
        }
        assign(&mut settings.algorithm, self.algorithm);
        assign(&mut settings.lifetime, self.lifetime);
        let policy = &mut settings.policy;
        assign(&mut policy.external_auth, self.external_auth);
        assign(&mut policy.require_expiry, self.require_expiry);
        assign(&mut policy.provisioning, self.provisioning);
        assign(&mut policy.refresh_profile, self.refresh_profile);
        let sign_in = &mut settings.visiting;
        assign(&mut sign_in.step, self.step);
        assign(&mut sign_in.session, self.session);
        let ends_with_link = &mut sign_in.session_ends_with_link;
        assign(ends_with_link, self.session_ends_with_link);
        let idle = self.session_idle.map(SessionRules::check_idle);
        assign(&mut sign_in.session_idle, idle.transpose()?);
        let return_to = origins(self.return_to.as_deref(), "return_to")?;
        assign(&mut sign_in.return_to, return_to);
        let embed_in = origins(self.embed_in.as_deref(), "embed_in")?;
        assign(&mut sign_in.embed_in, embed_in);
        assign(&mut settings.retention.age, self.retention_age);
        assign(&mut settings.retention.refusals, self.retained_refusals);
        assign(&mut settings.retention.links, self.retained_links);
        if let Some(audiences) = &self.audiences {
            let texts = audiences.iter().map(String::as_str);
            settings.audiences = Audience::parse_all(texts, &settings.audiences)?;
        }
        assign(&mut settings.supersede, self.supersede);
        // Settings of an earlier version may have both, and must not keep others from being changed.
        let is_asked = moves_elsewhere || self.supersede == Some(true);
        if is_asked && settings.supersede && settings.hosted == Hosted::Elsewhere {
            let advice = "Turn their replacement off in the same change.";
            return Err(settings.supersedes_nothing(advice));
        }
        if let Some(message) = &self.message {
            settings.message = MessageTemplate::parse(message)?;
        }
        Ok(())
    }

    /// Returns whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the settings that differ from an earlier draft. They are what a person has edited, and
    /// do not undo what others have changed since then.
    #[must_use]
    pub fn without(self, before: &Self) -> Self {
        Self {
            name: edited(self.name, before.name.as_ref()),
            url: edited(self.url, before.url.as_ref()),
            hosted: edited(self.hosted, before.hosted.as_ref()),
            parameter: edited(self.parameter, before.parameter.as_ref()),
            algorithm: edited(self.algorithm, before.algorithm.as_ref()),
            lifetime: edited(self.lifetime, before.lifetime.as_ref()),
            external_auth: edited(self.external_auth, before.external_auth.as_ref()),
            require_expiry: edited(self.require_expiry, before.require_expiry.as_ref()),
            provisioning: edited(self.provisioning, before.provisioning.as_ref()),
            refresh_profile: edited(self.refresh_profile, before.refresh_profile.as_ref()),
            step: edited(self.step, before.step.as_ref()),
            session: edited(self.session, before.session.as_ref()),
            session_ends_with_link: edited(
                self.session_ends_with_link,
                before.session_ends_with_link.as_ref(),
            ),
            session_idle: edited(self.session_idle, before.session_idle.as_ref()),
            return_to: edited(self.return_to, before.return_to.as_ref()),
            embed_in: edited(self.embed_in, before.embed_in.as_ref()),
            retention_age: edited(self.retention_age, before.retention_age.as_ref()),
            retained_refusals: edited(self.retained_refusals, before.retained_refusals.as_ref()),
            retained_links: edited(self.retained_links, before.retained_links.as_ref()),
            audiences: edited(self.audiences, before.audiences.as_ref()),
            supersede: edited(self.supersede, before.supersede.as_ref()),
            message: edited(self.message, before.message.as_ref()),
        }
    }

    /// Returns the new place. An instance is on a gateway from the beginning and stays there.
    fn new_place(&self, current: Hosted) -> Result<Option<Hosted>> {
        let connected = |hosted| hosted == Hosted::Gateway;
        match self.hosted {
            Some(new) if new != current && (connected(new) || connected(current)) => {
                let message = "An instance is connected to a gateway when it is added, and stays there. Add another instance.";
                Err(Error::new(ErrorCode::InvalidSetting, message).about("hosted"))
            }
            new => Ok(new),
        }
    }
}

fn edited<T: PartialEq>(value: Option<T>, before: Option<&T>) -> Option<T> {
    value.filter(|value| Some(value) != before)
}

fn assign<T>(setting: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *setting = value;
    }
}

fn origins(texts: Option<&[String]>, field: &str) -> Result<Option<Vec<WebOrigin>>> {
    let parse = |text: &String| WebOrigin::typed(text).map_err(|refused| refused.about(field));
    let origins = texts.map(|texts| texts.iter().map(parse).collect());
    origins.transpose()
}
