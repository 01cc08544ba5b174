//! Arguments of `latchkey activity`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use latchkey_core::activity::Mark;

use super::NamedFile;
use super::values::{LineFormatArgument, mark, number, page_size};

#[derive(Debug, Subcommand)]
pub(crate) enum ActivityCommand {
    /// List entries of the activity, newest first.
    List(ActivityArguments),
    /// Export entries of the activity, newest first.
    Export(ActivityExportArguments),
    /// Verify that no entry of the activity is missing, altered or reordered. The exit code is 1 if
    /// one is.
    Verify(VerifyArguments),
}

impl ActivityCommand {
    /// Returns the instance that the arguments name.
    pub(crate) fn instance(&self) -> &str {
        match self {
            Self::List(list) => &list.filter.instance,
            Self::Export(export) => &export.filter.instance,
            Self::Verify(verify) => &verify.instance,
        }
    }

    /// Returns the files that the arguments name.
    pub(crate) fn files(&self) -> Vec<NamedFile> {
        match self {
            Self::Export(export) => {
                let out = export.out.iter().cloned();
                out.map(NamedFile::Write).collect()
            }
            Self::List(_) | Self::Verify(_) => Vec::new(),
        }
    }
}

/// Seal to compare with.
#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// Name or id of the instance.
    #[arg(long, value_name = "NAME")]
    pub(crate) instance: String,
    /// Seal that an earlier verification printed. Fails unless the activity still has it.
    #[arg(long, value_name = "NUMBER:HASH", value_parser = mark)]
    pub(crate) expect: Option<Mark>,
}

/// Entries to export, and where to.
#[derive(Debug, Args)]
pub(crate) struct ActivityExportArguments {
    #[command(flatten)]
    pub(crate) filter: ActivityFilter,
    /// Format of the file [default: csv, and jsonl on standard output with --json].
    #[arg(long)]
    pub(crate) format: Option<LineFormatArgument>,
    /// File that only its owner can read [default: standard output].
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Selection of entries.
#[derive(Debug, Args)]
pub(crate) struct ActivityFilter {
    /// Name or id of the instance.
    #[arg(long, value_name = "NAME")]
    pub(crate) instance: String,
    /// Only entries of this kind.
    #[arg(long, value_enum)]
    pub(crate) kind: Option<KindArgument>,
    /// Only entries about this user, given by the whole id or e-mail address.
    #[arg(long, visible_alias = "user", value_name = "WHO")]
    pub(crate) about: Option<String>,
    /// Only entries about the link with this id, as the entries of the link have it.
    #[arg(long, value_name = "ID")]
    pub(crate) link: Option<String>,
    /// Only entries from this time on, in local time or RFC 3339.
    #[arg(long, value_name = "WHEN")]
    pub(crate) from: Option<String>,
    /// Only entries before this time.
    #[arg(long, value_name = "WHEN")]
    pub(crate) to: Option<String>,
    /// Only entries that contain this text, such as a user, a reference, an address, the code of a
    /// verdict, the name of an API key, or a value of a setting.
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) search: String,
}

#[derive(Debug, Args)]
pub(crate) struct ActivityArguments {
    #[command(flatten)]
    pub(crate) filter: ActivityFilter,
    /// Only entries before the entry with this number.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = number)]
    pub(crate) before: Option<u64>,
    /// Maximum number of entries.
    #[arg(long, value_name = "N", default_value_t = 50, allow_negative_numbers = true, value_parser = page_size)]
    pub(crate) limit: usize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum KindArgument {
    /// Sign-ins.
    SignIn,
    /// Refusals of codes and API keys.
    Refusal,
    /// Changes by an administrator, or by another system with an API key.
    Act,
}
