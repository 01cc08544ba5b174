//! Using a code, as whoever opens the link does.

use std::sync::Arc;

use jiff::Timestamp;

use crate::activity::{AuditContext, Event};
use crate::directory::{Command, Directory, Redemption, User};
use crate::instance::{Settings, SignInStep};
use crate::protocol::code::recognize::recognize_and_verify;
use crate::protocol::code::{trim, verify};
use crate::protocol::payload::Payload;
use crate::protocol::user_id::UserId;
use crate::secret::SigningKey;
use crate::session::BrowserKey;
use crate::session::{NewSession, Session, SessionId, SessionKey, SessionRules, SessionScope};
use crate::verdict::{Refusal, Verdict};
use crate::{Error, ErrorCode, Result};

/// Finds the code in `text`. Judges it by the settings of an instance and its keys, and does what the
/// verdict says: it is on disk when this returns, and recorded. A refusal is a verdict, not an error.
///
/// Fails with [`ErrorCode::NoCode`] where there is no code in the text, and with [`ErrorCode::TooMany`]
/// where there are several, because they may sign in different people.
pub async fn redeem(
    text: &str,
    settings: &Settings,
    keys: &[&SigningKey],
    directory: &dyn Directory,
    by: &AuditContext,
) -> Result<Verdict> {
    let (parameter, rules) = (settings.parameter.as_str(), settings.code_rules());
    let (found, judged) = recognize_and_verify(text, parameter, keys, rules, by.at)?;
    if found.others > 0 {
        let message = format!(
            "There are {} codes in this text, which may be those of different people. Give one of them alone.",
            found.others + 1
        );
        return Err(Error::new(ErrorCode::TooMany, message).about("code"));
    }
    directory
        .redeem(judged.as_deref(), settings.policy, by)
        .await
}

/// A session that is valid, and its user.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedIn {
    /// The key of the session.
    pub key: SessionKey,
    /// The session.
    pub session: Session,
    /// The user, as the directory has it now.
    pub user: User,
}

/// Finds the valid session of an id at a place. `last_use` is the time of its last use where the
/// caller knows of a later one than the directory has recorded.
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
    Ok(good.map(|user| SignedIn { key, session, user }))
}

/// Who opens a link.
#[derive(Clone, Copy, Debug, Default)]
pub struct Visitor<'a> {
    /// Who is signed in there.
    pub signed_in: Option<&'a SignedIn>,
    /// Whether it looks like a program that looks at links, and not like a person.
    pub is_link_preview: bool,
}

/// The browser in which a code is opened.
#[derive(Clone, Debug)]
pub struct Browser {
    /// Where a session would be valid.
    pub place: SessionScope,
    /// The browser's own name (`User-Agent`).
    pub name: Option<String>,
    /// The key that tells the browser from others, if it has one.
    pub key: Option<BrowserKey>,
    /// The session whose cookie the browser has at that place, valid or not. A new one replaces it.
    pub session: Option<SessionKey>,
}

