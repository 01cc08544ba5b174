//! The real window.
#[test]
fn stub() {}
