//! Arguments of `latchkey users`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::page::PageArguments;
use crate::named_file::NamedFile;

#[derive(Debug, Args)]
pub(crate) struct UsersArguments {
    /// Name or id of the instance.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) instance: Option<String>,
    #[command(subcommand)]
    pub(crate) command: UsersCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UsersCommand {
    /// List users.
    List(ListArguments),
    /// Show a user.
    Show {
        /// Id of the user.
        id: String,
    },
    /// Add a user, who takes a seat. At TypingMind, give the e-mail address only.
    Add {
        /// Id of the user. TypingMind gives its users their ids itself.
        id: Option<String>,
        /// E-mail address.
        #[arg(long)]
        email: Option<String>,
        /// Text among the metadata. Repeat it for more.
        #[arg(long, value_name = "K=V")]
        metadata: Vec<String>,
        /// Add at TypingMind without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Change the e-mail address and the metadata of a user.
    Edit(EditArguments),
    /// Suspend a user, which frees the seat.
    Suspend {
        /// Id of the user.
        id: String,
    },
    /// Let a suspended user sign in again, which takes a seat.
    Reactivate {
        /// Id of the user.
        id: String,
    },
    /// Set the end of a user's account. An account that has ended becomes active again, which takes a
    /// seat.
    Extend(ExtendArguments),
    /// End all sessions of a user.
    SignOut {
        /// Id of the user.
        id: String,
    },
    /// Remove a user. Codes that were issued before do not bring the user back.
    Remove {
        /// Id of the user.
        id: String,
        /// Remove at TypingMind without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Copy the users of TypingMind, for an instance that is hosted there.
    Sync,
    /// Add the users of a CSV or JSON file, and show what each row does.
    ///
    /// Nothing is imported if a row has a problem. The exit code is then 1, also with --dry-run.
    Import(ImportArguments),
    /// Write users into a CSV or JSON file, which an import reads back.
    Export(ExportArguments),
    /// Set recorded times that lie in the future to now. Use it after the clock of this computer
    /// was wrong.
    CorrectTimes,
}

impl UsersCommand {
    /// Returns the id of the existing user whom the command is about.
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Self::Show { id }
            | Self::Suspend { id }
            | Self::Reactivate { id }
            | Self::SignOut { id }
            | Self::Remove { id, .. }
            | Self::Edit(EditArguments { id, .. })
            | Self::Extend(ExtendArguments { id, .. }) => Some(id),
            Self::List(_)
            | Self::Add { .. }
            | Self::Import(_)
            | Self::Export(_)
            | Self::Sync
            | Self::CorrectTimes => None,
        }
    }

    /// Returns whether the command changes something if it succeeds.
    pub(super) fn changes(&self) -> bool {
        match self {
            Self::List(_) | Self::Show { .. } | Self::Export(_) => false,
            Self::Import(import) => !import.dry_run,
            _ => true,
        }
    }

    /// Returns the files that the operator has named.
    pub(super) fn files(&self) -> Vec<NamedFile> {
        match self {
            Self::Import(import) => vec![NamedFile::Read(import.file.clone())],
            Self::Export(export) => {
                let out = export.out.iter().cloned();
                out.map(NamedFile::Write).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Changes of a user's profile.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true)
    .args(["email", "no_email", "metadata", "remove_metadata"]))]
pub(crate) struct EditArguments {
    /// Id of the user.
    pub(crate) id: String,
    /// New e-mail address.
    #[arg(long, value_name = "E", conflicts_with = "no_email")]
    pub(crate) email: Option<String>,
    /// Remove the e-mail address.
    #[arg(long)]
    pub(crate) no_email: bool,
    /// Text to set among the metadata. Repeat it for more.
    #[arg(long, value_name = "K=V")]
    pub(crate) metadata: Vec<String>,
    /// Name of a member to remove from the metadata. Repeat it for more.
    #[arg(long, value_name = "K")]
    pub(crate) remove_metadata: Vec<String>,
}

/// End of a user's account.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("end").required(true).args(["until", "never"]))]
pub(crate) struct ExtendArguments {
    /// Id of the user.
    pub(crate) id: String,
    /// Time when the account ends: 2026-11-29T23:10, 2026-11-29T23:10:00Z, or days from now such as
    /// 14d.
    #[arg(long, value_name = "WHEN")]
    pub(crate) until: Option<String>,
    /// Remove the end.
    #[arg(long)]
    pub(crate) never: bool,
}

/// A file to import.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
pub(crate) struct ImportArguments {
    /// CSV or JSON file with users, or - for standard input.
    pub(crate) file: PathBuf,
    /// Show what each row does. Change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Give existing users the profile of their row. Without it, their profiles are unchanged.
    #[arg(long)]
    pub(crate) update: bool,
    /// Add people who were removed again. Without it their rows have a problem.
    #[arg(long)]
    pub(crate) add_removed: bool,
    /// Leave out rows with a problem, and import the others.
    #[arg(long)]
    pub(crate) skip_problems: bool,
}

/// Users to export, and where to.
#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
    /// Format of the file [default: csv, and json on standard output with --json].
    #[arg(long)]
    pub(crate) format: Option<FormatArgument>,
    /// File that only its owner can read [default: standard output].
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Format of an export.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FormatArgument {
    /// For spreadsheets, in UTF-8.
    Csv,
    Json,
}

/// Filter of users.
#[derive(Debug, Args)]
pub(crate) struct FilterArguments {
    /// Only users whose id, e-mail address or name contains each of these words.
    #[arg(long, value_name = "WORDS", default_value = "")]
    pub(crate) search: String,
    /// Only users with this status.
    #[arg(long)]
    pub(crate) status: Option<StatusArgument>,
    /// Only users who were created in this way.
    #[arg(long)]
    pub(crate) origin: Option<OriginArgument>,
}

/// Filter and order of the listed users.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
    /// Only users in this group at TypingMind, by name or id.
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// Order of the users.
    #[arg(long, default_value = "id")]
    pub(crate) sort: SortArgument,
    #[command(flatten)]
    pub(crate) page: PageArguments,
}

/// Status of a user.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum StatusArgument {
    Active,
    Suspended,
    Ended,
}

/// Way in which a user was created.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum OriginArgument {
    /// By a link.
    Link,
    /// By an administrator.
    Added,
    /// By an import.
    Import,
}

/// Order of users.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SortArgument {
    Id,
    Email,
    Created,
    LastSignIn,
}
