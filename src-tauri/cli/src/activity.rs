//! The command `latchkey activity`.

use latchkey_store::Wait as _;
use std::process::ExitCode;

use latchkey_core::activity::{ActivityQuery, Entry, Kind};
use latchkey_core::instance::Hosted;
use latchkey_core::time;
use serde_json::json;

use crate::args::{ActivityCommand, KindArgument};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Output, value};
use crate::text::Text;
use crate::users;

pub(crate) fn activity(
    command: &ActivityCommand,
    context: &Context,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let ActivityCommand::List(arguments) = command;
    let home = context.home()?;
    let instance = home.instances().find(&arguments.instance)?;
    let query = ActivityQuery {
        kind: arguments.kind.map(|kind| match kind {
            KindArgument::SignIn => Kind::SignIn,
            KindArgument::Refusal => Kind::Refusal,
            KindArgument::Act => Kind::Act,
        }),
        subject: arguments.about.clone(),
        link: arguments.link.clone(),
        text: arguments.search.clone(),
        ..ActivityQuery::default()
    };
    if instance.settings.hosted == Hosted::Elsewhere {
        let host = instance.settings.url.authority();
        output.note(&format!(
            "Sign-ins are recorded at {host}. Here is what was done with this Latchkey."
        ));
        let page = instance
            .outbox
            .page(&query, arguments.before, arguments.limit);
        return print(&page.entries, page.before, output);
    }
    let directory = users::directory(&home, &instance, context)?;
    let (mut entries, mut before) = (Vec::new(), arguments.before);
    // A page may be shorter than its limit, because a search reads a limited number of entries for
    // each page.
    loop {
        let page = directory
            .activity(&query, before, arguments.limit - entries.len())
            .wait()?;
        entries.extend(page.entries);
        before = page.before;
        if before.is_none() || entries.len() >= arguments.limit {
            break;
        }
    }
    print(&entries, before, output)
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
        Kind::SignIn | Kind::Act => detail.unwrap_or_default(),
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
