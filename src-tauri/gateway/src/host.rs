//! Checks of the header `Host`.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Version};

/// Returns whether a request names exactly one host, as HTTP/1.1 requires (RFC 9112 §3.2). If a
/// request named two, a proxy and this server could choose different ones. HTTP/1.0 may name none.
pub(crate) fn names_one_host(request: &Request) -> bool {
    match request.headers().get_all(HOST).iter().count() {
        0 => request.version() < Version::HTTP_11,
        count => count == 1,
    }
}

/// Returns whether the host is a name or an address of this computer. Other names are suspicious,
/// because any site can point its own name at this computer and let its page read the response (DNS
/// rebinding).
pub(crate) fn is_this_computer(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).map(|host| host.as_bytes().try_into());
    let Some(Ok(authority)) = host.map(|host: Result<Authority, _>| host) else {
        return false;
    };
    let host = authority.host().trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_names_of_this_computer_are_accepted_as_this_computer() {
        for (host, is) in [
            ("localhost", true),
            ("LocalHost:9187", true),
            ("127.0.0.1:9187", true),
            ("127.8.9.1", true),
            ("[::1]:9187", true),
            ("metrics.example", false),
            ("localhost.evil.example:9187", false),
            ("127.0.0.1.evil.example", false),
            ("192.0.2.1:9187", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static(host));
            assert_eq!(is_this_computer(&headers), is, "{host}");
        }
        assert!(!is_this_computer(&HeaderMap::new()));
    }
}
