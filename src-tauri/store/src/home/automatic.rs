//! Automatic backups: one a day, in the folder of the instance, by the process that holds its
//! directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::{Home, require_here};
use crate::files;
use latchkey_core::activity::{AuditContext, Change, ChangedSetting, EventData};
use latchkey_core::directory::Directory;
use latchkey_core::instance::InstanceId;
use latchkey_core::{Error, ErrorCode, Result};

/// Number of automatic backups that are kept.
pub const KEPT_BACKUPS: usize = 14;
/// Time between two automatic backups.
const PERIOD: SignedDuration = SignedDuration::from_hours(24);
/// Space that an automatic backup leaves free, in bytes. On a small disk it is a quarter.
const RESERVE: u64 = 256 * 1024 * 1024;

/// Beginning and end of the name of an automatic backup. Between them is its time.
const BEGIN: &str = "automatic-";
const END: &str = ".latchkey";
/// Beginning of the name of an automatic backup that is not whole.
const UNFINISHED: &str = ".automatic-";
/// Name of the file that turns automatic backups off.
const OFF: &str = "off";

/// An automatic backup.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AutomaticBackup {
    /// Time when the backup was made.
    pub made_at: Timestamp,
    /// Path of the file.
    pub path: PathBuf,
}

impl Home {
    /// Returns the automatic backups of an instance, the latest first.
    pub fn automatic_backups(&self, id: &InstanceId) -> Result<Vec<AutomaticBackup>> {
        list(&self.instances.backups_folder(id))
    }

    /// Returns whether automatic backups of an instance are on.
    #[must_use]
    pub fn has_automatic_backups(&self, id: &InstanceId) -> bool {
        !self.instances.backups_folder(id).join(OFF).exists()
    }

    /// Turns automatic backups of an instance on or off. The setting is the file [`OFF`].
    ///
    /// Fails with the errors of [`require_here`], because other instances have no directory here.
    pub fn set_automatic_backups(
        &self,
        id: &InstanceId,
        on: bool,
        by: &AuditContext,
    ) -> Result<()> {
        require_here(&self.instances.get(id)?)?;
        let from = self.has_automatic_backups(id);
        if from == on {
            return Ok(());
        }
        let folder = self.instances.backups_folder(id);
        let file = folder.join(OFF);
        if on {
            fs::remove_file(&file).map_err(|cause| files::storage("removed", &file, cause))?;
        } else {
            files::create_private_dir(&folder)?;
            files::replace(&file, b"")?;
        }
        let change = ChangedSetting::AutomaticBackups(Change { from, to: on });
        let changes = vec![change];
        let event = EventData::SettingsChanged { changes };
        self.instances.note(id, event.into(), by).map(drop)
    }

    /// Makes an automatic backup if the last one is a day old, and then removes the oldest above
    /// [`KEPT_BACKUPS`]. Other files in the folder stay. Returns the new backup.
    ///
    /// Fails if the disk is nearly full, or if `go_on` fails, which is called between the rows.
    pub fn back_up_if_due(
        &self,
        id: &InstanceId,
        directory: &dyn Directory,
        now: Timestamp,
        mut go_on: impl FnMut() -> Result<()>,
    ) -> Result<Option<AutomaticBackup>> {
        let folder = self.instances.backups_folder(id);
        let known = list(&folder)?;
        // A backup that seems to be of the future was made by a clock that was wrong.
        let is_recent = |known: &AutomaticBackup| {
            let age = now.duration_since(known.made_at);
            age < PERIOD && age >= SignedDuration::ZERO
        };
        if known.iter().any(is_recent) || !self.has_automatic_backups(id) {
            return Ok(None);
        }
        files::create_private_dir(&folder)?;
        remove_unfinished(&folder);
        let begun = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(&folder);
        let mut file = begun.map_err(|cause| files::storage("written", &folder, cause))?;
        let mut progress = |_| {
            require_room(&folder)?;
            go_on()
        };
        progress(0)?;
        let out = file.as_file_mut();
        self.back_up_verified(id, directory, None, now, out, &mut progress)?;
        let path = folder.join(name(now));
        let written = file.as_file().sync_all();
        written.map_err(|cause| files::storage("written", &path, cause))?;
        file.persist(&path)
            .map_err(|cause| cause.error)
            .and_then(|_| files::sync_dir(&folder))
            .map_err(|cause| files::storage("written", &path, cause))?;
        for old in too_many(list(&folder)?, now) {
            if let Err(cause) = fs::remove_file(&old.path) {
                tracing::warn!(%cause, path = %old.path.display(), "an old backup was not removed");
            }
        }
        Ok(Some(AutomaticBackup { made_at: now, path }))
    }
}

