//! The header `Host`.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Version};

/// Whether a request names one host, as HTTP/1.1 demands (RFC 9112 §3.2). With two, a proxy and this
/// server could each take another one. HTTP/1.0 may name none.
pub(crate) fn names_one_host(request: &Request) -> bool {
    match request.headers().get_all(HOST).iter().count() {
        0 => request.version() < Version::HTTP_11,
        count => count == 1,
    }
}

/// Whether the host is a name or an address of this computer. Any site can let its own name lead to this
/// computer, and its page could then read the answer (DNS rebinding).
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
    fn this_computer_is_known_by_its_own_names() {
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
