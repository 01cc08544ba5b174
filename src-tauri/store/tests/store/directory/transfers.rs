//! Rules of imports and exports of files, for every engine.

use latchkey_core::ErrorCode;
use latchkey_core::activity::{ActivityQuery, EventData};
use latchkey_core::directory::{
    Directory, Lookup, Origin, PageStart, Profile, SeenProfile, Sort, User, UserQuery,
};
use latchkey_core::export::{ExportFormat, export};
use latchkey_core::import::{Action, Import, ImportFile, ImportOptions, RowPlan, RowProblem};
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::verdict::Status;
use latchkey_store::Wait as _;
use serde_json::{Map, Value, json};

use super::random::Random;
use super::{id, person};
use crate::by;
use crate::signed::now;

fn plan(text: &str, options: ImportOptions, directory: &dyn Directory) -> Import {
    let file = ImportFile::parse(text.as_bytes().to_vec()).unwrap();
    Import::plan(file, options, directory, now())
        .wait()
        .unwrap()
}

/// Imports all batches and returns the numbers of added and changed users.
fn carry_out(import: &mut Import, directory: &dyn Directory) -> (u64, u64) {
    while import.import_batch(directory, &by(now())).wait().unwrap() {}
    (import.done().add, import.done().change)
}

fn actions(import: &Import) -> Vec<&str> {
    let name = |plan: &RowPlan| match &plan.action {
        Action::Problem(problem) => problem.code(),
        action => action.name(),
    };
    import.rows().map(|(_, plan)| name(plan)).collect()
}

fn all(directory: &dyn Directory) -> Vec<User> {
    let everybody = UserQuery::default();
    let page = directory.users(&everybody, Sort::default(), &PageStart::First, 10_000);
    page.wait().unwrap().users
}

pub(super) fn people_and_addresses_are_looked_up_together(directory: &dyn Directory) {
    let by = by(now());
    for user in [
        person("ada", Some("ada@b.example")),
        person("bob", None),
        person("cyd", None),
    ] {
        directory.add(&user, &by).wait().unwrap();
    }
    directory.remove(&id("cyd"), &by).wait().unwrap();
    directory.set_seat_limit(Some(9), &by).wait().unwrap();
    let email = |text: &str| Email::parse(text, "email").unwrap();
    let lookup = Lookup {
        ids: vec![id("bob"), id("cyd"), id("nobody")],
        emails: vec![email("ADA@b.example"), email("nobody@b.example")],
    };
    let facts = directory.look_up(&lookup, now()).wait().unwrap();
    assert_eq!(
        facts.user(&id("bob")),
        directory.user(&id("bob")).wait().unwrap().as_ref()
    );
    assert_eq!(
        facts.user(&id("ada")),
        directory.user(&id("ada")).wait().unwrap().as_ref()
    );
    assert_eq!(
        facts.email(&email("ada@b.example")).unwrap().owner,
        Some(id("ada"))
    );
    assert_eq!(facts.email(&email("nobody@b.example")).unwrap().owner, None);
    let removed = facts.person(&id("cyd")).unwrap();
    assert!(removed.user.is_none() && removed.removed_at.is_some());
    assert_eq!(facts.person(&id("nobody")).unwrap().removed_at, None);
    assert_eq!((facts.counts.active, facts.counts.seat_limit), (2, Some(9)));
    let too_many = Lookup {
        ids: vec![id("bob"); 251],
        ..Lookup::default()
    };
    assert!(directory.look_up(&too_many, now()).wait().is_err());
}

