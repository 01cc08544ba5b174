//! Checks that the UI was built, writes the permissions of the commands, and lets Tauri read its
//! configuration.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

include!("src/command_list.rs");

fn main() {
    println!("cargo::rerun-if-changed=ui/dist");
    println!("cargo::rerun-if-changed=src-tauri/capabilities");
    if !Path::new("ui/dist/index.html").is_file() {
        println!(
            "cargo::error=The UI of Studio has not been built, so there is nothing to put into its window."
        );
        println!(
            "cargo::error=Run `cargo xtask run`, which does everything, or `npm ci && npm run build` in the folder ui."
        );
        return;
    }
    if let Err(cause) = build() {
        println!("cargo::error=Tauri's configuration cannot be used: {cause:#}");
    }
}

fn build() -> Result<(), Box<dyn std::error::Error>> {
    let pattern = write_permissions()?.join("*.toml");
    let pattern = pattern.to_str().ok_or("the folder's name is no text")?;
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("src-tauri/capabilities/*.json")
        .app_manifest(
            tauri_build::AppManifest::new()
                .permissions_path_pattern(Box::leak(pattern.to_owned().into_boxed_str())),
        );
    Ok(tauri_build::try_build(attributes)?)
}

/// Writes a permission for each group of commands. Returns the folder of the permissions.
fn write_permissions() -> io::Result<PathBuf> {
    let folder = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("permissions");
    let file = folder.join("commands.toml");
    let permissions = permissions();
    fs::create_dir_all(&folder)?;
    // An unchanged file is left alone, because a new one would make the next build run this script
    // again.
    if fs::read_to_string(&file).ok().as_ref() != Some(&permissions) {
        fs::write(file, permissions)?;
    }
    Ok(folder)
}

macro_rules! permissions {
    ($(#[doc = $doc:literal] mod $module:ident {
        $($name:ident ($request:ty) -> $response:ty;)*
    })*) => {
        /// Returns the permissions in Tauri's format.
        fn permissions() -> String {
            let mut toml = String::new();
            for (group, about, commands) in [
                $((stringify!($module), $doc, vec![$(stringify!($name)),*])),*
            ] {
                // Writing to a String does not fail.
                let _ = writeln!(
                    toml,
                    "[[permission]]\nidentifier = {:?}\ndescription = {:?}\ncommands.allow = {commands:?}\n",
                    group.replace('_', "-"),
                    about.trim(),
                );
            }
            toml
        }
    };
}

command_list!(permissions);
