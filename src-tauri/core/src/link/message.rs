//! The message in which a person gets a link.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::directory::{Directory, User};
use crate::protocol::claims::Claims;
use crate::protocol::payload::Payload;
use crate::{Error, ErrorCode, Result, time};

/// Maximum length of a template, in characters.
pub const MAX_TEMPLATE_CHARS: usize = 2_000;

/// Template of an instance that has no other.
const DEFAULT: &str = "Hello {name},\n\n\
    this link signs you in to {instance}:\n\n\
    {link}\n\n\
    It works {uses}, {expiry}. Please do not pass it on.";

/// Template of the message in which a person gets a link, with [placeholders](Placeholder).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageTemplate(String);

/// A fact in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placeholder {
    /// Name of the person.
    Name,
    /// Name of the instance.
    Instance,
    /// URL of the link.
    Link,
    /// Time until which the link works, as `until Wednesday 2 December 2026, 16:20 UTC`.
    Expiry,
    /// Number of sign-ins that are left, as `once`.
    Uses,
}

/// Part of a template.
enum Part<'a> {
    Text(&'a str),
    /// Name between braces.
    Named(&'a str),
}

/// A link that is handed to a person.
#[derive(Clone, Copy, Debug)]
pub struct Handover<'a> {
    /// Name of the person.
    pub name: &'a str,
    /// Name of the instance.
    pub instance: &'a str,
    /// URL of the link.
    pub url: &'a str,
    /// Claims of the link.
    pub claims: &'a Claims,
    /// Number of sign-ins by the link so far. `None` if it is not known.
    pub used: Option<u64>,
    /// Host of the application, if it decides itself how often the link works.
    pub elsewhere: Option<&'a str>,
    /// Time zone in which the message names times.
    pub zone: &'a TimeZone,
}

impl Handover<'_> {
    fn value(&self, placeholder: Placeholder) -> String {
        match placeholder {
            // A line break in a name must not look like another line of the message.
            Placeholder::Name => one_line(self.name),
            Placeholder::Instance => self.instance.to_owned(),
            Placeholder::Link => self.url.to_owned(),
            Placeholder::Expiry => self.expiry(),
            Placeholder::Uses => self.uses(),
        }
    }

    fn expiry(&self) -> String {
        let registered = &self.claims.registered;
        let moment = |secs: i64| {
            let at = Timestamp::from_second(secs).map(|at| at.to_zoned(self.zone.clone()));
            at.map_or_else(
                |_| time::exact(secs),
                |at| at.strftime("%A %-d %B %Y, %H:%M %Z").to_string(),
            )
        };
        let end = registered.expires_at.map_or_else(
            || "without an end".to_owned(),
            |at| format!("until {}", moment(at)),
        );
        match registered.not_before {
            Some(start) => format!("from {} {end}", moment(start)),
            None => end,
        }
    }

    fn uses(&self) -> String {
        let allowed = self.claims.registered.uses;
        if let Some(host) = self.elsewhere {
            // A code without a number of uses says nothing about them, either.
            return format!("as often as {host} allows");
        }
        let Some(used) = self.used else {
            let is_limited = allowed.left_after(0).is_some();
            let how_often = if is_limited { "a limited" } else { "any" };
            return format!("{how_often} number of times");
        };
        match (allowed.left_after(used), used) {
            (None, _) => "any number of times".to_owned(),
            (Some(1), 0) => "once".to_owned(),
            (Some(left), 0) => format!("{left} times"),
            (Some(1), _) => "once more".to_owned(),
            (Some(left), _) => format!("{left} more times"),
        }
    }
}

