//! Addresses of this computer, those first by which a phone nearby most likely reaches it.

use std::cmp::Reverse;
use std::net::{IpAddr, Ipv4Addr};

/// A network interface with an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Name in the operating system, such as `eth0` or `Wi-Fi`.
    pub name: String,
    /// IPv4 address of the interface.
    pub ip: Ipv4Addr,
}

/// Prefixes of the names of interfaces that lead to no phone: containers, virtual machines and
/// tunnels.
const NO_PHONE: [&str; 15] = [
    "docker",
    "br-",
    "veth",
    "virbr",
    "vmnet",
    "vboxnet",
    "vethernet",
    "cni",
    "flannel",
    "lxc",
    "tun",
    "tap",
    "wg",
    "utun",
    "zt",
];

/// Returns all addresses but the loopback address. Without a network there are none.
#[must_use]
pub fn interfaces() -> Vec<Interface> {
    let found = if_addrs::get_if_addrs().unwrap_or_default();
    let all = found
        .into_iter()
        .filter_map(|interface| match interface.ip() {
            IpAddr::V4(ip) if !ip.is_loopback() && !ip.is_link_local() => Some(Interface {
                name: interface.name,
                ip,
            }),
            _ => None,
        });
    ordered(all.collect())
}

fn ordered(mut all: Vec<Interface>) -> Vec<Interface> {
    all.sort_by_key(|interface| {
        let name = interface.name.to_ascii_lowercase();
        let has_phone = !NO_PHONE.iter().any(|begin| name.starts_with(begin));
        Reverse((has_phone, interface.ip.is_private()))
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_and_tunnels_come_last() {
        let interface = |name: &str, ip: [u8; 4]| Interface {
            name: name.into(),
            ip: ip.into(),
        };
        let ordered = ordered(vec![
            interface("docker0", [172, 17, 0, 1]),
            interface("wg0", [10, 8, 0, 2]),
            interface("wan0", [203, 0, 113, 7]),
            interface("wlan0", [192, 168, 1, 20]),
            interface("br-1234", [172, 18, 0, 1]),
            interface("enp3s0", [10, 0, 0, 5]),
        ]);
        let names: Vec<&str> = ordered
            .iter()
            .map(|interface| interface.name.as_str())
            .collect();
        assert_eq!(
            names,
            ["wlan0", "enp3s0", "wan0", "docker0", "wg0", "br-1234"]
        );
    }

    #[test]
    fn the_loopback_address_is_not_listed() {
        assert!(
            interfaces()
                .iter()
                .all(|interface| !interface.ip.is_loopback())
        );
    }
}
