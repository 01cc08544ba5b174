//! Arguments of `latchkey instance connect`.

use std::path::PathBuf;

use clap::Args;

use crate::named_file::NamedFile;

#[derive(Debug, Args)]
pub(crate) struct ConnectArguments {
    /// Connection string, a file with it, or - for standard input. Other users of this computer can
    /// read an argument, and could use the pairing code before this command does.
    #[arg(
        value_name = "CONNECTION-STRING|FILE|-",
        required_unless_present = "url"
    )]
    pub(crate) connection: Option<String>,
    /// Name of the instance here [default: its name at the gateway]. The name of a connected
    /// instance connects it again.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Address of the gateway's administration, in place of a connection string.
    #[arg(long, requires = "key_file", conflicts_with = "connection")]
    pub(crate) url: Option<String>,
    /// Fingerprint of the gateway's certificate. Without it, this computer must trust the
    /// certificate.
    #[arg(long, requires = "url")]
    pub(crate) fingerprint: Option<String>,
    /// File with the API key, or - for standard input.
    #[arg(long, value_name = "FILE|-", requires = "url")]
    pub(crate) key_file: Option<PathBuf>,
}

impl ConnectArguments {
    /// Returns the file that has the connection string, unless the argument is the string itself.
    pub(crate) fn connection_file(&self) -> Option<PathBuf> {
        let given = self.connection.as_deref();
        let file = given.filter(|given| !given.contains("://"));
        file.map(PathBuf::from)
    }

    /// Returns the files that the arguments name.
    pub(super) fn files(&self) -> Vec<NamedFile> {
        let files = [self.connection_file(), self.key_file.clone()];
        files.into_iter().flatten().map(NamedFile::Read).collect()
    }
}
