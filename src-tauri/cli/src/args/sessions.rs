//! Arguments of `latchkey sessions`.

use clap::{Args, Subcommand};

use super::values::page_size;

#[derive(Debug, Subcommand)]
pub(crate) enum SessionsCommand {
    /// List the sessions in which a user is signed in, the latest first.
    List {
        #[command(flatten)]
        of: OfUser,
        /// Begin after an earlier page, at the position that was printed there.
        #[arg(long, value_name = "CURSOR")]
        after: Option<String>,
        /// Maximum number of sessions.
        #[arg(long, value_name = "N", default_value_t = 100, allow_negative_numbers = true, value_parser = page_size)]
        limit: usize,
    },
    /// End a session of a user, or all of them. Every copy of its cookie is refused from then on.
    End {
        #[command(flatten)]
        of: OfUser,
        #[command(flatten)]
        which: WhichSessions,
    },
}

#[derive(Debug, Args)]
pub(crate) struct OfUser {
    /// Name or id of the instance.
    #[arg(long, value_name = "NAME")]
    pub(crate) instance: String,
    /// Id of the user.
    #[arg(long, value_name = "ID")]
    pub(crate) user: String,
}

/// Sessions to end.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct WhichSessions {
    /// Session to end, as the list names it.
    #[arg(long, value_name = "SESSION")]
    pub(crate) session: Option<String>,
    /// End all sessions of the user.
    #[arg(long)]
    pub(crate) all: bool,
}

impl SessionsCommand {
    /// Returns the user whose sessions they are.
    pub(crate) fn of(&self) -> &OfUser {
        match self {
            Self::List { of, .. } | Self::End { of, .. } => of,
        }
    }

    /// Returns whether the command changes something if it succeeds.
    pub(super) fn changes(&self) -> bool {
        matches!(self, Self::End { .. })
    }
}
