//! Backups that are cut, changed or newer are refused, and change nothing.

use latchkey_core::ErrorCode;
use latchkey_store::backup::verify;

use super::{add, back_up, files, home, import, open, restore};
use crate::directory::random::Random;
use crate::soak::share;

/// Returns an instance with users that is backed up, and the backup.
fn prepared() -> (tempfile::TempDir, latchkey_store::home::Home, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let instance = add(&home, "Acme");
    let directory = open(&home, &instance);
    import(&*directory, "user", 50);
    let backup = back_up(&home, &instance, &*directory, true);
    (folder, home, backup)
}

#[test]
fn a_cut_backup_is_refused_and_nothing_is_changed() {
    let (folder, home, backup) = prepared();
    let before = files(folder.path());
    let step = (backup.len() / share(4000)).max(1);
    for length in (0..backup.len()).step_by(step).chain([backup.len() - 1]) {
        let refused = verify(&backup[..length]).unwrap_err();
        assert_eq!(refused.code, ErrorCode::DamagedFile, "{length}: {refused}");
    }
    for part in 0..10 {
        let length = backup.len() * part / 10;
        let refused = restore(&home, &backup[..length], true, None).unwrap_err();
        assert_eq!(refused.code, ErrorCode::DamagedFile, "{length}: {refused}");
    }
    assert!(files(folder.path()) == before);
    restore(&home, &backup, true, None).unwrap();
}

#[test]
fn a_changed_backup_is_refused_and_nothing_is_changed() {
    let (folder, home, backup) = prepared();
    let (before, whole) = (files(folder.path()), verify(&backup[..]).unwrap());
    let mut random = Random::new();
    let mut harmless = 0;
    for _ in 0..share(4000) {
        let mut changed = backup.clone();
        changed[random.below(backup.len())] ^= 1 << random.below(8);
        match verify(&changed[..]) {
            Ok(same) => {
                // zstd ignores a bit or two of its own header. The lines are then the same.
                assert_eq!(same, whole);
                harmless += 1;
            }
            // One bit turns the number of the format into that of a newer one.
            Err(refused) => assert!(
                matches!(
                    refused.code,
                    ErrorCode::DamagedFile | ErrorCode::NewerFormat
                ),
                "{refused}"
            ),
        }
    }
    assert!(
        harmless <= share(4000) / 20,
        "{harmless} changes were not noticed"
    );
    // Changes of the lines themselves, which zstd does not notice.
    let text = String::from_utf8(zstd::decode_all(&backup[..]).unwrap()).unwrap();
    for (from, to) in [
        ("user-7@acme.example", "user-8@evil.example"),
        (r#""status":"active""#, r#""status":"suspended""#),
        (r#""users":50"#, r#""users":51"#),
        (r#""seat_limit":null"#, r#""seat_limit":9999"#),
    ] {
        assert!(text.contains(from), "{from}");
        let changed = zstd::encode_all(text.replacen(from, to, 1).as_bytes(), 1).unwrap();
        let refused = restore(&home, &changed, true, None).unwrap_err();
        assert_eq!(refused.code, ErrorCode::DamagedFile, "{from}: {refused}");
    }
    // A row that is left out, and something behind the last line.
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let without = [&lines[..5], &lines[6..]].concat().concat();
    let longer = format!("{text}{}", lines[5]);
    for changed in [without, longer] {
        let changed = zstd::encode_all(changed.as_bytes(), 1).unwrap();
        let refused = restore(&home, &changed, true, None).unwrap_err();
        assert_eq!(refused.code, ErrorCode::DamagedFile, "{refused}");
    }
    let behind = [&backup[..], b"x"].concat();
    let twice = [&backup[..], &backup[..]].concat();
    for changed in [&behind[..], &twice, b"", b"not a backup", &[0; 100]] {
        let refused = restore(&home, changed, true, None).unwrap_err();
        assert_eq!(refused.code, ErrorCode::DamagedFile, "{refused}");
    }
    assert!(files(folder.path()) == before);
}

#[test]
fn a_newer_backup_is_refused_and_nothing_is_changed() {
    let (folder, home, backup) = prepared();
    let before = files(folder.path());
    let text = String::from_utf8(zstd::decode_all(&backup[..]).unwrap()).unwrap();
    for member in ["latchkey_backup", "settings_format", "rows_format"] {
        let begin = text.find(&format!("\"{member}\":")).unwrap() + member.len() + 3;
        let end = begin + text[begin..].find(',').unwrap();
        let newer = format!("{}{}{}", &text[..begin], 999, &text[end..]);
        let newer = zstd::encode_all(newer.as_bytes(), 1).unwrap();
        let refused = restore(&home, &newer, true, None).unwrap_err();
        assert_eq!(refused.code, ErrorCode::NewerFormat, "{member}: {refused}");
    }
    assert!(files(folder.path()) == before);
}
