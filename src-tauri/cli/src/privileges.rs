//! Gives up root before the program works in a folder of another user.
//!
//! The user of a service can put links into its data folder and swap files there at any time. Root
//! would follow them. Therefore [`plan`] walks to the folder as root only up to the first entry
//! that another user owns. Nobody else can swap the entries before it. The process then becomes the
//! owner of that entry, permanently.
//!
//! The process stays root only if root owns the whole folder and nobody else can write in it.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use latchkey_core::{Error, ErrorCode, Result};
use latchkey_store::files;

/// Maximum number of symbolic links on a path, as in Linux.
const MAX_LINKS: u32 = 40;

/// User that the process must become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner(u32);

/// Maximum depth of the check of a data folder, which has four levels.
const MAX_DEPTH: u32 = 16;

/// Returns the user that root must become to work in `folder`. `None` if the process is not root,
/// or if root owns the whole path and everything in the folder.
///
/// Fails if root owns the folder, but something in it belongs to another user or can be written by
/// others.
pub(crate) fn plan(folder: &Path) -> Result<Option<Owner>> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(None);
    }
    let failed = |cause| files::storage("opened", folder, cause);
    let owner = first_owner(folder, |uid| uid != 0).map_err(failed)?;
    if owner.is_none() && folder.is_dir() {
        let way = std::path::absolute(folder).map_err(failed)?;
        for above in way.ancestors().skip(1) {
            // In a folder with the sticky bit, nobody can replace an entry of root.
            let mode = fs::metadata(above).map_err(failed)?.mode();
            if mode & 0o1002 == 0o002 {
                return Err(refused(above, "can be written by other users"));
            }
        }
        require_roots(folder, MAX_DEPTH)?;
    }
    Ok(owner.map(Owner))
}

fn refused(path: &Path, why: &str) -> Error {
    Error::new(
        ErrorCode::InvalidDataFolder,
        format!(
            "{} {why}, and root does not work in a folder where others decide what it opens. Let one user own the data folder and all that is in it (chown -R), and take the permission to write from others (chmod -R go-w).",
            path.display()
        ),
    )
}

/// Fails unless only root can write to a folder and everything in it.
fn require_roots(folder: &Path, depth: u32) -> Result<()> {
    let failed = |cause| files::storage("opened", folder, cause);
    let found = match fs::metadata(folder) {
        Ok(found) => found,
        // Another program has removed it since it was listed.
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(failed(cause)),
    };
    let by_group = found.gid() != 0 && found.mode() & 0o020 != 0;
    if by_group || found.mode() & 0o002 != 0 {
        return Err(refused(folder, "can be written by other users"));
    }
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let owner = first_owner(&path, |uid| uid != 0).map_err(failed)?;
        if let Some(owner) = owner {
            let owner = Owner(owner).name();
            return Err(refused(&path, &format!("belongs to {owner}")));
        }
        if path.is_dir() {
            let deeper = depth.checked_sub(1);
            let deeper = deeper.ok_or_else(|| refused(&path, "lies too deep"))?;
            require_roots(&path, deeper)?;
        }
    }
    Ok(())
}

impl Owner {
    /// Returns whether this user owns an entry on the path, and so decides where the path leads.
    pub(crate) fn steers(self, path: &Path) -> io::Result<bool> {
        first_owner(path, |uid| uid == self.0).map(|found| found.is_some())
    }

    /// Changes the groups, group and user of the process to those of this user, permanently. Fails
    /// if this user cannot work in `folder`.
    pub(crate) fn assume(self, folder: &Path) -> Result<()> {
        self.change_ids().map_err(|cause| {
            let user = self.name();
            Error::new(
                ErrorCode::InvalidDataFolder,
                format!(
                    "{} is in the hands of {user}, and root could not become {user} to work there: {cause}. \
                     Run this as {user}.",
                    folder.display()
                ),
            )
            .because(cause)
        })?;
        self.check(folder)
    }

    #[cfg(not(target_vendor = "apple"))]
    fn change_ids(self) -> nix::Result<()> {
        use std::ffi::CString;

        use nix::unistd::{self, Gid, Uid, User};

        let uid = Uid::from_raw(self.0);
        let gid = if let Some(account) = User::from_uid(uid)? {
            let name = CString::new(account.name).map_err(|_| nix::Error::EINVAL)?;
            unistd::initgroups(&name, account.gid)?;
            account.gid
        } else {
            // A user without an account, such as in a container, gets no other groups.
            unistd::setgroups(&[])?;
            Gid::from_raw(self.0)
        };
        unistd::setresgid(gid, gid, gid)?;
        unistd::setresuid(uid, uid, uid)
    }

    /// Does not set the groups, because Apple's systems do not allow it.
    #[cfg(target_vendor = "apple")]
    fn change_ids(self) -> nix::Result<()> {
        Err(nix::Error::ENOTSUP)
    }

    /// Fails if this user cannot reach the folder, or if it belongs to a third user.
    fn check(self, folder: &Path) -> Result<()> {
        let user = self.name();
        let refused = |why: &str| {
            Error::new(
                ErrorCode::InvalidDataFolder,
                format!(
                    "{} is in the hands of {user}, {why}. Let one user own the folder and be able to enter those above it.",
                    folder.display()
                ),
            )
        };
        match fs::metadata(folder) {
            Ok(found) if found.uid() == self.0 => Ok(()),
            Ok(found) => Err(refused(&format!(
                "but belongs to {}",
                Self(found.uid()).name()
            ))),
            // The folder is made later, by this user.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied => {
                Err(refused("who cannot enter it by this path").because(cause))
            }
            Err(cause) => Err(files::storage("opened", folder, cause)),
        }
    }

    /// Returns the name of the account, or the user's number if there is no account.
    fn name(self) -> String {
        let account = nix::unistd::User::from_uid(self.0.into()).ok().flatten();
        account.map_or_else(|| format!("user {}", self.0), |account| account.name)
    }
}

/// Walks to `path`, through symbolic links, and returns the owner of the first entry whose owner
/// `is_sought`. Returns `None` if there is no such entry, or if the path ends early.
fn first_owner(path: &Path, is_sought: impl Fn(u32) -> bool) -> io::Result<Option<u32>> {
    let mut rest = reversed(&std::path::absolute(path)?);
    let (mut here, mut links) = (PathBuf::from("/"), 0);
    while let Some(step) = rest.pop() {
        here.push(step);
        let found = match fs::symlink_metadata(&here) {
            Ok(found) => found,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(cause),
        };
        if is_sought(found.uid()) {
            return Ok(Some(found.uid()));
        }
        if found.is_symlink() {
            links += 1;
            if links > MAX_LINKS {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            let target = fs::read_link(&here)?;
            here.pop();
            rest.extend(reversed(&target));
        }
    }
    Ok(None)
}

/// Returns the components of a path in reverse order. Pushing an absolute component onto a path
/// replaces the path.
fn reversed(path: &Path) -> Vec<PathBuf> {
    let steps = path.components().rev();
    steps
        .filter(|step| *step != Component::CurDir)
        .map(|step| PathBuf::from(step.as_os_str()))
        .collect()
}
