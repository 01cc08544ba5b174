//! Test of notices for the administrator about users that need a correction.

use latchkey_store::Wait as _;
use std::path::Path;

use latchkey_core::directory::{self, Directory as _};

use super::copied::with_notices;
use super::embedded::open;
use super::{at, id};
use crate::by;

#[test]
fn shared_emails_and_times_in_the_future_are_reported_until_they_are_corrected() {
    // The directory was written some days after the time of the other tests.
    let now = at(30 * 86_400);
    let folder = tempfile::tempdir().unwrap();
    with_notices(Path::new(env!("CARGO_MANIFEST_DIR")), folder.path(), now);
    let directory = open(&folder).unwrap();
    let notices = directory::notices(&directory, now).wait().unwrap();
    let [shared, ahead] = &notices[..] else {
        panic!("{notices:?}");
    };
    assert_eq!(
        (&*shared.code, &*ahead.code),
        ("shared_email", "times_ahead")
    );
    for part in ["buecher", "xn", "ada@xn--bcher-kva.example"] {
        assert!(shared.message.contains(part), "{}", shared.message);
    }
    for part in [
        "recorded for eve",
        "Set the clock, then set these times to now.",
    ] {
        assert!(ahead.message.contains(part), "{}", ahead.message);
    }

    directory.remove(&id("xn"), &by(now)).wait().unwrap();
    assert_eq!(directory.correct_times(&by(now)).wait().unwrap(), 1);
    assert!(
        directory::notices(&directory, now)
            .wait()
            .unwrap()
            .is_empty()
    );
}
