//! Arguments of `latchkey serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use latchkey_gateway::Network;

use super::SecretArguments;
use super::values::{listen_address, loopback};
use crate::named_file::NamedFile;

/// How a gateway listens.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// The instance, by name or id [default: the only one that is hosted here].
    #[arg(long, value_name = "NAME")]
    pub(crate) instance: Option<String>,
    /// The address of this computer to listen on. Another than the loopback one opens it to the
    /// network. Without an address, as in :8787, it is the loopback one.
    #[arg(long, value_name = "[ADDR]:PORT", default_value = "127.0.0.1:8787", value_parser = listen_address)]
    pub(crate) listen: SocketAddr,
    /// A certificate with its chain, in PEM, to speak https.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's private key, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Speak https with a certificate that is made the first time, and kept. Browsers warn of it.
    #[arg(long, conflicts_with = "tls_cert")]
    pub(crate) tls_self_signed: bool,
    /// A proxy, or a network of proxies such as 172.18.0.0/16, that is believed when it says in
    /// X-Forwarded-For for whom it asks; repeat it for more.
    #[arg(long, value_name = "IP[/BITS]")]
    pub(crate) trusted_proxy: Vec<Network>,
    /// How many links are opened in a second from one address, four times as many at once; 0 for no
    /// limit. Everybody together opens 64 times as many.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) visits_per_second: u32,
    /// How many requests of the API are answered in a second from one address, four times as many at
    /// once; 0 for no limit.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) api_requests_per_second: u32,
    /// Where Prometheus finds counters, at /metrics: an address of this computer alone.
    #[arg(long, value_name = "ADDR", value_parser = loopback)]
    pub(crate) metrics: Option<SocketAddr>,
    /// In what form to write what happens to standard error.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) log: LogFormat,
    #[command(flatten)]
    pub(crate) secret: SecretArguments,
}

impl ServeArguments {
    /// Returns the files that the arguments name.
    pub(super) fn files(&self) -> Vec<NamedFile> {
        let mut files = self.secret.files();
        let tls = [&self.tls_cert, &self.tls_key].into_iter().flatten();
        files.extend(tls.cloned().map(NamedFile::Read));
        files
    }
}

/// The form of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}
