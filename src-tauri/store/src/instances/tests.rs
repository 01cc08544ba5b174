use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use jiff::Timestamp;

use super::Instances;
use super::file::FORMAT;
use latchkey_core::ErrorCode;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::admin::{Connection, Fingerprint, GatewayUrl};
use latchkey_core::instance::scope::Scope;
use latchkey_core::instance::{Hosted, Instance, InstanceId, Name, Outbox, Settings};
use latchkey_core::link::BaseUrl;
use latchkey_core::link::message::MessageTemplate;
use latchkey_core::secret::{KeyLocation, RetiringKey, StoredSecret};
use serde_json::Value;

fn by() -> AuditContext {
    AuditContext::new(Actor::Studio, Timestamp::UNIX_EPOCH)
}

fn settings(name: &str) -> Settings {
    Settings::new(
        Name::parse(name).unwrap(),
        BaseUrl::parse("https://a.b").unwrap(),
        Hosted::Here,
    )
}

#[test]
fn instances_are_added_found_changed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let instances = Instances::new(folder.path());
    assert!(instances.list().unwrap().instances.is_empty());
    let added = instances
        .add(settings("Your Company"), None, &by())
        .unwrap();
    assert_eq!(added.id.as_str(), "your-company");
    let other = instances
        .add(settings("Your, Company"), None, &by())
        .unwrap();
    assert_eq!(other.id.as_str(), "your-company-2");
    let taken = instances
        .add(settings("YOUR company"), None, &by())
        .unwrap_err();
    assert_eq!(taken.code, ErrorCode::InstanceExists);

    assert_eq!(instances.find("your company").unwrap().id, added.id);
    assert_eq!(instances.find("your-company-2").unwrap().id, other.id);
    let unknown = instances.find("nobody").unwrap_err();
    assert!(
        unknown.message.contains("Your Company"),
        "{}",
        unknown.message
    );

    let changed = instances.update(&added.id, &by(), |instance| {
        instance.settings.policy.require_expiry = true;
        Ok(())
    });
    assert!(changed.unwrap().settings.policy.require_expiry);
    assert!(
        instances
            .get(&added.id)
            .unwrap()
            .settings
            .policy
            .require_expiry
    );
    let refused = instances.update(&added.id, &by(), |instance| {
        instance.settings.name = Name::parse("Your, Company")?;
        Ok(())
    });
    assert_eq!(refused.unwrap_err().code, ErrorCode::InstanceExists);

    instances.remove(&added.id).unwrap();
    assert_eq!(
        instances.get(&added.id).unwrap_err().code,
        ErrorCode::UnknownInstance
    );
    assert_eq!(instances.list().unwrap().instances.len(), 1);
}

#[test]
fn a_damaged_or_newer_file_is_reported_and_hides_no_instance() {
    let folder = tempfile::tempdir().unwrap();
    let instances = Instances::new(folder.path());
    let broken = instances.add(settings("Broken"), None, &by()).unwrap();
    let newer = instances.add(settings("Newer"), None, &by()).unwrap();
    instances.add(settings("Whole"), None, &by()).unwrap();
    fs::write(instances.path(&broken.id), b"{\"format\":1,").unwrap();
    fs::write(
        instances.path(&newer.id),
        b"{\"format\":8,\"what\":\"ever\"}",
    )
    .unwrap();
    let listing = instances.list().unwrap();
    assert_eq!(listing.instances.len(), 1);
    assert_eq!(listing.problems.len(), 2);
    // The damaged instance can be removed by its ID.
    instances.remove(&broken.id).unwrap();
    assert!(!instances.folder(&broken.id).exists());
    let refused = instances.remove(&newer.id).unwrap_err();
    assert_eq!(refused.code, ErrorCode::NewerFormat);
    let again = instances.add(settings("Broken"), None, &by()).unwrap();
    assert_eq!(again.id, broken.id);
    fs::write(instances.path(&broken.id), b"{\"format\":1,").unwrap();
    // An unreadable instance cannot be found by its name.
    let unknown = instances.find("Broken Inc").unwrap_err();
    assert_eq!(unknown.code, ErrorCode::DamagedFile, "it may be the one");
    let unknown = unknown.message;
    assert!(unknown.contains("One cannot be read"), "{unknown}");
    assert_eq!(
        instances.find("newer").unwrap_err().code,
        ErrorCode::NewerFormat
    );
    assert_eq!(
        instances.find("broken").unwrap_err().code,
        ErrorCode::DamagedFile
    );
}

