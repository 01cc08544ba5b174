//! A data folder with the sample instance, its users, and links for it.

use latchkey_store::Wait as _;
use std::path::PathBuf;

use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::directory::MAX_IMPORT;
use latchkey_core::instance::{Instance, Settings};
use latchkey_core::link::compose::{LinkSpec, compose};
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::{NewUser, Payload};
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::secret::Secret;
use latchkey_store::home::{Home, SecretSource};
use latchkey_store::keys::KeychainUse;

use crate::driver::Studio;
use crate::environment::Environment;

pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

pub(crate) fn person(number: usize) -> NewUser {
    const NAMES: [&str; 4] = [
        "Ada Lovelace",
        "Grace Hopper",
        "Alan Turing",
        "Radia Perlman",
    ];
    let name = NAMES[number % 4];
    NewUser {
        id: UserId::parse(&format!("user-{number:06}"), "id").unwrap(),
        email: Some(Email::parse(&format!("person.{number}@yourcompany.com"), "email").unwrap()),
        metadata: Metadata::from_json(
            &format!(r#"{{"name":"{name}","team":"Research"}}"#),
            "metadata",
        )
        .unwrap(),
    }
}

/// A data folder with the sample instance and a number of users. It makes links for the instance.
pub(crate) struct Prepared {
    pub(crate) environment: Environment,
    pub(crate) home: Home,
    pub(crate) instance: Instance,
}

impl Prepared {
    pub(crate) fn with(users: usize) -> Self {
        let environment = Environment::without_keychain();
        let home = Home::open(environment.data_dir(), KeychainUse::Never).unwrap();
        home.keys()
            .create(&Secret::new(PASSPHRASE.to_owned()))
            .unwrap();
        let by = AuditContext::new(Actor::Studio, Timestamp::now());
        let settings = Settings::sample().unwrap();
        let instance = home.add(settings, SecretSource::Generate, &by).unwrap();
        let directory = home.directory(&instance, "the test").unwrap();
        let people: Vec<NewUser> = (0..users).map(person).collect();
        for some in people.chunks(MAX_IMPORT) {
            directory.import(some, &by).wait().unwrap();
        }
        drop(directory);
        Self {
            environment,
            home,
            instance,
        }
    }

    /// Makes a link with the key that is active now.
    pub(crate) fn link(&self, payload: Payload) -> String {
        let spec = LinkSpec::new(payload, "7 days".parse().unwrap());
        let instance = self.home.instances().get(&self.instance.id).unwrap();
        let key = self.home.signing_key(&instance).unwrap();
        let target = self.instance.settings.target();
        let composed = compose(&target, &key, spec, Timestamp::now()).unwrap();
        composed.link.url()
    }

    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.environment.data_dir().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) async fn open(&self) -> Studio {
        let studio = Studio::start(&self.environment).await;
        studio.fill("unlock-passphrase", PASSPHRASE).await;
        studio.click("unlock-submit").await;
        studio.find("mode-existing").await;
        studio
    }
}
