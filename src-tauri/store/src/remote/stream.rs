//! The stream of changes (server-sent events).

use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use latchkey_core::admin::{Change, ROOT};
use latchkey_core::directory::{Changed, OnChange};
use tokio::time::sleep;

use super::http::Http;

/// Pause before a stream that has ended is requested again.
const PAUSE: Duration = Duration::from_secs(1);
/// Maximum length of an unfinished line, in bytes.
const MAX_LINE: usize = 4096;

/// Calls `call` after each change. When the stream ends, requests it again, until the client is
/// dropped. What has changed in between is not known, so `call` is then called for everything.
pub(super) async fn follow(http: Http, call: OnChange) {
    loop {
        read(&http, &call).await;
        sleep(PAUSE).await;
        call(Changed {
            activity: true,
            users: true,
        });
    }
}

/// Reads one stream until it ends.
async fn read(http: &Http, call: &OnChange) {
    let request =
        Request::get(format!("http://localhost{ROOT}/changes")).body(Full::<Bytes>::default());
    let Ok(request) = request else {
        return;
    };
    let Ok(response) = http.request(request).await else {
        return;
    };
    let (mut body, mut line) = (response.into_body(), Vec::new());
    while let Some(Ok(frame)) = body.frame().await {
        for byte in frame.data_ref().into_iter().flatten() {
            match byte {
                b'\n' => {
                    tell(&line, call);
                    line.clear();
                }
                _ if line.len() >= MAX_LINE => return,
                byte => line.push(*byte),
            }
        }
    }
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
