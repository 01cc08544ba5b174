//! Two instances whose directory and keys are changed, and what the command line tells of them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::done;

/// Instances `here` and `rotated`.
pub(super) struct Instances<'a> {
    folder: &'a Path,
    /// Key that a change is about, by the name of its user.
    keys: BTreeMap<String, String>,
    /// Answers by their commands, once all changes are made.
    known: RefCell<Option<BTreeMap<String, Value>>>,
}

impl<'a> Instances<'a> {
    /// Adds the instance `rotated` to a folder.
    pub(super) fn new(folder: &'a Path) -> Self {
        let instances = Self {
            folder,
            keys: BTreeMap::new(),
            known: RefCell::default(),
        };
        instances.done("instance add Rotated --url https://a.b");
        instances
    }

    /// Keeps each answer from now on, because nothing changes any more.
    pub(super) fn keep_answers(&self) {
        self.known.replace(Some(BTreeMap::new()));
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
