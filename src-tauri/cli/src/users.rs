//! The commands `latchkey users` and `latchkey seats`.

use latchkey_store::Wait as _;
use std::process::ExitCode;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::directory::{self, Directory, Profile, Sort, SortBy, User, UserQuery};
use latchkey_core::error::Warning;
use latchkey_core::instance::Instance;
use latchkey_core::protocol::account_end::AccountEnd;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::{Error, ErrorCode, time};
use latchkey_store::home::{Home, once_free};
use serde_json::{Value, json};

use crate::args::{
    EditArguments, ExtendArguments, ListArguments, SeatLimit, SortArgument, UsersArguments,
    UsersCommand,
};
use crate::context::Context;
use crate::failure::Failure;
use crate::filter::query_of;
use crate::metadata::metadata_fields;
use crate::output::{Output, value};
use crate::text::Text;
use crate::{export, hints, import, keys, typingmind};

/// Name of this program in the lock file of a directory.
pub(crate) const HOLDER: &str = "latchkey, the command line";

pub(crate) fn users(
    arguments: &UsersArguments,
    context: &Context,
    output: &Output,
    now: Timestamp,
) -> Result<ExitCode, Failure> {
    let (home, found) = context.instance(arguments.instance.as_deref())?;
    let instance = arguments.instance.as_deref().unwrap_or_default();
    if typingmind::has_users(&found) || matches!(arguments.command, UsersCommand::Sync) {
        typingmind::users(&arguments.command, &home, &found, context, output, now)?;
        return Ok(ExitCode::SUCCESS);
    }
    let directory = directory(&home, &found, context)?;
    let directory = &*directory;
    // So the filters find accounts that have ended. A full disk must not keep anybody from reading.
    if let Err(cause) = directory.end_due_accounts(now).wait() {
        tracing::warn!(error = %cause.logged(), "the end of accounts is not recorded yet");
    }
    let done = match &arguments.command {
        UsersCommand::Import(import) => import::import(import, directory, context, output, now),
        UsersCommand::Export(export) => export::export(export, directory, context, output),
        command => run(command, instance, directory, output, now).map(|()| ExitCode::SUCCESS),
    };
    done.map_err(|failure| match failure {
        Failure::Refused(refused) => {
            Failure::Refused(of_user(refused, &arguments.command, directory))
        }
        other => other,
    })
}

/// Names the field of an error like the argument. If an address was given in place of an id, adds
/// whose address it is.
fn of_user(mut refused: Error, command: &UsersCommand, directory: &dyn Directory) -> Error {
    refused = refused.about_user();
    if matches!(command, UsersCommand::Extend(_)) && refused.field.as_deref() == Some("ends_at") {
        refused = refused.about("until");
    }
    if refused.code == ErrorCode::UnknownUser
        && let Some(email) = command.id().and_then(|id| Email::parse(id, "id").ok())
        && let Ok(Some(user)) = directory.user_by_email(&email).wait()
    {
        refused.message = format!(
            "{} An id is needed here: {email} is the address of {}.",
            refused.message, user.id
        );
    }
    refused
}

