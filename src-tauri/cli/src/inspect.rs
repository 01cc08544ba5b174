//! The command `latchkey inspect`.

use latchkey_store::Wait as _;
use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use latchkey_core::inspect::diagnosis::{Case, Hint, HintCode, diagnose, opens_elsewhere};
use latchkey_core::inspect::{
    ClaimTime, Inspection, Outcome, Report, Unverified, Verification, dry_run, inspect_text,
    retired_key,
};
use latchkey_core::instance::Instance;
use latchkey_core::link::Parameter;
use latchkey_core::link::qr;
use latchkey_core::protocol::code::CodeRules;
use latchkey_core::protocol::code::recognize::{Form, Recognized};
use latchkey_core::protocol::payload::Payload;
use latchkey_core::protocol::text;
use latchkey_core::secret::{SignedBy, SigningKey};
use latchkey_core::typingmind::{self, Known};
use latchkey_core::verdict::{Refusal, Verdict};
use latchkey_core::{Error, ErrorCode};
use latchkey_store::home::Home;
use serde::Serialize;
use serde_json::Value;

use crate::args::InspectArguments;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Output, value};
use crate::text::Text;
use crate::users;
use crate::{hints, input, keys, verdict};

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

/// Endings of the names of picture files, in lower case.
const PICTURES: [&str; 10] = [
    "png", "jpg", "jpeg", "webp", "gif", "bmp", "svg", "heic", "heif", "avif",
];

/// Text in which a code is looked for.
pub(crate) struct Pasted<'a> {
    given: &'a str,
    pub(crate) text: String,
    is_picture: bool,
}

impl<'a> Pasted<'a> {
    /// Reads a text, a file, or standard input for `-`.
    pub(crate) fn read(given: &'a str, context: &Context) -> Result<Self, Failure> {
        let (text, is_picture) = text_of(given, context)?;
        Ok(Self {
            given,
            text,
            is_picture,
        })
    }

    /// Adds to the error for a text without a code what kind of text it is.
    pub(crate) fn without_code(&self, refused: Error) -> Error {
        if self.is_picture {
            qr::without_code(refused, &self.text)
        } else {
            may_be_a_path(refused, self.given)
        }
    }
}

/// Returns the text, and whether it comes from a picture.
fn text_of(given: &str, context: &Context) -> Result<(String, bool), Failure> {
    let path = Path::new(given);
    if given != "-" && !context.is_file(path) {
        let looks_like_a_file = path
            .extension()
            .and_then(|extension| extension.to_str())
            .is_some_and(|extension| PICTURES.contains(&extension.to_ascii_lowercase().as_str()));
        if looks_like_a_file && !given.contains("://") {
            return Err(
                Error::new(ErrorCode::Storage, format!("There is no file {given}."))
                    .about("code")
                    .into(),
            );
        }
        return Ok((given.to_owned(), false));
    }
    let bytes = context
        .read(path, input::PICTURE)
        .map_err(|failure| failure.about("code"))?;
    if qr::is_picture(&bytes) {
        return Ok((qr::read_picture(&bytes)?, true));
    }
    // Reads only ASCII of a text in another encoding than UTF-8.
    let other = text::decode_ascii(&bytes);
    text::decode(bytes)
        .or(other)
        .map(|text| (text, false))
        .ok_or_else(|| {
            let message = "This is neither a text nor a picture of a QR code that can be read. \
                           Save the picture as a PNG or a JPEG.";
            Error::new(ErrorCode::InvalidPicture, message)
                .about("code")
                .into()
        })
}

/// Adds to the error for a text without a code that no file has this name, if the text can be a
/// path.
fn may_be_a_path(refused: Error, given: &str) -> Error {
    let is_path = given != "-" && !given.contains("://") && !given.contains(char::is_whitespace);
    if refused.code != ErrorCode::NoCode || !is_path || given.is_empty() {
        return refused;
    }
    let path = Path::new(given);
    let message = if path.is_dir() {
        format!("{given} is a folder. Name a file, or paste a text that contains a code.")
    } else if path.exists() {
        return refused;
    } else {
        format!("There is no file {given}, and no code in that text.")
    };
    Error::new(ErrorCode::NoCode, message).about("code")
}

