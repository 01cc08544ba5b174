//! Arguments of `latchkey inspect`.

use std::path::PathBuf;

use clap::Args;

use super::{ProtocolArguments, SecretArguments};
use crate::named_file::NamedFile;

#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    /// A code, a login link, a widget tag, any text that contains one, or the path of a picture of
    /// a QR code or of a text file. Use - for standard input, because other users of the computer
    /// can read a code on the command line.
    #[arg(value_name = "CODE|URL|-|FILE", allow_hyphen_values = true)]
    pub(crate) input: String,
    /// Name or id of the instance whose rules and key decide.
    #[arg(long, value_name = "NAME")]
    pub(crate) instance: Option<String>,
    /// Also show what opening the link would do now. Nothing is changed.
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
