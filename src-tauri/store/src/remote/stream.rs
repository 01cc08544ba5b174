//! The stream of changes (server-sent events).

use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use latchkey_core::admin::{Change, ROOT};
use latchkey_core::directory::{Changed, OnChange};
use tokio::time::{sleep, timeout};

use super::server::Server;

/// Pause before a stream that has ended is requested again.
const PAUSE: Duration = Duration::from_secs(1);
/// Pause after a gateway has refused the stream.
const REFUSED_PAUSE: Duration = Duration::from_secs(30);
/// Time without any byte after which the connection counts as lost. The server sends one every 15
/// seconds.
const SILENCE: Duration = Duration::from_secs(40);
/// Timeout of the answer to the request.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum size of an answer that refuses the stream, in bytes.
const MAX_REFUSAL: usize = 64 * 1024;
/// Maximum length of an unfinished line, in bytes.
const MAX_LINE: usize = 4096;

/// A change of everything.
const ALL: Changed = Changed {
    activity: true,
    users: true,
};

/// End of a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// There was no answer.
    NotBegun,
    /// The server refused the request.
    Refused,
    /// The stream had begun.
    Lost,
}

/// Calls `call` after each change. When the stream ends, requests it again, until the client is
/// dropped. What has changed in between is not known, so `call` is then called for everything.
///
/// For a gateway on another computer this happens when the stream is lost and when it is back. For
/// a local process it happens at each attempt, because the directory may be free in the meantime.
///
/// Requests no stream while the gateway refuses the key.
pub(super) async fn follow(server: Server, call: OnChange) {
    let mut is_back = false;
    loop {
        server.until_accepted().await;
        let end = read(&server, &call, is_back).await;
        let refused = server.is_gateway() && end == End::Refused;
        sleep(if refused { REFUSED_PAUSE } else { PAUSE }).await;
        if end == End::Lost || !server.is_gateway() {
            call(ALL);
        }
        is_back = server.is_gateway();
    }
}

/// Reads one stream until it ends. `is_back` says that an earlier one has ended.
async fn read(server: &Server, call: &OnChange, is_back: bool) -> End {
    let request = Request::get(server.at(&format!("{ROOT}/changes")));
    let Ok(request) = request.body(Full::<Bytes>::default()) else {
        return End::NotBegun;
    };
    let Ok(Ok(response)) = timeout(ANSWER_TIMEOUT, server.request(request)).await else {
        return End::NotBegun;
    };
    if !response.status().is_success() {
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_REFUSAL).collect();
        if let Ok(Ok(body)) = timeout(ANSWER_TIMEOUT, body).await {
            // This notes that the key is refused.
            let _ = server.refused(status, &body.to_bytes(), None, false);
        }
        return End::Refused;
    }
    if is_back {
        call(ALL);
    }
    let (mut body, mut line) = (response.into_body(), Vec::new());
    while let Ok(Some(Ok(frame))) = timeout(SILENCE, body.frame()).await {
        for byte in frame.data_ref().into_iter().flatten() {
            match byte {
                b'\n' => {
                    tell(&line, call);
                    line.clear();
                }
                _ if line.len() >= MAX_LINE => return End::Lost,
                byte => line.push(*byte),
            }
        }
    }
    End::Lost
}

/// Reports the change in a line of a stream.
fn tell(line: &[u8], call: &OnChange) {
    let Some(data) = line.strip_prefix(b"data: ") else {
        return;
    };
    if let Ok(change) = serde_json::from_slice::<Change>(data)
        && (change.activity || change.users)
    {
        call(change.into());
    }
}
