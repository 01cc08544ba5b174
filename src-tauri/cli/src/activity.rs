//! The command `latchkey activity`.

use std::process::ExitCode;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use latchkey_core::activity::{ActivityQuery, Entry, EventData, Kind};
use latchkey_core::admin::VerificationRecord;
use latchkey_core::directory::Directory;
use latchkey_core::export::export_activity;
use latchkey_core::instance::Hosted;
use latchkey_core::time;
use latchkey_store::Wait as _;
use serde_json::json;

use crate::args::{
    ActivityArguments, ActivityCommand, ActivityExportArguments, ActivityFilter, KindArgument,
    VerifyArguments,
};
use crate::context::Context;
use crate::export::write_lines;
use crate::failure::Failure;
use crate::output::{Output, value};
use crate::text::Text;
use crate::users;

pub(crate) fn activity(
    command: &ActivityCommand,
    context: &Context,
    output: &Output,
    now: Timestamp,
) -> Result<ExitCode, Failure> {
    let home = context.home()?;
    let instance = home.instances().find(command.instance())?;
    let is_elsewhere = instance.settings.hosted == Hosted::Elsewhere;
    let ledger = users::ledger(&home, &instance, context, now)?;
    if let ActivityCommand::Verify(arguments) = command {
        return verify(arguments, &*ledger, output);
    }
    if is_elsewhere {
        let host = instance.settings.url.authority();
        output.note(&format!(
            "Sign-ins are recorded at {host}. Here is what was done with this Latchkey."
        ));
    }
    match command {
        ActivityCommand::List(arguments) => list(arguments, &*ledger, output),
        ActivityCommand::Export(arguments) => export(arguments, &*ledger, context, output),
        ActivityCommand::Verify(_) => Ok(ExitCode::SUCCESS),
    }
}

/// Returns the entries that a filter matches.
fn query_of(filter: &ActivityFilter) -> Result<ActivityQuery, Failure> {
    let time = |text: &Option<String>, field: &str| {
        let at = text.as_deref();
        let at = at.map(|text| time::parse(text, &TimeZone::system(), field));
        at.transpose().map(|at| at.map(Timestamp::as_second))
    };
    Ok(ActivityQuery {
        kind: filter.kind.map(|kind| match kind {
            KindArgument::SignIn => Kind::SignIn,
            KindArgument::Refusal => Kind::Refusal,
            KindArgument::Act => Kind::Act,
        }),
        subject: filter.about.clone(),
        link: filter.link.clone(),
        from: time(&filter.from, "from")?,
        to: time(&filter.to, "to")?,
        text: filter.search.clone(),
    })
}

fn list(
    arguments: &ActivityArguments,
    directory: &dyn Directory,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let query = query_of(&arguments.filter)?;
    let (mut entries, mut before) = (Vec::new(), arguments.before);
    // A page may be shorter than its limit, because a search reads a limited number of entries for
    // each page.
    loop {
        let limit = arguments.limit - entries.len();
        let page = directory.activity(&query, before, limit).wait()?;
        entries.extend(page.entries);
        before = page.before;
        if before.is_none() || entries.len() >= arguments.limit {
            break;
        }
    }
    print(&entries, before, output)
}

fn export(
    arguments: &ActivityExportArguments,
    directory: &dyn Directory,
    context: &Context,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let query = query_of(&arguments.filter)?;
    let (format, out) = (arguments.format, arguments.out.as_deref());
    let written = write_lines(format, out, context, output, |format, write| {
        export_activity(directory, &query, format, |bytes, _| write(bytes)).wait()
    })?;
    let Some((count, path)) = written else {
        return Ok(ExitCode::SUCCESS);
    };
    let entries = if count == 1 { "entry" } else { "entries" };
    output.print(
        format!("Wrote {count} {entries} to {}.", path.display()),
        || json!({ "entries": count, "file": path }),
    )?;
    Ok(ExitCode::SUCCESS)
}

fn verify(
    arguments: &VerifyArguments,
    directory: &dyn Directory,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let expected = arguments.expect;
    let verified = directory.verify_activity(expected).wait()?;
    let record = VerificationRecord::new(verified, expected.as_ref());
    let mut text = Text::new();
    text.line(&record.title);
    for detail in &record.details {
        text.line(detail);
    }
    if let Some(last) = record.verification.last {
        text.line(format!("Last seal: {last}"));
    }
    output.print(text, || value(&record))?;
    Ok(if record.sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Prints a page of entries.
fn print(entries: &[Entry], before: Option<u64>, output: &Output) -> Result<ExitCode, Failure> {
    let mut text = Text::new();
    for entry in entries {
        add(entry, &mut text);
    }
    if entries.is_empty() {
        output.note("No entry matches.");
    }
    output.print(
        text,
        || json!({ "entries": value(&entries), "before": before }),
    )?;
    if let Some(before) = before {
        output.note(&format!("For more entries: --before {before}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Adds a row: time, code, subject, actor, origin, reference and words. The row of an entry that
/// stands for several refusals has their number in its words, and the reference of the first.
fn add(entry: &Entry, text: &mut Text) {
    let event = &entry.event;
    let address = entry.address.map(|address| address.to_string());
    let repeats = entry.repeats.as_ref();
    let first = repeats.and_then(|repeats| repeats.references.first());
    let reference = entry.reference.as_ref().or(first);
    let reference = reference.map(ToString::to_string);
    let detail = entry.detail();
    let words = match event.data.kind() {
        Kind::Refusal => {
            let title = format!("{}.", entry.title());
            detail.map_or_else(|| title.clone(), |detail| format!("{title} {detail}"))
        }
        Kind::SignIn => detail.unwrap_or_default(),
        Kind::Act => act(entry, detail),
    };
    text.row(&[
        &time::exact(entry.at),
        event.data.code(),
        event.subject.as_deref().unwrap_or("-"),
        &entry.actor.to_string(),
        address.as_deref().unwrap_or("-"),
        reference.as_deref().unwrap_or("-"),
        &words,
    ]);
}

/// Returns the words for an act: what the code and the subject do not say, and the link.
fn act(entry: &Entry, detail: Option<String>) -> String {
    let event = &entry.event;
    let closed = matches!(event.data, EventData::LinkRequestClosed { .. });
    let link = event.link.as_ref().map(|link| format!("link {link}"));
    let words = closed.then(|| entry.title()).or(detail);
    let words: Vec<String> = words.into_iter().chain(link).collect();
    words.join(", ")
}
