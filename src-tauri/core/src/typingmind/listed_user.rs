use serde::{Deserialize, Serialize};

/// A group of users at TypingMind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "ts", ts(rename = "TypingMindGroup"))]
pub struct Group {
    /// TypingMind's ID of the group.
    pub id: String,
    /// Name of the group.
    pub name: String,
}

/// A user as the API lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUser {
    /// TypingMind's ID of the user.
    pub id: String,
    /// E-mail address as written there.
    pub email: Option<String>,
    /// Time when the user was created, in Unix seconds.
    pub created_at: Option<i64>,
    /// Groups of the user.
    pub groups: Vec<Group>,
}