#[test]
fn a_directory_whose_instance_has_no_file_is_reported_and_its_name_stays_taken() {
    let folder = tempfile::tempdir().unwrap();
    let instances = Instances::new(folder.path());
    let acme = instances.add(settings("Acme"), None, &by()).unwrap();
    let directory = instances.directory_folder(&acme.id);
    fs::create_dir(&directory).unwrap();
    let (file, kept) = (instances.path(&acme.id), folder.path().join("kept"));
    fs::rename(&file, &kept).unwrap();
    let listing = instances.list().unwrap();
    let problem = &listing.problems[0].message;
    for part in [&file, &directory] {
        assert!(problem.contains(part.to_str().unwrap()), "{problem}");
    }
    assert!(problem.contains("backup"), "{problem}");
    for refused in [
        instances.get(&acme.id).unwrap_err(),
        instances.find("acme").unwrap_err(),
    ] {
        assert_eq!(refused.code, ErrorCode::DamagedFile);
    }
    for name in ["Acme", "acme"] {
        let refused = instances.add(settings(name), None, &by()).unwrap_err();
        assert_eq!(refused.code, ErrorCode::InstanceExists);
        assert_eq!(refused.field.as_deref(), Some("name"));
        assert!(refused.message.contains(problem), "{refused}");
    }
    instances.add(settings("Other"), None, &by()).unwrap();
    fs::rename(&kept, &file).unwrap();
    assert_eq!(instances.get(&acme.id).unwrap().id, acme.id);
    fs::remove_file(&file).unwrap();
    instances.remove(&acme.id).unwrap();
    assert_eq!(instances.list().unwrap().problems.len(), 0);
}

/// The file was written by the last version of format 1.
#[test]
fn a_file_of_format_1_is_read_and_becomes_one_of_format_7() {
    let folder = tempfile::tempdir().unwrap();
    let instances = Instances::new(folder.path());
    let id = InstanceId::parse("acme").unwrap();
    let path = instances.path(&id);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, include_bytes!("../../tests/store/instance-1.json")).unwrap();
    let read = instances.get(&id).unwrap();
    assert_eq!(read.settings.name.as_str(), "Acme");
    assert!(read.key.is_some_and(|key| key.encoding.is_text()));
    assert_eq!(read.api_keys.len(), 1);
    let renamed = |instance: &mut Instance| {
        instance.settings.name = Name::parse("Acme Inc")?;
        Ok(())
    };
    instances.update(&id, &by(), renamed).unwrap();
    let written = fs::read_to_string(&path).unwrap();
    assert!(written.contains("\"format\": 7"), "{written}");
    assert_eq!(instances.get(&id).unwrap().api_keys.len(), 1);
}

/// The file was written by the last version of format 4.
#[test]
fn a_file_of_format_4_is_read_and_becomes_one_of_format_7() {
    let folder = tempfile::tempdir().unwrap();
    let instances = Instances::new(folder.path());
    let id = InstanceId::parse("acme").unwrap();
    let path = instances.path(&id);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, include_bytes!("../../tests/store/instance-4.json")).unwrap();
    let read = instances.get(&id).unwrap();
    assert_eq!(read.settings.hosted, Hosted::Here);
    assert_eq!(read.api_keys[0].scopes, [Scope::UsersRead]);
    assert_eq!(read.connection, None);
    let waiting = read.outbox.waiting.len();
    let unchanged = instances.update(&id, &by(), |_| Ok(())).unwrap();
    assert_eq!(unchanged.outbox.waiting.len(), waiting);
    let written = fs::read_to_string(&path).unwrap();
    assert!(written.contains("\"format\": 7"), "{written}");
    assert_eq!(instances.get(&id).unwrap().settings, read.settings);
}

