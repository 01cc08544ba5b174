//! When opening a link signs in at once, and when it asks first.

use latchkey_core::directory::{Directory as _, SledDirectory, User};
use latchkey_core::instance::{Hosted, Name, Settings, SignInStep};
use latchkey_core::link::BaseUrl;
use latchkey_core::redeem::{Attempt, Opening, Visitor};
use latchkey_core::user_id::UserId;

use crate::signed::{HEADER, by, key, now, signed};

struct Site {
    directory: SledDirectory,
    settings: Settings,
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
            directory: SledDirectory::open(folder.path(), "a test").unwrap(),
            settings,
            _folder: folder,
        }
    }

    fn open(&self, payload: &str, visitor: Visitor<'_>) -> String {
        let iat = now().as_second();
        let code = signed(HEADER, &format!(r#"{{{payload},"iat":{iat}}}"#));
        let attempt = Attempt::new(&code, &self.settings, &[&key()], by(now()));
        let directory = &self.directory;
        let done = match attempt.opening(directory, visitor).unwrap() {
            Opening::Asks { whom, replaces } => return format!("asks {whom} {replaces}"),
            Opening::Refused(verdict) => attempt.refuse(verdict, directory),
            Opening::Redeems => {
                let verdicts = directory.redeem_all(&[attempt.redemption()]).unwrap();
                let verdict = verdicts.into_iter().next().unwrap();
                attempt.sign_in(verdict.unwrap(), directory)
            }
        };
        let done = done.unwrap();
        assert_eq!(done.session.is_some(), done.verdict.user().is_some());
        done.verdict.code().to_owned()
    }

    fn user(&self, id: &str) -> User {
        let id = UserId::parse(id, "id").unwrap();
        self.directory.known_user(&id).unwrap()
    }
}

const ADA: &str = r#""user":{"id":"ada","name":"Ada Lovelace"}"#;
const BOB: &str = r#""user":{"id":"bob"}"#;
const NOBODY: &str = r#""id":"nobody""#;
const ONCE: &str = r#""user":{"id":"ada"},"jti":"1","single_use":true"#;

fn looks_ahead() -> Visitor<'static> {
    Visitor {
        looks_ahead: true,
        ..Visitor::default()
    }
}

#[test]
fn it_is_at_once_unless_there_is_a_reason_to_ask() {
    let site = Site::new(SignInStep::Automatic);
    assert_eq!(site.open(ADA, looks_ahead()), "asks Ada Lovelace false");
    assert_eq!(site.directory.count().unwrap(), 0, "asking does nothing");
    assert_eq!(site.open(ADA, Visitor::default()), "provisioned");
    let ada = site.user("ada");
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
    assert_eq!(site.open(ONCE, as_ada), "asks Ada Lovelace false");
    // What the directory calls somebody is better than what the code does.
    assert_eq!(
        site.open(r#""id":"ada""#, looks_ahead()),
        "asks Ada Lovelace false"
    );
}

#[test]
fn a_refusal_is_said_at_once_whoever_asks() {
    for step in [SignInStep::Automatic, SignInStep::Confirm] {
        let site = Site::new(step);
        for visitor in [Visitor::default(), looks_ahead()] {
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
    assert_eq!(site.directory.count().unwrap(), 0);
}
