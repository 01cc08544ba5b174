//! `latchkey inspect`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jiff::Timestamp;
use latchkey_core::code::CodeRules;
use latchkey_core::code::recognize::{Form, recognize};
use latchkey_core::inspect::{Inspection, Verification, inspect as look};
use latchkey_core::link::{DEFAULT_PARAMETER, Parameter};
use latchkey_core::{Error, ErrorCode, qr};
use serde_json::{Value, json};

use crate::args::InspectArguments;
use crate::failure::Failure;
use crate::keys;
use crate::output::{Output, value};

pub(crate) fn inspect(
    arguments: &InspectArguments,
    data_dir: Option<PathBuf>,
    output: &Output,
    now: Timestamp,
) -> Result<ExitCode, Failure> {
    let (parameter, rules, key) = if let Some(name) = &arguments.instance {
        let home = keys::home(data_dir)?;
        let instance = home.instances().find(name)?;
        let key = keys::signing_key(&arguments.secret, Some((&home, &instance)))?;
        let settings = &instance.settings;
        (
            settings.parameter.as_str().to_owned(),
            settings.code_rules(),
            key,
        )
    } else {
        let parameter = match &arguments.protocol.param {
            Some(name) => Parameter::parse(name)?.as_str().to_owned(),
            None => DEFAULT_PARAMETER.to_owned(),
        };
        let rules = CodeRules {
            algorithm: arguments.protocol.algorithm.unwrap_or_default(),
            require_expiry: false,
        };
        (
            parameter,
            rules,
            keys::signing_key(&arguments.secret, None)?,
        )
    };
    let (text, from_picture) = input(&arguments.input)?;
    let found = recognize(&text, &parameter)?;
    let inspection = look(&found.code, key.as_ref().as_slice(), rules, now);
    let form = match (from_picture, found.form) {
        (true, _) => "QR code",
        (false, Form::Bare) => "code",
        (false, Form::Url) => "login link",
        (false, Form::WidgetTag) => "widget tag",
    };
    output.print(&described(&inspection, form), || {
        json!({
            "form": if from_picture { json!("qr") } else { value(&found.form) },
            "header": inspection.shown.header_json,
            "claims": inspection.shown.claims_json,
            "times": inspection.times,
            "verification": match &inspection.verification {
                Verification::NoKey => json!({ "checked": false }),
                Verification::Judged(Ok(_)) => json!({ "checked": true, "verified": true }),
                Verification::Judged(Err(refused)) => json!({
                    "checked": true,
                    "verified": false,
                    "refused": value(refused),
                }),
            },
        })
    });
    match inspection.verification {
        Verification::Judged(Err(_)) => Ok(ExitCode::from(1)),
        Verification::Judged(Ok(_)) | Verification::NoKey => Ok(ExitCode::SUCCESS),
    }
}

/// What was given, as text, and whether it came out of a picture.
fn input(input: &str) -> Result<(String, bool), Failure> {
    let path = Path::new(input);
    if input != "-" && !path.is_file() {
        let looks_like_a_file = path
            .extension()
            .and_then(|extension| extension.to_str())
            .is_some_and(|extension| ["png", "jpg", "jpeg"].contains(&extension));
        if looks_like_a_file && !input.contains("://") {
            return Err(
                Error::new(ErrorCode::Storage, format!("There is no file {input}.")).into(),
            );
        }
        return Ok((input.to_owned(), false));
    }
    let bytes = keys::read_input(path)?;
    let is_picture = bytes.starts_with(b"\x89PNG") || bytes.starts_with(b"\xff\xd8\xff");
    if is_picture {
        return Ok((qr::read_picture(&bytes)?, true));
    }
    String::from_utf8(bytes)
        .map(|text| (text, false))
        .map_err(|_| {
            let message = "This is neither a text nor a PNG or JPEG picture of a QR code.";
            Error::new(ErrorCode::InvalidPicture, message).into()
        })
}

fn described(inspection: &Inspection, form: &str) -> String {
    let part = |json: &Option<Value>| {
        json.as_ref()
            .map_or_else(|| "(not JSON)".to_owned(), |json| format!("{json:#}"))
    };
    let mut text = format!(
        "Found a code in: {form}\n\nHeader\n{}\n\nClaims\n{}\n",
        part(&inspection.shown.header_json),
        part(&inspection.shown.claims_json)
    );
    if !inspection.times.is_empty() {
        text.push_str("\nTimes\n");
        for time in &inspection.times {
            // Writing to a String does not fail.
            let _ = writeln!(text, "  {:<4} {}  {}", time.member, time.at, time.words);
        }
    }
    let verification = match &inspection.verification {
        Verification::NoKey => {
            "not checked: no secret was given. Name an --instance, or give one by --secret-file."
                .to_owned()
        }
        Verification::Judged(Ok(verified)) => {
            format!("verifies, for {}", verified.payload.subject())
        }
        Verification::Judged(Err(refused)) => format!("refused ({}): {refused}", refused.code()),
    };
    text.push_str("\nVerification\n  ");
    text.push_str(&verification);
    text
}
