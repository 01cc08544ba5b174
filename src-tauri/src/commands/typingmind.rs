//! TypingMind's users of an instance that is hosted there: the connection, the copy, and what is done
//! there.

use std::sync::Arc;

use latchkey_core::directory::Search;
use latchkey_core::instance::InstanceId;
use latchkey_core::ledger;
use latchkey_core::protocol::email::Email;
use latchkey_core::secret::Secret;
use latchkey_core::typingmind::{
    self, CopiedUser, CopyQuery, CopySort, CopySortBy, Group, ListedUser, UserCopy,
};
use latchkey_store::Wait as _;
use latchkey_store::home::Home;
use serde::{Deserialize, Serialize};
use tauri::State;
use ts_rs::TS;

use crate::commands::instance::{Instance, InstanceRef};
use crate::commands::links::LinkRef;
use crate::events::StudioEvent;
use crate::studio::{at_home, now};
use crate::{Problem, Studio};

/// Maximum number of users on a page.
const MOST_ON_A_PAGE: usize = 1_000;

/// Connection to TypingMind's API to set.
#[derive(Debug, Deserialize, TS)]
pub struct TypingMindConnect {
    /// ID of the instance.
    pub instance: String,
    /// `us`, `eu`, or the URL of a proxy.
    pub region: String,
    /// New API key. Null keeps the current one.
    #[ts(type = "string | null")]
    pub key: Option<Secret>,
}

/// Request for a page of the copy.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct CopiedUsersRequest {
    /// ID of the instance.
    pub instance: String,
    /// Only users whose ID or address contains each of these words.
    pub search: String,
    /// Only users in the group with this ID.
    pub group: Option<String>,
    /// Field to sort by.
    pub sort_by: CopySortBy,
    /// Whether the order is reversed.
    pub descending: bool,
    /// Index of the first row.
    pub first: u32,
    /// Maximum number of users.
    pub limit: u32,
}

/// A user at TypingMind. It differs from core's `CopiedUser`, which refers to groups by position.
#[derive(Clone, Debug, Serialize, TS)]
pub struct TypingMindUser {
    /// TypingMind's ID.
    pub id: String,
    /// E-mail address.
    pub email: Option<String>,
    /// Time when the user was created, in Unix seconds.
    #[ts(type = "number | null")]
    pub created_at: Option<i64>,
    /// Names of the groups.
    pub groups: Vec<String>,
}

/// A page of the copy.
#[derive(Clone, Debug, Default, Serialize, TS)]
pub struct CopiedUsers {
    /// Time of the copy, in Unix seconds. Null if there is none yet.
    #[ts(type = "number | null")]
    pub at: Option<i64>,
    /// Users of the page.
    pub users: Vec<TypingMindUser>,
    /// Number of users that match.
    #[ts(type = "number")]
    pub total: usize,
    /// Number of all users.
    #[ts(type = "number")]
    pub everybody: usize,
    /// Groups of all users.
    pub groups: Vec<Group>,
}

/// Age and size of the copy.
#[derive(Clone, Copy, Debug, Serialize, TS)]
pub struct CopyState {
    /// Time of the copy, in Unix seconds.
    #[ts(type = "number")]
    pub at: i64,
    /// Number of users.
    #[ts(type = "number")]
    pub users: usize,
}

/// A user to add at TypingMind.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct NewTypingMindUser {
    /// ID of the instance.
    pub instance: String,
    /// E-mail address.
    pub email: String,
}

/// A user at TypingMind by ID.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct TypingMindUserRef {
    /// ID of the instance.
    pub instance: String,
    /// TypingMind's ID.
    pub id: String,
}

/// Sets the region and the API key.
#[tauri::command]
pub async fn typingmind_connect(
    studio: State<'_, Arc<Studio>>,
    request: TypingMindConnect,
) -> Result<Instance, Problem> {
    at_home(studio, move |_, home| {
        let id = InstanceId::parse(&request.instance)?;
        let region = request.region.parse()?;
        home.connect_typingmind(&id, Some(region), request.key.as_ref(), &now())
            .map(Into::into)
    })
    .await
}

/// Removes the region, the API key and the copy.
#[tauri::command]
pub async fn typingmind_disconnect(
    studio: State<'_, Arc<Studio>>,
    request: InstanceRef,
) -> Result<Instance, Problem> {
    at_home(studio, move |studio, home| {
        let instance = home.disconnect_typingmind(&request.id()?, &now())?;
        publish(studio, &request.instance);
        Ok(instance.into())
    })
    .await
}

/// Copies the users from TypingMind.
#[tauri::command]
pub async fn typingmind_sync(
    studio: State<'_, Arc<Studio>>,
    request: InstanceRef,
) -> Result<CopyState, Problem> {
    at_home(studio, move |studio, home| {
        let instance = home.instances().get(&request.id()?)?;
        let copy = home.sync_typingmind(&instance, now().at)?;
        publish(studio, &request.instance);
        Ok(CopyState {
            at: copy.at,
            users: copy.users().len(),
        })
    })
    .await
}

