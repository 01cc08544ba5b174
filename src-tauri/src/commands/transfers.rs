//! Importing users from files.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use latchkey_core::directory::Directory;
use latchkey_core::import::{
    Action, Import, ImportFile, ImportOptions, ImportRow as CoreRow, MAX_FILE_BYTES, RowPlan,
};
use latchkey_core::instance::InstanceId;
use latchkey_core::verdict::Seats;
use latchkey_core::{Error, ErrorCode, Result};
use latchkey_store::Wait as _;
use latchkey_store::files;
use latchkey_store::home::Home;
use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Runtime, State};
use ts_rs::TS;

use crate::commands::instance::InstanceRef;
use crate::dialogs;
use crate::open_import::OpenImport;
use crate::studio::{at_home, now};
use crate::{Problem, Studio};

/// Maximum number of rows in one answer.
const MOST_ROWS: usize = 200;

/// A file that was dropped on the window.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct DroppedFile {
    /// ID of the instance.
    pub instance: String,
    /// Name of the file.
    pub name: String,
    /// Content in base64.
    pub base64: String,
}

/// Choices of an import.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct ImportChoices {
    /// ID of the instance.
    pub instance: String,
    /// Whether existing users get the profile of their row.
    pub update: bool,
    /// Whether people who were removed are added again.
    pub add_removed: bool,
}

/// State of an import, before, while and after it runs.
#[derive(Clone, Debug, Serialize, TS)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own for the window"
)]
pub struct ImportState {
    /// Name of the file.
    pub file: String,
    /// Whether the file was read as Windows-1252, so that accents may be wrong.
    pub windows_1252: bool,
    /// Headings of the columns that are not imported.
    pub left_out: Vec<String>,
    /// Number of rows.
    pub rows: usize,
    /// Numbers of rows by plan.
    pub counts: ImportCounts,
    /// Seats when the plan was made.
    pub seats: Seats,
    /// Whether existing users get the profile of their row.
    pub update: bool,
    /// Whether people who were removed are added again.
    pub add_removed: bool,
    /// Number of users that were added so far.
    #[ts(type = "number")]
    pub added: u64,
    /// Number of users that were changed so far.
    #[ts(type = "number")]
    pub changed: u64,
    /// Number of rows that the import has passed.
    pub passed: usize,
    /// Whether the import has passed all rows.
    pub ended: bool,
}

/// Numbers of rows by plan.
#[derive(Clone, Copy, Debug, Serialize, TS)]
#[expect(missing_docs, reason = "the names are those of `RowAction`")]
pub struct ImportCounts {
    #[ts(type = "number")]
    pub add: u64,
    #[ts(type = "number")]
    pub change: u64,
    #[ts(type = "number")]
    pub same: u64,
    #[ts(type = "number")]
    pub keep: u64,
    #[ts(type = "number")]
    pub problem: u64,
}

/// Effect of the import on a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RowAction {
    /// Adds a user.
    Add,
    /// Changes an existing user.
    Change,
    /// Nothing, because the user exists with this profile.
    Same,
    /// Nothing, although the existing user has another profile.
    Keep,
    /// Nothing, because the row has a problem.
    Problem,
}

/// Request for rows of the open file.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct ImportRowsRequest {
    /// ID of the instance.
    pub instance: String,
    /// Only rows with this effect.
    pub action: Option<RowAction>,
    /// Number of rows to skip.
    pub first: usize,
    /// Maximum number of rows, at most 200.
    pub limit: usize,
}

/// A row of a file to import.
#[derive(Clone, Debug, Serialize, TS)]
pub struct ImportRow {
    /// Number of the row in the file.
    pub number: usize,
    /// ID, which may be derived. Empty if an invalid row has none.
    pub id: String,
    /// E-mail address. Empty if there is none.
    pub email: String,
    /// Name. Empty if there is none.
    pub name: String,
    /// Effect of the import.
    pub action: RowAction,
    /// Fields in which the row differs from the existing user.
    pub fields: Vec<String>,
    /// Whether the user was removed before and is added again.
    pub again: bool,
    /// Whether the existing user is suspended, and stays so.
    pub suspended: bool,
    /// Sentence about the problem of the row.
    pub problem: Option<String>,
}

/// Asks for a file and plans it. Returns null if the user chooses none.
#[tauri::command]
pub async fn import_choose<R: Runtime>(
    app: AppHandle<R>,
    studio: State<'_, Arc<Studio>>,
    request: InstanceRef,
) -> Result<Option<ImportState>, Problem> {
    let Some(path) = dialogs::open(&app, "Import users").await else {
        return Ok(None);
    };
    let name = dialogs::file_name(&path);
    let read = at_home(studio, move |studio, home| {
        let bytes = read(&path)?;
        plan(studio, home, &request.instance, name, bytes)
    });
    read.await.map(Some)
}

/// Plans a file that was dropped on the window.
#[tauri::command]
pub async fn import_dropped(
    studio: State<'_, Arc<Studio>>,
    request: DroppedFile,
) -> Result<ImportState, Problem> {
    at_home(studio, move |studio, home| {
        let bytes = BASE64_STANDARD.decode(&request.base64).map_err(|_| {
            let message = "The file did not arrive whole. Try again.";
            Error::new(ErrorCode::InvalidImport, message).about("file")
        })?;
        plan(studio, home, &request.instance, request.name, bytes)
    })
    .await
}

