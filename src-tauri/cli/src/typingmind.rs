//! The command `latchkey users` for an instance at TypingMind: the copy of its users, and what is done
//! there.

use std::sync::Arc;

use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::directory::Search;
use latchkey_core::instance::{Hosted, Instance};
use latchkey_core::protocol::email::Email;
use latchkey_core::typingmind::{CopiedUser, CopyQuery, CopySort, CopySortBy, Group, UserCopy};
use latchkey_core::{Error, ErrorCode, time};
use latchkey_store::home::Home;
use serde_json::{Value, json};

use crate::args::{ListArguments, SortArgument, UsersCommand};
use crate::context::Context;
use crate::failure::Failure;
use crate::keys;
use crate::output::{Output, value};
use crate::text::Text;

/// Returns whether the users of an instance are at TypingMind.
pub(crate) fn has_users(instance: &Instance) -> bool {
    instance.settings.hosted == Hosted::Elsewhere && instance.typingmind.is_some()
}

pub(crate) fn users(
    command: &UsersCommand,
    home: &Home,
    instance: &Instance,
    context: &Context,
    output: &Output,
    now: Timestamp,
) -> Result<(), Failure> {
    let by = AuditContext::new(Actor::CommandLine, now);
    match command {
        UsersCommand::Sync => {
            keys::unlock(home, context)?;
            let copy = home.sync_typingmind(instance, Timestamp::now())?;
            let count = copy.users().len();
            let users = if count == 1 { "user" } else { "users" };
            output.print(
                format!("Copied {count} {users}."),
                || json!({ "users": count, "as_of": time::exact(copy.at) }),
            )
        }
        UsersCommand::List(arguments) => list(arguments, home, instance, output, now),
        UsersCommand::Show { id } => {
            let copy = copy(home, instance)?;
            let user = named(&copy, id)?;
            note_age(&copy, output, now);
            show(&copy, user, output)
        }
        UsersCommand::Add {
            id,
            email,
            metadata,
            yes,
        } => {
            let email = email_of(id.as_deref(), email.as_deref(), metadata)?;
            let question = format!(
                "Add {email} at TypingMind? The user takes a seat there. How many are left is not known here."
            );
            confirm(&question, *yes, "add a user")?;
            keys::unlock(home, context)?;
            let user = home.add_at_typingmind(instance, &email, &by)?;
            output.print(
                format!("Added {email} at TypingMind (ID {}).", user.id),
                || json!({ "added": { "id": user.id, "email": user.email } }),
            )
        }
        UsersCommand::Remove { id, yes } => {
            let copy = home.typingmind_users(instance)?;
            let user = copy.as_ref().and_then(|copy| named(copy, id).ok());
            let id = user.map_or(id.as_str(), |user| &user.id);
            let email = user.and_then(|user| user.email.as_deref());
            let who = email.unwrap_or("the user");
            let question = format!(
                "Remove {who} (TypingMind's ID {id}) at TypingMind? The user can no longer sign in there, and Latchkey \
                 cannot undo that. A link for a new person that still works may create the user again."
            );
            confirm(&question, *yes, "remove a user")?;
            keys::unlock(home, context)?;
            home.remove_at_typingmind(instance, id, &by)?;
            output.print(
                format!("Removed {who} (ID {id}) at TypingMind."),
                || json!({ "removed": id }),
            )
        }
        UsersCommand::Edit(_)
        | UsersCommand::Suspend { .. }
        | UsersCommand::Reactivate { .. }
        | UsersCommand::Extend(_)
        | UsersCommand::SignOut { .. }
        | UsersCommand::Import(_)
        | UsersCommand::Export(_)
        | UsersCommand::CorrectTimes => Err(Failure::usage(
            "TypingMind's API can list, add and remove users, and nothing else. To take access back, remove the user.",
        )),
    }
}

/// Returns the address of a user to add.
fn email_of(id: Option<&str>, email: Option<&str>, metadata: &[String]) -> Result<Email, Failure> {
    if id.is_some() {
        return Err(Failure::usage(
            "TypingMind gives its users their ids itself. Give only --email.",
        )
        .about("id"));
    }
    if !metadata.is_empty() {
        return Err(
            Failure::usage("TypingMind takes no metadata. Give only --email.").about("metadata"),
        );
    }
    let Some(email) = email else {
        return Err(Failure::usage("Give the address: --email E.").about("email"));
    };
    Ok(Email::parse(email, "email")?)
}

/// Asks before something is done at TypingMind.
fn confirm(question: &str, yes: bool, what: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    match Output::confirm(question) {
        Some(true) => Ok(()),
        Some(false) => Err(Failure::usage("Nothing was changed.")),
        None => Err(Failure::usage(format!(
            "To {what} at TypingMind without being asked, give --yes."
        ))
        .about("yes")),
    }
}

