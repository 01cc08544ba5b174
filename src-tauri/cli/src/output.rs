//! Standard output and standard error, in text or in JSON.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use serde::Serialize;
use serde_json::{Value, json};

use crate::failure::Failure;

pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints `text`, or in JSON what `json` makes.
    pub(crate) fn print(&self, text: &str, json: impl FnOnce() -> Value) {
        if self.json {
            line(&mut io::stdout().lock(), &pretty(&json()));
        } else {
            line(&mut io::stdout().lock(), text.trim_end_matches('\n'));
        }
    }

    /// As [`Output::print`], in one line and at once.
    pub(crate) fn line(&self, text: &str, json: impl FnOnce() -> Value) {
        let mut stdout = io::stdout().lock();
        if self.json {
            line(&mut stdout, &json().to_string());
        } else {
            line(&mut stdout, text);
        }
        // A closed pipe is the reader's choice.
        let _ = stdout.flush();
    }

    /// Prints text as it is, also where JSON was asked for.
    pub(crate) fn raw(bytes: &[u8]) {
        // A closed pipe is the reader's choice.
        let _ = io::stdout().lock().write_all(bytes);
    }

    /// A warning; in JSON it is a member of the answer and not printed here.
    pub(crate) fn warn(&self, message: &str) {
        if !self.json {
            line(&mut io::stderr().lock(), &format!("warning: {message}"));
        }
    }

    /// Something to know beside the answer; in JSON it is a member of it and not printed here.
    pub(crate) fn note(&self, message: &str) {
        if !self.json {
            line(&mut io::stderr().lock(), message);
        }
    }

    /// Prints why nothing was done, and answers with the exit code.
    pub(crate) fn failure(&self, failure: &Failure) -> ExitCode {
        let (code, error) = match failure {
            Failure::Refused(error) => (1, value(error)),
            Failure::Usage(message) => (
                2,
                json!({ "code": "usage", "message": message, "field": null }),
            ),
        };
        let mut stderr = io::stderr().lock();
        if self.json {
            line(&mut stderr, &pretty(&json!({ "error": error })));
        } else {
            let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
            let field = text("field");
            let about = if field.is_empty() {
                String::new()
            } else {
                format!(", {field}")
            };
            line(
                &mut stderr,
                &format!("error: {} ({}{about})", text("message"), text("code")),
            );
        }
        ExitCode::from(code)
    }

    /// Asks a question that is answered with yes or no; `None` where nobody is there to answer.
    pub(crate) fn confirm(question: &str) -> Option<bool> {
        if !io::stdin().is_terminal() {
            return None;
        }
        let mut stderr = io::stderr().lock();
        let _ = write!(stderr, "{question} [y/N] ");
        let _ = stderr.flush();
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).ok()?;
        Some(matches!(answer.trim(), "y" | "Y" | "yes"))
    }
}

pub(crate) fn value(serializable: &impl Serialize) -> Value {
    serde_json::to_value(serializable).unwrap_or(Value::Null)
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

fn line(to: &mut impl io::Write, text: &str) {
    // A closed pipe is the reader's choice.
    let _ = writeln!(to, "{text}");
}
