//! Backups of an instance, restoring them, and moving an instance to a server.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use latchkey_core::instance::{self, Hosted, InstanceId, Name};
use latchkey_core::secret::Secret;
use latchkey_core::shell::quoted;
use latchkey_core::{Error, ErrorCode};
use latchkey_store::backup::{self, BackupReader, Part};
use latchkey_store::files::{self, Replacement};
use latchkey_store::home::{Home, RestoreOptions, require_here};
use latchkey_store::keys::require_strong;
use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Runtime, State};
use ts_rs::TS;

use crate::clipboard::Content;
use crate::commands::copied::Copied;
use crate::commands::instance::{Instance, InstanceRef};
use crate::open_directory::OpenDirectory;
use crate::studio::{at_home, blocking, now};
use crate::{Problem, Studio, dialogs};

/// Type of the file of a backup.
const FILE: (&str, &str) = ("Backup of Latchkey", "latchkey");

/// Automatic backups of an instance.
#[derive(Clone, Debug, Serialize, TS)]
pub struct AutomaticBackups {
    /// Whether one is made every day.
    pub on: bool,
    /// Time of the last one, in Unix seconds.
    #[ts(type = "number | null")]
    pub last: Option<i64>,
    /// Folder in which they are.
    pub folder: String,
}

/// Request to turn automatic backups on or off.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct AutomaticBackupsChange {
    /// ID of the instance.
    pub instance: String,
    /// Whether one is made every day.
    pub on: bool,
}

/// Request for a backup.
#[derive(Debug, Deserialize, TS)]
pub struct BackupRequest {
    /// ID of the instance.
    pub instance: String,
    /// Passphrase that seals the keys. Null leaves out the keys.
    #[ts(type = "string | null")]
    pub passphrase: Option<Secret>,
    /// Whether the instance moves to a server. Its gateway is then ended first. Fails if another
    /// program has the instance open.
    pub moves: bool,
}

/// Result of saving a backup.
#[derive(Clone, Debug, Default, Serialize, TS)]
pub struct BackupSaved {
    /// Name of the file. Null if the administrator cancelled the dialog or the backup.
    pub file: Option<String>,
    /// Commands to run on the server. `backup_command_copy` copies them.
    pub commands: Vec<String>,
}

/// A command of the last saved backup.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct ServerCommand {
    /// Index of the command.
    pub number: usize,
}

/// A backup that the administrator has chosen to restore. It is whole.
#[derive(Clone, Debug, Serialize, TS)]
pub struct ChosenBackup {
    /// Name of the file.
    pub file: String,
    /// Name of the instance.
    pub name: String,
    /// Time when it was made, in RFC 3339.
    pub made_at: String,
    /// Number of users.
    #[ts(type = "number")]
    pub users: u64,
    /// Whether it has keys, which a passphrase opens.
    pub has_keys: bool,
}

/// Request to restore the chosen backup.
#[derive(Debug, Deserialize, TS)]
pub struct RestoreRequest {
    /// Name of the restored instance.
    pub name: String,
    /// Whether an instance with that name is replaced.
    pub replace: bool,
    /// Passphrase of the keys. Null leaves out the keys.
    #[ts(type = "string | null")]
    pub passphrase: Option<Secret>,
}

/// Returns the automatic backups of an instance.
#[tauri::command]
pub async fn automatic_backups(
    studio: State<'_, Arc<Studio>>,
    request: InstanceRef,
) -> Result<AutomaticBackups, Problem> {
    at_home(studio, move |_, home| shown(home, &request.id()?)).await
}

/// Turns the automatic backups of an instance on or off.
#[tauri::command]
pub async fn automatic_backups_set(
    studio: State<'_, Arc<Studio>>,
    request: AutomaticBackupsChange,
) -> Result<AutomaticBackups, Problem> {
    at_home(studio, move |_, home| {
        let id = InstanceId::parse(&request.instance)?;
        home.set_automatic_backups(&id, request.on, &now())?;
        shown(home, &id)
    })
    .await
}

/// Writes a backup into a file that the administrator chooses.
#[tauri::command]
pub async fn backup_save<R: Runtime>(
    app: AppHandle<R>,
    studio: State<'_, Arc<Studio>>,
    request: BackupRequest,
) -> Result<BackupSaved, Problem> {
    if let Some(passphrase) = &request.passphrase {
        require_strong(passphrase)?;
    }
    if request.moves {
        let name = request.instance.clone();
        at_home(studio.clone(), move |studio, home| {
            let instance = home.instances().find(&name)?;
            directory_that_moves(studio, home, &instance).map(drop)
        })
        .await?;
    }
    let Some(path) = dialogs::save(&app, "Save the backup", &request.instance, FILE).await else {
        return Ok(BackupSaved::default());
    };
    at_home(studio, move |studio, home| {
        let instance = home.instances().find(&request.instance)?;
        if request.moves {
            // Nobody signs in at the old place after the backup was made.
            studio.release(&instance.id);
        }
        // While this is open, no other program gets the directory.
        let open = match instance.settings.hosted {
            _ if request.moves => directory_that_moves(studio, home, &instance)?,
            Hosted::Here | Hosted::Elsewhere | Hosted::Gateway => {
                studio.open_ledger(home, &instance)?
            }
        };
        let task = studio.begin_task();
        let mut replacement = Replacement::begin(&path)?;
        let made = home.back_up_to(
            &instance.id,
            &*open.directory,
            request.passphrase.as_ref(),
            &now(),
            replacement.file(),
            &mut |_| task.go_on(),
        );
        if task.unless_cancelled(made)?.is_none() {
            return Ok(BackupSaved::default());
        }
        replacement.finish()?;
        let file = dialogs::file_name(&path);
        let commands = commands(&file, instance.settings.name.as_str());
        studio.set_server_commands(commands.clone());
        Ok(BackupSaved {
            file: Some(file),
            commands,
        })
    })
    .await
}

