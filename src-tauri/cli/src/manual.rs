//! Completions and manual pages, made from the arguments themselves.

use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::Shell;
use latchkey_core::files;

use crate::args::Arguments;
use crate::failure::Failure;
use crate::output::Output;

pub(crate) fn completions(shell: Shell) -> Result<ExitCode, Failure> {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "latchkey", &mut bytes);
    Output::own(&String::from_utf8_lossy(&bytes))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn man(out: Option<&Path>, output: &Output) -> Result<ExitCode, Failure> {
    let command = Arguments::command();
    if let Some(folder) = out {
        clap_mangen::generate_to(command, folder)
            .map_err(|cause| files::storage("written to", folder, cause))?;
        let text = format!("Wrote the manual pages to {}.", folder.display());
        output.print(text, || serde_json::json!({ "written_to": folder }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|cause| files::storage("written", Path::new("the manual page"), cause))?;
    Output::own(&String::from_utf8_lossy(&page))?;
    Ok(ExitCode::SUCCESS)
}
