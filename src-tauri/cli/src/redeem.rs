//! The command `latchkey redeem`, and the dry run of `latchkey inspect`.

use latchkey_store::Wait as _;
use std::io;
use std::process::ExitCode;

use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::error::Warning;
use latchkey_core::inspect::{Outcome, Unverified};
use latchkey_core::instance::InstanceId;
use latchkey_core::sign_in;
use latchkey_core::verdict::Verdict;
use serde::Serialize;
use serde_json::{Value, json};

use crate::args::RedeemArguments;
use crate::context::Context;
use crate::failure::Failure;
use crate::input::Lines;
use crate::inspect::Pasted;
use crate::output::{Output, value};
use crate::users;
use crate::verdict::{described, exit_code, hint};
use crate::{hints, keys, link};

pub(crate) fn redeem(
    arguments: &RedeemArguments,
    context: &Context,
    output: &Output,
    now: Timestamp,
) -> Result<ExitCode, Failure> {
    let home = context.home()?;
    let instance = home.instances().find(&arguments.instance)?;
    let key = keys::signing_key(&arguments.secret, context, Some((&home, &instance)))?;
    let key = key.ok_or_else(|| link::no_secret_of(&instance))?;
    let short_key = key.short_for(instance.settings.algorithm);
    let warnings = short_key.as_slice();
    for warning in warnings {
        output.warn(&warning.message);
    }
    let directory = users::directory(&home, &instance)?;
    let settings = &instance.settings;
    let redeem = |text: &str, now| {
        let by = AuditContext::new(Actor::CommandLine, now);
        sign_in::redeem(text, settings, &[&key], &*directory, &by).wait()
    };
    if arguments.input != "-" {
        let pasted = Pasted::read(&arguments.input, context)?;
        let verdict = redeem(&pasted.text, now).map_err(|refused| pasted.without_code(refused))?;
        output.print(described(&verdict), || {
            as_json(&verdict, &instance.id, warnings, output.program())
        })?;
        hint(&verdict, &instance.id, output);
        return Ok(exit_code(&verdict));
    }
    let mut code = ExitCode::SUCCESS;
    context.take_standard_input()?;
    for line in Lines(io::stdin().lock()) {
        let line = line?;
        // Each line is answered when its change is on the disk. A bad line does not end the
        // command.
        match redeem(&line, Timestamp::now()) {
            Ok(verdict) => {
                if matches!(verdict, Verdict::Refused(_)) {
                    code = exit_code(&verdict);
                }
                output.line(described(&verdict), || {
                    as_json(&verdict, &instance.id, warnings, output.program())
                })?;
            }
            Err(refused) => {
                code = ExitCode::from(1);
                let error = output.error_value(&refused);
                let name = error.get("code").and_then(Value::as_str);
                let text = format!("{}: {refused}", name.unwrap_or_default());
                output.line(text, || json!({ "error": error }))?;
            }
        }
    }
    Ok(code)
}

/// Answer of the command in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    outcome: Outcome,
    warnings: &'a [Warning],
}

fn as_json(verdict: &Verdict, instance: &InstanceId, warnings: &[Warning], program: &str) -> Value {
    value(&Answer {
        outcome: Outcome::new(verdict, Unverified::Shown, |refusal| {
            hints::against(refusal, instance.as_str(), program)
        }),
        warnings,
    })
}
