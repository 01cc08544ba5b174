//! The sealed file, `keys.sealed`: the signing keys, [sealed](super::sealing) together with a passphrase, for
//! computers without a keychain.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::sealing::{Fault, Sealed, SealingKey};
use crate::files;
use latchkey_core::secret::Secret;
use latchkey_core::{Error, ErrorCode, Result};

const FILE: &str = "keys.sealed";
/// Field of an error about a damaged file.
const KEYS_FIELD: &str = "keys";

#[derive(Clone)]
pub(super) struct SealedFile {
    path: PathBuf,
    opened: Option<SealingKey>,
}

/// Signing keys by ID. The texts are overwritten when they are dropped.
type Secrets = BTreeMap<String, Zeroizing<String>>;

impl SealedFile {
    pub(super) fn at(data_dir: &Path) -> Self {
        Self {
            path: data_dir.join(FILE),
            opened: None,
        }
    }

    pub(super) fn exists(&self) -> bool {
        self.path.exists()
    }

    pub(super) fn create(&mut self, passphrase: &Secret) -> Result<()> {
        let opened = SealingKey::new(passphrase)?;
        if let Some(folder) = self.path.parent() {
            files::create_private_dir(folder)?;
        }
        let _lock = self.lock()?;
        if self.exists() {
            return Err(Error::new(
                ErrorCode::KeysLocked,
                "A sealed file was made in the meantime. Start again and give its passphrase.",
            ));
        }
        self.seal(&opened, &Secrets::new())?;
        self.opened = Some(opened);
        Ok(())
    }

    /// Renames the file, so that another one can take its place. Returns its new path.
    pub(super) fn set_aside(&self, now: Timestamp) -> Result<Option<PathBuf>> {
        let _lock = self.lock()?;
        if !self.exists() {
            return Ok(None);
        }
        let old = self
            .path
            .with_extension(format!("sealed.before-{}", now.as_second()));
        self.rename(&self.path, &old)?;
        Ok(Some(old))
    }

