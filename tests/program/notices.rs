//! Test of Studio's notices about users that need a correction.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::boundary::{Boundary, users_request};
use crate::copied::with_notices;

#[test]
fn the_list_of_users_warns_of_shared_emails_and_times_in_the_future() {
    let (boundary, _) = Boundary::with_instance();
    let instance = boundary.ask("sample_instance_add", Value::Null).unwrap();
    let here = instance["id"].as_str().unwrap();
    let folder = boundary.data_dir.path().join("instances").join(here);
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("src-tauri/store");
    with_notices(&store, &folder.join("directory"), Timestamp::now());
    let notices = || {
        let page = boundary.ask("users", users_request(here)).unwrap();
        let notices = page["notices"].as_array().unwrap().iter();
        let notices = notices.map(|notice| {
            let text = |member: &str| notice[member].as_str().unwrap().to_owned();
            (text("code"), text("message"))
        });
        notices.collect::<Vec<_>>()
    };
    let told = notices();
    let [(shared, users), (ahead, times)] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(
        (shared.as_str(), ahead.as_str()),
        ("shared_email", "times_ahead")
    );
    assert!(
        users.starts_with("buecher and xn have one email"),
        "{users}"
    );
    assert!(times.contains("recorded for eve"), "{times}");
    assert!(times.ends_with("then set these times to now."), "{times}");

    let here = json!({ "instance": here });
    boundary.ask("users_correct_times", here).unwrap();
    assert_eq!(notices().len(), 1, "the times are corrected");
}
