//! Log files: one per day. Files that are too old are deleted.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use latchkey_core::{Error, Result};
use latchkey_store::files;
use tracing_appender::rolling::{RollingFileAppender, Rotation};

/// Number of days for which log files are kept.
const KEPT_DAYS: usize = 14;
const EXTENSION: &str = "log";

/// Log of a program in a folder, with one file for each day in UTC, such as
/// `studio.2026-11-26.log`.
#[derive(Clone, Debug)]
pub struct LogFile {
    folder: PathBuf,
    program: &'static str,
}

impl LogFile {
    /// Returns the log of a program in the folder `logs` of the data folder.
    #[must_use]
    pub fn new(data_dir: &Path, program: &'static str) -> Self {
        Self {
            folder: data_dir.join("logs"),
            program,
        }
    }

    /// Returns the folder of the files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the path of the file for a time.
    #[must_use]
    pub fn path(&self, now: Timestamp) -> PathBuf {
        let day = now.to_zoned(TimeZone::UTC).date();
        self.folder
            .join(format!("{}.{day}.{EXTENSION}", self.program))
    }

    /// Opens today's file and deletes files that are too old. Creates the folder, which only its
    /// owner can enter.
    pub(crate) fn open(&self) -> Result<RollingFileAppender> {
        files::create_private_dir(&self.folder)?;
        RollingFileAppender::builder()
            .rotation(Rotation::DAILY)
            .filename_prefix(self.program)
            .filename_suffix(EXTENSION)
            .max_log_files(KEPT_DAYS)
            .build(&self.folder)
            .map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use super::*;

    #[test]
    fn daily_files_are_kept_for_two_weeks() {
        let data = tempfile::tempdir().unwrap();
        let log = LogFile::new(data.path(), "studio");
        fs::create_dir(log.folder()).unwrap();
        for day in 1..=20 {
            fs::write(
                log.folder().join(format!("studio.2026-01-{day:02}.log")),
                "",
            )
            .unwrap();
        }
        let path = log.path(Timestamp::now());
        log.open().unwrap().write_all(b"a line\n").unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "a line\n");
        let files = fs::read_dir(log.folder()).unwrap().count();
        assert_eq!(files, KEPT_DAYS);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_enter_the_folder() {
        use std::os::unix::fs::PermissionsExt as _;

        let data = tempfile::tempdir().unwrap();
        let log = LogFile::new(data.path(), "studio");
        log.open().unwrap();
        let mode = fs::metadata(log.folder()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
