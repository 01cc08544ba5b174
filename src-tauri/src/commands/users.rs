//! The users of an instance that is hosted here, and their seats.

use latchkey_store::Wait as _;
use std::sync::Arc;

use jiff::tz::TimeZone;
use latchkey_core::Error;
use latchkey_core::directory::{self, Directory, Origin, Profile, Search, Sort, SortBy};
use latchkey_core::error::Warning;
use latchkey_core::instance::InstanceId;
use latchkey_core::paging;
use latchkey_core::protocol::account_end::AccountEnd;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::verdict::{Seats, Status};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tauri::State;
use ts_rs::TS;

use crate::commands::instance::InstanceRef;
use crate::commands::who::{MetadataInput, new_user, typed_email};
use crate::studio::{at_home, now};
use crate::{Problem, Studio};

/// Maximum number of users on a page.
const MOST_ON_A_PAGE: usize = 200;

/// A user. It differs from core's `User`: times are in Unix seconds, because the window words them,
/// and the name is the only metadata.
#[derive(Clone, Debug, Serialize, TS)]
pub struct User {
    /// ID: the administrator's own key for the person.
    pub id: String,
    /// Name in the metadata.
    pub name: Option<String>,
    /// E-mail address as written.
    pub email: Option<String>,
    /// Whether the user may sign in.
    pub status: Status,
    /// Way in which the user was created.
    pub origin: Origin,
    /// Time when the user was created, in Unix seconds.
    #[ts(type = "number")]
    pub created_at: i64,
    /// Time of the last sign-in, in Unix seconds.
    #[ts(type = "number | null")]
    pub last_sign_in: Option<i64>,
    /// Number of sign-ins.
    #[ts(type = "number")]
    pub sign_ins: u64,
    /// Time when the profile was last set, in Unix seconds.
    #[ts(type = "number")]
    pub profile_as_of: i64,
    /// Time when the account ends or has ended, in Unix seconds.
    #[ts(type = "number | null")]
    pub ends_at: Option<i64>,
}

/// A user with metadata.
#[derive(Clone, Debug, Serialize, TS)]
pub struct UserProfile {
    /// The user.
    pub user: User,
    /// Metadata as indented JSON: an object.
    pub metadata_json: String,
}

/// Filter and order of users.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct UserQuery {
    /// Words that must all occur in the ID, the address or a name.
    pub search: String,
    /// Only users with this status.
    pub status: Option<Status>,
    /// Only users who were created in this way.
    pub origin: Option<Origin>,
    /// Field to sort by.
    pub sort_by: SortBy,
    /// Whether the order is reversed.
    pub descending: bool,
}

/// Position of a page. A cursor is a text until it is used, so that a wrong one is refused with its
/// code.
#[derive(Clone, Debug, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PageStart {
    /// The first row.
    First,
    /// The position after an earlier page.
    After {
        /// Value of `next` of the earlier page.
        cursor: String,
    },
    /// About this row, such as after a scroll bar was moved.
    Row {
        /// Number of the row, counted from 0.
        #[ts(type = "number")]
        row: u64,
    },
}

/// Request for a page of users.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct UsersRequest {
    /// ID of the instance.
    pub instance: String,
    /// Filter and order.
    pub query: UserQuery,
    /// Position of the page.
    pub place: PageStart,
    /// Maximum number of users, at most 200.
    pub limit: usize,
}

/// A page of users.
#[derive(Clone, Debug, Serialize, TS)]
pub struct UserPage {
    /// Users in the requested order.
    pub users: Vec<User>,
    /// Row of the first user, counted from 0.
    #[ts(type = "number")]
    pub first_row: u64,
    /// Number of users who match the query.
    #[ts(type = "number")]
    pub total: u64,
    /// Position of the next page, if there is one.
    pub next: Option<String>,
    /// Warnings about users, also about users who do not match the query.
    pub notices: Vec<Warning>,
}

/// A user by ID.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct UserRef {
    /// ID of the instance.
    pub instance: String,
    /// ID of the user.
    pub id: String,
}

/// Request to set the end of a user's account.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct AccountEndChange {
    /// ID of the instance.
    pub instance: String,
    /// ID of the user.
    pub id: String,
    /// Time when the account ends: a time in this computer's time zone, or days from now such as
    /// `14 days`. Null for no end.
    pub ends: Option<String>,
}

