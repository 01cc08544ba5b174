//! Tests of `latchkey users` for an instance at TypingMind, against a stand-in for its API.

mod changes;
mod connection;
mod copy;

use std::fs;

use serde_json::Value;

use crate::run::{Ran, SECRET, in_folder};
use crate::stand_in::{KEY, StandIn};

/// A data folder with the instance `Chat`, which is connected to a stand-in.
struct Connected {
    folder: tempfile::TempDir,
    typingmind: StandIn,
}

impl Connected {
    fn new(users: usize) -> Self {
        let typingmind = StandIn::start(users);
        let folder = elsewhere();
        let connected = Self { folder, typingmind };
        let url = connected.typingmind.url();
        let key = connected.path("key");
        fs::write(&key, KEY).unwrap();
        let set = connected.run(&[
            "instance",
            "set",
            "chat",
            "--typingmind-region",
            &url,
            "--typingmind-key-file",
            &key,
        ]);
        assert_eq!(set.code, 0, "{}", set.err);
        connected
    }

    /// Connects, and copies the users.
    fn copied(users: usize) -> Self {
        let connected = Self::new(users);
        let synced = connected.users(&["sync"]);
        assert_eq!(synced.code, 0, "{}", synced.err);
        connected
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        in_folder(self.folder.path(), arguments)
    }

    fn users(&self, arguments: &[&str]) -> Ran {
        self.run(&[&["users", "--instance", "chat"], arguments].concat())
    }

    fn users_json(&self, arguments: &[&str]) -> Value {
        let ran = self.users(&[&["--json"], arguments].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.json()
    }

    fn emails(&self, arguments: &[&str]) -> Vec<String> {
        let listed = self.users_json(&[&["list"], arguments].concat());
        let users = listed["users"].as_array().unwrap().iter();
        users
            .map(|user| user["email"].as_str().unwrap_or("-").to_owned())
            .collect()
    }

    /// Returns the latest entry of the activity.
    fn latest(&self) -> Value {
        let ran = self.run(&["--json", "activity", "list", "--instance", "chat"]);
        ran.json()["entries"][0].clone()
    }

    /// Returns the codes and subjects of the activity, newest first.
    fn activity(&self) -> Vec<(String, Option<String>)> {
        let ran = self.run(&["--json", "activity", "list", "--instance", "chat"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let entries = ran.json()["entries"].as_array().unwrap().clone();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        entries
            .iter()
            .map(|entry| (text(&entry["code"]).unwrap(), text(&entry["subject"])))
            .collect()
    }
}

/// Returns a data folder with the instance `Chat`, which is hosted elsewhere.
fn elsewhere() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, SECRET).unwrap();
    let added = in_folder(
        folder.path(),
        &[
            "instance",
            "add",
            "Chat",
            "--url",
            "https://chat.example",
            "--hosted",
            "elsewhere",
            "--secret-file",
            secret.to_str().unwrap(),
        ],
    );
    assert_eq!(added.code, 0, "{}", added.err);
    folder
}
