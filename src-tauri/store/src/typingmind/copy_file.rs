//! The file with the copy of TypingMind's users, `typingmind-users.json` in the folder of the instance.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use latchkey_core::typingmind::{CopiedUser, Group, Region, UserCopy};
use latchkey_core::{Error, ErrorCode, Result};
use serde::{Deserialize, Serialize};

use crate::files;

const FILE: &str = "typingmind-users.json";
/// Format of the file. Other formats are treated like a missing copy, which the next copying makes
/// again.
const FORMAT: u32 = 1;
/// Maximum size of the file in bytes. 100,000 users take about 10 MB.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

#[derive(Serialize)]
struct Written<'a> {
    format: u32,
    /// Time of the list, in Unix seconds.
    at: i64,
    region: &'a Region,
    groups: &'a [Group],
    users: &'a [CopiedUser],
}

#[derive(Deserialize)]
struct Read {
    at: i64,
    region: Region,
    groups: Vec<Group>,
    users: Vec<CopiedUser>,
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

/// Writes the copy of a region's users.
pub(crate) fn write(folder: &Path, region: &Region, copy: &UserCopy) -> Result<()> {
    let file = Written {
        format: FORMAT,
        at: copy.at,
        region,
        groups: copy.groups(),
        users: copy.users(),
    };
    let contents = serde_json::to_vec(&file).map_err(Error::internal)?;
    files::replace(&folder.join(FILE), &contents)
}

/// Removes the copy, if there is one.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    let path = folder.join(FILE);
    match fs::remove_file(&path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(files::storage("removed", &path, cause))
        }
        _ => Ok(()),
    }
}

fn read(path: &Path, region: &Region) -> Result<Option<UserCopy>> {
    let Some(contents) = files::read_up_to(path, MAX_BYTES)? else {
        return Ok(None);
    };
    let damaged = |cause: serde_json::Error| {
        let message = format!(
            "{} is damaged, so the copy of TypingMind's users cannot be read. Copy them again.",
            path.display()
        );
        Error::new(ErrorCode::DamagedFile, message).because(cause)
    };
    let FormatOnly { format } = serde_json::from_slice(&contents).map_err(damaged)?;
    if format != FORMAT {
        return Ok(None);
    }
    let file: Read = serde_json::from_slice(&contents).map_err(damaged)?;
    // The users of another region are other users.
    let is_current = file.region == *region;
    Ok(is_current.then(|| UserCopy::new(file.at, file.groups, file.users)))
}

/// Copies that were read, so that a search does not read the file for each letter.
#[derive(Debug, Default)]
pub(crate) struct Copies(Mutex<HashMap<PathBuf, Cached>>);

#[derive(Debug)]
struct Cached {
    region: Region,
    /// Modification time and size of the file.
    version: (Option<SystemTime>, u64),
    copy: Option<Arc<UserCopy>>,
}

impl Copies {
    /// Returns the copy in the folder of an instance, if there is one.
    pub(crate) fn get(&self, folder: &Path, region: &Region) -> Result<Option<Arc<UserCopy>>> {
        let path = folder.join(FILE);
        let version = match fs::symlink_metadata(&path) {
            Ok(found) => (found.modified().ok(), found.len()),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(files::storage("read", &path, cause)),
        };
        let mut copies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cached) = copies.get(&path)
            && cached.version == version
            && cached.region == *region
        {
            return Ok(cached.copy.clone());
        }
        let copy = read(&path, region)?.map(Arc::new);
        let region = region.clone();
        copies.insert(
            path,
            Cached {
                region,
                version,
                copy: copy.clone(),
            },
        );
        Ok(copy)
    }
}
