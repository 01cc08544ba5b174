//! Tests of whether opening a link signs in at once or asks first.

use std::cell::Cell;

use latchkey_core::directory::Directory as _;
use latchkey_core::instance::{Hosted, Name, Settings, SignInStep};
use latchkey_core::link::BaseUrl;
use latchkey_core::session::{SessionKey, SessionScope};
use latchkey_core::sign_in::{Browser, PreCheck, SignInAttempt, Visitor, verify_link};
use latchkey_core::sign_in::{SignedIn, find_session};
use latchkey_store::EmbeddedDirectory;
use latchkey_store::Wait as _;

use crate::signed::{HEADER, judge, key, now, signed};
use crate::{by, revoke_link};

struct Site {
    directory: EmbeddedDirectory,
    settings: Settings,
    /// Key of the session that began last.
    latest: Cell<Option<SessionKey>>,
    _folder: tempfile::TempDir,
}

impl Site {
    fn new(step: SignInStep) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = Name::parse("Acme").unwrap();
        let url = BaseUrl::parse("https://chat.acme.example").unwrap();
        let mut settings = Settings::new(name, url, Hosted::Here);
        settings.visiting.step = step;
        Self {
            directory: EmbeddedDirectory::open(folder.path(), "a test").unwrap(),
            settings,
            latest: Cell::new(None),
            _folder: folder,
        }
    }

    fn open(&self, payload: &str, visitor: Visitor<'_>) -> String {
        let iat = now().as_second();
        let code = signed(HEADER, &format!(r#"{{{payload},"iat":{iat}}}"#));
        let browser = Browser::unknown(SessionScope::Page);
        let code = verify_link(&code, &self.settings, &[&key()], now()).unwrap();
        let attempt = SignInAttempt::new(code, &self.settings, browser, by(now())).unwrap();
        let directory = &self.directory;
        let done = match attempt.opening(directory, visitor).wait().unwrap() {
            PreCheck::NeedsConfirmation { whom, replaces } => {
                return format!("asks {whom} {replaces}");
            }
            PreCheck::Continues => return "continues".to_owned(),
            PreCheck::Refused(verdict) => attempt.refuse(verdict, directory).wait(),
            PreCheck::Redeems => {
                let (command, by) = attempt.command();
                let verdict = directory.execute(command, &by).wait().unwrap().verdict();
                attempt.redeemed(verdict.unwrap())
            }
        };
        assert_eq!(done.session.is_some(), done.verdict.user().is_some());
        if let Some(begun) = &done.session {
            self.latest.set(Some(begun.id.key()));
        }
        done.verdict.code().to_owned()
    }

    /// Returns the session that began last, which is of this user.
    fn signed_in(&self, id: &str) -> SignedIn {
        let found = find_session(
            &self.directory,
            self.latest.get().unwrap(),
            SessionScope::Page,
            &self.settings,
            None,
            now(),
        );
        let found = found.wait().unwrap().unwrap();
        assert_eq!(found.user.id.as_str(), id);
        found
    }
}

const ADA: &str = r#""user":{"id":"ada","name":"Ada Lovelace"}"#;
const BOB: &str = r#""user":{"id":"bob"}"#;
const NOBODY: &str = r#""id":"nobody""#;
const ONCE: &str = r#""user":{"id":"ada"},"jti":"1","single_use":true"#;

fn is_link_preview() -> Visitor<'static> {
    Visitor {
        is_link_preview: true,
        ..Visitor::default()
    }
}

#[test]
fn opening_signs_in_at_once_unless_there_is_a_reason_to_ask() {
    let site = Site::new(SignInStep::Automatic);
    assert_eq!(site.open(ADA, is_link_preview()), "asks Ada Lovelace false");
    assert_eq!(
        site.directory.count().wait().unwrap(),
        0,
        "asking does nothing"
    );
    assert_eq!(site.open(ADA, Visitor::default()), "provisioned");
    let ada = site.signed_in("ada");
    let as_ada = Visitor {
        signed_in: Some(&ada),
        ..Visitor::default()
    };
    assert_eq!(
        site.open(ADA, as_ada),
        "signed_in",
        "the same person is not asked"
    );
    assert_eq!(site.open(BOB, as_ada), "asks bob true");
    assert_eq!(
        site.open(ONCE, Visitor::default()),
        "asks Ada Lovelace false"
    );
    // The display name in the directory wins over that in the code.
    assert_eq!(
        site.open(r#""id":"ada""#, is_link_preview()),
        "asks Ada Lovelace false"
    );
}

#[test]
fn a_refusal_is_shown_at_once_to_every_visitor() {
    for step in [SignInStep::Automatic, SignInStep::Confirm] {
        let site = Site::new(step);
        for visitor in [Visitor::default(), is_link_preview()] {
            assert_eq!(site.open(NOBODY, visitor), "unknown_user");
        }
    }
}

#[test]
fn an_instance_that_says_so_always_asks() {
    let site = Site::new(SignInStep::Confirm);
    assert_eq!(
        site.open(ADA, Visitor::default()),
        "asks Ada Lovelace false"
    );
    assert_eq!(site.directory.count().wait().unwrap(), 0);
}

#[test]
fn a_visitor_who_is_signed_in_as_the_user_spends_no_use() {
    let site = Site::new(SignInStep::Automatic);
    site.open(ADA, Visitor::default());
    let ada = site.signed_in("ada");
    let as_ada = Visitor {
        signed_in: Some(&ada),
        ..Visitor::default()
    };
    let sign_ins = || site.signed_in("ada").user.sign_ins;
    assert_eq!(site.open(ONCE, as_ada), "continues");
    assert_eq!(sign_ins(), 1);
    // Another user uses the link up.
    let once = judge(&format!("{{{ONCE}}}")).unwrap();
    let redeemed = site
        .directory
        .redeem(Ok(&once), site.settings.policy, &by(now()))
        .wait();
    assert_eq!(redeemed.unwrap().code(), "signed_in");
    assert_eq!(site.open(ONCE, as_ada), "continues", "also by then");
    assert_eq!(site.open(ONCE, Visitor::default()), "link_already_used");
    // The link stays used up, and sessions go on after a revocation without them.
    revoke_link(&site.directory, "1", now());
    assert_eq!(site.open(ONCE, as_ada), "continues");
    assert_eq!(site.open(ONCE, Visitor::default()), "link_already_used");
    // An instance that always asks does not ask a user who is signed in.
    let mut site = site;
    site.settings.visiting.step = SignInStep::Confirm;
    let as_ada = Visitor {
        signed_in: Some(&ada),
        ..Visitor::default()
    };
    assert_eq!(site.open(ADA, as_ada), "continues");
    assert_eq!(site.open(BOB, as_ada), "asks bob true");
}
