//! Arguments of `latchkey links`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::page::PageArguments;
use super::values::{LineFormatArgument, yes_or_no};
use super::{FormArguments, SecretArguments};
use crate::named_file::NamedFile;

#[derive(Debug, Args)]
pub(crate) struct LinksArguments {
    /// Name or id of the instance.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) instance: Option<String>,
    #[command(subcommand)]
    pub(crate) command: LinksCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LinksCommand {
    /// List links, with what became of them.
    List(ListLinksArguments),
    /// Show a link.
    Show {
        /// Id of the link.
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
    /// Take links back: they sign nobody in from the next request on.
    Revoke(RevokeArguments),
    /// Print a link again. It has the same code.
    Copy(Box<CopyArguments>),
    /// Write links into a CSV or JSON Lines file.
    Export(ExportLinksArguments),
}

impl LinksCommand {
    /// Returns whether the command changes something if it succeeds.
    pub(super) const fn changes(&self) -> bool {
        match self {
            Self::List(_) | Self::Show { .. } | Self::Export(_) => false,
            Self::Revoke(_) | Self::Copy(_) => true,
        }
    }

    /// Returns the files that the operator has named.
    pub(super) fn files(&self) -> Vec<NamedFile> {
        match self {
            Self::Copy(copy) => {
                let mut files = copy.secret.files();
                files.extend(copy.form.qr.clone().map(NamedFile::Write));
                files
            }
            Self::Export(export) => {
                let out = export.out.iter().cloned();
                out.map(NamedFile::Write).collect()
            }
            Self::List(_) | Self::Show { .. } | Self::Revoke(_) => Vec::new(),
        }
    }
}

/// Filter of links.
#[derive(Debug, Args)]
pub(crate) struct LinkFilterArguments {
    /// Only links whose id, user, name or note contains each of these words. An address that a link
    /// names beside the id of its user is not searched.
    #[arg(
        long,
        value_name = "WORDS",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) search: String,
    /// Only links with this state.
    #[arg(long)]
    pub(crate) status: Option<LinkStatusArgument>,
    /// Only links of the person with this id or e-mail address. An address that a link names beside
    /// an id counts only when the user exists and has it.
    #[arg(long, value_name = "ID|ADDRESS")]
    pub(crate) user: Option<String>,
    /// Only links that were signed with the key with this id.
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub(crate) key: Option<String>,
    /// Only links that work, or only those that do not. This is about the link: whether its person
    /// may come in, such as a suspended user, is judged apart.
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    pub(crate) works: Option<bool>,
}

/// Filter and order of the listed links.
#[derive(Debug, Args)]
pub(crate) struct ListLinksArguments {
    #[command(flatten)]
    pub(crate) filter: LinkFilterArguments,
    /// Order of the links [default: the newest first].
    #[arg(long)]
    pub(crate) sort: Option<LinkSortArgument>,
    #[command(flatten)]
    pub(crate) page: PageArguments,
}

/// Links to revoke.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["ids", "user", "before", "key"]))]
pub(crate) struct RevokeArguments {
    /// Ids of links. Before an id that begins with a hyphen, write --.
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Revoke all links until now of the person with this id or e-mail address. An address that a link
    /// names beside an id counts only when the user exists and has it.
    #[arg(long, value_name = "ID|ADDRESS")]
    pub(crate) user: Option<String>,
    /// Revoke all links that were issued before this time: 2026-11-29T23:10 or
    /// 2026-11-29T23:10:00Z.
    #[arg(long, value_name = "WHEN")]
    pub(crate) before: Option<String>,
    /// Revoke all links until now that were signed with the key with this id.
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub(crate) key: Option<String>,
    /// Also end the sessions that the links began.
    #[arg(long)]
    pub(crate) end_sessions: bool,
    /// Also revoke links that are not in the list, such as the codes of another system before their
    /// first use.
    #[arg(long, requires = "ids")]
    pub(crate) unknown: bool,
}

/// A link to print again.
#[derive(Debug, Args)]
pub(crate) struct CopyArguments {
    /// Id of the link.
    #[arg(allow_hyphen_values = true)]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) secret: SecretArguments,
    #[command(flatten)]
    pub(crate) form: FormArguments,
}

/// Links to export, and where to.
#[derive(Debug, Args)]
pub(crate) struct ExportLinksArguments {
    #[command(flatten)]
    pub(crate) filter: LinkFilterArguments,
    /// Format of the file [default: csv, and jsonl on standard output with --json].
    #[arg(long)]
    pub(crate) format: Option<LineFormatArgument>,
    /// File that only its owner can read [default: standard output].
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// State of a link.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LinkStatusArgument {
    /// It works, and nobody has signed in by it. At an application elsewhere, this is not known.
    #[value(alias = "given-out")]
    NotUsed,
    /// It works, and somebody has signed in by it.
    InUse,
    /// It has no uses left.
    UsedUp,
    Expired,
    /// It was revoked. At an application elsewhere, that is only a mark in the list.
    #[value(alias = "marked-revoked")]
    Revoked,
    /// A later link of the same person has replaced it.
    Superseded,
}

/// Order of links.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LinkSortArgument {
    /// By the time when a link came into the list.
    Entered,
    /// By the time when a link expires.
    Expires,
    /// By the time of the last sign-in.
    LastUse,
    Person,
}
