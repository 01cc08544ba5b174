//! `latchkey`: login links from a terminal.
//!
//! Standard output has only the answer of the command. Warnings and errors go to standard error.
//! The exit code is 0 for success, 1 if a rule or the computer refused the command, and 2 for wrong
//! usage.

mod activity;
mod api_keys;
mod args;
mod backup;
mod certificates;
#[cfg(unix)]
mod closed;
mod connect;
mod context;
mod environment;
mod export;
mod failure;
mod filter;
mod hints;
mod import;
mod input;
mod inspect;
mod instance;
mod keys;
mod link;
mod links;
mod made_link;
mod manual;
mod message;
mod metadata;
mod named_file;
mod output;
mod pairing;
#[cfg(unix)]
mod privileges;
mod redeem;
mod requests;
mod serve;
mod sessions;
mod signing_keys;
mod sockets;
mod text;
mod typingmind;
mod usage;
mod users;
mod verdict;

use std::env;
use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use latchkey_core::Error;
use latchkey_log::{Format, Log};
use tracing::level_filters::LevelFilter;

use args::{Arguments, Command, LogFormat, SecretCommand, ServeArguments};
use context::Context;
use environment::variable;
use failure::Failure;
use output::Output;

/// A busy gateway allocates and frees from several threads thousands of times per second. The
/// system's allocator does so more slowly, and keeps more memory.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let given: Vec<OsString> = env::args_os().collect();
    let output = Output::new(usage::wants_json(&given));
    match usage::parse(&given) {
        Ok(Some(arguments)) => {
            let _log = log(&arguments.command);
            if let Some(instance) = arguments.command.instance() {
                output.set_instance(instance);
            }
            // The environment applies to the commands in hints, too.
            let option = arguments.data_dir.as_deref().and_then(Path::to_str);
            if let Some(folder) = option
                && variable("LATCHKEY_DATA_DIR").as_deref() != Some(folder)
            {
                output.set_data_dir(folder);
            }
            run_caught(arguments, &output).unwrap_or_else(|failure| {
                if let Failure::Refused(error) | Failure::Unwritten(error) = &failure {
                    tracing::debug!(error = %error.logged(), "the command failed");
                }
                output.failure(&failure)
            })
        }
        Ok(None) => ExitCode::SUCCESS,
        Err(failure) => output.failure(&failure),
    }
}

/// Starts the log. Only `latchkey serve` logs by default, because other commands print what they
/// did. `LATCHKEY_LOG` turns their log on.
fn log(command: &Command) -> Log {
    match command {
        Command::Serve(ServeArguments { log, .. }) => {
            let format = match log {
                LogFormat::Text => Format::Text,
                LogFormat::Json => Format::Json,
            };
            latchkey_log::to_stderr(format, LevelFilter::INFO)
        }
        _ => latchkey_log::to_stderr(Format::Text, LevelFilter::OFF),
    }
}

/// Runs the command. Turns a panic into an error.
fn run_caught(arguments: Arguments, output: &Output) -> Result<ExitCode, Failure> {
    panic::catch_unwind(AssertUnwindSafe(|| run(arguments, output)))
        .unwrap_or_else(|_| Err(Error::internal("a panic").into()))
}

fn run(arguments: Arguments, output: &Output) -> Result<ExitCode, Failure> {
    let now = Timestamp::now();
    let context = if arguments.command.uses_data_folder() {
        Context::enter(arguments.data_dir, arguments.command.named_files())?
    } else {
        Context::without_folder(arguments.data_dir)
    };
    let context = &context;
    let changes = arguments.command.changes();
    let done = match arguments.command {
        Command::Link(link) => link::link(&link, context, output, now),
        Command::Links(command) => links::links(&command, context, output, now),
        Command::Requests(command) => requests::requests(&command, context, output, now),
        Command::Inspect(inspect) => inspect::inspect(&inspect, context, output, now),
        Command::Redeem(redeem) => redeem::redeem(&redeem, context, output, now),
        Command::Users(users) => users::users(&users, context, output, now),
        Command::Sessions(command) => sessions::sessions(&command, context, output, now),
        Command::Seats { instance, set } => users::seats(&instance, set, context, output, now),
        Command::Activity(command) => activity::activity(&command, context, output, now),
        Command::ApiKey(command) => api_keys::api_keys(&command, context, output, now),
        Command::Keys(command) => signing_keys::signing_keys(&command, context, output, now),
        Command::Backup(arguments) => backup::backup(&arguments, context, output, now),
        Command::Restore(arguments) => backup::restore(&arguments, context, output, now),
        Command::Serve(arguments) => serve::serve(&arguments, context, output),
        Command::Secret(SecretCommand::Generate { algorithm }) => keys::generate(algorithm, output),
        Command::Secret(SecretCommand::StartAnew { yes }) => {
            keys::start_anew(context, yes, output, now)
        }
        Command::Instance(command) => instance::instance(command, context, output, now),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { out } => manual::man(out.as_deref(), output),
    };
    done.map_err(|failure| {
        if changes {
            failure.after_changes()
        } else {
            failure
        }
    })
}
