//! Inspection of a code in the form for programs: the answer of `latchkey inspect --json` and of
//! the API.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{ClaimTime, Inspection, Verification};
use crate::directory::Directory;
use crate::error::Warning;
use crate::inspect::diagnosis::{self, Hint};
use crate::instance::Settings;
use crate::protocol::code::recognize::{Form, Judged};
use crate::protocol::code::{CodeRefusal, CodeRules, verify_by_gateway};
use crate::protocol::user_id::UserId;
use crate::secret::SignedBy;
use crate::verdict::{Refusal, Verdict};
use crate::{Error, ErrorCode, Result};

/// An inspected code: its content, whether it verifies, and what opening it would do.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// Verdict that opening the code now would have. Null without a dry run, or if the users are
    /// not known here.
    #[schema(required)]
    pub dry_run: Option<Outcome>,
    /// Time for which the person would stay signed in. Null if nobody would be.
    #[schema(required)]
    pub stay: Option<String>,
    /// Kind of text that the code was found in.
    pub form: Form,
    /// Header of the code. Null if it is not shown.
    #[schema(required, value_type = Option<Object>)]
    pub header: Option<Value>,
    /// Claims of the code. Null if they are not shown.
    #[schema(required, value_type = Option<Object>)]
    pub claims: Option<Value>,
    /// Times among the shown claims.
    pub times: Vec<ClaimTime>,
    /// Causes of a refusal and faults of the link, the most important first.
    pub hints: Vec<Hint>,
    /// Warnings about the secret, and about several codes in the text.
    pub warnings: Vec<Warning>,
    /// Result of verifying the code by itself.
    pub verification: Checked,
    /// Signing key of the instance that has signed the code. Null if none of its keys has, or if
    /// that key has retired.
    #[serde(default)]
    #[schema(required)]
    pub signed_by: Option<SignedBy>,
}

/// Whether a report quotes a code that no key of the instance has signed. Anybody can write such a
/// code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unverified {
    /// The code is quoted, for the screen of an administrator.
    Shown,
    /// The code is not quoted, for programs that may store the report.
    Withheld,
}

impl Unverified {
    fn sentence(self, refused: &CodeRefusal) -> String {
        match self {
            Self::Shown => refused.shown(),
            Self::Withheld => refused.without_quotes(),
        }
    }
}

/// A verdict in a flat form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Outcome {
    /// Stable code: `signed_in`, `provisioned`, or the code of a refusal.
    #[schema(value_type = String, example = "provisioned")]
    pub verdict: Cow<'static, str>,
    /// ID of the user who signs in or is created. Null for a refusal.
    #[schema(required, value_type = Option<String>)]
    pub user: Option<UserId>,
    /// Number of the seat that a created user takes.
    #[schema(required)]
    pub seat: Option<u64>,
    /// Sentence for the administrator.
    pub message: String,
    /// Hint that says how to do what the message asks for. Null if there is none.
    #[schema(required)]
    pub hint: Option<String>,
}

/// Result of verifying a code by itself, without the users of the instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Checked {
    /// Whether there was a secret to verify it with.
    pub checked: bool,
    /// Whether it verifies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
    /// Reason of a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedCode>,
}

/// Reason why a code by itself is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusedCode {
    /// Stable code of the verdict, such as `bad_signature`.
    #[schema(value_type = String)]
    pub code: Cow<'static, str>,
    /// Sentence that says what is wrong and what to do. It quotes the code only if the secret of
    /// the instance has signed it.
    pub message: String,
    /// Member of the code that is at fault.
    #[schema(required)]
    pub field: Option<String>,
}

impl RefusedCode {
    /// Describes a refusal.
    #[must_use]
    pub fn new(refused: &CodeRefusal, unverified: Unverified) -> Self {
        Self {
            code: refused.code().into(),
            message: unverified.sentence(refused),
            field: refused.member_name().map(str::to_owned),
        }
    }

    /// Returns the refusal of `code` with its text, for the screen of an administrator. The gateway
    /// that keeps the key has refused it.
    ///
    /// Fails if the gateway has refused it by a rule that is not known here.
    pub fn shown(self, code: &str, rules: CodeRules<'_>, now: Timestamp) -> Result<CodeRefusal> {
        let judged = verify_by_gateway(code, !self.is_about_signature(), rules, now);
        if let Err(refused) = judged {
            return Ok(refused);
        }
        let error = Error::new(ErrorCode::InvalidPayload, self.message);
        Err(match self.field {
            Some(field) => error.about(field),
            None => error,
        })
    }

