//! Answers of TypingMind's API. Unknown members are ignored. Only `data` and the `id` of each user are
//! required; a member that is missing or of another type is absent from the copy.

use serde::Deserialize;
use serde_json::Value;
use serde_json::error::Category;

use super::listed_user::{Group, ListedUser};
use crate::secret::Secret;
use crate::{Error, ErrorCode, Result};

#[derive(Deserialize)]
struct Listing {
    data: Option<Vec<WireUser>>,
}

#[derive(Deserialize)]
struct WireUser {
    id: Option<Value>,
    email: Option<Value>,
    #[serde(rename = "createdAt")]
    created_at: Option<Value>,
    groups: Option<Value>,
}

/// Parses the list of all users.
///
/// Fails with [`ErrorCode::UnexpectedAnswer`]. The message says what is wrong with the answer.
pub fn parse_listing(answer: &[u8]) -> Result<Vec<ListedUser>> {
    let listing: Listing = serde_json::from_slice(answer).map_err(not_known)?;
    let Some(users) = listing.data else {
        return Err(unexpected("it has no list 'data'"));
    };
    let numbered = users.into_iter().zip(1..);
    numbered
        .map(|(user, number)| {
            listed(&user).ok_or_else(|| unexpected(&format!("user {number} in it has no 'id'")))
        })
        .collect()
}

/// Parses a single user, the answer to adding one.
///
/// Fails like [`parse_listing`].
pub fn parse_user(answer: &[u8]) -> Result<ListedUser> {
    let user: WireUser = serde_json::from_slice(answer).map_err(not_known)?;
    listed(&user).ok_or_else(|| unexpected("the user in it has no 'id'"))
}

/// Returns the reason that a refused request was answered with: the text `message` or `error`, at
/// most 200 characters. It is text of another server, for display only.
#[must_use]
pub fn problem_in(answer: &[u8], key: &Secret) -> Option<String> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let member = |name: &str| answer.get(name).and_then(Value::as_str);
    let text = member("message").or_else(|| member("error"))?.trim();
    // A server may quote the request.
    let text = text.replace(key.expose(), "[redacted]");
    let text: String = text.chars().take(200).collect();
    (!text.is_empty()).then_some(text)
}

fn listed(user: &WireUser) -> Option<ListedUser> {
    let groups = user.groups.as_ref().and_then(Value::as_array);
    let email = user.email.as_ref().and_then(Value::as_str).map(str::trim);
    Some(ListedUser {
        id: text_id(user.id.as_ref()?)?,
        email: email.filter(|email| !email.is_empty()).map(str::to_owned),
        created_at: user.created_at.as_ref().and_then(seconds),
        groups: groups.into_iter().flatten().filter_map(group).collect(),
    })
}

/// Returns an ID, which is a text in lists and a whole number in paths.
fn text_id(id: &Value) -> Option<String> {
    match id {
        Value::String(id) if !id.is_empty() => Some(id.clone()),
        Value::Number(id) if id.is_u64() || id.is_i64() => Some(id.to_string()),
        _ => None,
    }
}

fn seconds(time: &Value) -> Option<i64> {
    let time: jiff::Timestamp = time.as_str()?.parse().ok()?;
    Some(time.as_second())
}

/// Returns a group. Users have its `name`, and the list of groups has its `title`.
fn group(group: &Value) -> Option<Group> {
    let id = text_id(group.get("id")?)?;
    let text = |member: &str| group.get(member).and_then(Value::as_str);
    let name = text("name").or_else(|| text("title")).unwrap_or(&id);
    Some(Group {
        name: name.to_owned(),
        id,
    })
}

fn not_known(cause: serde_json::Error) -> Error {
    let what = match cause.classify() {
        Category::Eof => "it ends in the middle",
        Category::Syntax => "it is not JSON",
        Category::Data | Category::Io => "its members have other types",
    };
    unexpected(what).because(cause)
}

fn unexpected(what: &str) -> Error {
    Error::new(
        ErrorCode::UnexpectedAnswer,
        format!("The answer of TypingMind cannot be used: {what}. Try again later."),
    )
}
