//! The command `latchkey redeem`, and the dry run of `latchkey inspect`.

use latchkey_store::Wait as _;
use std::io;
use std::process::ExitCode;

use jiff::Timestamp;
use latchkey_core::Error;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::error::Warning;
use latchkey_core::inspect::{Outcome, Unverified, inspect_text};
use latchkey_core::instance::{Instance, InstanceId};
use latchkey_core::sign_in;
use latchkey_core::verdict::Verdict;
use latchkey_store::home::Home;
use serde::Serialize;
use serde_json::{Value, json};

use crate::args::RedeemArguments;
use crate::context::Context;
use crate::failure::Failure;
use crate::input::Lines;
use crate::inspect::Pasted;
use crate::output::{Output, value};
use crate::text::Text;
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
    if instance.connection.is_some() {
        return redeem_there(arguments, &home, &instance, context, output, now);
    }
    let keys = keys::key_set(&arguments.secret, context, Some((&home, &instance)), now)?;
    let keys = keys.ok_or_else(|| link::no_secret_of(&instance))?;
    let short_key = keys.active().short_for(instance.settings.algorithm);
    let warnings = short_key.as_slice();
    for warning in warnings {
        output.warn(&warning.message);
    }
    let directory = users::directory(&home, &instance, context)?;
    let settings = &instance.settings;
    let redeem = |text: &str, now| {
        let by = AuditContext::new(Actor::CommandLine, now);
        sign_in::redeem(text, settings, &keys.usable(now), &*directory, &by).wait()
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
                print_refused(&refused, output)?;
            }
        }
    }
    Ok(code)
}

/// Redeems a code, or each line of standard input, at the gateway of an instance.
fn redeem_there(
    arguments: &RedeemArguments,
    home: &Home,
    instance: &Instance,
    context: &Context,
    output: &Output,
    now: Timestamp,
) -> Result<ExitCode, Failure> {
    keys::unlock_access(home, instance, context)?;
    keys::refuse_given(&arguments.secret, instance)?;
    if arguments.input != "-" {
        let pasted = Pasted::read(&arguments.input, context)?;
        let done = Redeemed::there(&pasted.text, home, instance, output, now);
        let done = done.map_err(|refused| pasted.without_code(refused))?;
        output.print(done.line, || value(&done.answer))?;
        return Ok(done.exit_code);
    }
    let mut code = ExitCode::SUCCESS;
    context.take_standard_input()?;
    for line in Lines(io::stdin().lock()) {
        match Redeemed::there(&line?, home, instance, output, Timestamp::now()) {
            Ok(done) => {
                if done.exit_code != ExitCode::SUCCESS {
                    code = done.exit_code;
                }
                output.line(done.line, || value(&done.answer))?;
            }
            Err(refused) => {
                code = ExitCode::from(1);
                print_refused(&refused, output)?;
            }
        }
    }
    Ok(code)
}

/// Prints why a line of standard input was refused. The command goes on with the next line.
fn print_refused(refused: &Error, output: &Output) -> Result<(), Failure> {
    let error = output.error_value(refused);
    let name = error.get("code").and_then(Value::as_str);
    let text = format!("{}: {refused}", name.unwrap_or_default());
    output.line(text, || json!({ "error": error }))
}

/// A code that was redeemed at a gateway.
struct Redeemed {
    line: Text,
    answer: Answer<'static>,
    exit_code: ExitCode,
}

impl Redeemed {
    fn there(
        text: &str,
        home: &Home,
        instance: &Instance,
        output: &Output,
        now: Timestamp,
    ) -> latchkey_core::Result<Self> {
        let settings = &instance.settings;
        let parameter = settings.parameter.as_str();
        let (found, _) = inspect_text(text, parameter, &[], settings.code_rules(), now)?;
        found.require_alone()?;
        let (line, outcome, exit_code) = match home.redeem_there(instance, &found.code)? {
            Ok(verdict) => {
                let outcome = Outcome::new(&verdict, Unverified::Shown, |refusal| {
                    hints::against(refusal, instance.id.as_str(), output.program())
                });
                (described(&verdict), outcome, exit_code(&verdict))
            }
            Err(refused) => {
                let line = format!("{}: {}", refused.code, refused.message);
                (line, refused.into(), ExitCode::from(1))
            }
        };
        Ok(Self {
            line: line.into(),
            answer: Answer {
                outcome,
                warnings: &[],
            },
            exit_code,
        })
    }
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
