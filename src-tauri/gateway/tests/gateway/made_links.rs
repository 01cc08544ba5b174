//! Test of links that another system makes by the API.

use serde_json::{Value, json};

use crate::api_client::Client;

#[test]
fn a_link_that_the_api_makes_after_a_removal_works_at_once() {
    let client = Client::new();
    let open = |code: &str| {
        let answer = client.site.get(&format!("/?externalAuthCode={code}"), &[]);
        answer.status.as_u16()
    };
    let before = client.site.new_user("ada");
    assert_eq!(open(&before), 303);
    let removed = client.ask("DELETE", "/api/v2/users/ada", &Value::Null);
    assert_eq!(removed.status.as_u16(), 204);
    let ada = json!({ "payload": { "user": { "id": "ada" } } });
    let made = client.done("POST", "/api/v1/links", &ada);
    assert_eq!(open(&before), 403, "a link from before the removal");
    assert!(!client.site.has_user("ada"));
    assert_eq!(open(made["code"].as_str().unwrap()), 303);
    assert!(client.site.has_user("ada"));
}
