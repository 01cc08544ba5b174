//! The command `latchkey requests`.

use std::process::ExitCode;

use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::admin::RequestRecord;
use latchkey_core::directory::Directory;
use latchkey_core::inspect::preview;
use latchkey_core::instance::{Hosted, Instance};
use latchkey_core::ledger::NewLinkRequest;
use latchkey_core::link::anew::{Granting, grant as grant_request};
use latchkey_core::session::browser_name;
use latchkey_core::{Error, ErrorCode, time};
use latchkey_store::Wait as _;
use latchkey_store::home::Home;
use serde_json::json;

use crate::args::{GrantArguments, RequestsArguments, RequestsCommand};
use crate::context::Context;
use crate::failure::Failure;
use crate::link::gateway;
use crate::made_link::MadeLink;
use crate::message::message;
use crate::output::{Output, value};
use crate::text::Text;
use crate::{keys, link, users};

pub(crate) fn requests(
    arguments: &RequestsArguments,
    context: &Context,
    output: &Output,
    now: Timestamp,
) -> Result<ExitCode, Failure> {
    let (home, instance) = context.instance(arguments.instance.as_deref())?;
    require_requests(&instance)?;
    let by = AuditContext::new(Actor::CommandLine, now);
    match &arguments.command {
        RequestsCommand::List => {
            let directory = users::directory(&home, &instance, context)?;
            list(&*directory, output, now)?;
        }
        RequestsCommand::Grant(granted) => {
            let made = grant(granted, &home, &instance, context, &by)?;
            made.print(&granted.form, context, output)?;
        }
        RequestsCommand::Dismiss { number } => {
            let directory = users::directory(&home, &instance, context)?;
            let request = directory.link_request(*number, now).wait()?;
            let dismissed = directory.dismiss_request(request.reference(), &by);
            dismissed.wait()?;
            output.print(
                format!("Dismissed request {number} of {}.", request.subject()),
                || json!({ "dismissed": number }),
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Fails for an instance whose links another application opens.
fn require_requests(instance: &Instance) -> Result<(), Failure> {
    if instance.settings.hosted != Hosted::Elsewhere {
        return Ok(());
    }
    let message = format!(
        "{} opens the links itself, so nobody can ask for a new one here.",
        instance.settings.url.authority()
    );
    Err(Error::new(ErrorCode::HostedElsewhere, message)
        .about("instance")
        .into())
}

fn list(directory: &dyn Directory, output: &Output, now: Timestamp) -> Result<(), Failure> {
    let requests = directory.link_requests(now).wait()?;
    let mut text = Text::new();
    for request in &requests {
        row(request, &mut text);
    }
    if requests.is_empty() {
        output.note("Nobody has asked for a new link.");
    }
    output.print(text, || {
        let requests = requests.into_iter().map(RequestRecord::from);
        let requests: Vec<RequestRecord> = requests.collect();
        json!({ "requests": value(&requests) })
    })
}

/// Adds a row: number, person, name, reason, time, address, browser and link.
fn row(request: &NewLinkRequest, text: &mut Text) {
    let address = request.address.map(|address| address.to_string());
    let browser = request.browser.as_deref().and_then(browser_name);
    text.row(&[
        &request.number.to_string(),
        request.subject(),
        request.name.as_deref().unwrap_or("-"),
        request.reason.words(),
        &time::exact(request.asked_at),
        address.as_deref().unwrap_or("-"),
        browser.as_deref().unwrap_or("-"),
        &request.link,
    ]);
}

/// Makes the link of a request, and enters it in the ledger, which closes the request.
fn grant(
    arguments: &GrantArguments,
    home: &Home,
    instance: &Instance,
    context: &Context,
    by: &AuditContext,
) -> Result<MadeLink, Failure> {
    let (number, form) = (arguments.number, &arguments.form);
    form.check(context)?;
    if gateway::signs(home, instance, &arguments.secret, context)? {
        let there = gateway::instance_there(home, instance, by)?;
        let granted = home.grant_request_there(&there, number, form.given(), by)?;
        return gateway::made(granted, Some(0), form, home, &there, context, by.at);
    }
    let keys = keys::key_set(&arguments.secret, context, Some((home, instance)), by.at)?;
    let keys = keys.ok_or_else(|| link::no_secret_of(instance))?;
    let (key, settings) = (keys.active(), &instance.settings);
    let directory = users::directory(home, instance, context)?;
    let granting = Granting {
        number,
        given: form.given(),
        settings,
        key,
    };
    let made = grant_request(&*directory, granting, by, |granted| {
        let composed = &granted.composed;
        let mut made = MadeLink::new(composed.clone(), settings.url.clone());
        made.short_url.clone_from(&granted.short_url);
        made.warnings = preview::warnings(composed, settings, key);
        made.require_form(form)?;
        let name = Some(granted.name.as_str());
        made.message = message(form, instance, made.shown_url(), composed, name, Some(0));
        Ok::<_, Failure>((composed.clone(), made))
    });
    let (composed, mut made) = made.wait()?;
    let usable = keys.usable(by.at);
    let outcome = preview::outcome_warning(&composed, settings, &usable, &*directory, by.at);
    made.warnings.extend(outcome.wait());
    Ok(made)
}
