//! The command `cargo xtask soak`: heavy proofs in full. The tests run a twentieth of each.

use std::process::Stdio;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};

use crate::process::cargo;
use crate::system::{self, Purpose};
use crate::ui;

/// A proof: a test that reads its size from `tests/soak.rs`.
struct Proof {
    name: &'static str,
    about: &'static str,
    /// Test target of the proof.
    target: &'static str,
    /// Path of the test in its target.
    test: &'static str,
}

const PROOFS: [Proof; 22] = [
    Proof {
        name: "kills",
        about: "gateways are killed while people sign in",
        target: "cli",
        test: "proofs::kills::no_sign_in_that_a_gateway_acknowledged_is_lost_when_it_is_killed",
    },
    Proof {
        name: "kills-redeem",
        about: "command lines are killed while they redeem links",
        target: "cli",
        test: "proofs::kills::no_redemption_that_the_command_line_acknowledged_is_lost_when_it_is_killed",
    },
    Proof {
        name: "kills-engine",
        about: "processes are killed while four threads change the directory",
        target: "store",
        test: "directory::kills::no_change_that_was_acknowledged_is_lost_when_the_process_is_killed",
    },
    Proof {
        name: "kills-uses",
        about: "gateways are killed while people use up links and command lines change the ledger",
        target: "cli",
        test: "proofs::ledger_kills::no_use_of_a_link_that_a_gateway_acknowledged_is_lost_or_spent_twice_when_it_is_killed",
    },
    Proof {
        name: "kills-ledger",
        about: "command lines are killed while they change links, accounts, requests, sessions and keys",
        target: "cli",
        test: "proofs::ledger_kills::no_change_that_the_command_line_acknowledged_is_lost_or_half_done_when_it_is_killed",
    },
    Proof {
        name: "damage",
        about: "a disk changes bits of a directory, cuts or loses its files, or returns zeros",
        target: "store",
        test: "directory::damage::a_damaged_file_loses_nothing_or_opening_is_refused_and_leaves_the_files_as_they_are",
    },
    Proof {
        name: "power-cut",
        about: "writes of a gateway since its last sync are dropped, torn or zeroed",
        target: "cli",
        test: "proofs::power_cut::nothing_that_a_gateway_acknowledged_is_lost_by_a_power_cut",
    },
    Proof {
        name: "power-cut-redeem",
        about: "writes of the command line since its last sync are dropped, torn or zeroed",
        target: "cli",
        test: "proofs::power_cut::nothing_that_the_command_line_acknowledged_is_lost_by_a_power_cut",
    },
    Proof {
        name: "power-cut-links",
        about: "writes since the last sync are dropped, torn or zeroed while a gateway gives out links",
        target: "cli",
        test: "proofs::power_cut::no_link_that_a_gateway_gave_out_is_lost_by_a_power_cut",
    },
    Proof {
        name: "power-cut-uses",
        about: "writes since the last sync are dropped, torn or zeroed while links are used up",
        target: "cli",
        test: "proofs::power_cut::no_use_that_was_acknowledged_is_lost_or_spent_twice_by_a_power_cut",
    },
    Proof {
        name: "power-cut-changes",
        about: "writes since the last sync are dropped, torn or zeroed while a gateway changes accounts, links and requests",
        target: "cli",
        test: "proofs::power_cut_changes::no_change_that_a_gateway_acknowledged_is_lost_or_half_done_by_a_power_cut",
    },
    Proof {
        name: "flood",
        about: "codes that are refused reach a gateway while people sign in",
        target: "cli",
        test: "proofs::flood::a_flood_of_refusals_keeps_nobody_out_and_fills_neither_disk_nor_memory_nor_log",
    },
    Proof {
        name: "guesses",
        about: "short links are guessed while people sign in",
        target: "cli",
        test: "proofs::guesses::guesses_of_short_links_open_nothing_and_are_stopped",
    },
    Proof {
        name: "million",
        about: "a million users are kept, found and listed in order",
        target: "store",
        test: "directory::million::a_million_users_are_kept_found_and_listed_in_order",
    },
    Proof {
        name: "backup",
        about: "many users are backed up while people sign in, and restored equal",
        target: "store",
        test: "backups::proof::a_backup_of_many_users_while_people_sign_in_is_restored_equal",
    },
    Proof {
        name: "kills-restore",
        about: "processes are killed while they restore an instance",
        target: "store",
        test: "backups::kills::a_restoring_that_is_killed_leaves_the_old_instance_or_the_new_one",
    },
    Proof {
        name: "race",
        about: "new users race for few seats",
        target: "store",
        test: "directory::race::new_users_take_every_seat_once",
    },
    Proof {
        name: "race-reactivate",
        about: "new and reactivated users race for few seats",
        target: "store",
        test: "directory::race::new_and_reactivated_users_take_every_seat_once",
    },
    Proof {
        name: "race-links",
        about: "32 browsers click a link with few uses at the same instant",
        target: "gateway",
        test: "races::clicks_at_the_same_instant_sign_in_exactly_as_often_as_the_link_allows",
    },
    Proof {
        name: "race-links-socket",
        about: "32 clients of the local socket redeem a link with few uses at the same instant",
        target: "store",
        test: "directory::race_links::clients_of_the_local_socket_sign_in_exactly_as_often_as_a_link_allows",
    },
    Proof {
        name: "race-links-tls",
        about: "32 clients over TLS redeem a link with few uses at the same instant",
        target: "store",
        test: "directory::race_links::clients_over_tls_sign_in_exactly_as_often_as_a_link_allows",
    },
    Proof {
        name: "photographs",
        about: "pictures of QR codes are read, of ten kinds",
        target: "program",
        test: "photographs::thumbnails_and_skewed_noisy_inverted_and_borderless_pictures_are_read",
    },
];

