//! Tests of changes of an instance's settings.

use latchkey_core::ErrorCode;
use latchkey_core::instance::{Hosted, Name, Settings, SettingsChange};
use latchkey_core::link::BaseUrl;

fn settings() -> Settings {
    let url = BaseUrl::parse("https://chat.acme.example").unwrap();
    Settings::new(Name::parse("Acme").unwrap(), url, Hosted::Here)
}

fn list(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

#[test]
fn a_change_sets_what_it_names_and_leaves_the_rest() {
    let mut changed = settings();
    let change = SettingsChange {
        name: Some(" Acme 2 ".to_owned()),
        hosted: Some(Hosted::Elsewhere),
        return_to: Some(list("app.acme.example")),
        ..SettingsChange::default()
    };
    change.apply(&mut changed).unwrap();
    let mut expected = settings();
    expected.name = Name::parse("Acme 2").unwrap();
    expected.hosted = Hosted::Elsewhere;
    expected.visiting.return_to = changed.visiting.return_to.clone();
    assert_eq!(changed, expected);
    let origin = changed.visiting.return_to[0].to_string();
    assert_eq!(origin, "https://app.acme.example");
    let none = SettingsChange {
        return_to: Some(Vec::new()),
        ..SettingsChange::default()
    };
    none.apply(&mut changed).unwrap();
    assert!(changed.visiting.return_to.is_empty());
    SettingsChange::default().apply(&mut changed).unwrap();
    assert_eq!(changed.hosted, Hosted::Elsewhere);
}

#[test]
fn an_instance_elsewhere_cannot_supersede_links_whichever_setting_comes_last() {
    let superseding = SettingsChange {
        supersede: Some(true),
        ..SettingsChange::default()
    };
    let elsewhere = SettingsChange {
        hosted: Some(Hosted::Elsewhere),
        ..SettingsChange::default()
    };
    let both = SettingsChange {
        hosted: Some(Hosted::Elsewhere),
        ..superseding.clone()
    };
    let mut here = settings();
    superseding.apply(&mut here).unwrap();
    let mut there = settings();
    elsewhere.apply(&mut there).unwrap();
    for (before, change) in [(&here, &elsewhere), (&there, &superseding), (&there, &both)] {
        let refused = change.apply(&mut before.clone()).unwrap_err();
        assert_eq!(refused.code, ErrorCode::HostedElsewhere);
        assert_eq!(refused.field.as_deref(), Some("supersede"));
        assert!(refused.message.contains("in the same change"));
    }
    let off = SettingsChange {
        supersede: Some(false),
        ..elsewhere.clone()
    };
    off.apply(&mut here).unwrap();
    assert!(!here.supersede && here.hosted == Hosted::Elsewhere);
    // Earlier versions allowed it.
    let mut kept = Settings {
        supersede: true,
        ..there
    };
    let renamed = SettingsChange {
        name: Some("Acme 2".to_owned()),
        ..elsewhere
    };
    renamed.apply(&mut kept).unwrap();
    assert!(kept.supersede);
}

#[test]
fn a_change_without_an_earlier_draft_keeps_only_what_was_edited() {
    let draft = SettingsChange {
        url: Some("chat.acme.example".to_owned()),
        provisioning: Some(true),
        return_to: Some(list("app.acme.example")),
        ..SettingsChange::default()
    };
    assert!(draft.clone().without(&draft).is_empty());
    let edited = SettingsChange {
        provisioning: Some(false),
        return_to: Some(Vec::new()),
        ..draft.clone()
    };
    let expected = SettingsChange {
        provisioning: Some(false),
        return_to: Some(Vec::new()),
        ..SettingsChange::default()
    };
    assert_eq!(edited.without(&draft), expected);
}

#[test]
fn a_change_that_breaks_a_rule_names_the_member() {
    let text = |text: &str| Some(text.to_owned());
    let change = SettingsChange::default;
    for (field, change) in [
        (
            "name",
            SettingsChange {
                name: text(" "),
                ..change()
            },
        ),
        (
            "url",
            SettingsChange {
                url: text("/tmp"),
                ..change()
            },
        ),
        (
            "parameter",
            SettingsChange {
                parameter: text("a b"),
                ..change()
            },
        ),
        (
            "session_idle",
            SettingsChange {
                session_idle: "1s".parse().ok(),
                ..change()
            },
        ),
        (
            "return_to",
            SettingsChange {
                return_to: Some(list("null")),
                ..change()
            },
        ),
        (
            "embed_in",
            SettingsChange {
                embed_in: Some(list("'self'")),
                ..change()
            },
        ),
        (
            "audiences",
            SettingsChange {
                audiences: Some(list("")),
                ..change()
            },
        ),
    ] {
        let refused = change.apply(&mut settings()).unwrap_err();
        assert_eq!(refused.field.as_deref(), Some(field), "{refused}");
    }
}
