//! Standard output and standard error, in text or in JSON. No other module prints.

use std::cell::{Cell, OnceCell};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use latchkey_core::Error;
use latchkey_core::error::Warning;
use latchkey_store::files;
use serde::Serialize;
use serde_json::{Value, json};

#[cfg(unix)]
use crate::closed::is_closed;
use crate::failure::Failure;
use crate::hints;
use crate::text::{Syntax, Text, escaped_content, escaped_json};

pub(crate) struct Output {
    json: bool,
    /// Instance that the command names, for hints.
    instance: OnceCell<String>,
    /// Beginning of the commands in hints.
    program: OnceCell<String>,
    /// Whether the terminal shows a line with progress.
    has_progress: Cell<bool>,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            instance: OnceCell::new(),
            program: OnceCell::new(),
            has_progress: Cell::default(),
        }
    }

    /// Sets the instance that the command names, for hints.
    pub(crate) fn set_instance(&self, instance: &str) {
        // It is set once for each run.
        let _ = self.instance.set(instance.to_owned());
    }

    /// Sets the data folder that was given as an option, for hints.
    pub(crate) fn set_data_dir(&self, folder: &str) {
        // It is set once for each run.
        let _ = self.program.set(hints::program(Some(folder)));
    }

    /// Returns the beginning of the commands in hints.
    pub(crate) fn program(&self) -> &str {
        self.program.get_or_init(|| hints::program(None))
    }

    /// Returns an error in JSON, with the command that helps.
    pub(crate) fn error_value(&self, error: &Error) -> Value {
        let instance = self.instance.get().map(String::as_str);
        described(
            error,
            hints::hint(error, instance, self.program()).as_deref(),
        )
    }

    /// Prints `text`, or the value of `json` if JSON was requested. An empty text prints nothing.
    ///
    /// Fails if standard output cannot be written. A pipe whose reader has closed it is not an
    /// error.
    pub(crate) fn print(
        &self,
        text: impl Into<Text>,
        json: impl FnOnce() -> Value,
    ) -> Result<(), Failure> {
        if self.json {
            out(&format!("{}\n", escaped_json(&format!("{:#}", json()))))
        } else {
            let text = text.into();
            if text.as_str().is_empty() {
                return Ok(());
            }
            out(&format!("{}\n", text.as_str()))
        }
    }

    /// Prints like [`Output::print`], with the JSON in one line.
    pub(crate) fn line(
        &self,
        text: impl Into<Text>,
        json: impl FnOnce() -> Value,
    ) -> Result<(), Failure> {
        if self.json {
            out(&format!("{}\n", escaped_json(&json().to_string())))
        } else {
            out(&format!("{}\n", text.into().as_str()))
        }
    }

    /// Prints text of the program unchanged, even if JSON was requested.
    pub(crate) fn own(text: &str) -> Result<(), Failure> {
        out(text)
    }

    /// Writes a piece of a file's content to standard output, unchanged. In a terminal, control
    /// characters in it are escaped.
    pub(crate) fn content(bytes: &[u8], syntax: Syntax) -> Result<(), Failure> {
        if Self::is_terminal() {
            out(&escaped_content(bytes, syntax))
        } else {
            out_bytes(bytes)
        }
    }

    /// Returns whether JSON was requested.
    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// Returns whether standard output is a terminal.
    pub(crate) fn is_terminal() -> bool {
        io::stdout().is_terminal()
    }

    /// Prints a warning. Does nothing for JSON, where the answer contains it.
    pub(crate) fn warn(&self, message: &str) {
        self.note(&format!("warning: {message}"));
    }

    /// Prints a warning like [`Output::warn`], and the command that helps against it.
    pub(crate) fn warn_with_hint(&self, warning: &Warning) {
        self.warn(&warning.message);
        let instance = self.instance.get().map_or("NAME", String::as_str);
        if let Some(command) = hints::about(warning, instance, self.program()) {
            self.note(&format!("hint: {command}"));
        }
    }

    /// Prints a remark beside the answer. Does nothing for JSON, where the answer contains it.
    pub(crate) fn note(&self, message: &str) {
        if !self.json {
            err(&Text::from(message));
        }
    }

    /// Shows the progress of long work in one line of the terminal, if standard error is one.
    pub(crate) fn progress(&self, text: &str) {
        if !self.json && io::stderr().is_terminal() {
            self.has_progress.set(true);
            let _ = write!(io::stderr().lock(), "\r\x1b[K{}", Text::from(text).as_str());
        }
    }

    /// Removes the line with the progress.
    pub(crate) fn end_progress(&self) {
        if self.has_progress.take() {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }

    /// Prints the reason of a failure and returns the exit code.
    pub(crate) fn failure(&self, failure: &Failure) -> ExitCode {
        let (code, error, details) = match failure {
            Failure::Refused(error) => (1, self.error_value(error), None),
            Failure::Unwritten(error) => (1, described(error, None), None),
            Failure::Usage { message, field } => (2, usage(message, field.as_deref()), None),
            Failure::Arguments {
                message,
                field,
                details,
            } => (2, usage(message, field.as_deref()), Some(details)),
        };
        let mut text = Text::new();
        if self.json {
            text.own(&escaped_json(&format!("{:#}", json!({ "error": error }))));
        } else if let Some(details) = details {
            text.block(details);
        } else {
            let member = |name: &str| error.get(name).and_then(Value::as_str);
            let about = member("field").map_or_else(String::new, |field| format!(", {field}"));
            text.line(format_args!(
                "error: {} ({}{about})",
                member("message").unwrap_or_default(),
                member("code").unwrap_or_default()
            ));
            if let Some(hint) = member("hint") {
                text.line(format_args!("hint: {hint}"));
            }
        }
        err(&text);
        ExitCode::from(code)
    }

    /// Asks a yes-or-no question. Returns `None` if standard input is not a terminal.
    pub(crate) fn confirm(question: &str) -> Option<bool> {
        if !io::stdin().is_terminal() {
            return None;
        }
        let mut stderr = io::stderr().lock();
        let _ = write!(stderr, "{} [y/N] ", Text::from(question).as_str());
        let _ = stderr.flush();
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).ok()?;
        Some(matches!(answer.trim(), "y" | "Y" | "yes"))
    }

    /// Asks for a passphrase without showing it. Returns `None` if standard input is not a
    /// terminal.
    pub(crate) fn ask_passphrase(prompt: &str) -> Option<io::Result<String>> {
        io::stdin()
            .is_terminal()
            .then(|| rpassword::prompt_password(format!("{}: ", Text::from(prompt).as_str())))
    }
}

