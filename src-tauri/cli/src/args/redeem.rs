//! Arguments of `latchkey redeem`.

use std::path::PathBuf;

use clap::Args;

use super::SecretArguments;
use crate::named_file::NamedFile;

#[derive(Debug, Args)]
pub(crate) struct RedeemArguments {
    /// A code, a login link, a widget tag, any text that contains one, or the path of a picture of
    /// a QR code or of a text file. Use - to read one input per line of standard input. Each gets
    /// one line of output when its change is on the disk.
    #[arg(value_name = "CODE|URL|-|FILE", allow_hyphen_values = true)]
    pub(crate) input: String,
    /// Name or id of the instance.
    #[arg(long, value_name = "NAME")]
    pub(crate) instance: String,
    #[command(flatten)]
    pub(crate) secret: SecretArguments,
}

impl RedeemArguments {
    /// Returns the files that the arguments name.
    pub(super) fn files(&self) -> Vec<NamedFile> {
        let mut files = self.secret.files();
        let input = PathBuf::from(&self.input);
        files.extend(input.is_file().then_some(NamedFile::Read(input)));
        files
    }
}
