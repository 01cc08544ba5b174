//! Arguments of `latchkey serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use latchkey_gateway::Network;

use super::SecretArguments;
use super::values::{listen_address, loopback, rate};
use crate::named_file::NamedFile;

/// Options of a gateway.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Name or id of the instance [default: the only one that is hosted here].
    #[arg(long, value_name = "NAME")]
    pub(crate) instance: Option<String>,
    /// Address of this computer to listen on. Other computers can reach any address but the
    /// loopback one. A port alone, such as :8787, listens on the loopback address.
    #[arg(long, value_name = "[ADDR]:PORT", default_value = "127.0.0.1:8787", value_parser = listen_address)]
    pub(crate) listen: SocketAddr,
    /// Certificate with its chain, in PEM. Turns on https.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Private key of the certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Turn on https with a self-signed certificate, which is made once and kept. Browsers warn of
    /// it.
    #[arg(long, conflicts_with = "tls_cert")]
    pub(crate) tls_self_signed: bool,
    /// Address of a trusted proxy, or a network of proxies such as 172.18.0.0/16. The gateway takes
    /// the visitor's address from the proxy's X-Forwarded-For. Repeat it for more.
    #[arg(long, value_name = "IP[/BITS]")]
    pub(crate) trusted_proxy: Vec<Network>,
    /// Maximum number of links opened per second from one address, with bursts of four times that.
    /// 0 sets no limit. All addresses together have 64 times that.
    #[arg(long, value_name = "N", default_value_t = 50, allow_negative_numbers = true, value_parser = rate)]
    pub(crate) visits_per_second: u32,
    /// Maximum number of API requests per second from one address, with bursts of four times that.
    /// 0 sets no limit.
    #[arg(long, value_name = "N", default_value_t = 50, allow_negative_numbers = true, value_parser = rate)]
    pub(crate) api_requests_per_second: u32,
    /// Address of this computer on which the administration API listens, with https only. Each
    /// request needs an API key [default: the API is served to programs of this user only].
    #[arg(long, value_name = "[ADDR]:PORT", value_parser = listen_address)]
    pub(crate) admin_listen: Option<SocketAddr>,
    /// Certificate of the administration API with its chain, in PEM [default: the gateway's own
    /// certificate, or a self-signed one, which is made once and kept].
    #[arg(
        long,
        value_name = "FILE",
        requires = "admin_tls_key",
        requires = "admin_listen"
    )]
    pub(crate) admin_tls_cert: Option<PathBuf>,
    /// Private key of that certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "admin_tls_cert")]
    pub(crate) admin_tls_key: Option<PathBuf>,
    /// Loopback address on which Prometheus finds counters, at /metrics.
    #[arg(long, value_name = "ADDR", value_parser = loopback)]
    pub(crate) metrics: Option<SocketAddr>,
    /// Format of the log on standard error.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) log: LogFormat,
    #[command(flatten)]
    pub(crate) secret: SecretArguments,
}

impl ServeArguments {
    /// Returns the files that the arguments name.
    pub(super) fn files(&self) -> Vec<NamedFile> {
        let mut files = self.secret.files();
        let tls = [
            &self.tls_cert,
            &self.tls_key,
            &self.admin_tls_cert,
            &self.admin_tls_key,
        ];
        files.extend(tls.into_iter().flatten().cloned().map(NamedFile::Read));
        files
    }
}

/// Format of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}