/// A user to add.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct NewUser {
    /// ID of the instance.
    pub instance: String,
    /// ID: the administrator's own key for the person.
    pub id: String,
    /// E-mail address. Empty for none.
    pub email: String,
    /// Metadata.
    pub metadata: MetadataInput,
}

/// The editable part of a user's profile.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct EditedProfile {
    /// E-mail address. Empty for none.
    pub email: String,
    /// Metadata.
    pub metadata: MetadataInput,
}

impl EditedProfile {
    fn parse(self) -> Result<(Option<Email>, Metadata), Error> {
        Ok((typed_email(&self.email)?, self.metadata.try_into()?))
    }
}

/// A change of a user's profile.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct UserEdit {
    /// ID of the instance.
    pub instance: String,
    /// ID of the user.
    pub id: String,
    /// Profile that the form showed at first. What is equal to it is not changed.
    pub before: EditedProfile,
    /// New profile.
    pub after: EditedProfile,
}

/// Request to set the number of seats.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct SeatLimit {
    /// ID of the instance.
    pub instance: String,
    /// New number. Null for no limit.
    #[ts(type = "number | null")]
    pub limit: Option<u64>,
}

/// Returns a page of users.
#[tauri::command]
pub async fn users(
    studio: State<'_, Arc<Studio>>,
    request: UsersRequest,
) -> Result<UserPage, Problem> {
    in_directory(studio, request.instance.clone(), move |directory| {
        let (query, sort) = request.query.into();
        let place = request.place.try_into()?;
        let limit = request.limit.clamp(1, MOST_ON_A_PAGE);
        let page = directory.users(&query, sort, &place, limit).wait()?;
        let notices = directory::notices(directory, now().at).wait()?;
        Ok(UserPage {
            users: page.users.iter().map(Into::into).collect(),
            first_row: page.first_row,
            total: page.total,
            next: page.next.map(|cursor| cursor.to_string()),
            notices,
        })
    })
    .await
}

/// Returns a user with metadata.
#[tauri::command]
pub async fn user(
    studio: State<'_, Arc<Studio>>,
    request: UserRef,
) -> Result<UserProfile, Problem> {
    in_directory(studio, request.instance.clone(), move |directory| {
        directory.known_user(&request.id()?).wait().map(Into::into)
    })
    .await
}

/// Adds a user, who takes a seat.
#[tauri::command]
pub async fn user_add(
    studio: State<'_, Arc<Studio>>,
    request: NewUser,
) -> Result<UserProfile, Problem> {
    in_directory(studio, request.instance.clone(), move |directory| {
        let user = new_user(&request.id, &request.email, request.metadata)?;
        directory.add(&user, &now()).wait().map(Into::into)
    })
    .await
}

/// Changes the profile of a user.
#[tauri::command]
pub async fn user_edit(
    studio: State<'_, Arc<Studio>>,
    request: UserEdit,
) -> Result<UserProfile, Problem> {
    in_directory(studio, request.instance, move |directory| {
        let (email, metadata) = request.before.parse()?;
        let before = (email.as_ref(), &metadata);
        let (email, metadata) = request.after.parse()?;
        let change = Profile::between(before, (email.as_ref(), &metadata));
        let id = UserId::parse(&request.id, "user.id")?;
        directory.edit(&id, &change, &now()).wait().map(Into::into)
    })
    .await
}

/// Suspends a user, which frees the seat.
#[tauri::command]
pub async fn user_suspend(
    studio: State<'_, Arc<Studio>>,
    request: UserRef,
) -> Result<UserProfile, Problem> {
    in_directory(studio, request.instance.clone(), move |directory| {
        directory
            .suspend(&request.id()?, &now())
            .wait()
            .map(Into::into)
    })
    .await
}

/// Lets a suspended user sign in again, which takes a seat.
#[tauri::command]
pub async fn user_reactivate(
    studio: State<'_, Arc<Studio>>,
    request: UserRef,
) -> Result<UserProfile, Problem> {
    in_directory(studio, request.instance.clone(), move |directory| {
        directory
            .reactivate(&request.id()?, &now())
            .wait()
            .map(Into::into)
    })
    .await
}

/// Sets the end of a user's account. An account that has ended becomes active again, which takes a
/// seat.
#[tauri::command]
pub async fn user_set_account_end(
    studio: State<'_, Arc<Studio>>,
    request: AccountEndChange,
) -> Result<UserProfile, Problem> {
    in_directory(studio, request.instance, move |directory| {
        let id = UserId::parse(&request.id, "id")?;
        let by = now();
        let end = request.ends.as_deref();
        let end = end.map(|text| AccountEnd::parse(text, &TimeZone::system(), "ends_at"));
        let end = end.transpose()?.map(|end| end.ends_at(by.at.as_second()));
        directory
            .set_account_end(&id, end, &by)
            .wait()
            .map(Into::into)
    })
    .await
}

