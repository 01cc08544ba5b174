//! Changes of two instances, with what was acknowledged of them.

use std::path::Path;
use std::process::{Command, Stdio};

use super::change_kinds::{Change, begin_as, change};
use super::instances::Instances;
use super::serve;
use crate::serve::Serving;

/// Changes of two instances.
pub(super) struct Changes<'a> {
    pub(super) instances: Instances<'a>,
    /// Changes that were made, each with its user.
    made: Vec<(&'static Change, String)>,
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
        Self {
            instances: Instances::new(folder),
            made: Vec::new(),
            acknowledged: 0,
            unacknowledged: 0,
        }
    }

    /// Prepares a change by its number. Returns its command.
    pub(super) fn command(&mut self, number: usize) -> Vec<String> {
        let (change, user) = change(number);
        let command = (change.command)(&mut self.instances, &user);
        command.split_whitespace().map(str::to_owned).collect()
    }

    /// Notes whether a change was made, and requires it if it was acknowledged.
    pub(super) fn note(&mut self, number: usize, is_acknowledged: bool) {
        let (change, user) = change(number);
        let is_made = (change.is_made)(&self.instances, &user);
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
        self.instances.keep_answers();
        for (change, user) in &self.made {
            assert!(
                (change.is_made)(&self.instances, user),
                "{} of {user} is lost",
                change.name
            );
        }
        let users = self
            .instances
            .done("users list --instance here --status active --limit 1000000");
        let seats = self.instances.done("seats --instance here");
        assert_eq!(seats["used"], users["total"], "a seat has no user");
        for instance in ["here", "rotated"] {
            self.instances
                .done(&format!("activity verify --instance {instance}"));
        }
    }
}