    /// Renames a file that was set aside back to its old path.
    pub(super) fn put_back(&self, old: &Path) -> Result<()> {
        self.rename(old, &self.path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let folder = self.path.parent().unwrap_or_else(|| Path::new("."));
        fs::rename(from, to)
            .and_then(|()| files::sync_dir(folder))
            .map_err(|cause| files::storage("renamed", from, cause))
    }

    /// Returns the error for a file that contained signing keys and is missing.
    pub(super) fn missing(&self) -> Error {
        let message = format!(
            "The signing keys were kept in {}, and that file is gone. Put it back and try again, or start with new keys.",
            self.path.display()
        );
        Error::new(ErrorCode::KeysMissing, message)
    }

    pub(super) fn unlock(&mut self, passphrase: &Secret) -> Result<()> {
        let contents = self.contents()?;
        let opened = SealingKey::derive(&contents.header, passphrase)
            .map_err(|fault| self.refused(&fault))?;
        self.unseal(&opened, &contents)?;
        self.opened = Some(opened);
        Ok(())
    }

    pub(super) fn read(&self, id: &str) -> Result<Option<Secret>> {
        let secrets = self.secrets(self.opened()?)?;
        Ok(secrets
            .get(id)
            .map(|text| Secret::new(text.as_str().to_owned())))
    }

    pub(super) fn write(&self, id: &str, secret: &Secret) -> Result<()> {
        self.change(|secrets| {
            secrets.insert(id.to_owned(), Zeroizing::new(secret.expose().to_owned()));
        })
    }

    pub(super) fn delete(&self, id: &str) -> Result<()> {
        self.change(|secrets| {
            secrets.remove(id);
        })
    }

    /// Changes the keys. Reads the file again under the lock, because another program may have
    /// changed it.
    fn change(&self, change: impl FnOnce(&mut Secrets)) -> Result<()> {
        let opened = self.opened()?;
        let _lock = self.lock()?;
        let mut secrets = self.secrets(opened)?;
        change(&mut secrets);
        self.seal(opened, &secrets)
    }

    fn lock(&self) -> Result<std::fs::File> {
        files::lock(&self.path.with_extension("lock"))
    }

    fn opened(&self) -> Result<&SealingKey> {
        self.opened
            .as_ref()
            .ok_or_else(|| Error::new(ErrorCode::KeysLocked, "The sealed file is not open."))
    }

    fn secrets(&self, opened: &SealingKey) -> Result<Secrets> {
        let contents = self.contents()?;
        if contents.header != opened.header {
            return Err(Error::new(
                ErrorCode::KeysLocked,
                "The sealed file was replaced by another. Start again and give its passphrase.",
            ));
        }
        self.unseal(opened, &contents)
    }

    fn contents(&self) -> Result<Sealed> {
        let bytes = files::read(&self.path).map_err(|refused| match refused.code {
            ErrorCode::DamagedFile => refused.about(KEYS_FIELD),
            _ => refused,
        })?;
        let bytes = bytes.ok_or_else(|| self.damaged("it is not there"))?;
        serde_json::from_slice(&bytes).map_err(|_| self.damaged("it is not what was written"))
    }

    fn unseal(&self, opened: &SealingKey, contents: &Sealed) -> Result<Secrets> {
        let plain = opened
            .open(contents)
            .map_err(|fault| self.refused(&fault))?;
        serde_json::from_slice(&plain)
            .map_err(|_| self.damaged("what is sealed in it is not a list of keys"))
    }

    fn seal(&self, opened: &SealingKey, secrets: &Secrets) -> Result<()> {
        let plain = serde_json::to_vec(secrets)
            .map(Zeroizing::new)
            .map_err(Error::internal)?;
        let sealed = opened.seal(&plain)?;
        let bytes = serde_json::to_vec_pretty(&sealed).map_err(Error::internal)?;
        files::replace(&self.path, &bytes)
    }

    fn refused(&self, fault: &Fault) -> Error {
        match fault {
            Fault::Newer => Error::new(
                ErrorCode::NewerFormat,
                format!(
                    "{} was written by a newer Latchkey. Use that one.",
                    self.path.display()
                ),
            ),
            Fault::Damaged(why) => self.damaged(why),
            Fault::WrongPassphrase => Error::new(
                ErrorCode::WrongPassphrase,
                "The passphrase does not open the sealed file. Try again; nothing was changed.",
            )
            .about("passphrase"),
        }
    }

    fn damaged(&self, why: &str) -> Error {
        Error::new(
            ErrorCode::DamagedFile,
            format!(
                "{} cannot be used: {why}. Restore it from a backup, or start with new keys.",
                self.path.display()
            ),
        )
        .about(KEYS_FIELD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_wrong_passphrase_is_refused_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = SealedFile::at(folder.path());
        file.create(&secret("correct horse")).unwrap();
        file.write("a", &secret("s3cret")).unwrap();
        let before = std::fs::read(&file.path).unwrap();
        assert!(!String::from_utf8_lossy(&before).contains("s3cret"));

        let mut again = SealedFile::at(folder.path());
        let refused = again.unlock(&secret("wrong horse")).unwrap_err();
        assert_eq!(refused.code, ErrorCode::WrongPassphrase);
        assert_eq!(again.read("a").unwrap_err().code, ErrorCode::KeysLocked);
        assert_eq!(std::fs::read(&file.path).unwrap(), before);

        again.unlock(&secret("correct horse")).unwrap();
        assert_eq!(again.read("a").unwrap().unwrap().expose(), "s3cret");
        again.delete("a").unwrap();
        assert!(
            file.read("a").unwrap().is_none(),
            "the first sees what the second wrote"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&file.path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_changed_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = SealedFile::at(folder.path());
        file.create(&secret("correct horse")).unwrap();
        let text = std::fs::read_to_string(&file.path).unwrap();
        for (from, to, code) in [
            ("\"passes\": 3", "\"passes\": 2", ErrorCode::WrongPassphrase),
            (
                "\"memory_kib\": 65536",
                "\"memory_kib\": 4294967295",
                ErrorCode::DamagedFile,
            ),
            ("\"format\": 1", "\"format\": 2", ErrorCode::NewerFormat),
            ("argon2id", "argon2i", ErrorCode::DamagedFile),
            ("{", "", ErrorCode::DamagedFile),
        ] {
            assert!(text.contains(from), "{from}");
            std::fs::write(&file.path, text.replacen(from, to, 1)).unwrap();
            let refused = SealedFile::at(folder.path())
                .unlock(&secret("correct horse"))
                .unwrap_err();
            assert_eq!(refused.code, code, "{to}");
        }
    }
}