impl Browser {
    /// A browser of which nothing is known.
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

/// A code that somebody opens, as it was judged by itself.
#[derive(Debug)]
pub struct SignInAttempt {
    redemption: Arc<Redemption>,
    place: SessionScope,
    rules: SessionRules,
    step: SignInStep,
    by: AuditContext,
    id: SessionId,
}

/// What comes of an attempt before anything is done.
#[derive(Debug)]
pub enum PreCheck {
    /// Whoever opens it has to say first that they are the one it is for.
    NeedsConfirmation {
        /// What to call whom it is for.
        whom: String,
        /// Whether somebody else is signed in there.
        replaces: bool,
    },
    /// The visitor is signed in as the user of the code, and is led on. No use is spent.
    Continues,
    /// It would be refused. The caller says so at once, and [records](SignInAttempt::refuse) it.
    Refused(Verdict),
    /// The caller must [redeem](SignInAttempt::command) it now.
    Redeems,
}

/// What has become of a code that was redeemed for somebody who stays signed in.
#[derive(Debug)]
pub struct SignIn {
    /// What it did.
    pub verdict: Verdict,
    /// The session, where it is no refusal.
    pub session: Option<Begun>,
}

/// A session that has begun.
#[derive(Debug)]
pub struct Begun {
    /// The id, for the cookie.
    pub id: SessionId,
    /// The user who is signed in.
    pub user: UserId,
    /// The place at which the session is valid.
    pub place: SessionScope,
    /// How long it lasts at the longest, in seconds.
    pub longest_secs: i64,
}

impl SignInAttempt {
    /// Judges a code that came in a link by itself. What the text around the link has left on it is
    /// [cut](trim).
    ///
    /// Fails with [`ErrorCode::NoRandomness`](crate::ErrorCode::NoRandomness).
    pub fn new(
        code: &str,
        settings: &Settings,
        keys: &[&SigningKey],
        browser: Browser,
        by: AuditContext,
    ) -> Result<Self> {
        let id = SessionId::new(by.at)?;
        let redemption = Redemption {
            code: verify(&trim(code), keys, settings.code_rules(), by.at),
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

    /// Says whether a click is wanted first: on an instance that says so, for a single-use code, for
    /// a visitor who looks ahead, and before somebody else is signed out. Somebody who is signed in as
    /// the one it is for is not asked again. A code that would be refused is refused at once. Nothing
    /// is done.
    pub async fn opening(
        &self,
        directory: &dyn Directory,
        visitor: Visitor<'_>,
    ) -> Result<PreCheck> {
        let code = self.redemption.code.as_ref();
        let always_asks = self.step == SignInStep::Confirm
            || visitor.is_link_preview
            || code.is_ok_and(|code| code.registered.single_use);
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

    /// Whether the code was issued at most `seconds` ago.
    #[must_use]
    pub fn is_issued_within(&self, seconds: i64) -> bool {
        let code = self.redemption.code.as_ref().ok();
        let issued_at = code.and_then(|code| code.registered.issued_at);
        issued_at.is_some_and(|at| at.saturating_add(seconds) >= self.by.at.as_second())
    }

    /// Says what becomes of it after the click. A click that is repeated by somebody who is signed in by
    /// now leads on. Nothing is done.
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

    /// Whether a visitor is signed in as the user whom the code names. The code may be used up already.
    fn is_for(&self, visitor: Visitor<'_>, verdict: &Verdict) -> bool {
        let Some(SignedIn { user, .. }) = visitor.signed_in else {
            return false;
        };
        match (verdict, &self.redemption.code) {
            (Verdict::Refused(Refusal::LinkAlreadyUsed), Ok(code)) => names(&code.payload, user),
            _ => verdict.user() == Some(&user.id),
        }
    }

    /// Says what redeeming the code would do, and does nothing.
    pub async fn dry_run(&self, directory: &dyn Directory) -> Result<Verdict> {
        directory.dry_run_of(&self.redemption, self.by.at).await
    }

    /// Returns the command that redeems the code, and who asks for it.
    #[must_use]
    pub fn command(&self) -> (Command, AuditContext) {
        let command = Command::Redeem(Arc::clone(&self.redemption));
        (command, self.by.clone())
    }

    /// Records that it was refused without having been redeemed.
    pub async fn refuse(&self, verdict: Verdict, directory: &dyn Directory) -> Result<SignIn> {
        let event = Event::verdict(&verdict, self.redemption.code.as_ref().ok());
        directory.record(event, &self.by).await?;
        Ok(SignIn {
            verdict,
            session: None,
        })
    }

    /// The result of redeeming the [`command`](Self::command).
    #[must_use]
    pub fn redeemed(self, verdict: Verdict) -> SignIn {
        let session = match (verdict.user(), &self.redemption.code) {
            (Some(user), Ok(code)) => {
                let now = self.by.at.as_second();
                let end = self.rules.latest_end(now, code.registered.expires_at);
                Some(Begun {
                    user: user.clone(),
                    place: self.place,
                    longest_secs: end.saturating_sub(now),
                    id: self.id,
                })
            }
            _ => None,
        };
        SignIn { verdict, session }
    }
}

/// Whether a payload names a user.
fn names(payload: &Payload, user: &User) -> bool {
    match payload {
        Payload::Email(email) => user.email.as_ref() == Some(email),
        Payload::Id(id) => *id.user_id() == user.id,
        Payload::User(new) => new.id == user.id,
    }
}