/// Returns the copy of the users.
fn copy(home: &Home, instance: &Instance) -> Result<Arc<UserCopy>, Failure> {
    let copy = home.typingmind_users(instance)?;
    Ok(copy.ok_or_else(|| {
        let message = format!(
            "The users of '{}' have not been copied from TypingMind yet.",
            instance.settings.name.as_str()
        );
        Error::new(ErrorCode::NotCopied, message)
    })?)
}

/// Returns the user with an ID or an address.
fn named<'a>(copy: &'a UserCopy, name: &str) -> Result<&'a CopiedUser, Failure> {
    let by_email = || copy.by_email(&Email::parse(name, "id").ok()?);
    Ok(copy.by_id(name).or_else(by_email).ok_or_else(|| {
        let message =
            format!("'{name}' is neither an id nor an e-mail address of a user in the copy.");
        Error::new(ErrorCode::UnknownUser, message).about("id")
    })?)
}

fn note_age(copy: &UserCopy, output: &Output, now: Timestamp) {
    output.note(&format!("TypingMind's users {}.", copy.age(now)));
}

fn list(
    arguments: &ListArguments,
    home: &Home,
    instance: &Instance,
    output: &Output,
    now: Timestamp,
) -> Result<(), Failure> {
    for (given, field) in [
        (arguments.filter.status.is_some(), "status"),
        (arguments.filter.origin.is_some(), "origin"),
    ] {
        if given {
            return Err(Failure::usage(format!(
                "TypingMind's API does not tell the {field} of users."
            ))
            .about(field));
        }
    }
    let by = match arguments.sort {
        SortArgument::Id => CopySortBy::Id,
        SortArgument::Email => CopySortBy::Email,
        SortArgument::Created => CopySortBy::Created,
        SortArgument::LastSignIn => {
            return Err(Failure::usage(
                "TypingMind's API does not tell when users signed in last.",
            )
            .about("sort"));
        }
    };
    let first = match arguments.page.after.as_deref().map(str::parse) {
        None => 0,
        Some(Ok(row)) => row,
        Some(Err(_)) => {
            let message = "This is not the end of an earlier page.";
            return Err(Error::new(ErrorCode::InvalidCursor, message)
                .about("after")
                .into());
        }
    };
    let copy = copy(home, instance)?;
    let query = CopyQuery {
        search: Search::new(&arguments.filter.search),
        group: arguments.group.as_ref().map(|group| id_of(&copy, group)),
    };
    let sort = CopySort {
        by,
        descending: arguments.page.descending,
    };
    let page = copy.page(&query, sort, first, arguments.page.limit);
    let end = first + page.users.len();
    let next = (end < page.total).then(|| end.to_string());
    let mut text = Text::new();
    for user in &page.users {
        let groups: Vec<&str> = copy
            .groups_of(user)
            .map(|group| group.name.as_str())
            .collect();
        let groups = if groups.is_empty() {
            "-".to_owned()
        } else {
            groups.join(", ")
        };
        text.row(&[&user.id, user.email.as_deref().unwrap_or("-"), &groups]);
    }
    note_age(&copy, output, now);
    if page.users.is_empty() {
        output.note("No user matches.");
    }
    let users: Vec<Value> = page
        .users
        .iter()
        .map(|user| described(&copy, user))
        .collect();
    output.print(
        text,
        || json!({ "users": users, "total": page.total, "next": next, "as_of": time::exact(copy.at) }),
    )?;
    if let Some(next) = &next {
        output.note(&format!(
            "{end} of {}; the next page: --after {next}",
            page.total
        ));
    }
    Ok(())
}

/// Returns the ID of a group by its name or ID.
fn id_of(copy: &UserCopy, name: &str) -> String {
    let mut groups = copy.groups().iter();
    let is_named =
        |group: &&Group| group.id == name || group.name.to_lowercase() == name.to_lowercase();
    groups
        .find(is_named)
        .map_or_else(|| name.to_owned(), |group| group.id.clone())
}

fn described(copy: &UserCopy, user: &CopiedUser) -> Value {
    let groups: Vec<&Group> = copy.groups_of(user).collect();
    json!({
        "id": user.id,
        "email": user.email,
        "created_at": user.created_at.map(time::exact),
        "groups": value(&groups),
    })
}

fn show(copy: &UserCopy, user: &CopiedUser, output: &Output) -> Result<(), Failure> {
    let groups: Vec<&str> = copy
        .groups_of(user)
        .map(|group| group.name.as_str())
        .collect();
    let created = user.created_at.map_or_else(|| "-".to_owned(), time::exact);
    let mut text = Text::new();
    text.line(format_args!("id       {}", user.id));
    text.line(format_args!(
        "email    {}",
        user.email.as_deref().unwrap_or("-")
    ));
    text.line(format_args!("created  {created}"));
    text.line(format_args!("groups   {}", groups.join(", ")));
    output.print(text, || {
        let mut described = described(copy, user);
        if let Value::Object(members) = &mut described {
            members.insert("as_of".to_owned(), json!(time::exact(copy.at)));
        }
        described
    })
}
