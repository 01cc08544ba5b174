//! Arguments that stand for the settings of an instance.

use clap::Args;
use latchkey_core::protocol::code::Algorithm;

/// Parts of the protocol that an instance can change. They count if no instance is named.
#[derive(Debug, Args)]
pub(crate) struct ProtocolArguments {
    /// Signature algorithm: HS256, HS384 or HS512 [default: HS256].
    #[arg(long, conflicts_with = "instance", value_parser = str::parse::<Algorithm>)]
    pub(crate) algorithm: Option<Algorithm>,
    /// Query parameter that carries the code [default: externalAuthCode].
    #[arg(long, value_name = "NAME", conflicts_with = "instance")]
    pub(crate) param: Option<String>,
}
