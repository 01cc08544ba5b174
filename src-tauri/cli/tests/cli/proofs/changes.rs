//! Changes of two instances, with what was acknowledged of them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::change_kinds::{Change, begin_as, change};
use super::{done, serve};
use crate::serve::Serving;

/// Instances whose directory and keys are changed.
pub(super) struct Changes<'a> {
    folder: &'a Path,
    /// Key that a change is about, by the name of its user.
    keys: BTreeMap<String, String>,
    /// Changes that were made, each with its user.
    made: Vec<(&'static Change, String)>,
    /// Answers by their commands, once all changes are made.
    known: RefCell<Option<BTreeMap<String, Value>>>,
    /// Number of changes that were acknowledged.
    pub(super) acknowledged: usize,
    /// Number of changes that were made and not acknowledged.
    pub(super) unacknowledged: usize,
}

impl<'a> Changes<'a> {
    /// Prepares the users of a number of changes by a gateway, which is killed afterwards.
    pub(super) fn begin(folder: &'a Path, count: usize) -> Self {
        let program = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        let serving = Serving::start(serve(program, folder).stderr(Stdio::null()));
        for number in 0..count {
            let (change, user) = change(number);
            // The gateway limits what one address may do.
            let address = format!("192.0.2.{}", number % 250);
            begin_as(change.before, &user, &serving.address, &address);
        }
        // Dropping it kills the gateway.
        drop(serving);
        let changes = Self {
            folder,
            keys: BTreeMap::new(),
            made: Vec::new(),
            known: RefCell::default(),
            acknowledged: 0,
            unacknowledged: 0,
        };
        changes.done("instance add Rotated --url https://a.b");
        changes
    }

    /// Prepares a change by its number. Returns its command.
    pub(super) fn command(&mut self, number: usize) -> Vec<String> {
        let (change, user) = change(number);
        let command = (change.command)(self, &user);
        command.split_whitespace().map(str::to_owned).collect()
    }

    /// Notes whether a change was made, and requires it if it was acknowledged.
    pub(super) fn note(&mut self, number: usize, is_acknowledged: bool) {
        let (change, user) = change(number);
        let is_made = (change.is_made)(self, &user);
        assert!(
            is_made || !is_acknowledged,
            "{} of {user} is lost",
            change.name
        );
        self.acknowledged += usize::from(is_acknowledged);
        self.unacknowledged += usize::from(is_made && !is_acknowledged);
        if is_made {
            self.made.push((change, user));
        }
    }

    /// Requires all changes that were made, and a sound activity.
    pub(super) fn require_all(&self) {
        self.known.replace(Some(BTreeMap::new()));
        for (change, user) in &self.made {
            assert!(
                (change.is_made)(self, user),
                "{} of {user} is lost",
                change.name
            );
        }
        let users = self.done("users list --instance here --status active --limit 1000000");
        let seats = self.done("seats --instance here");
        assert_eq!(seats["used"], users["total"], "a seat has no user");
        for instance in ["here", "rotated"] {
            self.done(&format!("activity verify --instance {instance}"));
        }
    }

    /// Runs a command that succeeds. Returns its answer in JSON.
    pub(super) fn done(&self, command: &str) -> Value {
        let run = || {
            let arguments: Vec<&str> = command.split_whitespace().collect();
            done(self.folder, &arguments)
        };
        match &mut *self.known.borrow_mut() {
            Some(known) => known.entry(command.to_owned()).or_insert_with(run).clone(),
            None => run(),
        }
    }

    /// Returns the links of a user at an instance.
    pub(super) fn links_at(&self, instance: &str, user: &str) -> Vec<Value> {
        let listed = self.done(&format!("links list --instance {instance} --limit 1000000"));
        let mut links = list_of(&listed["links"]);
        links.retain(|link| link["user"] == user);
        links
    }

    pub(super) fn links_of(&self, user: &str) -> Vec<Value> {
        self.links_at("here", user)
    }

    /// Returns the command that gives out a link.
    pub(super) fn link(&self, user: &str, options: &str) -> String {
        let secret = self.secret();
        format!("link --instance here --user-id {user} --secret-file {secret} {options}")
    }

    pub(super) fn secret(&self) -> String {
        self.folder.join("secret").to_str().unwrap().to_owned()
    }

    pub(super) fn sessions_of(&self, user: &str) -> Vec<String> {
        let listed = self.done(&format!("sessions list --instance here --user {user}"));
        let sessions = list_of(&listed["sessions"]).into_iter();
        let sessions = sessions.map(|session| session["id"].as_str().unwrap().to_owned());
        sessions.collect()
    }

    /// Returns the number of the open request of a user.
    pub(super) fn request_of(&self, user: &str) -> Option<u64> {
        let listed = self.done("requests list --instance here");
        let mut requests = list_of(&listed["requests"]).into_iter();
        let request = requests.find(|request| request["user"] == user)?;
        request["number"].as_u64()
    }

    pub(super) fn entries(&self, instance: &str, options: &str) -> Vec<Value> {
        let list = format!("activity list --instance {instance} --kind act --limit 1000 {options}");
        list_of(&self.done(&list)["entries"])
    }

    pub(super) fn has_entry(&self, user: &str, code: &str) -> bool {
        let mut entries = self.entries("here", &format!("--user {user}")).into_iter();
        entries.any(|entry| entry["code"] == code)
    }

    /// Returns the ids of the signing keys, the active one first.
    pub(super) fn keys(&self) -> Vec<String> {
        let listed = self.done("keys list --instance rotated");
        let keys = list_of(&listed["signing_keys"]);
        assert_eq!(keys[0]["state"], "active");
        let ids = keys
            .iter()
            .map(|key| key["id"].as_str().unwrap().to_owned());
        ids.collect()
    }

    pub(super) fn note_key(&mut self, user: &str, key: &str) {
        self.keys.insert(user.to_owned(), key.to_owned());
    }

    pub(super) fn key_of(&self, user: &str) -> &String {
        &self.keys[user]
    }

    /// Requires that the active key can sign.
    pub(super) fn require_signing(&self) {
        self.done("link --instance rotated --id 1");
    }
}

fn list_of(list: &Value) -> Vec<Value> {
    list.as_array().unwrap().clone()
}