/// Runs the named proofs, or all of them, and prints their figures. Continues after a failure.
pub(crate) fn soak(wanted: &[String], seed: Option<u64>, list: bool) -> Result<()> {
    if list {
        for proof in &PROOFS {
            println!("{:<18}{}", proof.name, proof.about);
        }
        return Ok(());
    }
    for name in wanted {
        if !PROOFS.iter().any(|proof| proof.name == name) {
            bail!("there is no proof '{name}'; `cargo xtask soak --list` names them");
        }
    }
    system::install(Purpose::Tests, true)?;
    ui::build()?;
    let is_wanted =
        |proof: &&Proof| wanted.is_empty() || wanted.iter().any(|name| name == proof.name);
    let clock = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let seed = seed.unwrap_or(clock.as_secs());
    let mut failed = Vec::new();
    for proof in PROOFS.iter().filter(is_wanted) {
        println!("\n=== {}: {}", proof.name, proof.about);
        let begun = Instant::now();
        if let Err(cause) = run(proof, seed) {
            println!("  FAILED: {cause:#}");
            failed.push(proof.name);
        }
        print_row("seconds", &format!("{:.1}", begun.elapsed().as_secs_f64()));
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// Runs a proof in full and prints its figures.
fn run(proof: &Proof, seed: u64) -> Result<()> {
    let mut command = cargo(&["test", "--workspace", "--locked", "--quiet"]);
    command
        .args([
            "--test",
            proof.target,
            "--",
            "--exact",
            "--nocapture",
            proof.test,
        ])
        .env("LATCHKEY_SOAK", "1")
        .env("LATCHKEY_SEED", seed.to_string())
        .env("LATCHKEY_DATA_DIR", "/proc/no-data-folder")
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    let ran = command
        .stderr(Stdio::inherit())
        .output()
        .context("cargo could not be started")?;
    let printed = String::from_utf8_lossy(&ran.stdout);
    let figures = printed
        .lines()
        .filter_map(|line| line.strip_prefix("figure\t"));
    let figures: Vec<(&str, &str)> = figures.filter_map(|line| line.split_once('\t')).collect();
    for (name, value) in &figures {
        print_row(name, value);
    }
    if !ran.status.success() {
        bail!("the proof does not hold, or it could not run");
    }
    if figures.is_empty() {
        bail!("it printed no figure: there is no test {}", proof.test);
    }
    Ok(())
}

fn print_row(name: &str, value: &str) {
    println!("  {name:<48}{value:>14}");
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::PROOFS;
    use crate::process::root;

    /// Returns whether a file below a folder contains a text.
    fn has(folder: &Path, text: &str) -> bool {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).any(|path| {
            if path.is_dir() {
                has(&path, text)
            } else {
                fs::read_to_string(&path).is_ok_and(|file| file.contains(text))
            }
        })
    }

    #[test]
    fn every_proof_names_an_existing_test() {
        for proof in PROOFS {
            let name = proof.test.rsplit("::").next().unwrap_or_default();
            let function = format!("#[test]\nfn {name}()");
            let found = ["src-tauri", "tests"].map(|folder| has(&root().join(folder), &function));
            assert!(found.contains(&true), "{}: no test {name}", proof.name);
        }
    }
}
