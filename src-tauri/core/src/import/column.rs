//! Columns of a CSV file: the meaning of a heading.

use super::limits::unreadable;
use crate::Result;

/// A column of a CSV file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Heading as written.
    pub heading: String,
    /// Meaning of the column.
    pub target: Target,
}

impl Column {
    /// Returns whether a person may expect the column to be imported, but it is not. A column of
    /// an export that is only for people to read is not expected.
    #[must_use]
    pub fn is_left_out(&self) -> bool {
        self.target == Target::Ignored && !self.heading.trim().starts_with(INFORMATION)
    }
}

/// Meaning of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// ID of the user.
    Id,
    /// E-mail address.
    Email,
    /// Member of the metadata with this name.
    Member(String),
    /// First name. It also becomes the member with the name of the heading.
    FirstName,
    /// Last name. It also becomes the member with the name of the heading.
    LastName,
    /// JSON object with members of the metadata.
    Metadata,
    /// Status of the user where the file comes from.
    Status,
    /// Time when the account of the user ends.
    End,
    /// The column is not imported.
    Ignored,
}

/// Prefix of a heading that names a member of the metadata exactly.
pub const MEMBER: &str = "metadata.";

/// Prefix of the headings of columns that an export adds for people to read.
pub const INFORMATION: &str = "latchkey.";

/// Heading of the column with a JSON object of metadata.
pub const METADATA: &str = "metadata";

/// Heading of the status in an export.
pub const STATUS: &str = "latchkey.status";

/// Heading of the end of the account in an export.
pub const END: &str = "latchkey.ends_at";

impl Target {
    /// Returns the meaning of a heading.
    #[must_use]
    pub fn of(heading: &str) -> Self {
        if let Some(member) = heading.strip_prefix(MEMBER) {
            return Self::Member(member.to_owned());
        }
        let heading = heading.trim();
        match heading {
            "" => return Self::Ignored,
            STATUS => return Self::Status,
            END => return Self::End,
            METADATA => return Self::Metadata,
            _ if heading.starts_with(INFORMATION) => return Self::Ignored,
            _ => {}
        }
        match plain(heading).as_str() {
            "id" | "userid" | "useridentifier" | "identifier" | "uid" | "externalid" => Self::Id,
            "email" | "mail" | "emailaddress" | "mailaddress" | "useremail" | "workemail"
            | "primaryemail" => Self::Email,
            "name" | "fullname" | "displayname" => Self::Member("name".to_owned()),
            "firstname" | "givenname" | "forename" => Self::FirstName,
            "lastname" | "surname" | "familyname" => Self::LastName,
            _ => Self::Member(heading.to_owned()),
        }
    }

    /// Returns the heading of a member of the metadata in an export: its own name, or with
    /// [`MEMBER`] before it if its own name would mean something else.
    #[must_use]
    pub fn heading_of(member: &str) -> String {
        match Self::of(member) {
            Self::Member(name) if name == member => member.to_owned(),
            _ => format!("{MEMBER}{member}"),
        }
    }
}

/// Returns the letters and digits of a heading in lower case, without a remark in brackets, as in
/// `Email Address [Required]`.
fn plain(heading: &str) -> String {
    let end = heading.find(['[', '(']).unwrap_or(heading.len());
    let words = heading.get(..end).unwrap_or(heading);
    words
        .chars()
        .filter(|sign| sign.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Returns the columns of a row of headings.
///
/// Fails if no column identifies people, or if two columns mean the same.
pub(super) fn columns(headings: Vec<String>) -> Result<Vec<Column>> {
    let columns: Vec<Column> = headings
        .into_iter()
        .map(|heading| Column {
            target: Target::of(&heading),
            heading,
        })
        .collect();
    let names_people = |column: &Column| match &column.target {
        Target::Id | Target::Email | Target::FirstName | Target::LastName => true,
        Target::Member(name) => name == "name",
        _ => false,
    };
    if !columns.iter().any(names_people) {
        return Err(unreadable(
            "The first row has no heading for an ID, an e-mail address or a name. Write headings such as id, email and name into the first row.",
        ));
    }
    for (place, column) in columns.iter().enumerate() {
        let mut earlier = columns.iter().take(place);
        if column.target != Target::Ignored
            && let Some(other) = earlier.find(|other| other.target == column.target)
        {
            return Err(unreadable(format!(
                "The columns '{}' and '{}' mean the same. Rename or remove one of them.",
                other.heading, column.heading
            )));
        }
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_in_their_usual_spellings_are_recognized() {
        for heading in ["id", "ID", "User ID", "user_id", " UID ", "External Id"] {
            assert_eq!(Target::of(heading), Target::Id, "{heading}");
        }
        for heading in [
            "email",
            "E-mail",
            "Mail",
            "Email Address [Required]",
            "E-Mail address",
        ] {
            assert_eq!(Target::of(heading), Target::Email, "{heading}");
        }
        for heading in ["Name", "full name", "DisplayName"] {
            assert_eq!(Target::of(heading), Target::Member("name".to_owned()));
        }
        assert_eq!(Target::of(" Team "), Target::Member("Team".to_owned()));
        assert_eq!(Target::of(""), Target::Ignored);
    }

    #[test]
    fn the_heading_of_every_member_means_that_member() {
        for member in [
            "team",
            "name",
            "ID",
            "fullName",
            "First name",
            "metadata",
            "metadata.x",
            " padded ",
            "latchkey.status",
            "latchkey.ends_at",
            "=1+1",
            "\u{e9}quipe",
            "status",
        ] {
            let heading = Target::heading_of(member);
            assert_eq!(Target::of(&heading), Target::Member(member.to_owned()));
        }
        assert_eq!(Target::heading_of("team"), "team");
        assert_eq!(Target::heading_of("name"), "name");
    }

    #[test]
    fn two_columns_of_one_meaning_are_refused_and_so_are_headings_without_people() {
        let columns = |headings: &[&str]| {
            let headings = headings.iter().map(|heading| (*heading).to_owned());
            super::columns(headings.collect())
        };
        assert!(columns(&["id", "", ""]).is_ok());
        let refused = columns(&["Mail", "E-mail"]).unwrap_err();
        assert!(refused.message.contains("'Mail' and 'E-mail'"), "{refused}");
        let refused = columns(&["ada@b.example", "Ada"]).unwrap_err();
        assert!(refused.message.contains("first row"), "{refused}");
    }
}