/// The file was written by the last version of format 5.
#[test]
fn a_file_of_format_5_is_read_and_becomes_one_of_format_7() {
    let folder = tempfile::tempdir().unwrap();
    let instances = Instances::new(folder.path());
    let id = InstanceId::parse("acme").unwrap();
    let path = instances.path(&id);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, include_bytes!("../../tests/store/instance-5.json")).unwrap();
    let read = instances.get(&id).unwrap();
    let key = read.key.clone().unwrap();
    assert_eq!(key.key_id(), "5OJsYrOdclo5FHOcvngR");
    assert!(read.retiring.is_empty() && read.dropped.is_empty());
    assert_eq!(read.outbox.waiting.len(), 5);
    let retiring = |instance: &mut Instance| {
        instance.retiring.push(RetiringKey {
            key: key.clone(),
            retires_at: 1_900_000_000,
        });
        Ok(())
    };
    let changed = instances.update(&id, &by(), retiring).unwrap();
    let written = fs::read_to_string(&path).unwrap();
    assert!(written.contains("\"format\": 7"), "{written}");
    assert_eq!(instances.get(&id).unwrap().retiring, changed.retiring);
}

/// The file was written by the last version of format 6.
#[test]
fn a_file_of_format_6_is_read_and_becomes_one_of_format_7() {
    let folder = tempfile::tempdir().unwrap();
    let instances = Instances::new(folder.path());
    let id = InstanceId::parse("acme").unwrap();
    let path = instances.path(&id);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, include_bytes!("../../tests/store/instance-6.json")).unwrap();
    let read = instances.get(&id).unwrap();
    assert!(read.settings.message.is_default() && read.settings.supersede);
    assert_eq!(read.retiring.len(), 1);
    let template = MessageTemplate::parse("Dear {name},\n{link}").unwrap();
    let worded = |instance: &mut Instance| {
        instance.settings.message = template.clone();
        Ok(())
    };
    let changed = instances.update(&id, &by(), worded).unwrap();
    assert_eq!(
        changed.outbox.waiting.len(),
        read.outbox.waiting.len() + 1,
        "the activity tells that the message was changed"
    );
    let written = fs::read_to_string(&path).unwrap();
    assert!(written.contains("\"format\": 7"), "{written}");
    assert_eq!(instances.get(&id).unwrap().settings.message, template);
}

#[test]
fn each_older_format_has_a_file_beside_the_tests() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store");
    let mut found = Vec::new();
    for file in [1, 4, 5, 6].map(|format| format!("instance-{format}.json")) {
        found.push(tests.join(file));
    }
    for folder in fs::read_dir(tests.join("directory")).unwrap() {
        found.push(folder.unwrap().path().join("instance.json"));
    }
    let formats: BTreeSet<u64> = found
        .iter()
        .filter_map(|path| fs::read(path).ok())
        .map(|file| serde_json::from_slice(&file).unwrap())
        .map(|file: Value| file["format"].as_u64().unwrap())
        .collect();
    assert_eq!(formats, (1..u64::from(FORMAT)).collect());
}

fn connection() -> Connection {
    Connection {
        url: GatewayUrl::parse("https://gateway.example:8443").unwrap(),
        instance: InstanceId::parse("acme").unwrap(),
        fingerprint: Some(Fingerprint::of(b"a key")),
        key_id: "BvoFLKnf".into(),
        key: Some(StoredSecret {
            id: "UhInjB5a545VrVH8PAZ8".into(),
            kept: KeyLocation::SealedFile,
        }),
        name: None,
        settings_read: true,
    }
}

#[test]
fn a_connected_instance_is_kept_with_its_connection_and_no_change_waits() {
    let folder = tempfile::tempdir().unwrap();
    let instances = Instances::new(folder.path());
    let added = instances
        .add_connected(settings("Server"), connection(), &by())
        .unwrap();
    let renamed = |instance: &mut Instance| {
        instance.settings.name = Name::parse("Other")?;
        Ok(())
    };
    instances.update(&added.id, &by(), renamed).unwrap();
    let read = instances.get(&added.id).unwrap();
    assert_eq!(read.settings.hosted, Hosted::Gateway);
    assert_eq!(read.connection, Some(connection()));
    assert_eq!(read.outbox, Outbox::default());
    let path = instances.path(&added.id);
    let written = fs::read_to_string(&path).unwrap();
    fs::write(&path, written.replace("\"gateway\"", "\"here\"")).unwrap();
    let refused = instances.get(&added.id).unwrap_err();
    assert_eq!(refused.code, ErrorCode::DamagedFile);
}

#[test]
fn an_id_is_never_a_path() {
    for text in ["..", "a/b", "", "A", "a\\b", "a.b"] {
        assert!(InstanceId::parse(text).is_err(), "{text}");
    }
    assert_eq!(InstanceId::like("../../etc").as_str(), "etc");
    assert_eq!(InstanceId::like("日本").as_str(), "instance");
}
