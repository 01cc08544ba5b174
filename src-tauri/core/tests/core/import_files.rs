//! Files to import: what is read from CSV and JSON, and what is refused.

use latchkey_core::import::{FileFormat, ImportFile, ImportRow, MAX_ROW_BYTES, MAX_ROWS};
use latchkey_core::{Error, ErrorCode};
use serde_json::{Value, json};

fn parse(text: &str) -> ImportFile {
    ImportFile::parse(text.as_bytes().to_vec()).unwrap()
}

fn refused(bytes: impl Into<Vec<u8>>) -> Error {
    ImportFile::parse(bytes.into()).unwrap_err()
}

/// Returns the user of a row as JSON.
fn user(row: &ImportRow) -> Value {
    json!(row.content.as_ref().unwrap())
}

fn users(text: &str) -> Vec<Value> {
    parse(text).rows.iter().map(user).collect()
}

/// Returns the field and the message of what is wrong with the only row.
fn fault(text: &str) -> (String, String) {
    let file = parse(text);
    let error = file.rows[0].content.as_ref().unwrap_err().error.clone();
    (error.field.unwrap_or_default(), error.message)
}

#[test]
fn separators_quotation_marks_and_line_ends_of_all_spreadsheets_are_read() {
    let ada = ["ada", "ada@b.example", "Ada, \"A\"\nL", "R"];
    let ada = [json!({ "id": ada[0], "email": ada[1], "name": ada[2], "team": ada[3] })];
    for text in [
        "id,email,name,team\r\nada,ada@b.example,\"Ada, \"\"A\"\"\nL\",R\r\n",
        "id;email;name;team\nada;ada@b.example;\"Ada, \"\"A\"\"\nL\";R",
        "id\temail\tname\tteam\r\nada\tada@b.example\t\"Ada, \"\"A\"\"\nL\"\tR\r\n\r\n",
        "\u{feff}\"id\",\"email\",\"name\",\"team\"\rada,ada@b.example,\"Ada, \"\"A\"\"\nL\",R\r",
        "sep=;\r\nid;email;name;team\r\nada;ada@b.example;\"Ada, \"\"A\"\"\nL\";R\r\n",
        "id,email,name,team,\r\nada,ada@b.example,\"Ada, \"\"A\"\"\nL\",R,\r\n,,,,\r\n",
    ] {
        assert_eq!(users(text), ada, "{text}");
    }
    assert_eq!(parse("id;name\nada;Ada\n").format, FileFormat::Csv(';'));
    // A cell that is missing at the end is empty, and a separator in another cell is text.
    assert_eq!(
        users("id,name,team\nada,\"a;b;c;d\"\n"),
        [json!({ "id": "ada", "name": "a;b;c;d" })]
    );
}

#[test]
fn encodings_of_windows_are_read() {
    let text = "id,name\r\nrené,Łucja\r\n";
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let file = ImportFile::parse(utf16).unwrap();
    assert_eq!(
        user(&file.rows[0]),
        json!({ "id": "rené", "name": "Łucja" })
    );
    let file = ImportFile::parse(b"id;name\r\nren\xe9;M\xfcller \x80\r\n".to_vec()).unwrap();
    assert!(file.is_windows_1252);
    assert_eq!(
        user(&file.rows[0]),
        json!({ "id": "rené", "name": "Müller €" })
    );
}

#[test]
fn columns_become_the_profile_and_others_metadata() {
    assert_eq!(
        users(
            "E-Mail Address [Required],First Name,Last name,Dept,,metadata\nA@b.example, Ada ,Okafor,Care,,\"{\"\"level\"\":3}\"\n"
        ),
        [json!({
            "id": "a", "email": "A@b.example", "name": "Ada Okafor", "First Name": " Ada ",
            "Last name": "Okafor", "Dept": "Care", "level": 3
        })]
    );
    // The columns of an export that are only for people are not metadata.
    let file = parse("id,latchkey.status,latchkey.sign_ins\nada,suspended,3\n");
    assert_eq!(user(&file.rows[0]), json!({ "id": "ada" }));
    assert!(file.rows[0].is_suspended);
}

#[test]
fn a_missing_id_is_derived_as_in_compose() {
    let file = parse("email,name\nada.okafor@b.example,\n,Marek Novotný\n");
    let ids: Vec<&str> = file.rows.iter().map(ImportRow::id).collect();
    assert_eq!(ids, ["ada.okafor", "marek.novotny"]);
    assert!(file.rows.iter().all(|row| row.has_derived_id));
    let (field, message) = fault("email,name,team\n,,Care\n");
    assert_eq!(field, "id");
    assert!(message.contains("Add an ID"), "{message}");
}

#[test]
fn a_row_is_numbered_as_in_a_spreadsheet() {
    for end in ["\r\n", "\n", "\r"] {
        let text = ["id,note", "", "ada,\"a", "b\"", "", "", "bob,", ""].join(end);
        let file = parse(&text);
        let numbers: Vec<usize> = file.rows.iter().map(|row| row.number).collect();
        assert_eq!(numbers, [3, 6], "{end:?}");
    }
    let file = parse("sep=,\nid\nada\n");
    assert_eq!(file.rows[0].number, 3);
}

