//! Signing in by a code, for a visitor who opens a link and for an administrator who redeems one.
//! Decides when a page must ask the visitor first, and then redeems the code in the directory.

use std::sync::Arc;

use jiff::Timestamp;

use crate::Result;
use crate::activity::{AuditContext, Event};
use crate::directory::{Command, Directory, Redemption, User};
use crate::instance::{Settings, SignInStep};
use crate::ledger::ShortLink;
use crate::link::short_code::ShortCodeHash;
use crate::protocol::code::recognize::recognize_and_verify;
use crate::protocol::code::{AskableCode, CodeRefusal, VerifiedCode, read_askable, trim, verify};
use crate::protocol::payload::Payload;
use crate::protocol::user_id::UserId;
use crate::secret::SigningKey;
use crate::session::BrowserKey;
use crate::session::{NewSession, Session, SessionId, SessionKey, SessionRules, SessionScope};
use crate::verdict::{DirectoryFacts, Refusal, Verdict, judge, unknown_link};

/// Finds the code in `text`, judges it by the settings and keys of an instance, and applies the
/// verdict. The change is recorded and on the disk when this returns. A refusal is a verdict and
/// not an error.
///
/// Fails with [`NoCode`](crate::ErrorCode::NoCode) if the text contains no code, or with [`TooMany`](crate::ErrorCode::TooMany) if
/// it contains several, because they may sign in different people.
pub async fn redeem(
    text: &str,
    settings: &Settings,
    keys: &[&SigningKey],
    directory: &dyn Directory,
    by: &AuditContext,
) -> Result<Verdict> {
    let (parameter, rules) = (settings.parameter.as_str(), settings.code_rules());
    let (found, judged) = recognize_and_verify(text, parameter, keys, rules, by.at)?;
    found.require_alone()?;
    directory
        .redeem(judged.as_deref(), settings.policy, by)
        .await
}

/// A valid session and its user.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedIn {
    /// Key of the session.
    pub key: SessionKey,
    /// The session.
    pub session: Session,
    /// The user, as the directory has them now.
    pub user: User,
}

/// Returns the valid session with a key in a scope. `last_use` is the time of its last use, if the
/// caller knows a later one than the directory.
pub async fn find_session(
    directory: &dyn Directory,
    key: SessionKey,
    place: SessionScope,
    settings: &Settings,
    last_use: Option<i64>,
    now: Timestamp,
) -> Result<Option<SignedIn>> {
    let Some(mut session) = directory.session(&key).await? else {
        return Ok(None);
    };
    if session.place != place {
        return Ok(None);
    }
    session.last_seen = session.last_seen.max(last_use.unwrap_or(session.last_seen));
    let user = directory.user(&session.user).await?;
    let rules = settings.session_rules();
    let good = user.filter(|user| session.is_good(user, settings.policy, rules, now));
    if good.is_some() && directory.is_ended_with_link(&session).await? {
        return Ok(None);
    }
    Ok(good.map(|user| SignedIn { key, session, user }))
}

/// Visitor who opens a link.
#[derive(Clone, Copy, Debug, Default)]
pub struct Visitor<'a> {
    /// Session in which the visitor is signed in, if any.
    pub signed_in: Option<&'a SignedIn>,
    /// Whether the visitor looks like a link preview and not like a person.
    pub is_link_preview: bool,
}

/// Browser in which a code is opened.
#[derive(Clone, Debug)]
pub struct Browser {
    /// Scope in which a session would be valid.
    pub place: SessionScope,
    /// Name of the browser (`User-Agent`).
    pub name: Option<String>,
    /// Key that identifies the browser, if it has one.
    pub key: Option<BrowserKey>,
    /// Session whose cookie the browser has in that scope, valid or not. A new session replaces it.
    pub session: Option<SessionKey>,
}

impl Browser {
    /// Returns an unknown browser.
    #[must_use]
    pub const fn unknown(place: SessionScope) -> Self {
        Self {
            place,
            name: None,
            key: None,
            session: None,
        }
    }
}

/// Verifies the code of a link, after [removing](trim) characters that were copied with it.
pub fn verify_link(
    code: &str,
    settings: &Settings,
    keys: &[&SigningKey],
    now: Timestamp,
) -> std::result::Result<VerifiedCode, CodeRefusal> {
    verify(&trim(code), keys, settings.code_rules(), now)
}

/// Reads the code of a link like [`verify_link`], but accepts one that has expired.
pub fn read_askable_link(
    code: &str,
    settings: &Settings,
    keys: &[&SigningKey],
    now: Timestamp,
) -> std::result::Result<AskableCode, CodeRefusal> {
    read_askable(&trim(code), keys, settings.code_rules(), now)
}

