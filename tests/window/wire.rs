//! A TCP forward that plays the network between two computers: it delays, and it can be cut.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A network cable. While it is cut, nothing arrives and no connection is closed, so each side hears
/// only silence. What is sent arrives after it is put back, as TCP sends it again.
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    target: Mutex<SocketAddr>,
    is_cut: AtomicBool,
    /// Delay of each direction, in milliseconds.
    delay: AtomicU64,
    is_over: AtomicBool,
}

impl Wire {
    /// Forwards connections to `target`.
    pub(crate) fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            target: Mutex::new(target),
            is_cut: AtomicBool::new(false),
            delay: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.is_over.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(stream), state) = (stream, Arc::clone(&shared)) else {
                    continue;
                };
                thread::spawn(move || state.forward(&stream));
            }
        });
        Self { address, state }
    }

    /// Leads new connections to another server.
    pub(crate) fn lead_to(&self, target: SocketAddr) {
        *self.state.target.lock().unwrap() = target;
    }

    pub(crate) fn cut(&self, is_cut: bool) {
        self.state.is_cut.store(is_cut, Ordering::Relaxed);
    }

    /// Adds a delay to the time until an answer arrives.
    pub(crate) fn delay_answers(&self, by: Duration) {
        let each = u64::try_from(by.as_millis() / 2).unwrap();
        self.state.delay.store(each, Ordering::Relaxed);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::Relaxed);
        self.cut(false);
        // Wakes the thread that accepts connections.
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    fn forward(self: &Arc<Self>, near: &TcpStream) {
        self.wait_while_cut();
        let target = *self.target.lock().unwrap();
        let Ok(far) = TcpStream::connect(target) else {
            return;
        };
        let back = (far.try_clone().unwrap(), near.try_clone().unwrap());
        let state = Arc::clone(self);
        thread::spawn(move || state.pump(back.0, back.1));
        self.pump(near.try_clone().unwrap(), far);
    }

    fn pump(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count) = from.read(&mut buffer) {
            if count == 0 || self.is_over.load(Ordering::Relaxed) {
                break;
            }
            self.wait_while_cut();
            thread::sleep(Duration::from_millis(self.delay.load(Ordering::Relaxed)));
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(std::net::Shutdown::Both);
        let _ = from.shutdown(std::net::Shutdown::Both);
    }

    fn wait_while_cut(&self) {
        while self.is_cut.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(10));
        }
    }
}
