//! Arguments of `latchkey activity`.

use clap::{Args, Subcommand, ValueEnum};

use super::values::page_size;

#[derive(Debug, Subcommand)]
pub(crate) enum ActivityCommand {
    /// List what has happened, newest first.
    List(ActivityArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ActivityArguments {
    /// The instance, by name or id.
    #[arg(long, value_name = "NAME")]
    pub(crate) instance: String,
    /// Only this kind.
    #[arg(long, value_enum)]
    pub(crate) kind: Option<KindArgument>,
    /// Only what is about somebody, by the whole id or e-mail address.
    #[arg(long, value_name = "WHO")]
    pub(crate) about: Option<String>,
    /// Only where this stands: whom it is about, a reference, an address, a code of a verdict.
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) search: String,
    /// Only what was before the entry of this number.
    #[arg(long, value_name = "N")]
    pub(crate) before: Option<u64>,
    /// How many.
    #[arg(long, value_name = "N", default_value_t = 50, allow_negative_numbers = true, value_parser = page_size)]
    pub(crate) limit: usize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum KindArgument {
    /// Somebody signed in.
    SignIn,
    /// A code or an API key was refused.
    Refusal,
    /// An administrator changed something, or another system did with a key.
    Act,
}
