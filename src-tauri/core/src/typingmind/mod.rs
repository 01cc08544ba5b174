//! Users of an instance elsewhere that is at TypingMind, as far as its API tells them.
//!
//! The API tells a user's own ID, e-mail address, creation time and groups. It tells neither the
//! status nor the last sign-in nor the number of seats, and not the `user.id` of a code. What it does
//! not tell is absent here, too.
//!
//! | concern | module |
//! |---|---|
//! | the API's address and key | [`region`], [`api_key`] |
//! | the API's answers | [`listing`], [`listed_user`] |
//! | the copy of the users | [`copy`] |
//! | filter, order and pages of the copy | [`query`] |
//! | whether the user of a code is in the copy | [`known`] |

mod api_key;
mod copy;
mod known;
mod listed_user;
mod listing;
mod query;
mod region;

pub use api_key::parse_key;
pub use copy::{CopiedUser, UserCopy};
pub use known::{Known, find, known};
pub use listed_user::{Group, ListedUser};
pub use listing::{parse_listing, parse_user, problem_in};
pub use query::{CopyPage, CopyQuery, CopySort, CopySortBy};
pub use region::Region;

use serde::{Deserialize, Serialize};

use crate::secret::StoredSecret;

/// Connection of an instance to TypingMind's API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypingMind {
    /// Region of the account.
    pub region: Region,
    /// Record of the API key, which is in the keychain or the sealed file. `None` if it is not set,
    /// or was lost with the sealed file.
    pub key: Option<KeptKey>,
}

/// Record of the API key, which does not contain the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptKey {
    /// Name and location of the key.
    #[serde(flatten)]
    pub stored: StoredSecret,
    /// Time when the key was set, in Unix seconds.
    pub set_at: i64,
}