impl MessageTemplate {
    /// Parses a template: up to 2,000 characters with `{link}` and other placeholders. An empty text
    /// is the default.
    ///
    /// Fails with [`ErrorCode::InvalidSetting`] about `message`.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.replace("\r\n", "\n");
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self::default());
        }
        let refused =
            |message: String| Error::new(ErrorCode::InvalidSetting, message).about("message");
        let is_control = |c: char| c.is_control() && c != '\n' && c != '\t';
        if text.chars().count() > MAX_TEMPLATE_CHARS || text.contains(is_control) {
            return Err(refused(format!(
                "The message has at most {MAX_TEMPLATE_CHARS} characters, and no control characters."
            )));
        }
        let mut has_link = false;
        for part in Parts(text) {
            let Part::Named(name) = part else { continue };
            let Some(placeholder) = Placeholder::named(name) else {
                let known = Placeholder::ALL.map(|known| format!("{{{}}}", known.name()));
                return Err(refused(format!(
                    "The message cannot say {{{name}}}. It can say {}.",
                    known.join(", ")
                )));
            };
            has_link |= placeholder == Placeholder::Link;
        }
        if !has_link {
            return Err(refused(
                "The message needs the link. Write {link} where it belongs.".into(),
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the template as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether this is the template of an instance that has no other.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.0 == DEFAULT
    }

    /// Returns the message about a link.
    #[must_use]
    pub fn fill(&self, handover: &Handover<'_>) -> String {
        let words = |part: Part<'_>| match part {
            Part::Text(text) => text.to_owned(),
            Part::Named(name) => Placeholder::named(name)
                .map(|placeholder| handover.value(placeholder))
                .unwrap_or_default(),
        };
        Parts(&self.0).map(words).collect()
    }
}

impl Default for MessageTemplate {
    fn default() -> Self {
        Self(DEFAULT.to_owned())
    }
}

impl From<MessageTemplate> for String {
    fn from(template: MessageTemplate) -> Self {
        template.0
    }
}

impl TryFrom<String> for MessageTemplate {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl Placeholder {
    const ALL: [Self; 5] = [
        Self::Name,
        Self::Instance,
        Self::Link,
        Self::Expiry,
        Self::Uses,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Instance => "instance",
            Self::Link => "link",
            Self::Expiry => "expiry",
            Self::Uses => "uses",
        }
    }

    fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|placeholder| placeholder.name() == name)
    }
}

/// The parts of a template. Braces that do not enclose a word in lower case are text.
struct Parts<'a>(&'a str);

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let text = self.0;
        if text.is_empty() {
            return None;
        }
        let named = text.strip_prefix('{').and_then(|rest| {
            let (name, rest) = rest.split_once('}')?;
            let is_word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
            is_word.then_some((name, rest))
        });
        if let Some((name, rest)) = named {
            self.0 = rest;
            return Some(Part::Named(name));
        }
        // A brace at the beginning is text here.
        let brace = text.char_indices().skip(1).find(|(_, c)| *c == '{');
        let (before, rest) = text.split_at(brace.map_or(text.len(), |(at, _)| at));
        self.0 = rest;
        Some(Part::Text(before))
    }
}

