//! The command `latchkey links`.

mod export;
mod filter;
mod revoke;
mod words;

use std::process::ExitCode;

use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::admin::{LedgerLink, LinkDetails};
use latchkey_core::directory::Directory;
use latchkey_core::inspect::preview;
use latchkey_core::instance::{Hosted, Instance};
use latchkey_core::ledger::unknown_link;
use latchkey_core::link::again::{Again, give_out};
use latchkey_store::Wait as _;
use latchkey_store::home::Home;
use serde_json::json;

use crate::args::{CopyArguments, LinksArguments, LinksCommand, ListLinksArguments};
use crate::context::Context;
use crate::failure::Failure;
use crate::link::gateway;
use crate::made_link::MadeLink;
use crate::message::message;
use crate::output::Output;
use crate::text::Text;
use crate::{keys, link, users};

pub(crate) fn links(
    arguments: &LinksArguments,
    context: &Context,
    output: &Output,
    now: Timestamp,
) -> Result<ExitCode, Failure> {
    let (home, instance) = context.instance(arguments.instance.as_deref())?;
    let by = AuditContext::new(Actor::CommandLine, now);
    if let LinksCommand::Copy(copied) = &arguments.command {
        copy(copied, &home, &instance, context, &by)?.print(&copied.form, context, output)?;
        return Ok(ExitCode::SUCCESS);
    }
    let ledger = users::ledger(&home, &instance, context, now)?;
    let ledger = &*ledger;
    let hosted = instance.settings.hosted;
    match &arguments.command {
        LinksCommand::List(arguments) => list(arguments, &instance, ledger, output, now)?,
        LinksCommand::Show { id } => show(id, hosted, ledger, output, now)?,
        LinksCommand::Export(arguments) => {
            export::export(arguments, ledger, hosted, context, output, now)?;
        }
        LinksCommand::Revoke(arguments) => {
            return revoke::revoke(arguments, &instance, ledger, output, &by);
        }
        LinksCommand::Copy(_) => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn list(
    arguments: &ListLinksArguments,
    instance: &Instance,
    ledger: &dyn Directory,
    output: &Output,
    now: Timestamp,
) -> Result<(), Failure> {
    let hosted = instance.settings.hosted;
    if hosted == Hosted::Elsewhere {
        let host = instance.settings.url.authority();
        output.note(&format!(
            "{host} does not report sign-ins. Here is what was given out with this Latchkey."
        ));
    }
    let query = filter::query_of(&arguments.filter, now)?;
    let (place, limit) = (arguments.page.start()?, arguments.page.limit);
    let sort = filter::sort_of(arguments);
    let page = ledger.links(&query, sort, &place, limit).wait()?;
    let next = page.next.as_ref().map(ToString::to_string);
    let last = page.first_row + page.links.len() as u64;
    let mut text = Text::new();
    for listed in &page.links {
        words::row(listed, hosted, &mut text);
    }
    if page.links.is_empty() {
        let is_filtered = filter::filters(&query) || arguments.page.after.is_some();
        output.note(if is_filtered {
            "No link matches."
        } else {
            "No link was given out yet."
        });
    }
    let total = page.total;
    let links = page.links.into_iter().map(LedgerLink::from);
    let links = links.map(|link| link.members(hosted));
    let links = links.collect::<latchkey_core::Result<Vec<_>>>()?;
    output.print(
        text,
        || json!({ "links": links, "total": total, "next": next }),
    )?;
    if let Some(next) = &next {
        output.note(&format!("{last} of {total}; the next page: --after {next}"));
    }
    Ok(())
}

fn show(
    id: &str,
    hosted: Hosted,
    ledger: &dyn Directory,
    output: &Output,
    now: Timestamp,
) -> Result<(), Failure> {
    let found = ledger.link(id, now).wait()?;
    let (listed, claims) = found.ok_or_else(unknown_link)?;
    let text = words::details(&listed, claims.as_ref(), hosted);
    let LinkDetails { link, claims } = LinkDetails::from((listed, claims));
    let link = link.members(hosted)?;
    output.print(text, || json!({ "link": link, "claims": claims }))
}

/// Makes the code of a link again, and enters in the ledger that it is given out again.
fn copy(
    arguments: &CopyArguments,
    home: &Home,
    instance: &Instance,
    context: &Context,
    by: &AuditContext,
) -> Result<MadeLink, Failure> {
    let (id, form) = (&arguments.id, &arguments.form);
    form.check(context)?;
    if gateway::signs(home, instance, &arguments.secret, context)? {
        let there = gateway::instance_there(home, instance, by)?;
        let copied = home.copy_link_there(&there, id, form.given(), by)?;
        return gateway::made(copied, None, form, home, &there, context, by.at);
    }
    let keys = keys::key_set(&arguments.secret, context, Some((home, instance)), by.at)?;
    let keys = keys.ok_or_else(|| link::no_secret_of(instance))?;
    let ledger = users::ledger(home, instance, context, by.at)?;
    let usable = keys.usable(by.at);
    let again = Again {
        id,
        given: form.given(),
        target: &instance.settings.target(),
        keys: &usable,
    };
    let made = give_out(&*ledger, again, by, |composed, link| {
        let mut made = MadeLink::new(composed.clone(), again.target.url.clone());
        made.require_form(form)?;
        let name = link.name.as_deref();
        let used = Some(link.used);
        made.message = message(form, instance, made.shown_url(), composed, name, used);
        Ok::<_, Failure>((composed.clone(), made))
    });
    let (composed, mut made) = made.wait()?;
    let settings = &instance.settings;
    made.warnings
        .extend(preview::outlives_key(&composed, &keys));
    let outcome = preview::outcome_warning(&composed, settings, &usable, &*ledger, by.at);
    made.warnings.extend(outcome.wait());
    Ok(made)
}
