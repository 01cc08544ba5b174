//! `cargo xtask`: the commands for developing. Each command does all of its own set-up, so a fresh
//! machine needs only Rust and Node.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a terminal program that prints for people"
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
#[command(name = "cargo xtask", about = "Commands for developing Latchkey")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install missing packages, build the UI, and open Studio.
    Run {
        /// Install system packages without asking.
        #[arg(long)]
        yes: bool,
        /// Build with optimisation.
        #[arg(long)]
        release: bool,
        /// Arguments for Studio.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Install missing packages, and run every check.
    Test {
        /// Run only these steps.
        #[arg(long, value_name = "STEP")]
        only: Vec<String>,
        /// Skip these steps.
        #[arg(long, value_name = "STEP")]
        skip: Vec<String>,
        /// List the steps and exit.
        #[arg(long)]
        list: bool,
    },
    /// Measure speed, size and memory, each beside a baseline in the same run.
    Bench {
        /// Only the tables whose names contain one of these texts.
        tables: Vec<String>,
    },
    /// Run the heavy proofs in full, and print their figures.
    Soak {
        /// Run only these proofs.
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// Repeat the random choices of the run that printed this seed.
        #[arg(long)]
        seed: Option<u64>,
        /// List the proofs and exit.
        #[arg(long)]
        list: bool,
    },
    /// Build the installers for this platform.
    Bundle,
    /// Generate the types of the UI from the Rust types.
    Gen {
        /// Only check whether the types are up to date.
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