fn run(
    command: &UsersCommand,
    instance: &str,
    directory: &dyn Directory,
    output: &Output,
    now: Timestamp,
) -> Result<(), Failure> {
    let by = AuditContext::new(Actor::CommandLine, now);
    let id = |id: &str| UserId::parse(id, "id");
    match command {
        UsersCommand::List(arguments) => list(arguments, instance, directory, output, now)?,
        UsersCommand::Show { id: who } => {
            let user = directory.known_user(&id(who)?).wait()?;
            show(&user.as_of(now.as_second()), output)?;
        }
        UsersCommand::Add {
            id,
            email,
            metadata,
            yes: _,
        } => {
            let Some(id) = id else {
                return Err(Failure::usage("Name the id of the user.").about("id"));
            };
            let metadata = metadata_fields(metadata)?;
            let user = NewUser::parse(id, email.as_deref(), metadata)?;
            show(&directory.add(&user, &by).wait()?, output)?;
        }
        UsersCommand::Edit(arguments) => {
            let profile = profile(arguments)?;
            let edited = directory.edit(&id(&arguments.id)?, &profile, &by).wait()?;
            show(&edited, output)?;
        }
        UsersCommand::Suspend { id: who } => {
            show(&directory.suspend(&id(who)?, &by).wait()?, output)?;
        }
        UsersCommand::Reactivate { id: who } => {
            show(&directory.reactivate(&id(who)?, &by).wait()?, output)?;
        }
        UsersCommand::Extend(arguments) => {
            let end = end_of(arguments, now)?;
            let user = id(&arguments.id)?;
            let extended = directory.set_account_end(&user, end, &by).wait()?;
            show(&extended, output)?;
        }
        UsersCommand::SignOut { id: who } => {
            show(&directory.sign_out(&id(who)?, &by).wait()?, output)?;
        }
        UsersCommand::Remove { id: who, yes: _ } => {
            directory.remove(&id(who)?, &by).wait()?;
            output.print(format!("Removed {who}."), || json!({ "removed": who }))?;
        }
        UsersCommand::CorrectTimes => {
            let corrected = directory.correct_times(&by).wait()?;
            let text = match corrected {
                0 => "No recorded time lies in the future.".to_owned(),
                1 => "Set 1 recorded time to now.".to_owned(),
                corrected => format!("Set {corrected} recorded times to now."),
            };
            output.print(text, || json!({ "corrected": corrected }))?;
        }
        // A directory has no copy, and `users` has handled an instance that has one. The other
        // commands also read or write a file.
        UsersCommand::Sync | UsersCommand::Import(_) | UsersCommand::Export(_) => {}
    }
    Ok(())
}

/// Returns the end that the options describe, in Unix seconds.
fn end_of(arguments: &ExtendArguments, now: Timestamp) -> Result<Option<i64>, Error> {
    let until = arguments.until.as_deref();
    let end = until.map(|text| AccountEnd::parse(text, &TimeZone::system(), "until"));
    Ok(end.transpose()?.map(|end| end.ends_at(now.as_second())))
}

/// Returns the change of a profile that the options describe.
fn profile(arguments: &EditArguments) -> Result<Profile, Failure> {
    let email = arguments.email.as_deref();
    let email = email
        .map(|email| Email::parse(email, "email"))
        .transpose()?;
    let mut members = metadata_fields(&arguments.metadata)?.members().clone();
    for name in &arguments.remove_metadata {
        if members.insert(name.clone(), Value::Null).is_some() {
            return Err(Failure::usage(format!(
                "--remove-metadata {name}: another option names the same member. Keep one of them."
            ))
            .about("remove-metadata"));
        }
    }
    Ok(Profile {
        email: if arguments.no_email {
            Some(None)
        } else {
            email.map(Some)
        },
        members,
    })
}