/// Cancels the running backup or export. An existing file with the chosen name is not replaced.
#[tauri::command]
pub async fn save_cancel(studio: State<'_, Arc<Studio>>, request: ()) -> Result<(), Problem> {
    let () = request;
    studio.cancel_task();
    Ok(())
}

/// Copies a command of the last saved backup.
#[tauri::command]
pub async fn backup_command_copy(
    studio: State<'_, Arc<Studio>>,
    request: ServerCommand,
) -> Result<Copied, Problem> {
    blocking(studio, move |studio| -> Result<Copied, Problem> {
        let command = studio.server_command(request.number);
        let command = command.ok_or_else(|| Error::internal("there is no such command"))?;
        studio.clipboard().put(Content::Text(command))?;
        Ok(Copied::default())
    })
    .await
}

/// Lets the administrator choose a backup, and reads it to its end. Null if the administrator
/// cancelled the dialog.
#[tauri::command]
pub async fn backup_choose<R: Runtime>(
    app: AppHandle<R>,
    studio: State<'_, Arc<Studio>>,
    request: (),
) -> Result<Option<ChosenBackup>, Problem> {
    let () = request;
    let Some(path) = dialogs::open(&app, "Choose a backup").await else {
        return Ok(None);
    };
    blocking(studio, move |studio| -> Result<_, Error> {
        let summary = backup::verify(open(&path)?)?;
        let chosen = ChosenBackup {
            file: dialogs::file_name(&path),
            name: summary.header.name.clone(),
            made_at: summary.header.made_at.clone(),
            users: summary.count("user"),
            has_keys: summary.header.holds(Part::Keys),
        };
        studio.choose_backup(path);
        Ok(Some(chosen))
    })
    .await
}

/// Restores the chosen backup.
#[tauri::command]
pub async fn backup_restore(
    studio: State<'_, Arc<Studio>>,
    request: RestoreRequest,
) -> Result<Instance, Problem> {
    at_home(studio, move |studio, home| {
        let name = Name::parse(&request.name)?;
        let path = studio.chosen_backup();
        let path = path.ok_or_else(|| Error::internal("no backup was chosen"))?;
        let backup = BackupReader::open(open(&path)?)?;
        if request.replace
            && let Some(existing) = home.instances().named(&name)?
        {
            studio.release(&existing.id);
        }
        let options = RestoreOptions {
            name: Some(name),
            replace: request.replace,
            passphrase: request.passphrase.as_ref(),
        };
        let restored = home.restore(backup, &options, &now(), &mut |_| Ok(()))?;
        Ok(restored.instance.into())
    })
    .await
}

/// Returns the commands that restore a backup on a server and start its gateway, as in the guide.
#[must_use]
pub fn commands(file: &str, name: &str) -> Vec<String> {
    vec![
        format!("latchkey restore {}", quoted(file)),
        format!("latchkey serve --instance {}", quoted(name)),
    ]
}

/// Returns the directory of an instance that moves to a server. People sign in at a gateway of
/// another program after the backup was made, so this fails with [`ErrorCode::DirectoryHeld`] if
/// another program has the directory open.
fn directory_that_moves(
    studio: &Studio,
    home: &Home,
    instance: &instance::Instance,
) -> Result<OpenDirectory, Error> {
    require_here(instance)?;
    let open = studio.open_directory(home, instance);
    let own = open.and_then(|open| open.require_held(home, instance));
    own.map_err(|mut refused| {
        if refused.code == ErrorCode::DirectoryHeld {
            let holder = home.directory_holder(instance);
            refused.message = format!(
                "{} has '{}' open on this computer. Whoever signs in there later would be missing on the server. End that program, then move the instance.",
                holder.as_deref().unwrap_or("Another program"),
                instance.settings.name.as_str()
            );
        }
        refused
    })
}

fn shown(home: &Home, id: &InstanceId) -> Result<AutomaticBackups, Error> {
    let last = home.automatic_backups(id)?.into_iter().next();
    Ok(AutomaticBackups {
        on: home.has_automatic_backups(id),
        last: last.map(|backup| backup.made_at.as_second()),
        folder: home.instances().backups_folder(id).display().to_string(),
    })
}

fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|cause| files::storage("read", path, cause))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_for_a_server_are_those_of_the_guide() {
        let guide = include_str!("../../guides/moving.md");
        let shown = commands("acme.latchkey", "Acme").join("\n");
        assert!(guide.contains(&format!("```sh\n{shown}\n```")), "{shown}");
        let quoted = commands("a b.latchkey", "Ada's");
        assert_eq!(quoted[0], "latchkey restore 'a b.latchkey'");
        assert_eq!(quoted[1], r"latchkey serve --instance 'Ada'\''s'");
    }
}
