//! Tests of importing and exporting users in the real window.

use std::fs;
use std::path::Path;

use crate::driver::{Studio, answer_file_dialog};
use crate::prepared::{Prepared, person};
use crate::run;
use crate::users::looks_well;

/// Returns a file with people: two rows to correct, three that exist, and others who are new.
fn people() -> String {
    let mut text = "Full name;Mail;User ID;Dept\r\n".to_owned();
    for user in (0..3).map(person) {
        let row = format!("Ada Lovelace;{};{};Care\r\n", user.email.unwrap(), user.id);
        text.push_str(&row);
    }
    text += "Gita Menon;gita.menon(at)alder.example;;Finance\r\n";
    for name in [
        "Aisha Bello",
        "Ben Carter",
        "Chen Wei",
        "Emil Nyström",
        "Fatima Zahra Benali",
    ] {
        let mail = name.to_lowercase().replace(' ', ".").replace('ö', "o");
        let row = format!("{name};{mail}@alder.example;;Research\r\n");
        text.push_str(&row);
    }
    text += "Ben Carter;ben.carter@alder.example;;Care\r\n";
    text
}

async fn choose(studio: &Studio, path: &Path) {
    studio.click("users-transfer").await;
    studio.click("users-import").await;
    answer_file_dialog("Import users", path);
}

async fn says(studio: &Studio, id: &str, wanted: &str) {
    studio
        .wait_for_text(id, wanted, |text| text.contains(wanted))
        .await;
}

#[test]
fn a_file_is_previewed_imported_and_exported_again() {
    run(async {
        let prepared = Prepared::with(3);
        let file = prepared.file("people.csv", people().as_bytes());
        let studio = prepared.open().await;
        studio.click("rail-users").await;
        says(&studio, "screen-note", "3").await;
        choose(&studio, &file).await;
        says(&studio, "import-table", "not an email").await;
        says(&studio, "import-run", "Add 5 users").await;
        looks_well(&studio, "import-problems").await;
        studio.click("import-tab-all").await;
        says(&studio, "import-table", "Aisha Bello").await;
        studio.click("import-update").await;
        says(&studio, "import-run", "Add 5, change 3").await;
        looks_well(&studio, "import-preview").await;
        studio.resize(860, 600).await;
        looks_well(&studio, "import-preview-narrow").await;
        studio.resize(1240, 800).await;
        let larger = "document.documentElement.style.fontSize = '200%'; return true";
        studio.script(larger).await;
        looks_well(&studio, "import-preview-200").await;
        let usual = "document.documentElement.style.fontSize = ''; return true";
        studio.script(usual).await;
        studio.click("import-run").await;
        says(&studio, "import-result", "5 users added, 3 users changed.").await;
        looks_well(&studio, "import-done").await;
        studio.click("import-show").await;
        says(&studio, "screen-note", "8 of 8").await;

        let out = file.with_file_name("exported.csv");
        studio.click("users-transfer").await;
        studio.click("users-export").await;
        looks_well(&studio, "export").await;
        studio.click("export-save").await;
        answer_file_dialog("Export users", &out);
        studio
            .wait_for_script(
                "the file",
                "return document.querySelector('[data-testid=export-dialog]') === null",
            )
            .await;
        let exported = fs::read_to_string(&out).unwrap();
        assert_eq!(exported.lines().count(), 9, "{exported}");
        assert!(exported.contains("Emil Nyström"), "{exported}");
        studio.quit().await;
    });
}

#[test]
fn a_hundred_thousand_rows_are_previewed_and_an_import_is_cancelled() {
    run(async {
        let prepared = Prepared::with(3);
        let rows: Vec<String> = (0..100_000)
            .map(|number| format!("many-{number},many-{number}@alder.example,Many {number}\n"))
            .collect();
        let text = format!("id,email,name\n{}", rows.concat());
        let file = prepared.file("many.csv", text.as_bytes());
        let studio = prepared.open().await;
        studio.click("rail-users").await;
        says(&studio, "screen-note", "3").await;
        choose(&studio, &file).await;
        says(&studio, "import-run", "Add 100,000 users").await;
        let drawn = "return document.querySelectorAll('[data-testid=import-row]').length < 60";
        studio.wait_for_script("only rows in sight", drawn).await;
        let bottom = "const table = document.querySelector('[data-testid=import-table]');
            table.scrollTop = table.scrollHeight; return true";
        studio.script(bottom).await;
        says(&studio, "import-table", "many-99999").await;
        studio.click("import-run").await;
        says(&studio, "import-result", "users added").await;
        studio.click("import-cancel").await;
        says(&studio, "import-panel", "Stopped").await;
        looks_well(&studio, "import-stopped").await;
        studio.click("import-done").await;
        studio.quit().await;
    });
}

#[test]
fn the_activity_is_verified_and_exported() {
    run(async {
        let prepared = Prepared::with(3);
        let studio = prepared.open().await;
        studio.click("rail-activity").await;
        studio.click("activity-more").await;
        looks_well(&studio, "activity-more").await;
        studio.click("activity-verify").await;
        says(&studio, "verify-result", "The activity is whole").await;
        looks_well(&studio, "activity-verified").await;
        let kept = studio.find("verify-last").await.text().await.unwrap();
        let other = kept.replace(|digit| "abc".contains(digit), "0");
        studio.fill("verify-expect", &other).await;
        studio.click("verify-run").await;
        says(&studio, "verify-result", "not have the expected hash").await;
        looks_well(&studio, "activity-other-seal").await;
        studio.resize(860, 600).await;
        looks_well(&studio, "activity-other-seal-narrow").await;
        studio.resize(1240, 800).await;
        let larger = "document.documentElement.style.fontSize = '200%'; return true";
        studio.script(larger).await;
        looks_well(&studio, "activity-other-seal-200").await;
        let usual = "document.documentElement.style.fontSize = ''; return true";
        studio.script(usual).await;
        studio.fill("verify-expect", &kept).await;
        studio.click("verify-run").await;
        says(&studio, "verify-result", "has the expected hash").await;
        studio.click("verify-close").await;

        let out = prepared.file("activity.jsonl", b"");
        studio.click("activity-more").await;
        studio.click("activity-export").await;
        studio.click("activity-export-json_lines").await;
        looks_well(&studio, "activity-export").await;
        studio.click("activity-export-save").await;
        answer_file_dialog("Export activity", &out);
        let closed =
            "return document.querySelector('[data-testid=activity-export-dialog]') === null";
        studio.wait_for_script("the file", closed).await;
        let exported = fs::read_to_string(&out).unwrap();
        assert!(exported.lines().count() >= 1, "{exported}");
        assert!(exported.contains("\"code\":\"imported\""), "{exported}");
        studio.quit().await;
    });
}