/// Parts of an inspected code for people.
struct Shown<'a> {
    form: Form,
    header: &'a Option<Value>,
    claims: &'a Option<Value>,
    times: &'a [ClaimTime],
    verification: String,
    signed_by: Option<&'a SignedBy>,
    causes: Vec<&'a Hint>,
}

impl<'a> Shown<'a> {
    fn of(
        inspection: &'a Inspection,
        signed_by: Option<&'a SignedBy>,
        hints: &'a [Hint],
        form: Form,
    ) -> Self {
        // Without a key there is no verdict, but the instance that signed the code may be known.
        let signer = hints
            .iter()
            .filter(|hint| hint.code == HintCode::SignedByOtherInstance)
            .find_map(|hint| Some((hint, hint.instance.as_ref()?)))
            .filter(|_| inspection.judged().is_none());
        let verification = match &inspection.verification {
            Verification::NoKey => match signer {
                Some((hint, signer)) => format!(
                    "{}. The rules of that instance were not checked: give --instance {signer}.",
                    hint.title
                ),
                None => {
                    "not checked, because no secret was given. Give --instance or --secret-file."
                        .to_owned()
                }
            },
            Verification::Judged(Ok(verified)) => {
                format!("verifies, for {}", verified.payload.subject())
            }
            Verification::Judged(Err(refused)) => {
                format!("refused ({}): {}", refused.code(), refused.shown())
            }
        };
        let is_said = |hint: &&Hint| signer.is_some_and(|(said, _)| said == *hint);
        Self {
            form,
            header: &inspection.shown.header_json,
            claims: &inspection.shown.claims_json,
            times: &inspection.times,
            verification,
            signed_by,
            causes: hints.iter().filter(|hint| !is_said(hint)).collect(),
        }
    }

    fn of_report(report: &'a Report) -> Self {
        let claims = report.claims.as_ref().and_then(Value::as_object);
        let subject = claims.and_then(|claims| Payload::from_claims(claims).ok());
        let verification = match (&report.verification.refused, subject) {
            (Some(refused), _) => format!("refused ({}): {}", refused.code, refused.message),
            (None, Some(payload)) => format!("verifies, for {}", payload.subject()),
            (None, None) => "verifies".to_owned(),
        };
        Self {
            form: report.form,
            header: &report.header,
            claims: &report.claims,
            times: &report.times,
            verification,
            signed_by: report.signed_by.as_ref(),
            causes: report.hints.iter().collect(),
        }
    }
}

fn described(shown: &Shown<'_>) -> Text {
    let form = match shown.form {
        Form::Bare => "code",
        Form::Url => "login link",
        Form::WidgetTag => "widget tag",
        Form::Text => "text",
        Form::Qr => "QR code",
    };
    let part = |json: &Option<Value>| {
        json.as_ref()
            .map_or_else(|| "(not JSON)".to_owned(), |json| format!("{json:#}"))
    };
    let mut text = Text::new();
    text.line(format_args!("Found a code in: {form}"));
    text.own("\nHeader\n");
    text.block(part(shown.header));
    text.own("\nClaims\n");
    text.block(part(shown.claims));
    if !shown.times.is_empty() {
        text.own("\nTimes\n");
        for time in shown.times {
            text.line(format_args!(
                "  {:<4} {}  {}",
                time.member, time.at, time.words
            ));
        }
    }
    text.own("\nVerification\n");
    text.line(format_args!("  {}", shown.verification));
    if let Some(sentence) = shown.signed_by.and_then(SignedBy::sentence) {
        text.line(format_args!("  {sentence}"));
    }
    if !shown.causes.is_empty() {
        text.own("\nCause\n");
        for hint in &shown.causes {
            text.line(format_args!("  {}. {}", hint.title, hint.message));
        }
    }
    text
}
