//! Address of the client that a request comes from, with or without proxies in front.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;

/// Header with the addresses of the client and of the proxies.
pub(crate) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A network or a single address, such as `172.18.0.0/16` or `127.0.0.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

/// Error for a text that is not a [`Network`] of proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidNetwork {
    /// The text is neither an address nor a network.
    Unreadable,
    /// The address has bits beyond the prefix. The field is the network without them, which is
    /// probably meant.
    HostBits(IpNet),
    /// The network contains every address, so every visitor could claim any address.
    Everybody,
}

impl fmt::Display for InvalidNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str(
                "must be an address or a network, such as 127.0.0.1 or 172.18.0.0/16",
            ),
            Self::HostBits(network) => write!(
                f,
                "has bits beyond the prefix: give {network}, or the proxy's address without a prefix length"
            ),
            Self::Everybody => f.write_str(
                "must not contain every address, because every visitor could then claim any address",
            ),
        }
    }
}

impl std::error::Error for InvalidNetwork {}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self(address.to_canonical().into()));
        }
        let network: IpNet = text.parse().map_err(|_| InvalidNetwork::Unreadable)?;
        if network.prefix_len() == 0 {
            return Err(InvalidNetwork::Everybody);
        }
        if network.trunc() != network {
            return Err(InvalidNetwork::HostBits(network.trunc()));
        }
        Ok(Self(network))
    }
}

/// The proxies whose `X-Forwarded-For` is believed. With none, the peer of the connection is the
/// client.
pub(crate) struct TrustedProxies(Vec<Network>);

impl TrustedProxies {
    pub(crate) fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    /// Returns the client's address, or `None` if the peer of the connection is unknown.
    pub(crate) fn client_address(
        &self,
        extensions: &Extensions,
        headers: &HeaderMap,
    ) -> Option<IpAddr> {
        let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
        Some(self.client_behind(peer.ip(), headers))
    }

    /// Returns the rightmost address that does not belong to a trusted proxy. The entries to its
    /// left are not trusted, because a client can send any bytes there.
    fn client_behind(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let fields = headers.get_all(FORWARDED_FOR).iter();
        let fields: Vec<&[u8]> = fields.map(HeaderValue::as_bytes).collect();
        let entries = fields
            .iter()
            .rev()
            .flat_map(|field| field.rsplit(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|entry| !entry.is_empty());
        for entry in entries {
            if !self.0.iter().any(|proxy| proxy.contains(client)) {
                break;
            }
            match address(entry) {
                Some(address) => client = address.to_canonical(),
                None => break,
            }
        }
        client
    }
}

/// Parses one entry of `X-Forwarded-For`, which may have a port, and brackets around an IPv6
/// address.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?;
    let bare = text.parse::<IpAddr>().ok();
    let with_port = || Some(text.parse::<SocketAddr>().ok()?.ip());
    let in_brackets = || {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        Some(inner.parse::<Ipv6Addr>().ok()?.into())
    };
    bare.or_else(with_port).or_else(in_brackets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(forwarded: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for text in forwarded {
            let value = HeaderValue::from_bytes(text.as_bytes()).unwrap();
            headers.append("x-forwarded-for", value);
        }
        headers
    }

    #[test]
    fn only_a_trusted_proxy_can_forward_the_address_of_a_client() {
        let networks = ["127.0.0.1", "10.0.0.1", "172.18.0.0/16", "fd00::/8"];
        let proxies = TrustedProxies::new(networks.map(|text| text.parse().unwrap()).to_vec());
        for (peer, forwarded, client) in [
            ("192.0.2.7", &[][..], "192.0.2.7"),
            ("192.0.2.7", &["198.51.100.1"], "192.0.2.7"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:127.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
            (
                "127.0.0.1",
                &["203.0.113.9", "198.51.100.1"],
                "198.51.100.1",
            ),
            ("127.0.0.1", &["198.51.100.1, 10.0.0.1"], "198.51.100.1"),
            ("127.0.0.1", &["nobody"], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.1, unknown"], "127.0.0.1"),
            // Entries with ports and brackets.
            ("127.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("127.0.0.1", &["[2001:db8::7]:4711"], "2001:db8::7"),
            ("127.0.0.1", &["[2001:db8::7]"], "2001:db8::7"),
            ("127.0.0.1", &["2001:db8::7"], "2001:db8::7"),
            ("127.0.0.1", &["198.51.100.1:99999"], "127.0.0.1"),
            // Entries to the left that are empty or not text.
            ("127.0.0.1", &["J\u{fc}rgen, 198.51.100.1"], "198.51.100.1"),
            (
                "127.0.0.1",
                &["J\u{fc}rgen", "198.51.100.1"],
                "198.51.100.1",
            ),
            ("127.0.0.1", &["198.51.100.1, J\u{fc}rgen"], "127.0.0.1"),
            ("127.0.0.1", &[", ,198.51.100.1,,"], "198.51.100.1"),
            // Trusted networks.
            ("172.18.0.9", &["198.51.100.1"], "198.51.100.1"),
            (
                "172.18.0.9",
                &["203.0.113.9, 198.51.100.1, 172.18.255.254:80"],
                "198.51.100.1",
            ),
            ("172.19.0.9", &["198.51.100.1"], "172.19.0.9"),
            ("fd00::5", &["198.51.100.1"], "198.51.100.1"),
        ] {
            let headers = headers(forwarded);
            let found = proxies.client_behind(peer.parse().unwrap(), &headers);
            assert_eq!(found.to_string(), client, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn a_trusted_proxy_is_an_address_or_a_network_without_host_bits_and_not_everybody() {
        for text in [
            "127.0.0.1",
            "172.18.0.0/16",
            "172.18.0.5/32",
            "::1",
            "fd00::/8",
        ] {
            assert!(text.parse::<Network>().is_ok(), "{text}");
        }
        for text in [
            "",
            "localhost",
            "172.18.0.0/33",
            "172.18/16",
            "127.0.0.1:80",
        ] {
            assert_eq!(
                text.parse::<Network>(),
                Err(InvalidNetwork::Unreadable),
                "{text}"
            );
        }
        for text in ["0.0.0.0/0", "::/0", "10.0.0.1/0"] {
            assert_eq!(
                text.parse::<Network>(),
                Err(InvalidNetwork::Everybody),
                "{text}"
            );
        }
        for (text, meant) in [
            ("10.0.0.1/8", "10.0.0.0/8"),
            ("172.18.0.5/16", "172.18.0.0/16"),
            ("fd00::1/8", "fd00::/8"),
        ] {
            let refused = text.parse::<Network>().unwrap_err();
            assert!(refused.to_string().contains(meant), "{refused}");
        }
    }
}