/// Returns a page of the copy.
#[tauri::command]
pub async fn typingmind_users(
    studio: State<'_, Arc<Studio>>,
    request: CopiedUsersRequest,
) -> Result<CopiedUsers, Problem> {
    at_home(studio, move |_, home| {
        let copy = copy_of(home, &request.instance)?;
        Ok(copy.map_or_else(CopiedUsers::default, |copy| page(&copy, request)))
    })
    .await
}

/// Returns a user of the copy. Null if the copy has no such user.
#[tauri::command]
pub async fn typingmind_user(
    studio: State<'_, Arc<Studio>>,
    request: TypingMindUserRef,
) -> Result<Option<TypingMindUser>, Problem> {
    at_home(studio, move |_, home| {
        let Some(copy) = copy_of(home, &request.instance)? else {
            return Ok(None);
        };
        Ok(copy.by_id(&request.id).map(|user| described(&copy, user)))
    })
    .await
}

/// Returns the user of the copy whom a link of the ledger signs in. Null if the copy does not tell who
/// that is.
#[tauri::command]
pub async fn typingmind_user_of_link(
    studio: State<'_, Arc<Studio>>,
    request: LinkRef,
) -> Result<Option<TypingMindUser>, Problem> {
    at_home(studio, move |studio, home| {
        let Some(copy) = copy_of(home, &request.instance)? else {
            return Ok(None);
        };
        let instance = home
            .instances()
            .get(&InstanceId::parse(&request.instance)?)?;
        let ledger = studio.ledger(home, &instance)?;
        let found = ledger.link(&request.id, now().at).wait()?;
        let (_, claims) = found.ok_or_else(ledger::unknown_link)?;
        let user = claims.and_then(|claims| typingmind::find(&claims.payload, &copy));
        Ok(user.map(|user| described(&copy, user)))
    })
    .await
}

/// Adds a user at TypingMind.
#[tauri::command]
pub async fn typingmind_user_add(
    studio: State<'_, Arc<Studio>>,
    request: NewTypingMindUser,
) -> Result<TypingMindUser, Problem> {
    at_home(studio, move |studio, home| {
        let instance = home
            .instances()
            .get(&InstanceId::parse(&request.instance)?)?;
        let email = Email::parse(&request.email, "email")?;
        let user = home.add_at_typingmind(&instance, &email, &now())?;
        publish(studio, &request.instance);
        Ok(user.into())
    })
    .await
}

/// Removes a user at TypingMind.
#[tauri::command]
pub async fn typingmind_user_remove(
    studio: State<'_, Arc<Studio>>,
    request: TypingMindUserRef,
) -> Result<(), Problem> {
    at_home(studio, move |studio, home| {
        let instance = home
            .instances()
            .get(&InstanceId::parse(&request.instance)?)?;
        home.remove_at_typingmind(&instance, &request.id, &now())?;
        publish(studio, &request.instance);
        Ok(())
    })
    .await
}

/// Returns the copy of an instance, if there is one.
fn copy_of(home: &Home, instance: &str) -> latchkey_core::Result<Option<Arc<UserCopy>>> {
    let instance = home.instances().get(&InstanceId::parse(instance)?)?;
    home.typingmind_users(&instance)
}

fn page(copy: &UserCopy, request: CopiedUsersRequest) -> CopiedUsers {
    let query = CopyQuery {
        search: Search::new(&request.search),
        group: request.group,
    };
    let sort = CopySort {
        by: request.sort_by,
        descending: request.descending,
    };
    let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let limit = number(request.limit).clamp(1, MOST_ON_A_PAGE);
    let page = copy.page(&query, sort, number(request.first), limit);
    CopiedUsers {
        at: Some(copy.at),
        users: page
            .users
            .iter()
            .map(|user| described(copy, user))
            .collect(),
        total: page.total,
        everybody: copy.users().len(),
        groups: copy.groups().to_vec(),
    }
}

fn described(copy: &UserCopy, user: &CopiedUser) -> TypingMindUser {
    TypingMindUser {
        id: user.id.clone(),
        email: user.email.clone(),
        created_at: user.created_at,
        groups: copy
            .groups_of(user)
            .map(|group| group.name.clone())
            .collect(),
    }
}

/// Publishes that the copy and the activity of an instance have changed.
fn publish(studio: &Studio, instance: &str) {
    for event in [
        StudioEvent::Copy {
            instance: instance.to_owned(),
        },
        StudioEvent::Activity {
            instance: instance.to_owned(),
        },
    ] {
        studio.events().publish(event);
    }
}

impl From<ListedUser> for TypingMindUser {
    fn from(user: ListedUser) -> Self {
        Self {
            id: user.id,
            email: user.email,
            created_at: user.created_at,
            groups: user.groups.into_iter().map(|group| group.name).collect(),
        }
    }
}
