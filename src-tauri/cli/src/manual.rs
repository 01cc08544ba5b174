//! Shell completions and manual pages, generated from the arguments.

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use latchkey_store::files;

use crate::args::Arguments;
use crate::failure::Failure;
use crate::output::Output;

/// Date of the manual pages, which `man` requires.
const DATE: &str = "2026-11-26";

/// Command of clap that prints help. It has no page.
const HELP: &str = "help";

/// Maximum length of a line in the source of a manual page.
const LINE: usize = 79;

pub(crate) fn completions(shell: Shell) -> Result<ExitCode, Failure> {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "latchkey", &mut bytes);
    Output::own(&String::from_utf8_lossy(&bytes))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn man(out: Option<&Path>, output: &Output) -> Result<ExitCode, Failure> {
    let mut command = Arguments::command();
    command.build();
    let Some(folder) = out else {
        let page = page(&command)
            .map_err(|cause| files::storage("written", Path::new("the manual page"), cause))?;
        Output::own(&page)?;
        return Ok(ExitCode::SUCCESS);
    };
    write(&command, folder).map_err(|cause| files::storage("written to", folder, cause))?;
    let text = format!("Wrote the manual pages to {}.", folder.display());
    output.print(text, || serde_json::json!({ "written_to": folder }))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the pages of a command and of its subcommands.
fn write(command: &Command, folder: &Path) -> io::Result<()> {
    let subcommands = command.get_subcommands();
    for subcommand in subcommands.filter(|subcommand| subcommand.get_name() != HELP) {
        write(subcommand, folder)?;
    }
    let name = Man::new(command.clone()).get_filename();
    fs::write(folder.join(name), page(command)?)
}

fn page(command: &Command) -> io::Result<String> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let usage = command.clone().render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage).to_owned();
    // The page lists no command that has no page.
    let command = command.clone().mut_subcommands(|subcommand| {
        if subcommand.get_name() == HELP {
            subcommand.hide(true)
        } else {
            subcommand
        }
    });
    let notes = command.get_after_help().cloned();
    let mut page = Vec::new();
    Man::new(command.override_usage(usage).after_help(None))
        .title(name.to_uppercase())
        .date(DATE)
        .render(&mut page)?;
    let mut page = String::from_utf8_lossy(&page).into_owned();
    if let Some(notes) = notes {
        page.push_str(&section("SECRETS", &notes.to_string()));
    }
    Ok(tidy(&page))
}

/// Returns a section for the text after a command's help. An indented line of it is a row of a
/// table: a term, two spaces or more, and its meaning.
fn section(heading: &str, text: &str) -> String {
    let mut section = Roff::new();
    section.control("SH", [heading]);
    for (index, line) in text.lines().enumerate() {
        let row = line.strip_prefix("  ").and_then(|row| row.split_once("  "));
        if let Some((term, meaning)) = row {
            section.control("TP", []);
            section.text([bold(term)]);
            section.text([roman(meaning.trim_start())]);
        } else {
            if index > 0 {
                section.control("PP", []);
            }
            section.text([roman(line)]);
        }
    }
    section.to_roff()
}

/// Formats the source of a manual page as `mandoc -T lint` requires: short lines without spaces at
/// their end, and no break beside an empty line.
fn tidy(page: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in page.lines().map(str::trim_end) {
        let last = lines.last().map(String::as_str);
        let is_tag = last == Some(".TP");
        // An empty line separates paragraphs, so a break beside it is superfluous.
        if line == ".br" && last == Some("") {
            continue;
        }
        if line.is_empty() && last == Some(".br") {
            lines.pop();
        }
        // A tag must stay on one line.
        if line.starts_with(['.', '\'']) || line.len() <= LINE || is_tag {
            lines.push(line.to_owned());
        } else {
            lines.extend(wrapped(line));
        }
    }
    lines.join("\n") + "\n"
}

/// Breaks a line of text between words. No new line begins with a character that would make it a
/// request.
fn wrapped(line: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let Some(last) = lines.last_mut() else {
            break;
        };
        let is_full = !last.is_empty() && last.len() + 1 + word.len() > LINE;
        if is_full && !word.is_empty() && !word.starts_with(['.', '\'']) {
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}
