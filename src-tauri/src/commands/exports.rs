//! Exporting users, the activity and links to files.

use std::sync::Arc;

use latchkey_core::activity::{ActivityQuery, Kind};
use latchkey_core::directory::{self, Directory, Sort};
use latchkey_core::export::{ExportFormat, LineFormat, export, export_activity, export_links};
use latchkey_core::instance::{Hosted, Instance, InstanceId};
use latchkey_core::{Result as CoreResult, ledger};
use latchkey_store::Wait as _;
use latchkey_store::files::Replacement;
use latchkey_store::home::Home;
use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Runtime, State};
use ts_rs::TS;

use crate::commands::links::LinkQuery;
use crate::commands::users::UserQuery;
use crate::studio::{at_home, now};
use crate::{Problem, Studio, dialogs};

/// Users to export.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct UserExport {
    /// ID of the instance.
    pub instance: String,
    /// Filter. Null for all users.
    pub query: Option<UserQuery>,
    /// Format of the file.
    pub format: ExportFormat,
}

/// Entries of the activity to export.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct ActivityExport {
    /// ID of the instance.
    pub instance: String,
    /// Only entries of this kind.
    pub kind: Option<Kind>,
    /// Only entries that contain this text.
    pub text: String,
    /// Format of the file.
    pub format: LineFormat,
}

/// Links to export.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct LinkExport {
    /// ID of the instance.
    pub instance: String,
    /// Filter. Null for all links.
    pub query: Option<LinkQuery>,
    /// Format of the file.
    pub format: LineFormat,
}

/// An exported file.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Exported {
    /// Name of the file. Null if the user chose none or has cancelled.
    pub file: Option<String>,
    /// Number of users, entries or links in it.
    #[ts(type = "number")]
    pub count: u64,
}

/// Asks for a file and writes users to it.
#[tauri::command]
pub async fn users_export<R: Runtime>(
    app: AppHandle<R>,
    studio: State<'_, Arc<Studio>>,
    request: UserExport,
) -> Result<Exported, Problem> {
    let source = Source {
        instance: request.instance,
        title: "Export users",
        name: "users",
        open: Studio::directory,
    };
    let format = request.format;
    let (query, _): (directory::UserQuery, Sort) =
        request.query.map(Into::into).unwrap_or_default();
    let file = (format.words(), format.extension());
    exported(app, studio, source, file, move |directory, _, write| {
        export(directory, &query, format, |bytes, _| write(bytes)).wait()
    })
    .await
}

/// Asks for a file and writes entries of the activity to it.
#[tauri::command]
pub async fn activity_export<R: Runtime>(
    app: AppHandle<R>,
    studio: State<'_, Arc<Studio>>,
    request: ActivityExport,
) -> Result<Exported, Problem> {
    let source = Source {
        instance: request.instance,
        title: "Export activity",
        name: "activity",
        open: Studio::ledger,
    };
    let query = ActivityQuery {
        kind: request.kind,
        text: request.text,
        ..ActivityQuery::default()
    };
    let format = request.format;
    let file = (format.words(), format.extension());
    exported(app, studio, source, file, move |directory, _, write| {
        export_activity(directory, &query, format, |bytes, _| write(bytes)).wait()
    })
    .await
}

/// Asks for a file and writes links of the ledger to it.
#[tauri::command]
pub async fn links_export<R: Runtime>(
    app: AppHandle<R>,
    studio: State<'_, Arc<Studio>>,
    request: LinkExport,
) -> Result<Exported, Problem> {
    let source = Source {
        instance: request.instance,
        title: "Export links",
        name: "links",
        open: Studio::ledger,
    };
    let all = ledger::LinkQuery {
        now: now().at.as_second(),
        ..ledger::LinkQuery::default()
    };
    let query = request.query.map(LinkQuery::parse).transpose()?;
    let query = query.map_or(all, |(query, _)| query);
    let format = request.format;
    let file = (format.words(), format.extension());
    exported(
        app,
        studio,
        source,
        file,
        move |directory, hosted, write| {
            export_links(directory, &query, hosted, format, |bytes| write(bytes)).wait()
        },
    )
    .await
}

/// Records that are exported.
struct Source {
    /// ID of the instance.
    instance: String,
    /// Title of the dialog for the file.
    title: &'static str,
    /// Suggested name of the file, without the extension.
    name: &'static str,
    /// Opens the directory with the records.
    open: fn(&Studio, &Home, &Instance) -> CoreResult<Arc<dyn Directory>>,
}

/// Asks for a file, by the kind of files in words and their extension, and writes records to it by
/// `write`, which returns their number. `write` also gets where the instance is hosted.
async fn exported<R: Runtime>(
    app: AppHandle<R>,
    studio: State<'_, Arc<Studio>>,
    source: Source,
    file: (&str, &str),
    write: impl FnOnce(
        &dyn Directory,
        Hosted,
        &mut (dyn FnMut(&[u8]) -> CoreResult<()> + Send),
    ) -> CoreResult<u64>
    + Send
    + 'static,
) -> Result<Exported, Problem> {
    let none = Exported {
        file: None,
        count: 0,
    };
    let Some(path) = dialogs::save(&app, source.title, source.name, file).await else {
        return Ok(none);
    };
    at_home(studio, move |studio, home| {
        let id = InstanceId::parse(&source.instance)?;
        let instance = home.instances().get(&id)?;
        let directory = (source.open)(studio, home, &instance)?;
        let task = studio.begin_task();
        let mut file = Replacement::begin(&path)?;
        let written = write(&*directory, instance.settings.hosted, &mut |bytes| {
            task.go_on()?;
            file.write(bytes)
        });
        let Some(count) = task.unless_cancelled(written)? else {
            return Ok(none);
        };
        file.finish()?;
        Ok(Exported {
            file: Some(dialogs::file_name(&path)),
            count,
        })
    })
    .await
}
