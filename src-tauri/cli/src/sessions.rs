//! The command `latchkey sessions`.

use std::process::ExitCode;

use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::directory::Directory;
use latchkey_core::instance::Settings;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::session::{
    SessionCursor, SessionHandle, SessionQuery, SessionScope, UserSession,
};
use latchkey_core::{Error, ErrorCode, time};
use latchkey_store::Wait as _;
use serde_json::json;

use crate::args::SessionsCommand;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Output, value};
use crate::text::Text;
use crate::users;

pub(crate) fn sessions(
    command: &SessionsCommand,
    context: &Context,
    output: &Output,
    now: Timestamp,
) -> Result<ExitCode, Failure> {
    let home = context.home()?;
    let instance = home.instances().find(&command.of().instance)?;
    let directory = users::directory(&home, &instance, context)?;
    let directory = &*directory;
    let user = UserId::parse(&command.of().user, "user")?;
    match command {
        SessionsCommand::List { after, limit, .. } => {
            let after = after.as_deref().map(str::parse).transpose()?;
            let query = query(user, &instance.settings, after, *limit);
            list(&query, directory, output, now)?;
        }
        SessionsCommand::End { which, .. } => {
            answered(directory.known_user(&user).wait()).map_err(of_option)?;
            let by = AuditContext::new(Actor::CommandLine, now);
            if let Some(session) = &which.session {
                let session: SessionHandle = session.parse()?;
                directory.end_session_of(&user, session, &by).wait()?;
                output.print(
                    format!("Ended the session {session}."),
                    || json!({ "ended": session }),
                )?;
            } else {
                let query = query(user, &instance.settings, None, 1);
                let before = answered(directory.sessions_of(&query, now).wait())?;
                let before = before.map_or(0, |page| page.total);
                let user = &query.user;
                directory.sign_out(user, &by).wait()?;
                let said = if before == 0 {
                    format!("{user} was not signed in anywhere.")
                } else {
                    format!("Ended all sessions of {user}.")
                };
                output.print(said, || json!({ "ended": "all", "sessions": before }))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Names the field of an error about a user like the option.
fn of_option(error: Error) -> Error {
    match error.code {
        ErrorCode::UnknownUser => error.about("user"),
        _ => error,
    }
}

/// Returns the answer to a question before sessions end. `None` if the key of a connection lacks the
/// scope for it: a key that may end sessions may ask, too, so the refusal of the ending names the
/// scope that is missing.
fn answered<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Err(refused) if refused.code == ErrorCode::ScopeMissing => Ok(None),
        answer => answer.map(Some),
    }
}

fn query(
    user: UserId,
    settings: &Settings,
    after: Option<SessionCursor>,
    limit: usize,
) -> SessionQuery {
    SessionQuery {
        user,
        policy: settings.policy,
        rules: settings.session_rules(),
        after,
        limit,
    }
}

fn list(
    query: &SessionQuery,
    directory: &dyn Directory,
    output: &Output,
    now: Timestamp,
) -> Result<(), Failure> {
    let page = directory.sessions_of(query, now).wait()?;
    if page.total == 0 {
        directory
            .known_user(&query.user)
            .wait()
            .map_err(of_option)?;
        output.note(&format!("{} is not signed in anywhere.", query.user));
    }
    let mut text = Text::new();
    for session in &page.sessions {
        add(session, &mut text);
    }
    output.print(text, || value(&page))?;
    if let Some(next) = &page.next {
        output.note(&format!(
            "There are {} sessions. The next page: --after {next}",
            page.total
        ));
    }
    Ok(())
}

/// Adds a row: name of the session, browser, address, begin, last use, scope and link.
fn add(session: &UserSession, text: &mut Text) {
    let address = session.address.map(|address| address.to_string());
    text.row(&[
        &session.id.to_string(),
        session.browser.as_deref().unwrap_or("-"),
        address.as_deref().unwrap_or("-"),
        &time::exact(session.created_at),
        &time::exact(session.last_seen),
        match session.scope {
            SessionScope::Page => "page",
            SessionScope::Frame => "frame",
        },
        session.link.as_deref().unwrap_or("-"),
    ]);
}