/// Options of several words. A setting or a member of a request has them as `not_before` or as
/// `notBefore`.
const OPTIONS: [&str; 12] = [
    "account-ends",
    "embed-in",
    "end-sessions",
    "expires-in",
    "not-before",
    "retire-after",
    "return-to",
    "secret-encoding",
    "session-idle",
    "sign-in",
    "single-use",
    "typingmind-region",
];

/// Returns the name of the option for a setting or for a member of a request. Members of a payload
/// keep their names.
fn as_option(field: String) -> String {
    match field.as_str() {
        "parameter" => return "param".to_owned(),
        "audiences" => return "audience".to_owned(),
        "typingmind_key" => return "typingmind-key-file".to_owned(),
        _ => {}
    }
    let mut words = String::new();
    for letter in field.chars() {
        match letter {
            '_' => words.push('-'),
            letter if letter.is_ascii_uppercase() => {
                words.extend(['-', letter.to_ascii_lowercase()]);
            }
            letter => words.push(letter),
        }
    }
    if OPTIONS.contains(&words.as_str()) {
        words
    } else {
        field
    }
}

fn usage(message: &str, field: Option<&str>) -> Value {
    json!({ "code": "usage", "message": message, "field": field, "hint": null })
}

fn described(error: &Error, hint: Option<&str>) -> Value {
    let field = error.field.clone().map(as_option);
    json!({ "code": error.code, "message": error.message, "field": field, "hint": hint })
}

pub(crate) fn value(serializable: &impl Serialize) -> Value {
    serde_json::to_value(serializable).unwrap_or(Value::Null)
}

fn out(text: &str) -> Result<(), Failure> {
    out_bytes(text.as_bytes())
}

fn out_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = if is_closed() {
        Err(io::Error::other("it is closed"))
    } else {
        stdout.write_all(bytes).and_then(|()| stdout.flush())
    };
    match written {
        // A closed pipe is the reader's choice.
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
            let path = Path::new("standard output");
            Err(Failure::Unwritten(files::storage("written", path, cause)))
        }
        _ => Ok(()),
    }
}

/// Returns `false`, because other systems start no program with a closed standard output.
#[cfg(not(unix))]
const fn is_closed() -> bool {
    false
}

/// Prints to standard error. An error of that cannot be reported anywhere.
fn err(text: &Text) {
    let _ = writeln!(io::stderr().lock(), "{}", text.as_str());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_named_like_its_option_whatever_joins_its_words() {
        for (field, option) in [
            ("not_before", "not-before"),
            ("notBefore", "not-before"),
            ("accountEnds", "account-ends"),
            ("expiresIn", "expires-in"),
            ("end_sessions", "end-sessions"),
            ("parameter", "param"),
            ("url", "url"),
            ("metadata.firstName", "metadata.firstName"),
            ("user.first_name", "user.first_name"),
        ] {
            assert_eq!(as_option(field.to_owned()), option);
        }
    }
}
