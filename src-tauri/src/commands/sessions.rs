//! Sessions of a user of an instance that is hosted here.

use std::sync::Arc;

use latchkey_core::instance::InstanceId;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::session::{SessionQuery, SessionScope};
use latchkey_store::Wait as _;
use serde::{Deserialize, Serialize};
use tauri::State;
use ts_rs::TS;

use crate::commands::users::UserRef;
use crate::studio::{at_home, now};
use crate::{Problem, Studio};

/// Maximum number of sessions that the window shows.
const MAX_SHOWN: usize = 50;

/// A session in which a user is signed in. It differs from core's `UserSession`: times are in Unix
/// seconds, because the window words them.
#[derive(Clone, Debug, Serialize, TS)]
pub struct UserSession {
    /// Name of the session among those of its user.
    pub id: String,
    /// Short name of the browser, such as `iPhone, Safari`.
    pub browser: Option<String>,
    /// Name of the browser as the browser sent it.
    pub user_agent: Option<String>,
    /// Address from which the link was opened.
    pub address: Option<String>,
    /// Time when the session began, in Unix seconds.
    #[ts(type = "number")]
    pub created_at: i64,
    /// Time of the last use, in Unix seconds.
    #[ts(type = "number")]
    pub last_seen: i64,
    /// Time when the session ends unless it is used again, in Unix seconds.
    #[ts(type = "number")]
    pub ends_at: i64,
    /// Whether the session is valid in the widget only.
    pub in_frame: bool,
    /// ID of the link that began the session.
    pub link: Option<String>,
}

/// The latest sessions of a user.
#[derive(Clone, Debug, Serialize, TS)]
pub struct UserSessions {
    /// The sessions, the latest first.
    pub sessions: Vec<UserSession>,
    /// Number of all sessions in which the user is signed in.
    #[ts(type = "number")]
    pub total: u64,
}

/// A session by its name.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct SessionRef {
    /// ID of the instance.
    pub instance: String,
    /// ID of the user.
    pub id: String,
    /// Name of the session among those of the user.
    pub session: String,
}

/// Returns the latest sessions of a user.
#[tauri::command]
pub async fn user_sessions(
    studio: State<'_, Arc<Studio>>,
    request: UserRef,
) -> Result<UserSessions, Problem> {
    at_home(studio, move |studio, home| {
        let instance = home
            .instances()
            .get(&InstanceId::parse(&request.instance)?)?;
        let query = SessionQuery {
            user: UserId::parse(&request.id, "id")?,
            policy: instance.settings.policy,
            rules: instance.settings.session_rules(),
            after: None,
            limit: MAX_SHOWN,
        };
        let directory = studio.directory(home, &instance)?;
        let page = directory.sessions_of(&query, now().at).wait()?;
        Ok(UserSessions {
            sessions: page.sessions.into_iter().map(Into::into).collect(),
            total: page.total,
        })
    })
    .await
}

/// Ends a session of a user.
#[tauri::command]
pub async fn session_end(
    studio: State<'_, Arc<Studio>>,
    request: SessionRef,
) -> Result<(), Problem> {
    at_home(studio, move |studio, home| {
        let instance = home
            .instances()
            .get(&InstanceId::parse(&request.instance)?)?;
        let (user, session) = (UserId::parse(&request.id, "id")?, request.session.parse()?);
        let directory = studio.directory(home, &instance)?;
        directory.end_session_of(&user, session, &now()).wait()
    })
    .await
}

impl From<latchkey_core::session::UserSession> for UserSession {
    fn from(session: latchkey_core::session::UserSession) -> Self {
        Self {
            id: session.id.to_string(),
            browser: session.browser,
            user_agent: session.user_agent,
            address: session.address.map(|address| address.to_string()),
            created_at: session.created_at,
            last_seen: session.last_seen,
            ends_at: session.ends_at,
            in_frame: session.scope == SessionScope::Frame,
            link: session.link,
        }
    }
}
