//! Arguments of `latchkey requests`.

use clap::{Args, Subcommand};

use super::values::number;
use super::{FormArguments, SecretArguments};
use crate::named_file::NamedFile;

#[derive(Debug, Args)]
pub(crate) struct RequestsArguments {
    /// Name or id of the instance.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) instance: Option<String>,
    #[command(subcommand)]
    pub(crate) command: RequestsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RequestsCommand {
    /// List the open requests, the newest first.
    List,
    /// Make the new link and print it. It is for the same person and works as long and as often as
    /// the old one.
    Grant(Box<GrantArguments>),
    /// Close a request without a new link. The person can ask again.
    Dismiss {
        /// Number of the request, as the list has it.
        #[arg(value_name = "NUMBER", allow_negative_numbers = true, value_parser = number)]
        number: u64,
    },
}

/// A request to grant.
#[derive(Debug, Args)]
pub(crate) struct GrantArguments {
    /// Number of the request, as the list has it.
    #[arg(value_name = "NUMBER", allow_negative_numbers = true, value_parser = number)]
    pub(crate) number: u64,
    #[command(flatten)]
    pub(crate) secret: SecretArguments,
    #[command(flatten)]
    pub(crate) form: FormArguments,
}

impl RequestsCommand {
    /// Returns whether the command changes something if it succeeds.
    pub(super) const fn changes(&self) -> bool {
        !matches!(self, Self::List)
    }

    /// Returns the files that the operator has named.
    pub(super) fn files(&self) -> Vec<NamedFile> {
        let Self::Grant(grant) = self else {
            return Vec::new();
        };
        let mut files = grant.secret.files();
        files.extend(grant.form.qr.clone().map(NamedFile::Write));
        files
    }
}
