//! Checks that the UI was built, and lets Tauri read its configuration.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=ui/dist");
    println!("cargo::rerun-if-changed=src-tauri/capabilities");
    println!("cargo::rerun-if-changed=src-tauri/permissions");
    if !Path::new("ui/dist/index.html").is_file() {
        println!(
            "cargo::error=The UI of Studio has not been built, so there is nothing to put into its window."
        );
        println!(
            "cargo::error=Run `cargo xtask run`, which does everything, or `npm ci && npm run build` in the folder ui."
        );
        return;
    }
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("src-tauri/capabilities/*.json")
        .app_manifest(
            tauri_build::AppManifest::new()
                .permissions_path_pattern("src-tauri/permissions/*.toml"),
        );
    if let Err(cause) = tauri_build::try_build(attributes) {
        println!("cargo::error=Tauri's configuration cannot be used: {cause:#}");
    }
}
