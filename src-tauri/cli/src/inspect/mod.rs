//! The command `latchkey inspect`.

mod pasted;
mod shown;

use latchkey_store::Wait as _;
use std::process::ExitCode;

use jiff::Timestamp;
use latchkey_core::inspect::diagnosis::{Case, Hint, diagnose, opens_elsewhere};
use latchkey_core::inspect::{
    Inspection, Outcome, Report, Unverified, Verification, dry_run, inspect_text, retired_key,
};
use latchkey_core::instance::Instance;
use latchkey_core::link::Parameter;
use latchkey_core::protocol::code::CodeRules;
use latchkey_core::protocol::code::recognize::{Form, Recognized};
use latchkey_core::secret::SigningKey;
use latchkey_core::typingmind::{self, Known};
use latchkey_core::verdict::{Refusal, Verdict};
use latchkey_store::home::Home;
use serde::Serialize;

pub(crate) use self::pasted::Pasted;
use self::shown::{Shown, described};
use crate::args::InspectArguments;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Output, value};
use crate::text::Text;
use crate::users;
use crate::{hints, keys, verdict};

pub(crate) fn inspect(
    arguments: &InspectArguments,
    context: &Context,
    output: &Output,
    now: Timestamp,
) -> Result<ExitCode, Failure> {
    let instance = match &arguments.instance {
        Some(name) => {
            let home = context.home()?;
            let instance = home.instances().find(name)?;
            Some((home, instance))
        }
        None => None,
    };
    let known = instance.as_ref().map(|(home, instance)| (home, instance));
    if let Some((home, instance)) = known
        && instance.connection.is_some()
    {
        keys::unlock_access(home, instance, context)?;
        keys::refuse_given(&arguments.secret, instance)?;
        let pasted = Pasted::read(&arguments.input, context)?;
        return inspect_there(&pasted, arguments.dry_run, home, instance, output, now);
    }
    let key_set = keys::key_set(&arguments.secret, context, known, now)?;
    let short_key = key_set.as_ref().and_then(|keys| {
        let of_instance = known.map(|(_, instance)| instance.settings.algorithm);
        let algorithm = of_instance.or(arguments.protocol.algorithm);
        keys.active().short_for(algorithm.unwrap_or_default())
    });
    if let Some(warning) = &short_key {
        output.warn(&warning.message);
    }
    let (parameter, rules) = protocol(known.map(|(_, instance)| instance), arguments)?;
    let pasted = Pasted::read(&arguments.input, context)?;
    let keys = key_set.as_ref();
    let keys = keys.map_or_else(Vec::new, |keys| keys.usable(now));
    let (found, inspection) = inspect_text(&pasted.text, parameter.as_str(), &keys, rules, now)
        .map_err(|refused| pasted.without_code(refused))?;
    let several = found.several();
    if let Some(warning) = &several {
        output.warn(&warning.message);
    }
    let hints = causes(
        &found,
        &inspection,
        parameter.as_str(),
        &keys,
        known,
        context,
        now,
    );
    let form = if pasted.is_picture {
        Form::Qr
    } else {
        found.form
    };
    let verdict = match (known, &inspection.verification) {
        (Some((home, instance)), Verification::Judged(judged)) if arguments.dry_run => {
            let directory = users::directory(home, instance, context)?;
            Some(dry_run(judged, &instance.settings, &*directory).wait()?)
        }
        _ => None,
    };
    let signed_by = key_set
        .as_ref()
        .and_then(|keys| inspection.signed_by(keys, now));
    let mut text = described(&Shown::of(&inspection, signed_by.as_ref(), &hints, form));
    if let Some((verdict, stay)) = &verdict {
        opened(&mut text, verdict, stay.as_deref(), &hints);
        if let Some((_, instance)) = known {
            verdict::hint(verdict, &instance.id, output);
        }
    }
    let there = known.and_then(|(home, instance)| at_typingmind(home, instance, &inspection, now));
    if let Some(there) = &there {
        text.own("\nAt TypingMind\n");
        text.line(format_args!("  {}", there.sentence));
    }
    let exit_code = match (&verdict, inspection.judged()) {
        (Some((verdict, _)), _) => verdict::exit_code(verdict),
        (None, Some(Err(_))) => ExitCode::from(1),
        (None, _) => ExitCode::SUCCESS,
    };
    output.print(text, || {
        let (verdict, stay) = verdict.unzip();
        let report = Report {
            dry_run: verdict.as_ref().map(|verdict| {
                let outcome = Outcome::new(verdict, Unverified::Shown, |refusal| {
                    let (_, instance) = known?;
                    hints::against(refusal, instance.id.as_str(), output.program())
                });
                outcome.for_link(&hints)
            }),
            stay: stay.flatten(),
            signed_by,
            hints,
            warnings: short_key.into_iter().chain(several).collect(),
            ..inspection.report(form, Unverified::Shown)
        };
        value(&Inspected {
            report,
            typingmind: there.map(Into::into),
        })
    })?;
    Ok(exit_code)
}

/// Returns the parameter and the rules of an instance, or those of the options without one.
fn protocol<'a>(
    instance: Option<&'a Instance>,
    arguments: &InspectArguments,
) -> Result<(Parameter, CodeRules<'a>), Failure> {
    if let Some(Instance { settings, .. }) = instance {
        return Ok((settings.parameter.clone(), settings.code_rules()));
    }
    let name = arguments.protocol.param.as_deref();
    let rules = CodeRules {
        algorithm: arguments.protocol.algorithm.unwrap_or_default(),
        require_expiry: false,
        audiences: None,
    };
    let name = name.map(Parameter::parse).transpose()?;
    Ok((name.unwrap_or_default(), rules))
}