/// Returns the name by which a message addresses the person of a new link. It is in the payload, or in
/// the directory, if that can be read.
pub async fn person_name(payload: &Payload, directory: &dyn Directory) -> String {
    let known = match payload {
        Payload::User(new) if new.metadata.display_name().is_some() => Ok(None),
        Payload::User(new) => directory.user(&new.id).await,
        Payload::Id(id) => directory.user(id.user_id()).await,
        Payload::Email(email) => directory.user_by_email(email).await,
    };
    let known = known.unwrap_or_else(|cause| {
        tracing::warn!(error = %cause.logged(), "the name of a person could not be read");
        None
    });
    let name = known.as_ref().map(User::display_name);
    name.unwrap_or_else(|| payload.display_name()).to_owned()
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::link::compose::{LinkSpec, claims};
    use crate::protocol::payload::ExistingId;
    use crate::protocol::uses::Uses;

    const NOW: i64 = 1_795_300_000;

    fn claims_of(uses: Option<u64>, lifetime: &str) -> Claims {
        let payload = Payload::Id(ExistingId::parse("ada", false).unwrap());
        let mut spec = LinkSpec::new(payload, lifetime.parse().unwrap());
        spec.uses = Uses::parse(uses, "uses").unwrap();
        claims(spec, Timestamp::from_second(NOW).unwrap()).unwrap()
    }

    fn filled(template: &str, name: &str, claims: &Claims, elsewhere: Option<&str>) -> String {
        MessageTemplate::parse(template).unwrap().fill(&Handover {
            name,
            instance: "Acme Chat",
            url: "https://a.example/?code=x.y.z",
            claims,
            used: Some(0),
            elsewhere,
            zone: &TimeZone::UTC,
        })
    }

    #[test]
    fn the_default_message_says_who_where_how_often_and_until_when() {
        let message = filled("", "Ada Okafor", &claims_of(Some(1), "7 days"), None);
        assert_eq!(
            message,
            "Hello Ada Okafor,\n\nthis link signs you in to Acme Chat:\n\nhttps://a.example/?code=x.y.z\n\n\
             It works once, until Saturday 28 November 2026, 22:26 UTC. Please do not pass it on."
        );
    }

    #[test]
    fn uses_and_expiry_are_words_and_claim_nothing_about_an_application_elsewhere() {
        let words = |uses, lifetime, elsewhere| {
            filled(
                "{link} {uses}; {expiry}",
                "",
                &claims_of(uses, lifetime),
                elsewhere,
            )
            .split_once(' ')
            .unwrap()
            .1
            .to_owned()
        };
        assert_eq!(
            words(None, "never", None),
            "any number of times; without an end"
        );
        assert_eq!(words(Some(3), "never", None), "3 times; without an end");
        assert_eq!(
            words(Some(1), "never", Some("chat.example")),
            "as often as chat.example allows; without an end"
        );
        assert_eq!(
            words(None, "never", Some("chat.example")),
            "as often as chat.example allows; without an end"
        );
        let mut later = claims_of(None, "never");
        later.registered.not_before = Some(NOW);
        assert_eq!(
            filled("{link} {expiry}", "", &later, None)
                .split_once(' ')
                .unwrap()
                .1,
            "from Saturday 21 November 2026, 22:26 UTC without an end"
        );
    }

    #[test]
    fn uses_that_are_spent_or_unknown_are_not_promised() {
        for (uses, used, expected) in [
            (Some(3), Some(0), "3 times"),
            (Some(3), Some(1), "2 more times"),
            (Some(3), Some(2), "once more"),
            (Some(1), Some(0), "once"),
            (None, Some(5), "any number of times"),
            (Some(3), None, "a limited number of times"),
            (None, None, "any number of times"),
        ] {
            let template = MessageTemplate::parse("{link} {uses}").unwrap();
            let message = template.fill(&Handover {
                name: "",
                instance: "",
                url: "x",
                claims: &claims_of(uses, "never"),
                used,
                elsewhere: None,
                zone: &TimeZone::UTC,
            });
            assert_eq!(message, format!("x {expected}"));
        }
    }

    #[test]
    fn text_in_a_name_is_no_placeholder_and_no_line() {
        let message = filled(
            "{name}: {link} {{} {A}",
            "{link}\n\nSee x",
            &claims_of(None, "1h"),
            None,
        );
        assert_eq!(
            message,
            "{link} See x: https://a.example/?code=x.y.z {{} {A}"
        );
    }

    #[test]
    fn a_template_without_the_link_or_with_an_unknown_placeholder_is_refused() {
        let refused = |text: &str| MessageTemplate::parse(text).unwrap_err();
        assert!(refused("Hello {name}").message.contains("{link}"));
        let unknown = refused("{link} {nmae}").message;
        assert!(
            unknown.contains("{nmae}") && unknown.contains("{name}"),
            "{unknown}"
        );
        for text in [
            format!("{{link}}{}", "x".repeat(MAX_TEMPLATE_CHARS)),
            "{link}\u{1b}".into(),
        ] {
            assert_eq!(refused(&text).field.as_deref(), Some("message"));
        }
        assert!(MessageTemplate::parse(" \n").unwrap().is_default());
        let kept = MessageTemplate::parse("a\r\n{link}\r\n").unwrap();
        assert_eq!(kept.as_str(), "a\n{link}");
    }
}
