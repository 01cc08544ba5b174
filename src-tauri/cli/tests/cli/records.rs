//! Tests of entries that a gateway records by itself, and of logs that cannot be written.

use std::fs::OpenOptions;
use std::io::pipe;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use serde_json::Value;

use crate::serve::{Serving, cookie, folder, get, run};

/// Returns the path and query of a single-use link.
fn single_use(folder: &Path, id: &str) -> String {
    let link = ["link", "--instance", "here", "--user-id", id];
    let arguments = [&link[..], &["--single-use", "--as", "code"]].concat();
    format!("/?externalAuthCode={}", run(folder, &arguments))
}

/// Returns the request that the button of a page sends.
fn post(path: &str, headers: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Mozilla/5.0\r\n{headers}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\n\
         Connection: close\r\n\r\n"
    )
}

/// Returns the header with the cookie of the confirm page, for a new browser.
fn shown(serving: &Serving, folder: &Path) -> String {
    let page = get(&single_use(folder, "only-shown"), "");
    let page = Serving::ask(&serving.address, &page).unwrap();
    let mut lines = page.lines();
    let set = lines.find_map(|line| line.strip_prefix("set-cookie: latchkey_shown_"));
    let set = set.unwrap_or_else(|| panic!("{page}"));
    format!(
        "Cookie: latchkey_shown_{}\r\n",
        set.split(';').next().unwrap()
    )
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

/// Uses a single-use code twice, and opens 600 bad codes in between.
fn signs_in_once(serving: &Serving, folder: &Path) {
    let link = single_use(folder, "ada");
    let ask = |request: &str| Serving::ask(&serving.address, request).unwrap();
    let used = ask(&post(&link, &shown(serving, folder)));
    assert_eq!(status(&used), "303", "{used}");
    let session = cookie(&used);
    // More lines than the buffer of a pipe holds.
    for number in 0..600 {
        let refused = ask(&get(&format!("/?externalAuthCode=bad-{number}"), ""));
        assert_eq!(status(&refused), "403", "{refused}");
    }
    assert_eq!(status(&ask(&get("/", &session))), "200");
    let again = ask(&post(&link, &shown(serving, folder)));
    assert_eq!(status(&again), "410", "{again}");
}

#[test]
fn a_log_that_cannot_be_written_or_is_not_read_delays_no_response() {
    let full = OpenOptions::new().write(true).open("/dev/full");
    let (unread, stuck) = pipe().unwrap();
    let (closed, broken) = pipe().unwrap();
    drop(closed);
    for (log, name) in [
        (Stdio::from(full.unwrap()), "a full disk"),
        (Stdio::from(broken), "a closed pipe"),
        (Stdio::from(stuck), "a pipe that nobody reads"),
    ] {
        let folder = folder();
        let unlimited = ["--visits-per-second", "0"];
        let serving = Serving::with_log(folder.path(), &unlimited, log);
        signs_in_once(&serving, folder.path());
        drop(serving.end());
        let listed = [
            "activity",
            "list",
            "--instance",
            "here",
            "--kind",
            "sign-in",
        ];
        let listed = run(folder.path(), &listed);
        assert_eq!(listed.lines().count(), 1, "{name}: {listed}");
    }
    drop(unread);
}

#[test]
fn sign_outs_refused_keys_and_the_start_and_stop_of_a_gateway_are_recorded() {
    let folder = folder();
    run(
        folder.path(),
        &["api-key", "make", "CRM", "--instance", "here"],
    );
    let serving = Serving::with_log(folder.path(), &[], Stdio::null());
    let ask = |request: &str| Serving::ask(&serving.address, request).unwrap();
    let link = single_use(folder.path(), "ada");
    let shown = shown(&serving, folder.path());
    let session = cookie(&ask(&post(&link, &shown)));
    let with_cookie = format!("Cookie: {session}\r\n");
    for _ in 0..2 {
        let out = ask(&post("/auth/sign-out", &with_cookie));
        assert_eq!(status(&out), "200", "{out}");
    }
    let begun = Instant::now();
    for _ in 0..5 {
        let refused = ask(&get("/api/v2/users", ""));
        assert_eq!(status(&refused), "401", "{refused}");
    }
    // The requests may fall into several minutes on a busy machine. A minute begins at a whole
    // second, so it may be shorter by one.
    let minutes = usize::try_from(begun.elapsed().as_secs() / 59 + 1).unwrap();
    let set = ["instance", "set", "here", "--keep-refusals", "500"];
    run(folder.path(), &set);
    drop(serving.end());
    let list = ["--json", "activity", "list", "--instance", "here"];
    let listed: Value = serde_json::from_str(&run(folder.path(), &list)).unwrap();
    let mut entries: Vec<&Value> = listed["entries"].as_array().unwrap().iter().collect();
    entries.reverse();
    let of = |code: &str| -> Vec<&Value> {
        let entries = entries.iter().filter(|entry| entry["code"] == code);
        entries.copied().collect()
    };
    let [started] = of("gateway_started")[..] else {
        panic!("{listed:#}");
    };
    assert_eq!(started["detail"], serving_address(&listed));
    assert_eq!(of("gateway_stopped").len(), 1, "{listed:#}");
    let [signed_out] = of("signed_out")[..] else {
        panic!("the second one ended no session: {listed:#}");
    };
    assert_eq!(signed_out["subject"], "ada");
    assert_eq!(signed_out["actor"], "visitor");
    assert_eq!(signed_out["address"], "127.0.0.1");
    let keys = of("api_key_refused");
    assert!((2..=2 * minutes).contains(&keys.len()), "{listed:#}");
    assert_eq!(keys[0]["repeats"], Value::Null);
    let counts = keys.iter().map(|key| match &key["repeats"] {
        Value::Null => 1,
        repeats => repeats["count"].as_u64().unwrap(),
    });
    assert_eq!(counts.sum::<u64>(), 5, "{listed:#}");
    let [changed] = of("settings_changed")[..] else {
        panic!("{listed:#}");
    };
    assert_eq!(changed["detail"], "refusals kept: 100000 → 500");
}

/// Returns the address in the entry of the gateway's stop.
fn serving_address(listed: &Value) -> Value {
    let entries = listed["entries"].as_array().unwrap();
    let stopped = entries
        .iter()
        .find(|entry| entry["code"] == "gateway_stopped");
    stopped.unwrap()["detail"].clone()
}
