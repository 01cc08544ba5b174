//! An inspected code for people.

use latchkey_core::inspect::diagnosis::{Hint, HintCode};
use latchkey_core::inspect::{ClaimTime, Inspection, Report, Verification};
use latchkey_core::protocol::code::recognize::Form;
use latchkey_core::protocol::payload::Payload;
use latchkey_core::secret::SignedBy;
use serde_json::Value;

use crate::text::Text;

/// Parts of an inspected code for people.
pub(super) struct Shown<'a> {
    form: Form,
    header: &'a Option<Value>,
    claims: &'a Option<Value>,
    times: &'a [ClaimTime],
    verification: String,
    signed_by: Option<&'a SignedBy>,
    causes: Vec<&'a Hint>,
}

impl<'a> Shown<'a> {
    pub(super) fn of(
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

    pub(super) fn of_report(report: &'a Report) -> Self {
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

/// Describes an inspected code for people.
pub(super) fn described(shown: &Shown<'_>) -> Text {
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