/// Ends all sessions of a user.
#[tauri::command]
pub async fn user_sign_out(
    studio: State<'_, Arc<Studio>>,
    request: UserRef,
) -> Result<UserProfile, Problem> {
    in_directory(studio, request.instance.clone(), move |directory| {
        directory
            .sign_out(&request.id()?, &now())
            .wait()
            .map(Into::into)
    })
    .await
}

/// Removes a user with profile and sessions.
#[tauri::command]
pub async fn user_remove(studio: State<'_, Arc<Studio>>, request: UserRef) -> Result<(), Problem> {
    in_directory(studio, request.instance.clone(), move |directory| {
        directory.remove(&request.id()?, &now()).wait()
    })
    .await
}

/// Sets recorded times that lie in the future to now.
#[tauri::command]
pub async fn users_correct_times(
    studio: State<'_, Arc<Studio>>,
    request: InstanceRef,
) -> Result<(), Problem> {
    in_directory(studio, request.instance, |directory| {
        directory.correct_times(&now()).wait().map(drop)
    })
    .await
}

/// Returns the number of seats, used and in total.
#[tauri::command]
pub async fn seats(studio: State<'_, Arc<Studio>>, request: InstanceRef) -> Result<Seats, Problem> {
    in_directory(studio, request.instance, |directory| {
        directory.seats(now().at).wait()
    })
    .await
}

/// Sets the number of seats.
#[tauri::command]
pub async fn seats_set(
    studio: State<'_, Arc<Studio>>,
    request: SeatLimit,
) -> Result<Seats, Problem> {
    in_directory(studio, request.instance, move |directory| {
        directory.set_seat_limit(request.limit, &now()).wait()
    })
    .await
}

/// Runs work on the directory of an instance that is hosted here, after accounts that have ended are
/// written as ended.
pub(super) async fn in_directory<T: Send + 'static>(
    studio: State<'_, Arc<Studio>>,
    instance: String,
    work: impl FnOnce(&dyn Directory) -> latchkey_core::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    at_home(studio, move |studio, home| {
        let instance = home.instances().get(&InstanceId::parse(&instance)?)?;
        let directory = studio.directory(home, &instance)?;
        // The gateway does so, too, but it may not run. A full disk must not keep anybody from
        // reading.
        if let Err(cause) = directory.end_due_accounts(now().at).wait() {
            tracing::warn!(error = %cause.logged(), "the end of accounts is not recorded yet");
        }
        work(&*directory)
    })
    .await
}

impl UserRef {
    fn id(&self) -> latchkey_core::Result<UserId> {
        UserId::parse(&self.id, "id")
    }
}

impl From<UserQuery> for (directory::UserQuery, Sort) {
    fn from(query: UserQuery) -> Self {
        let wanted = directory::UserQuery {
            search: Search::new(&query.search),
            status: query.status,
            origin: query.origin,
        };
        let sort = Sort {
            by: query.sort_by,
            descending: query.descending,
        };
        (wanted, sort)
    }
}

impl<B: Copy + PartialEq + DeserializeOwned> TryFrom<PageStart> for paging::PageStart<B> {
    type Error = Error;

    fn try_from(place: PageStart) -> Result<Self, Error> {
        Ok(match place {
            PageStart::First => Self::First,
            PageStart::After { cursor } => Self::After(cursor.parse()?),
            PageStart::Row { row } => Self::Row(row),
        })
    }
}

impl From<directory::User> for UserProfile {
    fn from(user: directory::User) -> Self {
        Self {
            user: User::from(&user),
            metadata_json: user.metadata.json_to_read(),
        }
    }
}

impl From<&directory::User> for User {
    fn from(user: &directory::User) -> Self {
        Self {
            id: user.id.as_str().to_owned(),
            name: user.metadata.display_name().map(str::to_owned),
            email: user.email.as_ref().map(|email| email.as_str().to_owned()),
            status: user.status,
            origin: user.origin,
            created_at: user.created_at,
            last_sign_in: user.last_sign_in,
            sign_ins: user.sign_ins,
            profile_as_of: user.profile_as_of,
            ends_at: user.ends_at,
        }
    }
}
