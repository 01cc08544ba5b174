//! Maximum number of connections of a listener, together and from each address.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum_server::accept::Accept;
use futures_util::future::BoxFuture;
use tokio::net::TcpStream;
use tower::Service;

use crate::rate_limit::network;

/// Length of the prefix of the IPv6 networks that count as one address.
const NETWORK_BITS: u32 = 64;

/// Maximum numbers of connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MaxConnections {
    pub(crate) together: usize,
    pub(crate) per_address: usize,
}

/// Acceptor that closes connections over the maximum at once, before TLS begins.
#[derive(Clone)]
pub(crate) struct Limited<A> {
    inner: A,
    maximum: MaxConnections,
    open: Arc<Mutex<Open>>,
}

/// Numbers of open connections.
#[derive(Default)]
struct Open {
    together: usize,
    by_address: HashMap<IpAddr, usize>,
}

impl<A> Limited<A> {
    pub(crate) fn new(inner: A, maximum: MaxConnections) -> Self {
        Self {
            inner,
            maximum,
            open: Arc::default(),
        }
    }

    /// Counts a connection. Returns `None` if there are too many.
    fn count(&self, address: IpAddr) -> Option<Counted> {
        let address = network(address.to_canonical(), NETWORK_BITS);
        let mut open = lock(&self.open);
        let from_address = open.by_address.get(&address).copied().unwrap_or_default();
        if open.together >= self.maximum.together || from_address >= self.maximum.per_address {
            return None;
        }
        open.together += 1;
        open.by_address.insert(address, from_address + 1);
        Some(Counted {
            address,
            open: Arc::clone(&self.open),
        })
    }
}

fn lock(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A counted connection. It is open until this is dropped.
struct Counted {
    address: IpAddr,
    open: Arc<Mutex<Open>>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = lock(&self.open);
        open.together = open.together.saturating_sub(1);
        if let Some(count) = open.by_address.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

impl<A, S> Accept<TcpStream, S> for Limited<A>
where
    A: Accept<TcpStream, S, Future: Send + 'static>,
    A::Stream: Send + 'static,
    A::Service: Send + 'static,
{
    type Stream = A::Stream;
    type Service = OfConnection<A::Service>;
    type Future = BoxFuture<'static, io::Result<(A::Stream, OfConnection<A::Service>)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let address = stream.peer_addr().map(|peer| peer.ip());
        let counted = address.map(|address| self.count(address).map(Arc::new));
        match counted {
            Ok(Some(counted)) => {
                let accepting = self.inner.accept(stream, service);
                Box::pin(async move {
                    let (stream, service) = accepting.await?;
                    let service = OfConnection {
                        service,
                        _counted: counted,
                    };
                    Ok((stream, service))
                })
            }
            Ok(None) => Box::pin(async { Err(io::Error::other("there are too many connections")) }),
            Err(cause) => Box::pin(async move { Err(cause) }),
        }
    }
}

/// Service of a connection. The connection counts until the service is dropped.
#[derive(Clone)]
pub(crate) struct OfConnection<S> {
    service: S,
    _counted: Arc<Counted>,
}

impl<R, S: Service<R>> Service<R> for OfConnection<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.service.call(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_address_and_all_together_have_a_maximum_and_an_end_makes_room() {
        let maximum = MaxConnections {
            together: 5,
            per_address: 2,
        };
        let limited = Limited::new((), maximum);
        let count = |text: &str| limited.count(address(text));
        let first = count("192.0.2.1");
        let second = count("192.0.2.1");
        assert!(first.is_some() && second.is_some());
        assert!(count("192.0.2.1").is_none());
        assert!(count("::ffff:192.0.2.1").is_none(), "the same address");
        let network = [count("2001:db8::1"), count("2001:db8::2")];
        assert!(network.iter().all(Option::is_some));
        assert!(count("2001:db8::3").is_none(), "the same network");
        let last = count("192.0.2.2");
        assert!(last.is_some());
        assert!(count("192.0.2.3").is_none(), "all together");
        drop(first);
        assert!(count("192.0.2.3").is_some());
        drop((second, network, last));
        let open = lock(&limited.open);
        assert_eq!((open.together, open.by_address.len()), (0, 0));
    }
}