pub(crate) fn seats(
    instance: &str,
    set: Option<SeatLimit>,
    context: &Context,
    output: &Output,
    now: Timestamp,
) -> Result<ExitCode, Failure> {
    let by = AuditContext::new(Actor::CommandLine, now);
    let directory = open(instance, context)?;
    let seats = match set {
        Some(SeatLimit(limit)) => directory.set_seat_limit(limit, &by).wait()?,
        None => directory.seats(now).wait()?,
    };
    let over = seats.limit.is_some_and(|limit| seats.used > limit);
    let text = match seats.limit {
        Some(limit) => format!(
            "{} of {limit}{}",
            seats.used,
            if over { ", over" } else { "" }
        ),
        None => format!("{}, no limit", seats.used),
    };
    output.print(
        text,
        || json!({ "used": seats.used, "limit": seats.limit, "over": over }),
    )?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn open(instance: &str, context: &Context) -> Result<Arc<dyn Directory>, Failure> {
    let home = context.home()?;
    let instance = home.instances().find(instance)?;
    directory(&home, &instance, context)
}

/// Opens the directory of an instance, or reaches the process that holds it.
pub(crate) fn directory(
    home: &Home,
    instance: &Instance,
    context: &Context,
) -> Result<Arc<dyn Directory>, Failure> {
    keys::unlock_access(home, instance, context)?;
    Ok(once_free(|| home.reach(instance, HOLDER))?.directory())
}

/// Opens the directory with the links and the activity of any instance, or reaches the process that
/// holds it. At an instance that is hosted elsewhere, removes what the retention does not keep.
pub(crate) fn ledger(
    home: &Home,
    instance: &Instance,
    context: &Context,
    now: Timestamp,
) -> Result<Arc<dyn Directory>, Failure> {
    keys::unlock_access(home, instance, context)?;
    let reached = once_free(|| home.ledger(instance, HOLDER))?;
    Ok(reached.pruned(instance, now).directory())
}

fn list(
    arguments: &ListArguments,
    instance: &str,
    directory: &dyn Directory,
    output: &Output,
    now: Timestamp,
) -> Result<(), Failure> {
    if arguments.group.is_some() {
        return Err(Failure::usage("Only users at TypingMind have groups.").about("group"));
    }
    let warnings = directory::notices(directory, now).wait()?;
    for warning in &warnings {
        output.warn(&warning.message);
        if let Some(command) = hints::about(warning, instance, output.program()) {
            output.note(&format!("hint: {command}"));
        }
    }
    let query = query_of(&arguments.filter);
    let sort = Sort {
        by: match arguments.sort {
            SortArgument::Id => SortBy::Id,
            SortArgument::Email => SortBy::Email,
            SortArgument::Created => SortBy::Created,
            SortArgument::LastSignIn => SortBy::LastSignIn,
        },
        descending: arguments.page.descending,
    };
    let place = arguments.page.start()?;
    let mut page = directory
        .users(&query, sort, &place, arguments.page.limit)
        .wait()?;
    page.set_statuses(now);
    let next = page.next.as_ref().map(ToString::to_string);
    let mut text = Text::new();
    for user in &page.users {
        let email = user.email.as_ref().map_or("-", Email::as_str);
        let end = user.ends_at.map_or_else(String::new, time::exact);
        text.row(&[user.id.as_str(), email, user.status.name(), &end]);
    }
    if page.users.is_empty() {
        let is_filtered = query != UserQuery::default() || arguments.page.after.is_some();
        output.note(if is_filtered {
            "No user matches."
        } else {
            "There is no user yet."
        });
    }
    output.print(
        text,
        || json!({ "users": value(&page.users), "total": page.total, "next": next, "warnings": with_hints(&warnings, instance, output.program()) }),
    )?;
    if let Some(next) = &next {
        let last = page.first_row + page.users.len() as u64;
        output.note(&format!(
            "{last} of {}; the next page: --after {next}",
            page.total
        ));
    }
    Ok(())
}

/// Returns warnings as JSON has them, with the commands that help against them.
fn with_hints(warnings: &[Warning], instance: &str, program: &str) -> Vec<Value> {
    let warnings = warnings.iter();
    let with_hint = warnings.map(|warning| {
        json!({ "code": warning.code, "message": warning.message, "hint": hints::about(warning, instance, program) })
    });
    with_hint.collect()
}

fn show(user: &User, output: &Output) -> Result<(), Failure> {
    let email = user.email.as_ref().map_or("-", Email::as_str);
    let last = user
        .last_sign_in
        .map_or_else(|| "never".to_owned(), time::exact);
    let mut text = Text::new();
    text.line(format_args!("id            {}", user.id));
    text.line(format_args!("email         {email}"));
    text.line(format_args!("status        {}", user.status.name()));
    text.line(format_args!(
        "created       {}",
        time::exact(user.created_at)
    ));
    if let Some(at) = user.ends_at {
        text.line(format_args!("account ends  {}", time::exact(at)));
    }
    text.line(format_args!("last sign-in  {last}"));
    text.line(format_args!("sign-ins      {}", user.sign_ins));
    text.line(format_args!("metadata      {}", user.metadata.json()));
    output.print(text, || value(user))
}
