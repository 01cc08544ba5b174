//! The command `latchkey users import`.

use std::process::ExitCode;

use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::directory::Directory;
use latchkey_core::import::{
    Action, Counts, Import, ImportFile, ImportOptions, ImportRow, MAX_FILE_BYTES, RowPlan,
};
use latchkey_core::{Error, ErrorCode};
use latchkey_store::Wait as _;
use serde_json::{Value, json};

use crate::args::ImportArguments;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::Text;

pub(crate) fn import(
    arguments: &ImportArguments,
    directory: &dyn Directory,
    context: &Context,
    output: &Output,
    now: Timestamp,
) -> Result<ExitCode, Failure> {
    let options = ImportOptions {
        update: arguments.update,
        add_removed: arguments.add_removed,
    };
    let bytes = context.read(&arguments.file, MAX_FILE_BYTES);
    let file = ImportFile::parse(bytes.map_err(|failure| failure.about("file"))?)?;
    if file.is_windows_1252 {
        output.warn("The file is not UTF-8, so it was read as Windows-1252. Check the accents.");
    }
    for column in file.columns.iter().filter(|column| column.is_left_out()) {
        output.note(&format!("The column '{}' is not imported.", column.heading));
    }
    let mut import = Import::plan(file, options, directory, now).wait()?;
    let planned = import.counts();
    let is_refused = planned.problem > 0 && !arguments.skip_problems;
    if arguments.dry_run || is_refused {
        print(&import, false, |_| arguments.dry_run, output)?;
        if !is_refused {
            return Ok(ExitCode::SUCCESS);
        }
        let message = match planned.problem {
            1 => "1 row has a problem.".to_owned(),
            rows => format!("{rows} rows have a problem."),
        };
        return Err(refused(message + " Nothing was imported."));
    }
    let by = AuditContext::new(Actor::CommandLine, now);
    loop {
        match import.import_batch(directory, &by).wait() {
            Ok(true) => {}
            Ok(false) => break,
            Err(mut error) => {
                let Counts { add, change, .. } = import.done();
                error.message = format!(
                    "{} {add} added and {change} changed users before that are kept. Import the file again for the others.",
                    error.message
                );
                return Err(error.into());
            }
        }
    }
    print(&import, true, |_| false, output)?;
    if import.counts().problem > planned.problem && !arguments.skip_problems {
        return Err(refused(
            "Somebody changed the users at the same time, so rows were left out. The others were imported.".to_owned(),
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn refused(message: String) -> Failure {
    let message = message + " --skip-problems imports the other rows.";
    Error::new(ErrorCode::InvalidImport, message)
        .about("file")
        .into()
}

/// Prints the rows that are shown, all rows with a problem, and the numbers.
fn print(
    import: &Import,
    is_done: bool,
    is_shown: impl Fn(&RowPlan) -> bool,
    output: &Output,
) -> Result<(), Failure> {
    let rows = || {
        import
            .rows()
            .filter(|(_, plan)| matches!(plan.action, Action::Problem(_)) || is_shown(plan))
    };
    let mut text = Text::new();
    for (row, plan) in rows() {
        text.row(&[
            &row.number.to_string(),
            shown(id(row, plan)),
            shown(row.email()),
            &what(plan),
        ]);
    }
    let (planned, done) = (import.counts(), import.done());
    let (add, change) = if is_done {
        (done.add, done.change)
    } else {
        (planned.add, planned.change)
    };
    text.line(numbers(
        Counts {
            add,
            change,
            ..planned
        },
        is_done,
    ));
    let seats = import.seats();
    if let Some(limit) = seats.limit {
        text.line(format_args!(
            "{} of {limit} seats {}.",
            seats.used + add,
            if is_done {
                "are taken"
            } else {
                "will be taken"
            }
        ));
    }
    output.print(text, || {
        json!({
            "imported": is_done,
            "added": add,
            "changed": change,
            "same": planned.same,
            "kept": planned.keep,
            "problems": planned.problem,
            "seats": { "used": seats.used + if is_done { add } else { 0 }, "limit": seats.limit },
            "rows": rows().map(|(row, plan)| row_value(row, plan)).collect::<Vec<_>>(),
        })
    })
}

fn id<'a>(row: &'a ImportRow, plan: &'a RowPlan) -> &'a str {
    plan.user.as_ref().map_or(row.id(), |user| user.as_str())
}

fn shown(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

fn what(plan: &RowPlan) -> String {
    let mut what = match &plan.action {
        Action::Add => "add".to_owned(),
        Action::AddAgain(_) => "add, was removed before".to_owned(),
        Action::Same => "same".to_owned(),
        Action::Keep(fields) => format!("exists, differs in {}", fields.join(", ")),
        Action::Change(fields) => format!("change {}", fields.join(", ")),
        Action::Problem(problem) => format!("problem: {problem}"),
    };
    if plan.is_suspended {
        what += " (suspended, stays so)";
    }
    what
}

fn numbers(counts: Counts, is_done: bool) -> String {
    let Counts {
        add,
        change,
        same,
        keep,
        problem,
    } = counts;
    let (added, changed) = if is_done {
        ("added", "changed")
    } else {
        ("to add", "to change")
    };
    let different = match keep {
        0 => String::new(),
        _ => format!(", {keep} different (--update changes them)"),
    };
    let problems = match problem {
        0 => String::new(),
        1 => ", 1 row with a problem".to_owned(),
        _ => format!(", {problem} rows with a problem"),
    };
    format!("{add} {added}, {change} {changed}, {same} same{different}{problems}.")
}

fn row_value(row: &ImportRow, plan: &RowPlan) -> Value {
    let fields = match &plan.action {
        Action::Keep(fields) | Action::Change(fields) => Some(fields),
        _ => None,
    };
    let problem = match &plan.action {
        Action::Problem(problem) => Some(json!({
            "code": problem.code(), "message": problem.to_string(), "field": problem.field()
        })),
        _ => None,
    };
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "row": row.number,
        "id": text(id(row, plan)),
        "email": text(row.email()),
        "action": plan.action.name(),
        "suspended": plan.is_suspended,
        "fields": fields,
        "problem": problem,
    })
}
