//! `cargo xtask`: everything around the code. Each command does all of its own set-up, so that a
//! fresh machine with Rust and Node needs nothing else.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a terminal program, and what it says is for a person"
)]

mod baselines;
mod bench;
mod bundle;
mod generate;
mod interop;
mod licences;
mod pinned;
mod process;
mod run;
mod soak;
mod system;
mod test;
mod ui;
mod window;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Everything around the code of Latchkey")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what is missing, build the UI, and open Studio.
    Run {
        /// Do not ask before system packages are installed.
        #[arg(long)]
        yes: bool,
        /// Build with optimisation.
        #[arg(long)]
        release: bool,
        /// For Studio itself.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Install what is missing, and run every check there is.
    Test {
        /// Only these steps.
        #[arg(long, value_name = "STEP")]
        only: Vec<String>,
        /// All but these steps.
        #[arg(long, value_name = "STEP")]
        skip: Vec<String>,
        /// Name the steps, and do nothing.
        #[arg(long)]
        list: bool,
    },
    /// Measure speed, size and memory, each beside a baseline in the same run.
    Bench {
        /// Only the tables whose names contain one of these.
        tables: Vec<String>,
    },
    /// Run the heavy proofs whole, and print their figures.
    Soak {
        /// Only these proofs.
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// Repeat the random choices of a run that printed this seed.
        #[arg(long)]
        seed: Option<u64>,
        /// Name the proofs, and do nothing.
        #[arg(long)]
        list: bool,
    },
    /// Build the installer for this platform.
    Bundle,
    /// Write the UI's types anew from the Rust types.
    Gen {
        /// Only say whether they have drifted.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Run {
            yes,
            release,
            arguments,
        } => run::run(yes, release, &arguments),
        Command::Test { only, skip, list } => test::test(&only, &skip, list),
        Command::Bench { tables } => bench::bench(&tables),
        Command::Soak { names, seed, list } => soak::soak(&names, seed, list),
        Command::Bundle => bundle::bundle(),
        Command::Gen { check } => generate::generate(check),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("xtask: {cause:#}");
            ExitCode::FAILURE
        }
    }
}