/// Refuses a code that does not verify, and records that. The verdict does not depend on the
/// directory, so an error of the directory is only logged.
pub async fn refuse_unverified(
    refusal: &CodeRefusal,
    settings: &Settings,
    directory: &dyn Directory,
    by: &AuditContext,
) -> SignIn {
    let verdict = judge(Err(refusal), settings.policy, &DirectoryFacts::default());
    refused(verdict, None, directory, by).await
}

/// Finds a short link in the ledger, in any spelling of its code. `None` for everything else.
pub async fn find_short_link(text: &str, directory: &dyn Directory) -> Result<Option<ShortLink>> {
    directory.short_link(&ShortCodeHash::of(&trim(text))).await
}

/// Refuses a short link that is not in the ledger, and records that, like [`refuse_unverified`].
pub async fn refuse_unknown_link(
    settings: &Settings,
    directory: &dyn Directory,
    by: &AuditContext,
) -> SignIn {
    refused(unknown_link(settings.policy), None, directory, by).await
}

/// Records a refusal. An error is only logged, because the visitor is refused anyway.
async fn refused(
    verdict: Verdict,
    code: Option<&VerifiedCode>,
    directory: &dyn Directory,
    by: &AuditContext,
) -> SignIn {
    let event = Event::verdict(&verdict, code);
    if let Err(cause) = directory.record(event, by).await {
        tracing::warn!(error = %cause.logged(), "a refusal is not recorded");
    }
    SignIn::refused(verdict, code)
}

/// An attempt to sign in by a code that verifies.
#[derive(Debug)]
pub struct SignInAttempt {
    redemption: Arc<Redemption>,
    place: SessionScope,
    rules: SessionRules,
    step: SignInStep,
    by: AuditContext,
    id: SessionId,
}

/// Result of checking an attempt before anything is changed.
#[derive(Debug)]
pub enum PreCheck {
    /// The visitor must first confirm that the link is for them.
    NeedsConfirmation {
        /// Display name of the user whom the link is for.
        whom: String,
        /// Whether another user is signed in in this browser.
        replaces: bool,
    },
    /// The visitor is already signed in as the user of the code. A single-use code is not used up.
    Continues,
    /// The code would be refused. The caller shows that at once, and
    /// [records](SignInAttempt::refuse) it.
    Refused(Verdict),
    /// The caller must [redeem](SignInAttempt::command) the code now.
    Redeems,
}

/// Result of redeeming a code with a session.
#[derive(Debug)]
pub struct SignIn {
    /// Verdict on the code.
    pub verdict: Verdict,
    /// New session. `None` for a refusal.
    pub session: Option<Begun>,
    /// Code of a link that the directory does not let in any more, to ask for a new link.
    pub askable: Option<Box<AskableCode>>,
}

impl SignIn {
    fn refused(verdict: Verdict, code: Option<&VerifiedCode>) -> Self {
        let is_over = matches!(
            verdict,
            Verdict::Refused(Refusal::LinkAlreadyUsed | Refusal::LinkSuperseded)
        );
        let code = code.filter(|_| is_over).cloned();
        Self {
            verdict,
            session: None,
            askable: code.map(|code| Box::new(code.into())),
        }
    }
}

/// A new session.
#[derive(Debug)]
pub struct Begun {
    /// ID of the session, for the cookie.
    pub id: SessionId,
    /// User who is signed in.
    pub user: UserId,
    /// Scope in which the session is valid.
    pub place: SessionScope,
    /// Maximum length of the session, in seconds.
    pub longest_secs: i64,
}

impl SignInAttempt {
    /// Creates an attempt for a [verified](verify_link) code.
    ///
    /// Fails with [`NoRandomness`](crate::ErrorCode::NoRandomness).
    pub fn new(
        code: VerifiedCode,
        settings: &Settings,
        browser: Browser,
        by: AuditContext,
    ) -> Result<Self> {
        let id = SessionId::new(by.at)?;
        let redemption = Redemption {
            code: Ok(code),
            policy: settings.policy,
            session: Some(NewSession {
                key: id.key(),
                place: browser.place,
                browser: browser.name,
                browser_key: browser.key,
                replaces: browser.session,
            }),
        };
        Ok(Self {
            redemption: Arc::new(redemption),
            place: browser.place,
            rules: settings.session_rules(),
            step: settings.visiting.step,
            by,
            id,
        })
    }

