//! Requests and responses of the administration API.

use jiff::Timestamp;
use latchkey_core::ErrorCode;
use latchkey_core::admin::{
    ApiKeyRequest, InstanceRecord, LinkRequest, NewSigningKey, RetirementRequest,
};
use latchkey_core::instance::scope::Scope;
use latchkey_core::instance::{Hosted, Instance, InstanceId, Outbox, Settings, SettingsChange};
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::secret::{KeyLocation, KeyOrigin, KeyRecord, SecretEncoding, SecretSource};
use serde_json::{Value, from_value, json, to_value};

#[test]
fn a_change_of_settings_names_only_what_changes_and_refuses_null() {
    let change: SettingsChange =
        from_value(json!({ "require_expiry": true, "session": "2 hours", "return_to": [] }))
            .unwrap();
    let mut settings = Settings::sample().unwrap();
    change.apply(&mut settings).unwrap();
    assert!(settings.policy.require_expiry);
    assert_eq!(settings.visiting.session, Lifetime::Secs(7200));
    let sent = to_value(&change).unwrap();
    assert_eq!(
        sent,
        json!({ "require_expiry": true, "session": "2 hours", "return_to": [] })
    );
    for wrong in [
        json!({ "session_idle": null }),
        json!({ "name": null }),
        json!({ "unknown": 1 }),
    ] {
        assert!(
            from_value::<SettingsChange>(wrong.clone()).is_err(),
            "{wrong}"
        );
    }
}

/// Returns an instance that is hosted here and has no stored key.
fn without_key() -> Instance {
    Instance {
        id: InstanceId::like("Sample"),
        settings: Settings::sample().unwrap(),
        key: None,
        retiring: Vec::new(),
        dropped: Vec::new(),
        api_keys: Vec::new(),
        pairings: Vec::new(),
        outbox: Outbox::default(),
        connection: None,
        typingmind: None,
    }
}

#[test]
fn no_retired_key_is_given_up_where_a_gateway_alone_knows_the_keys() {
    let mut instance = without_key();
    instance.settings.hosted = Hosted::Here;
    let leaked = RetirementRequest {
        leaked: true,
        ..RetirementRequest::default()
    };
    let now = Timestamp::UNIX_EPOCH;
    assert_eq!(leaked.of_retired("other", &instance, now), None);
    instance.key = Some(KeyRecord {
        id: "active".to_owned(),
        public_id: None,
        origin: KeyOrigin::Generated,
        kept: KeyLocation::SealedFile,
        set_at: 0,
        bytes: 64,
        encoding: SecretEncoding::default(),
        revealed: false,
    });
    assert!(leaked.of_retired("other", &instance, now).is_some());
}

#[test]
fn the_record_of_an_instance_is_read_as_it_was_written() {
    let instance = without_key();
    let record = InstanceRecord::from(&instance);
    let written = to_value(&record).unwrap();
    assert_eq!(written["policy"]["external_auth"], true);
    assert_eq!(written["secret"], Value::Null);
    let read: InstanceRecord = from_value(written).unwrap();
    assert_eq!(read, record);
}

#[test]
fn a_new_signing_key_has_exactly_one_source() {
    let source = |body: Value| from_value::<NewSigningKey>(body).unwrap().source();
    let pasted = source(json!({ "secret": "c2VjcmV0", "encoding": "base64" })).unwrap();
    let SecretSource::Paste { secret, encoding } = &pasted else {
        panic!("{pasted:?}");
    };
    assert_eq!(
        (secret.expose(), *encoding),
        ("c2VjcmV0", SecretEncoding::Base64)
    );
    assert!(!format!("{pasted:?}").contains("c2Vj"));
    let sent = to_value(NewSigningKey::from(pasted)).unwrap();
    assert_eq!(sent["secret"], "c2VjcmV0");
    assert!(matches!(
        source(json!({ "generate": true })),
        Ok(SecretSource::Generate)
    ));
    for (wrong, field) in [
        (json!({}), "secret"),
        (json!({ "encoding": "hex" }), "secret"),
        (json!({ "generate": true, "secret": "x" }), "generate"),
        (json!({ "generate": true, "encoding": "hex" }), "encoding"),
    ] {
        let refused = source(wrong.clone()).unwrap_err();
        assert_eq!(refused.field.as_deref(), Some(field), "{wrong}");
    }
}

#[test]
fn a_key_with_the_scope_admin_cannot_be_requested() {
    let parse = |body: Value| from_value::<ApiKeyRequest>(body).unwrap().parse();
    let new = parse(json!({ "name": "CRM", "scopes": ["activity"], "expires_in": "90d" })).unwrap();
    assert_eq!(new.scopes, [Scope::Activity]);
    assert_eq!(new.lifetime, Lifetime::Secs(90 * 86_400));
    assert_eq!(
        parse(json!({ "name": "CRM" })).unwrap().scopes,
        Scope::DEFAULT
    );
    for (wrong, field) in [
        (
            json!({ "name": "CRM", "scopes": ["links", "admin"] }),
            "scopes",
        ),
        (json!({ "name": "CRM", "expires_in": "soon" }), "expires_in"),
    ] {
        let refused = parse(wrong.clone()).unwrap_err();
        assert_eq!(refused.field.as_deref(), Some(field), "{wrong}");
    }
}

#[test]
fn a_link_request_is_the_same_after_it_was_sent() {
    let request = json!({
        "payload": { "user": { "id": "ada", "email": "ada@b.cd", "team": "blue" } },
        "expiresIn": "2 days",
        "notBefore": "2026-11-29T23:10:00Z",
        "singleUse": true,
        "audience": "crm",
    });
    let parse = |request: Value| {
        from_value::<LinkRequest>(request)
            .unwrap()
            .parse(Lifetime::Never)
    };
    let spec = parse(request.clone()).unwrap();
    assert_eq!(to_value(LinkRequest::from(&spec)).unwrap(), request);
    for (member, value, field, code) in [
        (
            "expiresIn",
            json!("soon"),
            "expiresIn",
            ErrorCode::InvalidLifetime,
        ),
        (
            "notBefore",
            json!("soon"),
            "notBefore",
            ErrorCode::InvalidTime,
        ),
        ("payload", json!({}), "user", ErrorCode::InvalidPayload),
    ] {
        let mut wrong = request.clone();
        wrong[member] = value;
        let refused = parse(wrong).unwrap_err();
        assert_eq!(
            (refused.code, refused.field.as_deref()),
            (code, Some(field))
        );
    }
}
