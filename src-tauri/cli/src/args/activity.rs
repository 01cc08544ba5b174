//! Arguments of `latchkey activity`.

use clap::{Args, Subcommand, ValueEnum};

use super::values::{number, page_size};

#[derive(Debug, Subcommand)]
pub(crate) enum ActivityCommand {
    /// List entries of the activity, newest first.
    List(ActivityArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ActivityArguments {
    /// Name or id of the instance.
    #[arg(long, value_name = "NAME")]
    pub(crate) instance: String,
    /// Only entries of this kind.
    #[arg(long, value_enum)]
    pub(crate) kind: Option<KindArgument>,
    /// Only entries about this user, given by the whole id or e-mail address.
    #[arg(long, value_name = "WHO")]
    pub(crate) about: Option<String>,
    /// Only entries about the link with this ID, as the entries of the link have it.
    #[arg(long, value_name = "ID")]
    pub(crate) link: Option<String>,
    /// Only entries that contain this text, such as a user, a reference, an address, the code of a
    /// verdict, the name of an API key, or a value of a setting.
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) search: String,
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