/// Plans the open file anew with other choices.
#[tauri::command]
pub async fn import_plan(
    studio: State<'_, Arc<Studio>>,
    request: ImportChoices,
) -> Result<ImportState, Problem> {
    let options = ImportOptions {
        update: request.update,
        add_removed: request.add_removed,
    };
    with_import(studio, request.instance, move |open, directory| {
        open.import
            .plan_again(options, directory, now().at)
            .wait()?;
        Ok(ImportState::of(open, false))
    })
    .await
}

/// Returns rows of the open file.
#[tauri::command]
pub async fn import_rows(
    studio: State<'_, Arc<Studio>>,
    request: ImportRowsRequest,
) -> Result<Vec<ImportRow>, Problem> {
    at_home(studio, move |studio, _| {
        let instance = InstanceId::parse(&request.instance)?;
        studio.imports().with(&instance, |open| {
            let is_wanted = |plan: &RowPlan| {
                let wanted = request.action;
                wanted.is_none_or(|action| RowAction::of(&plan.action) == action)
            };
            let rows = open.import.rows().filter(|(_, plan)| is_wanted(plan));
            let limit = request.limit.clamp(1, MOST_ROWS);
            let rows = rows.skip(request.first).take(limit);
            Ok(rows.map(ImportRow::of).collect())
        })
    })
    .await
}

/// Imports the next batch of the open file. The page calls it until all rows are passed, or the user
/// cancels.
#[tauri::command]
pub async fn import_next(
    studio: State<'_, Arc<Studio>>,
    request: InstanceRef,
) -> Result<ImportState, Problem> {
    with_import(studio, request.instance, |open, directory| {
        let goes_on = open.import.import_batch(directory, &now()).wait()?;
        Ok(ImportState::of(open, !goes_on))
    })
    .await
}

/// Closes the open file.
#[tauri::command]
pub async fn import_close(studio: State<'_, Arc<Studio>>, request: ()) -> Result<(), Problem> {
    let () = request;
    at_home(studio, |studio, _| {
        studio.imports().close();
        Ok(())
    })
    .await
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|cause| files::storage("read", path, cause))?;
    Ok(bytes)
}

/// Plans a file without choices, and keeps it open.
fn plan(
    studio: &Studio,
    home: &Home,
    instance: &str,
    name: String,
    bytes: Vec<u8>,
) -> Result<ImportState> {
    let instance = home.instances().get(&InstanceId::parse(instance)?)?;
    let directory = studio.directory(home, &instance)?;
    let file = ImportFile::parse(bytes)?;
    let opened = OpenImport {
        import: Import::plan(file, ImportOptions::default(), &*directory, now().at).wait()?,
        instance: instance.id,
        file: name,
    };
    let state = ImportState::of(&opened, false);
    studio.imports().open(opened);
    Ok(state)
}

/// Does work with the open file and the directory of its instance.
async fn with_import<T: Send + 'static>(
    studio: State<'_, Arc<Studio>>,
    instance: String,
    work: impl FnOnce(&mut OpenImport, &dyn Directory) -> Result<T> + Send + 'static,
) -> Result<T, Problem> {
    at_home(studio, move |studio, home| {
        let instance = home.instances().get(&InstanceId::parse(&instance)?)?;
        let directory = studio.directory(home, &instance)?;
        studio
            .imports()
            .with(&instance.id, |open| work(open, &*directory))
    })
    .await
}

impl ImportState {
    fn of(open: &OpenImport, ended: bool) -> Self {
        let OpenImport { import, .. } = open;
        let (planned, done) = (import.counts(), import.done());
        let columns = import.file().columns.iter();
        let left_out = columns.filter(|column| column.is_left_out());
        Self {
            file: open.file.clone(),
            windows_1252: import.file().is_windows_1252,
            left_out: left_out.map(|column| column.heading.clone()).collect(),
            rows: import.file().rows.len(),
            counts: ImportCounts {
                add: planned.add,
                change: planned.change,
                same: planned.same,
                keep: planned.keep,
                problem: planned.problem,
            },
            seats: import.seats(),
            update: import.options().update,
            add_removed: import.options().add_removed,
            added: done.add,
            changed: done.change,
            passed: import.looked_at(),
            ended,
        }
    }
}

impl RowAction {
    const fn of(action: &Action) -> Self {
        match action {
            Action::Add | Action::AddAgain(_) => Self::Add,
            Action::Change(_) => Self::Change,
            Action::Same => Self::Same,
            Action::Keep(_) => Self::Keep,
            Action::Problem(_) => Self::Problem,
        }
    }
}

impl ImportRow {
    fn of((row, plan): (&CoreRow, &RowPlan)) -> Self {
        let fields = match &plan.action {
            Action::Change(fields) | Action::Keep(fields) => fields.clone(),
            _ => Vec::new(),
        };
        let problem = match &plan.action {
            Action::Problem(problem) => Some(problem.to_string()),
            _ => None,
        };
        let id = plan.user.as_ref().map_or(row.id(), |user| user.as_str());
        Self {
            number: row.number,
            id: id.to_owned(),
            email: row.email().to_owned(),
            name: row.name().to_owned(),
            action: RowAction::of(&plan.action),
            fields,
            again: matches!(plan.action, Action::AddAgain(_)),
            suspended: plan.is_suspended,
            problem,
        }
    }
}
