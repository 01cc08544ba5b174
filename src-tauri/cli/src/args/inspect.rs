//! Arguments of `latchkey inspect`.

use std::path::PathBuf;

use clap::Args;

use super::{ProtocolArguments, SecretArguments};
use crate::named_file::NamedFile;

#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    /// A code, a login link, a widget tag or any text that contains one, - for standard input, or a
    /// file: a picture of a QR code or a text. A code on the command line is seen by other users of the computer.
    #[arg(value_name = "CODE|URL|-|FILE", allow_hyphen_values = true)]
    pub(crate) input: String,
    /// Judge it as this instance would, by name or id.
    #[arg(long, value_name = "NAME")]
    pub(crate) instance: Option<String>,
    /// Also say what opening it would do now, and do nothing.
    #[arg(long, requires = "instance")]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) protocol: ProtocolArguments,
    #[command(flatten)]
    pub(crate) secret: SecretArguments,
}

impl InspectArguments {
    /// Returns the files that the arguments name.
    pub(super) fn files(&self) -> Vec<NamedFile> {
        let mut files = self.secret.files();
        let input = PathBuf::from(&self.input);
        files.extend(input.is_file().then_some(NamedFile::Read(input)));
        files
    }
}