    /// Checks an attempt when the link is opened. A click is needed if the instance says so, for a
    /// single-use code, for a link preview, and before another user is signed out. A visitor who is
    /// already signed in as the user of the code is not asked. A code that would be refused is
    /// refused at once. Changes nothing.
    pub async fn opening(
        &self,
        directory: &dyn Directory,
        visitor: Visitor<'_>,
    ) -> Result<PreCheck> {
        let code = self.redemption.code.as_ref();
        let always_asks = self.step == SignInStep::Confirm
            || visitor.is_link_preview
            || code.is_ok_and(|code| code.registered.uses.is_limited());
        if !always_asks && visitor.signed_in.is_none() {
            return Ok(PreCheck::Redeems);
        }
        let verdict = self.dry_run(directory).await?;
        if always_asks && self.is_for(visitor, &verdict) {
            return Ok(PreCheck::Continues);
        }
        let Some(user) = verdict.user() else {
            return Ok(PreCheck::Refused(verdict));
        };
        let replaces = visitor
            .signed_in
            .is_some_and(|other| other.user.id != *user);
        if !always_asks && !replaces {
            return Ok(PreCheck::Redeems);
        }
        let whom = match directory.user(user).await? {
            Some(user) => user.display_name().to_owned(),
            None => code
                .map(|code| code.payload.display_name())
                .unwrap_or_default()
                .to_owned(),
        };
        Ok(PreCheck::NeedsConfirmation { whom, replaces })
    }

    /// Returns whether the code was issued at most `seconds` ago.
    #[must_use]
    pub fn is_issued_within(&self, seconds: i64) -> bool {
        let code = self.redemption.code.as_ref().ok();
        let issued_at = code.and_then(|code| code.registered.issued_at);
        issued_at.is_some_and(|at| at.saturating_add(seconds) >= self.by.at.as_second())
    }

    /// Checks an attempt after the click. A repeated click of a visitor who is now signed in
    /// continues. Changes nothing.
    pub async fn confirmed(
        &self,
        directory: &dyn Directory,
        visitor: Visitor<'_>,
    ) -> Result<PreCheck> {
        if visitor.signed_in.is_none() {
            return Ok(PreCheck::Redeems);
        }
        let verdict = self.dry_run(directory).await?;
        Ok(if self.is_for(visitor, &verdict) {
            PreCheck::Continues
        } else {
            PreCheck::Redeems
        })
    }

    /// Returns whether a visitor is signed in as the user whom the code names. The code may be used
    /// up already.
    fn is_for(&self, visitor: Visitor<'_>, verdict: &Verdict) -> bool {
        let Some(SignedIn { user, .. }) = visitor.signed_in else {
            return false;
        };
        match (verdict, &self.redemption.code) {
            (Verdict::Refused(Refusal::LinkAlreadyUsed), Ok(code)) => names(&code.payload, user),
            _ => verdict.user() == Some(&user.id),
        }
    }

    /// Returns what redeeming the code would do. Changes nothing.
    pub async fn dry_run(&self, directory: &dyn Directory) -> Result<Verdict> {
        directory.dry_run_of(&self.redemption, self.by.at).await
    }

    /// Returns the command that redeems the code, and its context.
    #[must_use]
    pub fn command(&self) -> (Command, AuditContext) {
        let command = Command::Redeem(Arc::clone(&self.redemption));
        (command, self.by.clone())
    }

    /// Records a refusal without redeeming the code.
    pub async fn refuse(&self, verdict: Verdict, directory: &dyn Directory) -> SignIn {
        let code = self.redemption.code.as_ref().ok();
        refused(verdict, code, directory, &self.by).await
    }

    /// Returns the result of executing the [`command`](Self::command).
    #[must_use]
    pub fn redeemed(self, verdict: Verdict) -> SignIn {
        let (Some(user), Ok(code)) = (verdict.user(), &self.redemption.code) else {
            return SignIn::refused(verdict, self.redemption.code.as_ref().ok());
        };
        let now = self.by.at.as_second();
        let end = self.rules.latest_end(now, code.registered.expires_at);
        let session = Begun {
            user: user.clone(),
            place: self.place,
            longest_secs: end.saturating_sub(now),
            id: self.id,
        };
        SignIn {
            verdict,
            session: Some(session),
            askable: None,
        }
    }
}

/// Returns whether a payload names a user.
fn names(payload: &Payload, user: &User) -> bool {
    match payload {
        Payload::Email(email) => user.email.as_ref() == Some(email),
        Payload::Id(id) => *id.user_id() == user.id,
        Payload::User(new) => new.id == user.id,
    }
}
