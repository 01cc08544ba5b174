//! Arguments of `latchkey users`.

use clap::{Args, Subcommand, ValueEnum};

use super::values::page_size;

#[derive(Debug, Args)]
pub(crate) struct UsersArguments {
    /// The instance, by name or id.
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
        /// The id.
        id: String,
    },
    /// Add a user, who takes a seat.
    Add {
        /// The id.
        id: String,
        /// The e-mail address.
        #[arg(long)]
        email: Option<String>,
        /// A text among the metadata; repeat it for more.
        #[arg(long, value_name = "K=V")]
        metadata: Vec<String>,
    },
    /// Suspend a user, which frees the seat.
    Suspend {
        /// The id.
        id: String,
    },
    /// Let a suspended user sign in again, which takes a seat.
    Reactivate {
        /// The id.
        id: String,
    },
    /// End all sessions of a user.
    SignOut {
        /// The id.
        id: String,
    },
    /// Remove a user; codes from before do not bring the user back.
    Remove {
        /// The id.
        id: String,
    },
    /// Set recorded times that lie in the future to now, after the clock of this computer was wrong.
    CorrectTimes,
}

impl UsersCommand {
    /// Returns the id of the existing user whom it is about.
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Self::Show { id }
            | Self::Suspend { id }
            | Self::Reactivate { id }
            | Self::SignOut { id }
            | Self::Remove { id } => Some(id),
            Self::List(_) | Self::Add { .. } | Self::CorrectTimes => None,
        }
    }

    /// Returns whether the command changes anything where it succeeds.
    pub(super) fn changes(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Show { .. })
    }
}

/// Which users to list, and in which order.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Only users in whose id, e-mail or name each of these words occurs.
    #[arg(long, value_name = "WORDS", default_value = "")]
    pub(crate) search: String,
    /// Only users of this status.
    #[arg(long)]
    pub(crate) status: Option<StatusArgument>,
    /// Only users who came in this way.
    #[arg(long)]
    pub(crate) origin: Option<OriginArgument>,
    /// What to sort by.
    #[arg(long, default_value = "id")]
    pub(crate) sort: SortArgument,
    /// From the greatest to the least.
    #[arg(long)]
    pub(crate) descending: bool,
    /// Begin where another page ended, by what was printed there.
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
    /// How many at most.
    #[arg(long, value_name = "N", default_value_t = 100, allow_negative_numbers = true, value_parser = page_size)]
    pub(crate) limit: usize,
}

/// Whether users may sign in.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum StatusArgument {
    Active,
    Suspended,
}

/// How users came in.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum OriginArgument {
    /// By a link.
    Link,
    /// By hand.
    Added,
    /// By an import.
    Import,
}

/// What to sort users by.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SortArgument {
    Id,
    Email,
    Created,
    LastSignIn,
}
