//! E-mail addresses: kept as written, compared without regard to case.

use std::fmt;

use email_address::{EmailAddress, Options};
use serde::{Serialize, Serializer};

use crate::{Error, Result};

/// An e-mail address, trimmed and otherwise as written.
///
/// Two addresses are the same if they differ by case only, in the whole address: people do not
/// tell `Ada@` from `ada@`, and no mail system in use does.
#[derive(Clone, Debug)]
pub struct Email(String);

impl Email {
    /// Reads an address; `field` is named in the error.
    pub fn parse(text: &str, field: &str) -> Result<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Error::member(
                field,
                "The email is empty. Enter an address such as ada@yourcompany.com.",
            ));
        }
        let options = Options::default().without_display_text();
        EmailAddress::parse_with_options(text, options).map_err(|cause| {
            let message = "This is not an email address. Enter one such as ada@yourcompany.com.";
            Error::member(field, message).because(cause)
        })?;
        Ok(Self(text.to_owned()))
    }

    /// Takes what [`parse`](Self::parse) has read and somebody has kept: it was checked then.
    pub(crate) fn from_kept(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The address as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two writings of one address have in common.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.folded() == other.folded()
    }
}

impl Eq for Email {}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Email {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_differ_by_case_are_one_and_stay_as_written() {
        let ada = Email::parse(" Ada@YourCompany.com ", "email").unwrap();
        assert_eq!(ada.as_str(), "Ada@YourCompany.com");
        assert_eq!(ada, Email::parse("ada@yourcompany.com", "email").unwrap());
    }

    #[test]
    fn what_is_no_address_is_refused_by_the_name_of_its_member() {
        for text in [
            "",
            "  ",
            "ada",
            "@b.c",
            "a@",
            "a b@c.de",
            "Ada <ada@b.c>",
            "a@b@c",
            "a@b..c",
            "a\u{0}@b.c",
        ] {
            let refused = Email::parse(text, "user.email").expect_err(text);
            assert_eq!(refused.field.as_deref(), Some("user.email"), "{text}");
        }
    }
}
