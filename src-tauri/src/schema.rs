//! The command handler and the types of the UI, made from the list of commands.

use std::any::TypeId;
use std::collections::{BTreeSet, HashSet};
use std::fmt::Write as _;

use latchkey_core::{ledger, verdict};
use tauri::Runtime;
use tauri::ipc::Invoke;
use ts_rs::{Config, TS, TypeVisitor};

use crate::commands::{
    activity, api_keys, appearance, backups, compose, connections, copied, exports, gateway,
    giving_out, help, inspect, instance, instances, keys, links, preview, qr_files, requests,
    secrets, sessions, start, transfers, typingmind, users, window,
};
use crate::{Problem, events};

/// A command for the UI.
pub struct CommandType {
    /// Name by which the UI calls the command.
    pub name: &'static str,
    request: String,
    response: String,
}

/// TypeScript declarations of types and of all types that they contain.
#[derive(Default)]
struct Declarations {
    config: Config,
    visited: HashSet<TypeId>,
    declared: BTreeSet<String>,
}

impl TypeVisitor for Declarations {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if self.visited.insert(TypeId::of::<T>()) {
            // Built-in types of TypeScript, such as texts and lists, have no path.
            if T::output_path().is_some() {
                self.declared.insert(T::decl(&self.config));
            }
            T::visit_dependencies(self);
            T::visit_generics(self);
        }
    }
}

macro_rules! commands {
    ($(#[doc = $doc:literal] mod $module:ident {
        $($name:ident ($request:ty) -> $response:ty;)*
    })*) => {
        /// Returns the handler of the window's commands.
        pub fn handler<R: Runtime>() -> impl Fn(Invoke<R>) -> bool + Send + Sync + 'static {
            tauri::generate_handler![$($($module::$name),*),*]
        }

        /// Returns all commands.
        #[must_use]
        pub fn commands() -> Vec<CommandType> {
            let config = Config::default();
            vec![$($(CommandType {
                name: stringify!($name),
                request: <$request as TS>::name(&config),
                response: <$response as TS>::name(&config),
            }),*),*]
        }

        /// Returns the declarations of all types that cross the boundary.
        fn declarations() -> BTreeSet<String> {
            let mut types = Declarations::default();
            types.visit::<Problem>();
            types.visit::<events::StudioEvent>();
            $($(
                types.visit::<$request>();
                types.visit::<$response>();
            )*)*
            types.declared
        }
    };
}

command_list!(commands);

/// Returns the types of the UI as a TypeScript module.
#[must_use]
pub fn typescript() -> String {
    let mut module = String::from(
        "// Generated from the Rust types by `cargo xtask gen`. Do not edit by hand.\n\n",
    );
    for declaration in declarations() {
        module.push_str("export ");
        module.push_str(&declaration);
        module.push('\n');
    }
    module.push_str("\n/** Every command: what it takes, and what it answers with. */\nexport type Commands = {\n");
    for CommandType {
        name,
        request,
        response,
    } in commands()
    {
        // Writing to a String does not fail.
        let _ = writeln!(
            module,
            "  {name}: {{ request: {request}; response: {response} }};"
        );
    }
    module.push_str("};\n");
    module
}