    fn is_about_signature(&self) -> bool {
        self.code == CodeRefusal::BadSignature.code()
    }
}

impl From<RefusedCode> for Outcome {
    fn from(refused: RefusedCode) -> Self {
        Self {
            verdict: refused.code,
            user: None,
            seat: None,
            message: refused.message,
            hint: None,
        }
    }
}

impl Outcome {
    /// Converts a verdict. `hint` returns the hint of the face for a refusal.
    #[must_use]
    pub fn new(
        verdict: &Verdict,
        unverified: Unverified,
        hint: impl FnOnce(&Refusal) -> Option<String>,
    ) -> Self {
        let (user, seat, message) = match verdict {
            Verdict::SignedIn { user, .. } => (Some(user), None, format!("{user} signs in.")),
            Verdict::Provisioned { user, seat, limit } => {
                let of = limit.map_or_else(String::new, |limit| format!(" of {limit}"));
                let message = format!("{user} is created and takes seat {seat}{of}.");
                (Some(user), Some(*seat), message)
            }
            Verdict::Refused(Refusal::Code(refused)) => (None, None, unverified.sentence(refused)),
            Verdict::Refused(refusal) => (None, None, refusal.to_string()),
        };
        Self {
            verdict: verdict.code().into(),
            user: user.cloned(),
            seat,
            message,
            hint: match verdict {
                Verdict::Refused(refusal) => hint(refusal),
                Verdict::SignedIn { .. } | Verdict::Provisioned { .. } => None,
            },
        }
    }

    /// Returns the outcome for the link in which the code was found. If that link does not open at
    /// the instance, the message says so.
    #[must_use]
    pub fn for_link(mut self, hints: &[Hint]) -> Self {
        if diagnosis::opens_elsewhere(hints) {
            self.message.insert_str(0, "In a link of this instance: ");
        }
        self
    }
}

/// Returns what opening a code would do at an instance whose users are known here, and the time for
/// which the person would stay signed in. Changes and records nothing.
pub async fn dry_run(
    judged: &Judged,
    settings: &Settings,
    directory: &dyn Directory,
) -> Result<(Verdict, Option<String>)> {
    let code = judged.as_deref();
    let verdict = directory.dry_run(code, settings.policy).await?;
    let expires_at = code.ok().and_then(|code| code.registered.expires_at);
    let stays = !matches!(verdict, Verdict::Refused(_));
    let stay = stays.then(|| settings.session_rules().stay(expires_at));
    Ok((verdict, stay))
}

impl Inspection {
    /// Verifies the code by the report of the gateway that keeps the key. The rules are those of the
    /// instance, as they were read at the gateway last.
    #[must_use]
    pub fn verified_by(
        mut self,
        code: &str,
        report: &Report,
        rules: CodeRules<'_>,
        now: Timestamp,
    ) -> Self {
        let refused = report.verification.refused.as_ref();
        let is_signed = !refused.is_some_and(RefusedCode::is_about_signature);
        let judged = verify_by_gateway(code, is_signed, rules, now);
        self.verification = Verification::Judged(judged.map(Box::new));
        self
    }

    /// Converts the inspection to the form for programs. The caller adds hints, warnings and the
    /// dry run.
    #[must_use]
    pub fn report(self, form: Form, unverified: Unverified) -> Report {
        let verification = Checked::new(&self.verification, unverified);
        let of_code = (unverified == Unverified::Shown).then_some((self.shown, self.times));
        let (header, claims, times) = of_code.map_or_else(Default::default, |(shown, times)| {
            (shown.header_json, shown.claims_json, times)
        });
        Report {
            dry_run: None,
            stay: None,
            form,
            header,
            claims,
            times,
            hints: Vec::new(),
            warnings: Vec::new(),
            verification,
            signed_by: None,
        }
    }
}

impl Checked {
    fn new(verification: &Verification, unverified: Unverified) -> Self {
        let (verified, refused) = match verification {
            Verification::NoKey => (None, None),
            Verification::Judged(Ok(_)) => (Some(true), None),
            Verification::Judged(Err(refused)) => {
                let refused = RefusedCode::new(refused, unverified);
                (Some(false), Some(refused))
            }
        };
        Self {
            checked: verified.is_some(),
            verified,
            refused,
        }
    }
}
