//! The commands `latchkey backup` and `latchkey restore`.

use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::instance::{Hosted, Name};
use latchkey_core::{ErrorCode, Result};
use latchkey_store::backup::{BackupReader, Part, Summary};
use latchkey_store::home::{RestoreOptions, require_here};
use serde_json::{Value, json};

use crate::args::{BackupArguments, RestoreArguments};
use crate::context::Context;
use crate::failure::Failure;
use crate::keys;
use crate::output::Output;
use crate::users::HOLDER;

/// Time between two reports of the progress.
const REPORTS: Duration = Duration::from_millis(200);

pub(crate) fn backup(
    arguments: &BackupArguments,
    context: &Context,
    output: &Output,
    now: Timestamp,
) -> Result<ExitCode, Failure> {
    let home = context.home()?;
    let instance = home.instances().find(&arguments.instance)?;
    let passphrase = if arguments.with_keys {
        keys::unlock(&home, context)?;
        Some(keys::new_backup_passphrase(context)?)
    } else {
        None
    };
    if instance.settings.hosted == Hosted::Gateway {
        require_here(&instance)?;
    }
    let directory = home.ledger(&instance, HOLDER)?.directory();
    let path = &arguments.out;
    let summary = context.write_whole(path, |file| {
        home.back_up_to(
            &instance.id,
            &*directory,
            passphrase.as_ref(),
            &AuditContext::new(Actor::CommandLine, now),
            file,
            &mut progress(output, "Backing up"),
        )
    });
    output.end_progress();
    let summary = summary?;
    let name = &summary.header.name;
    let text = format!(
        "Backed up '{name}' to {}: {}.",
        path.display(),
        contents(&summary)
    );
    output.print(text, || {
        described(&summary, json!({ "instance": instance.id, "file": path }))
    })?;
    if !summary.header.holds(Part::Keys) {
        output.note(
            "The signing key is not in the backup. --with-keys adds it, sealed with a passphrase.",
        );
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn restore(
    arguments: &RestoreArguments,
    context: &Context,
    output: &Output,
    now: Timestamp,
) -> Result<ExitCode, Failure> {
    let name = arguments.name.as_deref().map(Name::parse).transpose()?;
    let file: Box<dyn Read> = if arguments.file == Path::new("-") {
        context.take_standard_input()?;
        Box::new(io::stdin())
    } else {
        Box::new(context.open(&arguments.file)?)
    };
    let backup = BackupReader::open(file)?;
    let home = context.home_or_new()?;
    let has_keys = backup.header().holds(Part::Keys) && !arguments.without_keys;
    let passphrase = if has_keys {
        let passphrase = keys::backup_passphrase(context)?;
        keys::unlock_or_create(&home, context)?;
        Some(passphrase)
    } else {
        None
    };
    let by = AuditContext::new(Actor::CommandLine, now);
    let options = RestoreOptions {
        name,
        replace: arguments.replace,
        passphrase: passphrase.as_ref(),
    };
    let restored = home.restore(backup, &options, &by, &mut progress(output, "Restoring"));
    output.end_progress();
    // A hint depends on the field, because the sealed file has a passphrase, too.
    let restored = restored.map_err(|refused| match refused.code {
        ErrorCode::WrongPassphrase => refused.about("without-keys"),
        _ => refused,
    })?;
    let name = restored.instance.settings.name.as_str();
    let mut summary = restored.summary;
    if !has_keys {
        summary.header.holds.retain(|part| *part != Part::Keys);
    }
    let has_key = restored.instance.key.is_some();
    let replaced = match (restored.has_replaced, has_keys) {
        (false, _) => "",
        (true, false) if has_key => {
            " It has replaced the instance of that name, and keeps its signing key."
        }
        (true, _) => " It has replaced the instance of that name.",
    };
    let text = format!(
        "Restored '{name}' from the backup of {}: {}.{replaced}",
        summary.header.made_at,
        contents(&summary)
    );
    output.print(text, || {
        let about = json!({
            "instance": restored.instance.id,
            "name": name,
            "replaced": restored.has_replaced,
            "signing_key": has_key,
        });
        described(&summary, about)
    })?;
    if !has_key {
        output.warn(&format!(
            "'{name}' has no signing key, so no link works. Give it the one that it had: {} instance set {} --secret-file FILE",
            output.program(),
            restored.instance.id
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the numbers of rows in words.
fn contents(summary: &Summary) -> String {
    if !summary.header.holds(Part::Directory) {
        return "its settings".to_owned();
    }
    let counted = |kind: &str, one: &str, several: &str| {
        let count = summary.count(kind);
        format!("{count} {}", if count == 1 { one } else { several })
    };
    let links = match link_count(summary) {
        1 => "1 link".to_owned(),
        links => format!("{links} links"),
    };
    let mut parts = vec![
        counted("user", "user", "users"),
        counted("session", "session", "sessions"),
        links,
        counted("entry", "entry of the activity", "entries of the activity"),
    ];
    if summary.header.holds(Part::Keys) {
        parts.push("the keys".to_owned());
    }
    parts.join(", ")
}

/// Returns the number of links. Formats of the directory before 10 stored them as another kind of row.
fn link_count(summary: &Summary) -> u64 {
    summary.count("issued_link") + summary.count("link")
}

/// Returns the members of `about` and the contents of the backup.
fn described(summary: &Summary, mut about: Value) -> Value {
    let contents = [
        ("made_at", json!(summary.header.made_at)),
        ("holds", json!(summary.header.holds)),
        ("users", json!(summary.count("user"))),
        ("sessions", json!(summary.count("session"))),
        ("links", json!(link_count(summary))),
        ("entries", json!(summary.count("entry"))),
    ];
    if let Some(members) = about.as_object_mut() {
        members.extend(contents.map(|(name, value)| (name.to_owned(), value)));
    }
    about
}

/// Returns a function that reports the number of rows on a terminal.
fn progress<'a>(output: &'a Output, doing: &'a str) -> impl FnMut(u64) -> Result<()> + 'a {
    let mut reported = Instant::now();
    move |rows| {
        if reported.elapsed() >= REPORTS {
            reported = Instant::now();
            output.progress(&format!("{doing}: {rows} rows"));
        }
        Ok(())
    }
}
