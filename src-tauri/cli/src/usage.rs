//! Parsing of the arguments, and errors about them.

use std::ffi::OsString;

use clap::Parser as _;
use clap::error::{ContextKind, ContextValue};

use crate::args::Arguments;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::Text;

/// Parses the arguments. Prints help or the version and returns `None` if they ask for it.
pub(crate) fn parse(given: &[OsString]) -> Result<Option<Arguments>, Failure> {
    let error = match Arguments::try_parse_from(given) {
        Ok(arguments) => return Ok(Some(arguments)),
        Err(error) => error,
    };
    if !error.use_stderr() {
        let help = error.render();
        if Output::is_terminal() {
            Output::own(&help.ansi().to_string())?;
        } else {
            Output::own(&help.to_string())?;
        }
        return Ok(None);
    }
    Err(failure(&escaped(given).unwrap_or(error)))
}

/// Returns whether the arguments ask for JSON, even if they are wrong otherwise.
pub(crate) fn wants_json(given: &[OsString]) -> bool {
    let mut options = given.iter().take_while(|argument| *argument != "--");
    options.any(|argument| argument == "--json")
}

/// Returns the error for arguments that are escaped first, because the error quotes them.
fn escaped(given: &[OsString]) -> Option<clap::Error> {
    let safe = given.iter().map(|argument| {
        let text = Text::from(argument.to_string_lossy().as_ref());
        OsString::from(text.as_str())
    });
    Arguments::try_parse_from(safe).err()
}

fn failure(error: &clap::Error) -> Failure {
    let details = error.render().to_string();
    let lines = details.lines().map(str::trim);
    let said = lines
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let message = said.strip_prefix("error: ").unwrap_or(&said).to_owned();
    let named = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(name)) => Some(name),
        Some(ContextValue::Strings(names)) => names.first(),
        _ => None,
    };
    // Either `--listen <ADDR>`, or `<--url <URL>|--instance <NAME>>` for a choice.
    // An argument without `--` is `<NAME>`.
    let field = named.and_then(|name| {
        let name = name.trim_start_matches(['<', '-', '[']);
        name.split([' ', '=', '|', '>', ']']).next()
    });
    Failure::Arguments {
        message,
        field: field
            .filter(|name| !name.is_empty())
            .map(str::to_ascii_lowercase),
        details,
    }
}