pub(super) fn an_import_does_what_its_plan_says(directory: &dyn Directory) {
    let by = by(now());
    directory
        .add(&person("ada", Some("ada@b.example")), &by)
        .wait()
        .unwrap();
    directory.add(&person("bob", None), &by).wait().unwrap();
    directory.suspend(&id("bob"), &by).wait().unwrap();
    directory.add(&person("cyd", None), &by).wait().unwrap();
    directory.remove(&id("cyd"), &by).wait().unwrap();
    directory
        .add(&person("zoe", Some("zoe@b.example")), &by)
        .wait()
        .unwrap();
    let text = "id,email,name,team\n\
        ada,ada@b.example,Ada,R\n\
        bob,,Bob,\n\
        cyd,,,\n\
        dan,ZOE@b.example,,\n\
        eve,eve@b.example,Eve,\n\
        eve,other@b.example,,\n\
        fay,EVE@b.example,,\n\
        ,gus@b.example,Gus,R\n";
    let mut import = plan(text, ImportOptions::default(), directory);
    assert_eq!(
        actions(&import),
        [
            "keep",
            "keep",
            "removed",
            "email_in_use",
            "add",
            "same_id",
            "same_email",
            "add"
        ]
    );
    assert_eq!(all(directory).len(), 3, "a plan changes nothing");
    assert_eq!(carry_out(&mut import, directory), (2, 0));

    let options = ImportOptions {
        update: true,
        add_removed: true,
    };
    import.plan_again(options, directory, now()).wait().unwrap();
    assert_eq!(
        actions(&import),
        [
            "change",
            "change",
            "add_again",
            "email_in_use",
            "same",
            "same_id",
            "same_email",
            "same"
        ]
    );
    assert_eq!(carry_out(&mut import, directory), (1, 2));
    let user = |name: &str| directory.user(&id(name)).wait().unwrap().unwrap();
    assert_eq!(user("ada").metadata.json(), r#"{"name":"Ada","team":"R"}"#);
    assert_eq!(
        user("bob").status,
        Status::Suspended,
        "an import revives nobody"
    );
    assert_eq!(
        (user("gus").origin, user("ada").origin),
        (Origin::Import, Origin::Added)
    );
    let activity = directory
        .activity(&ActivityQuery::default(), None, 100)
        .wait()
        .unwrap();
    let entries = activity.entries.iter();
    let imported = entries.filter(|entry| entry.event.data == EventData::Imported { users: 1 });
    let imported: Vec<_> = imported
        .map(|entry| entry.event.subject.as_deref())
        .collect();
    assert_eq!(
        imported,
        [Some("cyd"), Some("gus"), Some("eve")],
        "an import is one entry for each user"
    );

    let again = plan(text, options, directory);
    assert_eq!(
        again.counts().add + again.counts().change,
        0,
        "a second import changes nothing"
    );
}

pub(super) fn an_imported_user_is_found_in_the_activity(directory: &dyn Directory) {
    let by = by(now());
    directory.add(&person("ada", None), &by).wait().unwrap();
    directory.remove(&id("ada"), &by).wait().unwrap();
    let names: Vec<String> = (0..249).map(|number| format!("user-{number}")).collect();
    let names = names.iter().map(String::as_str).chain(["ada"]);
    let users: Vec<_> = names.map(|name| person(name, None)).collect();
    directory.import(&users, &by).wait().unwrap();
    directory.suspend(&id("ada"), &by).wait().unwrap();
    let entries = |subject: Option<&str>| {
        let query = ActivityQuery {
            subject: subject.map(str::to_owned),
            ..ActivityQuery::default()
        };
        let page = directory.activity(&query, None, 500).wait().unwrap();
        assert_eq!(page.before, None);
        page.entries
    };
    let codes = |name: &str| -> Vec<String> {
        let entries = entries(Some(name)).into_iter();
        let codes = entries.map(|entry| entry.event.data.code().to_owned());
        codes.collect()
    };
    assert_eq!(codes("ada"), ["suspended", "imported", "removed", "added"]);
    for user in users.iter().filter(|user| user.id != id("ada")) {
        assert_eq!(codes(user.id.as_str()), ["imported"], "{}", user.id);
    }
    let numbers: Vec<u64> = entries(None).iter().map(|entry| entry.number).collect();
    let expected: Vec<u64> = (1..=253).rev().collect();
    assert_eq!(
        numbers, expected,
        "an entry for each change and each imported user"
    );
}

pub(super) fn an_import_takes_only_free_seats(directory: &dyn Directory) {
    directory
        .add(&person("ada", None), &by(now()))
        .wait()
        .unwrap();
    directory
        .set_seat_limit(Some(3), &by(now()))
        .wait()
        .unwrap();
    let mut import = plan(
        "id\nada\nbob\ncyd\ndan\neve\n",
        ImportOptions::default(),
        directory,
    );
    assert_eq!(
        actions(&import),
        ["same", "add", "add", "no_seat", "no_seat"]
    );
    // A seat is taken after the preview.
    directory
        .add(&person("fay", None), &by(now()))
        .wait()
        .unwrap();
    assert_eq!(carry_out(&mut import, directory), (1, 0));
    assert_eq!(
        actions(&import),
        ["same", "add", "no_seat", "no_seat", "no_seat"]
    );
    assert_eq!(directory.seats(now()).wait().unwrap().used, 3);
}

pub(super) fn an_import_notices_what_changed_after_its_plan(directory: &dyn Directory) {
    let by = by(now());
    for name in ["ada", "bob", "cyd"] {
        directory.add(&person(name, None), &by).wait().unwrap();
    }
    let options = ImportOptions {
        update: true,
        add_removed: false,
    };
    let text = "id,email,team\nada,,R\nbob,,R\ncyd,cyd@b.example,\ndan,,R\neve,,R\nfay,,\n";
    let mut import = plan(text, options, directory);
    assert_eq!(import.counts().problem, 0);
    let team = |team: &str| Metadata::from_json(&json!({ "team": team }).to_string(), "m").unwrap();
    let new = |name: &str, metadata| NewUser {
        metadata,
        ..person(name, None)
    };
    directory.remove(&id("ada"), &by).wait().unwrap();
    directory.suspend(&id("bob"), &by).wait().unwrap();
    directory
        .add(&person("gus", Some("cyd@b.example")), &by)
        .wait()
        .unwrap();
    directory
        .add(&new("dan", team("Care")), &by)
        .wait()
        .unwrap();
    directory.add(&new("eve", team("R")), &by).wait().unwrap();
    assert_eq!(carry_out(&mut import, directory), (1, 0));
    assert_eq!(
        actions(&import),
        ["removed", "stale", "email_in_use", "stale", "same", "add"]
    );
    let Action::Problem(stale) = &import.rows().nth(1).unwrap().1.action else {
        panic!("a stale plan is a problem");
    };
    assert_eq!(*stale, RowProblem::Stale);
    assert!(directory.user(&id("ada")).wait().unwrap().is_none());
}

pub(super) fn an_edit_of_a_seen_profile_is_refused_after_another_change(directory: &dyn Directory) {
    let by = by(now());
    let ada = person("ada", Some("ada@b.example"));
    let seen = SeenProfile::from(&directory.add(&ada, &by).wait().unwrap());
    let named = |name: &str| Profile {
        members: [("name".to_owned(), json!(name))].into_iter().collect(),
        ..Profile::default()
    };
    let edit = |name: &str, seen: &SeenProfile| {
        let (id, profile) = (id("ada"), named(name));
        directory.edit_seen(&id, &profile, seen, &by).wait()
    };
    let ada = edit("Ada", &seen).unwrap();
    assert_eq!(ada.display_name(), "Ada");
    let refused = edit("Countess", &seen).unwrap_err();
    assert_eq!(refused.code, ErrorCode::UserChanged, "other metadata");
    let seen = SeenProfile::from(&ada);
    let no_email = Profile {
        email: Some(None),
        ..Profile::default()
    };
    directory.edit(&id("ada"), &no_email, &by).wait().unwrap();
    let refused = edit("Countess", &seen).unwrap_err();
    assert_eq!(refused.code, ErrorCode::UserChanged, "another address");
    let user = directory.known_user(&id("ada")).wait().unwrap();
    assert_eq!((user.display_name(), &user.email), ("Ada", &None));
    edit("Countess", &SeenProfile::from(&user)).unwrap();
}

pub(super) fn an_import_of_many_rows_is_whole(directory: &dyn Directory) {
    let rows = (0..600).map(|number| format!("user-{number},u{number}@b.example,R\n"));
    let text = format!("id,email,team\n{}", rows.collect::<String>());
    let mut import = plan(&text, ImportOptions::default(), directory);
    assert!(import.import_batch(directory, &by(now())).wait().unwrap());
    assert_eq!((import.looked_at(), import.done().add), (250, 250));
    assert_eq!(directory.count().wait().unwrap(), 250, "a batch is whole");
    assert_eq!(carry_out(&mut import, directory), (600, 0));
    assert_eq!(import.looked_at(), 600);
    let options = ImportOptions {
        update: true,
        add_removed: false,
    };
    let mut import = plan(&text.replace(",R\n", ",Care\n"), options, directory);
    assert_eq!(carry_out(&mut import, directory), (0, 600));
}

pub(super) fn an_export_restores_every_profile(directory: &dyn Directory) {
    let people = awkward_people();
    for some in people.chunks(200) {
        directory.import(some, &by(now())).wait().unwrap();
    }
    let before = all(directory);
    assert_eq!(before.len(), people.len());
    let profiles = |users: &[User]| -> Vec<Value> {
        let profile = |user: &User| json!([user.id, user.email, user.metadata]);
        users.iter().map(profile).collect()
    };
    for format in [ExportFormat::Csv, ExportFormat::Json] {
        let mut bytes = Vec::new();
        let everybody = UserQuery::default();
        let users = export(directory, &everybody, format, |some, _| {
            bytes.extend_from_slice(some);
            Ok(())
        });
        assert_eq!(users.wait().unwrap(), people.len() as u64);
        let file = ImportFile::parse(bytes).unwrap();
        let options = ImportOptions {
            update: true,
            add_removed: true,
        };
        let same = Import::plan(file.clone(), options, directory, now())
            .wait()
            .unwrap();
        assert_eq!(same.counts().same, people.len() as u64, "{format:?}");
        for user in &before {
            directory.remove(&user.id, &by(now())).wait().unwrap();
        }
        let mut import = Import::plan(file, options, directory, now())
            .wait()
            .unwrap();
        carry_out(&mut import, directory);
        assert_eq!(profiles(&all(directory)), profiles(&before), "{format:?}");
    }
}

/// Returns people with ids and metadata that a file could lose.
fn awkward_people() -> Vec<NewUser> {
    const PARTS: [&str; 22] = [
        "=1+1", "'", "+", "-", "@", "\t", "\r", "\n", "\r\n", "\"", ",", ";", " ", "é", "日本",
        "\u{feff}", "a", "0", "{", "null", "\u{7}", "＝",
    ];
    const NAMES: [&str; 16] = [
        "name",
        "fullName",
        "ID",
        "E-mail",
        "metadata",
        "metadata.x",
        "latchkey.status",
        "status",
        " padded ",
        "=cmd",
        "'=x",
        "team",
        "tags",
        "a,b",
        "\"q\"",
        "first name",
    ];
    let mut random = Random::new();
    let text = |random: &mut Random| -> String {
        let length = random.below(5);
        (0..length)
            .map(|_| PARTS[random.below(PARTS.len())])
            .collect()
    };
    let mut people = Vec::new();
    for number in 0..400 {
        let mut members = Map::new();
        for _ in 0..random.below(5) {
            let value = match random.below(8) {
                0 => json!(number),
                1 => json!([text(&mut random), null, { "deep": 1.5 }]),
                2 => Value::Null,
                3 => json!(true),
                _ => json!(text(&mut random)),
            };
            members.insert(NAMES[random.below(NAMES.len())].to_owned(), value);
        }
        let part = PARTS[random.below(PARTS.len())];
        let id = format!("{part}{number}")
            .replace(char::is_control, "")
            .trim()
            .to_owned();
        let email = (random.below(2) == 0).then(|| format!("+{number}@b.example"));
        let metadata = Metadata::new(members, "metadata").unwrap();
        people.push(NewUser::parse(&id, email.as_deref(), metadata).unwrap());
    }
    people
}
