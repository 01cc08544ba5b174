//! Test that the types of the UI are those of the commands.

use std::path::Path;

use latchkey_desktop_lib::schema;

#[test]
fn generated_types_are_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/src/generated/types.ts");
    let generated = schema::typescript();
    if let Some(out) = std::env::var_os("LATCHKEY_TYPES_OUT") {
        std::fs::write(out, generated).expect("the types can be written");
        return;
    }
    let checked_in = std::fs::read_to_string(&path).expect("the types are checked in");
    assert!(
        checked_in == generated,
        "ui/src/generated/types.ts is not what the commands say; run `cargo xtask gen`"
    );
}