#[test]
fn a_row_that_breaks_a_rule_is_kept_with_its_reason() {
    for (text, field, part) in [
        ("id,email\nada,ada(at)b.example\n", "email", "not an email"),
        ("id,email\n,nobody\n", "email", "not an email"),
        ("id\n\"a\nb\"\n", "id", "control character"),
        (
            "id,name\nada,Ada,x\n",
            "row",
            "3 cells, and there are 2 headings",
        ),
        ("id,metadata\nada,[1]\n", "metadata", "not a JSON object"),
        (
            "id,team,metadata\nada,x,\"{\"\"team\"\":1}\"\n",
            "metadata.team",
            "stands twice",
        ),
        (r#"[{"id":true}]"#, "id", "neither a text nor a number"),
        ("[1]", "row", "not a JSON object"),
    ] {
        let (found, message) = fault(text);
        assert_eq!(found, field, "{text}");
        assert!(message.contains(part), "{message}");
    }
    let file = parse(&format!("id,note\nada,{}\nbob,\n", "x".repeat(9000)));
    assert!(file.rows[0].content.is_err(), "metadata has a maximum");
    assert!(file.rows[1].content.is_ok());
}

#[test]
fn lists_of_json_in_every_shape_are_read() {
    assert_eq!(
        users(r#"[{"id":7,"email":null,"name":"Ada","tags":["a"]}]"#),
        [json!({ "id": "7", "name": "Ada", "tags": ["a"] })]
    );
    let exported = r#"{"total":1,"users":[{"id":"ada","email":"a@b.example","metadata":{"status":"x","n":null},
        "status":"suspended","origin":"added","created_at":"2026-01-01T00:00:00Z","last_sign_in":null,
        "sign_ins":0,"profile_as_of":"2026-01-01T00:00:00Z","generation":1}],"next":null}"#;
    let file = parse(exported);
    assert!(file.rows[0].is_suspended);
    assert_eq!(
        user(&file.rows[0]),
        json!({ "id": "ada", "email": "a@b.example", "status": "x", "n": null })
    );
    let typingmind = r#"{"data":[{"id":"u1","email":"a@b.example","createdAt":"x","groups":[{"id":"g","name":"Care"}]}]}"#;
    assert_eq!(
        users(typingmind),
        [json!({ "id": "u1", "email": "a@b.example", "groups": ["Care"] })]
    );
}

#[test]
fn a_file_that_is_no_list_of_users_is_refused_and_says_why() {
    for (bytes, part) in [
        (&b"PK\x03\x04rest"[..], "Save it as CSV"),
        (b"id\x00name", "not text"),
        (b"\xff\xfei", "cut off"),
        (b"", "no users"),
        (b"id,name\n\n", "no users"),
        (b"a,b\n1,2\n", "first row"),
        (b"id,ID\n1,2\n", "mean the same"),
        (b"id,name\nada,\"Ada\nbob,Bob\n", "line 2 is not closed"),
        (b"[", "ends too early"),
        (b"{}", "no list of users"),
        (br#"{"users":{}}"#, "a list"),
        (br#"{"users":[],"data":[]}"#, "two lists"),
        (br#"[{"id":"a","id":"b"}]"#, "stands twice"),
        (br#"[{"id":9007199254740993}]"#, "would lose digits"),
        (br#"[{"id":"a"}] x"#, "not JSON"),
    ] {
        let error = refused(bytes);
        assert_eq!(error.code, ErrorCode::InvalidImport, "{error}");
        assert!(error.message.contains(part), "{error}: {part}");
    }
}

#[test]
fn files_rows_and_columns_have_maxima() {
    let row = |bytes: usize| format!("id,note\nada,{}\n", "x".repeat(bytes));
    assert!(ImportFile::parse(row(MAX_ROW_BYTES - 10).into()).is_ok());
    let error = refused(row(MAX_ROW_BYTES));
    assert_eq!(error.code, ErrorCode::InputTooLarge);
    assert!(error.message.contains("Row 2"), "{error}");

    let rows = |rows: usize| {
        let ids: Vec<String> = (0..rows).map(|id| id.to_string()).collect();
        (
            format!("id\n{}\n", ids.join("\n")),
            format!("[{}]", ids.join(",")),
        )
    };
    let (csv, json) = rows(MAX_ROWS);
    assert_eq!(parse(&csv).rows.len(), MAX_ROWS);
    assert_eq!(parse(&json).rows.len(), MAX_ROWS);
    let (csv, json) = rows(MAX_ROWS + 1);
    for text in [csv, json] {
        let error = refused(text);
        assert_eq!(error.code, ErrorCode::InputTooLarge);
        assert!(error.message.contains("Split it"), "{error}");
    }
    let error = refused(format!("id{}\n", ",x".repeat(200)));
    assert!(error.message.contains("200 columns"), "{error}");
}