/// Returns the automatic backups in a folder, the latest first.
fn list(folder: &Path) -> Result<Vec<AutomaticBackup>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(files::storage("read", folder, cause)),
    };
    let files = entries.flatten();
    let files = files.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let backups = files.filter_map(|entry| {
        let made_at = time_in(entry.file_name().to_str()?)?;
        let path = entry.path();
        Some(AutomaticBackup { made_at, path })
    });
    let mut backups: Vec<AutomaticBackup> = backups.collect();
    backups.sort_by(|one, other| other.cmp(one));
    Ok(backups)
}

/// Returns the backups above [`KEPT_BACKUPS`], of a list with the latest first. Backups with a time in
/// the future are counted for themselves, so that they never push out the others.
fn too_many(
    backups: Vec<AutomaticBackup>,
    now: Timestamp,
) -> impl Iterator<Item = AutomaticBackup> {
    let (ahead, past): (Vec<_>, Vec<_>) =
        backups.into_iter().partition(|backup| backup.made_at > now);
    let over = |backups: Vec<AutomaticBackup>| backups.into_iter().skip(KEPT_BACKUPS);
    over(past).chain(over(ahead))
}

/// Returns the name of the backup of a time: `automatic-20261126T165028Z.latchkey`.
fn name(at: Timestamp) -> String {
    format!("{BEGIN}{}{END}", at.strftime("%Y%m%dT%H%M%SZ"))
}

/// Returns the time in the name of an automatic backup. `None` for any other name.
fn time_in(text: &str) -> Option<Timestamp> {
    let time = text.strip_prefix(BEGIN)?.strip_suffix(END)?;
    let time: Timestamp = time.parse().ok()?;
    (name(time) == text).then_some(time)
}

/// Removes what a killed process has left.
fn remove_unfinished(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_unfinished = |name: &str| name.starts_with(UNFINISHED);
        if entry.file_name().to_str().is_some_and(is_unfinished) {
            // If that fails, the next attempt removes it.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Fails if the disk is nearly full, because people could then not sign in.
fn require_room(folder: &Path) -> Result<()> {
    let Ok(space) = fs4::statvfs(folder) else {
        return Ok(());
    };
    if space.available_space() >= RESERVE.min(space.total_space() / 4) {
        return Ok(());
    }
    let message = format!(
        "The disk that holds {} is nearly full, so no automatic backup is made. Make room.",
        folder.display()
    );
    Err(Error::new(ErrorCode::Storage, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backups_of_a_clock_that_was_ahead_push_out_no_other() {
        let now: Timestamp = "2026-11-26T16:50:28Z".parse().unwrap();
        let day = |day: i64| AutomaticBackup {
            made_at: now + SignedDuration::from_hours(24 * day),
            path: PathBuf::from(day.to_string()),
        };
        let removed = |days: &[i64]| -> Vec<i64> {
            let mut backups: Vec<AutomaticBackup> = days.iter().copied().map(day).collect();
            backups.sort_by(|one, other| other.cmp(one));
            let removed = too_many(backups, now).map(|backup| backup.path);
            removed
                .map(|path| path.to_str().unwrap().parse().unwrap())
                .collect()
        };
        let ahead: Vec<i64> = (1..=14).collect();
        assert!(removed(&[&ahead[..], &[0]].concat()).is_empty());
        let past: Vec<i64> = (-15..=0).collect();
        assert_eq!(removed(&[&ahead[..], &past].concat()), [-14, -15]);
        let ahead: Vec<i64> = (1..=16).collect();
        assert_eq!(removed(&ahead), [2, 1]);
    }

    #[test]
    fn only_files_with_the_name_of_an_automatic_backup_count() {
        let at: Timestamp = "2026-11-26T16:50:28Z".parse().unwrap();
        assert_eq!(name(at), "automatic-20261126T165028Z.latchkey");
        assert_eq!(time_in(&name(at)), Some(at));
        for other in [
            "automatic-.latchkey",
            "automatic-20261126T165028Z.latchkey.old",
            "automatic-2026-11-26T16:50:28Z.latchkey",
            "my-automatic-20261126T165028Z.latchkey",
            "before-moving.latchkey",
        ] {
            assert_eq!(time_in(other), None, "{other}");
        }
    }
}