/// Answer of the command in JSON.
#[derive(Serialize)]
struct Inspected {
    #[serde(flatten)]
    report: Report,
    /// Only for an instance whose users at TypingMind were copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    typingmind: Option<AtTypingMind>,
}

/// Result of looking the user of a code up in the copy of TypingMind's users.
#[derive(Serialize)]
struct AtTypingMind {
    exists: Option<bool>,
    message: String,
}

impl From<Known> for AtTypingMind {
    fn from(known: Known) -> Self {
        Self {
            exists: known.exists,
            message: known.sentence,
        }
    }
}

/// Looks the user of a verified code up in the copy of TypingMind's users. `None` without a copy.
fn at_typingmind(
    home: &Home,
    instance: &Instance,
    inspection: &Inspection,
    now: Timestamp,
) -> Option<Known> {
    let verified = inspection.judged()?.as_ref().ok()?;
    let copy = home.typingmind_users(instance).ok().flatten()?;
    Some(typingmind::known(&verified.payload, &copy, now))
}

/// Inspects a code at the gateway of an instance, which alone can verify it. The gateway does not
/// quote a code that it has not signed, so this computer reads such a code.
fn inspect_there(
    pasted: &Pasted<'_>,
    is_dry_run: bool,
    home: &Home,
    instance: &Instance,
    output: &Output,
    now: Timestamp,
) -> Result<ExitCode, Failure> {
    let settings = &instance.settings;
    let parameter = settings.parameter.as_str();
    let read = inspect_text(&pasted.text, parameter, &[], settings.code_rules(), now);
    let (found, inspection) = read.map_err(|refused| pasted.without_code(refused))?;
    let mut report = home.inspect_there(instance, &pasted.text)?;
    if report.claims.is_none() {
        report.header = inspection.shown.header_json;
        report.claims = inspection.shown.claims_json;
        report.times = inspection.times;
    }
    report.form = if pasted.is_picture {
        Form::Qr
    } else {
        found.form
    };
    if !is_dry_run {
        (report.dry_run, report.stay) = (None, None);
    }
    for warning in &report.warnings {
        output.warn(&warning.message);
    }
    let mut text = described(&Shown::of_report(&report));
    let outcome = report.dry_run.as_mut();
    if let Some(outcome) = outcome {
        // The hint of the gateway is for programs that use its API.
        outcome.hint = None;
        text.own("\nOpened now\n");
        text.line(format_args!("  {}: {}", outcome.verdict, outcome.message));
        if let Some(stay) = &report.stay {
            text.line(format_args!("  {stay}"));
        }
    }
    let signs_in = |outcome: &Outcome| ["signed_in", "provisioned"].contains(&&*outcome.verdict);
    let is_fine = match &report.dry_run {
        Some(outcome) => signs_in(outcome),
        None => report.verification.refused.is_none(),
    };
    output.print(text, || value(&report))?;
    Ok(if is_fine {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

/// Adds what opening the code now would do.
fn opened(text: &mut Text, verdict: &Verdict, stay: Option<&str>, hints: &[Hint]) {
    text.own(if opens_elsewhere(hints) {
        "\nOpened now in a link of this instance\n"
    } else {
        "\nOpened now\n"
    });
    match verdict {
        // The verification says the same.
        Verdict::Refused(Refusal::Code(refused)) => {
            text.line(format_args!("  {}, as above", refused.code()));
        }
        _ => text.line(format_args!("  {}", verdict::described(verdict))),
    }
    if let Some(stay) = stay {
        text.line(format_args!("  {stay}"));
    }
}

/// Returns the causes behind the verdict for a code.
fn causes(
    found: &Recognized,
    inspection: &Inspection,
    parameter: &str,
    keys: &[&SigningKey],
    known: Option<(&Home, &Instance)>,
    context: &Context,
    now: Timestamp,
) -> Vec<Hint> {
    let leads_nowhere = known.is_none() || found.address.is_none();
    let others = match inspection.judged() {
        Some(Ok(_)) if leads_nowhere => Vec::new(),
        _ => keys::other_instances(context, known, now),
    };
    let mut causes = diagnose(&Case {
        shown: &inspection.shown,
        judged: inspection.judged(),
        address: found.address.as_ref(),
        url: known.map(|(_, instance)| &instance.settings.url),
        parameter,
        keys,
        others: &others,
    });
    if let Some((home, instance)) = known {
        causes.extend(of_retired_key(
            inspection, keys, home, instance, context, now,
        ));
    }
    causes
}

/// Returns the cause if the key of a link does not verify any more. Without the ledger, the other
/// causes are still of use.
fn of_retired_key(
    inspection: &Inspection,
    keys: &[&SigningKey],
    home: &Home,
    instance: &Instance,
    context: &Context,
    now: Timestamp,
) -> Option<Hint> {
    if !inspection.has_bad_signature() {
        return None;
    }
    let ledger = match users::ledger(home, instance, context, now) {
        Ok(ledger) => ledger,
        Err(failure) => {
            let cause = failure.error();
            tracing::warn!(error = %cause.logged(), "it is not known which key signed a link");
            return None;
        }
    };
    retired_key(inspection, keys, &*ledger, now).wait()
}
