//! State of Studio while its window is open.

use latchkey_store::Wait as _;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::directory::Directory;
use latchkey_core::inspect::forecast::Users;
use latchkey_core::instance::{Hosted, Instance, InstanceId};
use latchkey_core::secret::Secret;
use latchkey_core::{Error, ErrorCode, Result};
use latchkey_gateway::GiveWay;
use latchkey_log::LogFile;
use latchkey_store::files;
use latchkey_store::home::{Home, require_here};
use latchkey_store::keys::KeychainUse;
use tauri::State;

use crate::clipboard::Clipboard;
use crate::events::{Events, StudioEvent};
use crate::gateway::Running;
use crate::lock::locked;
use crate::open_directory::OpenDirectory;
use crate::open_import::Imports;
use crate::previews::Previews;
use crate::problem::{Problem, StudioErrorCode};
use crate::task::Task;

/// Pause after the directory was closed for another program, in which that program opens it. The page
/// then asks for the users again, from that program.
const GIVE_WAY_PAUSE: Duration = Duration::from_secs(1);

/// Code that was inspected last.
struct Inspected {
    revision: u32,
    instance: InstanceId,
    code: Secret,
}

/// State behind the commands.
pub struct Studio {
    data_dir: Option<PathBuf>,
    keychain: KeychainUse,
    home: Mutex<Option<Opened>>,
    previews: Previews,
    imports: Imports,
    inspected: Mutex<(u32, Option<Inspected>)>,
    /// Directory of the selected instance. Only one process at a time can hold a directory, so
    /// Studio closes the others.
    held: Arc<Mutex<Option<OpenDirectory>>>,
    /// Directories that were requested while another process held them, with the name of that
    /// process. `None` if that process has ended since.
    held_elsewhere: Mutex<HeldElsewhere>,
    /// The running gateway. It holds its directory even if another instance is selected.
    running: Mutex<Option<Running>>,
    revealed: Mutex<Option<(InstanceId, Secret)>>,
    clipboard: Clipboard,
    /// Backup that was chosen to be restored.
    chosen_backup: Mutex<Option<PathBuf>>,
    /// Commands for the server to which an instance moves.
    server_commands: Mutex<Vec<String>>,
    /// Backup or export that runs.
    task: Mutex<Task>,
    events: Arc<Events>,
}

type HeldElsewhere = BTreeMap<InstanceId, Option<String>>;

/// A data folder that only this Studio uses.
struct Opened {
    home: Arc<Home>,
    /// Held while Studio runs.
    _lock: File,
}

impl Studio {
    /// Creates the state without opening the data folder, because a keychain may take a while and
    /// the window opens first.
    #[must_use]
    pub fn new(data_dir: Option<PathBuf>, keychain: KeychainUse) -> Self {
        Self {
            data_dir,
            keychain,
            home: Mutex::default(),
            previews: Previews::default(),
            imports: Imports::default(),
            inspected: Mutex::default(),
            held: Arc::default(),
            held_elsewhere: Mutex::default(),
            running: Mutex::default(),
            revealed: Mutex::default(),
            clipboard: Clipboard::default(),
            chosen_backup: Mutex::default(),
            server_commands: Mutex::default(),
            task: Mutex::default(),
            events: Arc::default(),
        }
    }

    /// Returns the data folder. Opens it on the first call.
    ///
    /// Fails with [`ErrorCode::AlreadyOpen`] if another Studio uses it.
    pub(crate) fn home(&self) -> Result<Arc<Home>> {
        let mut opened = locked(&self.home);
        if let Some(opened) = &*opened {
            return Ok(Arc::clone(&opened.home));
        }
        let folder = files::data_dir(self.data_dir.clone())?;
        files::create_private_dir(&folder)?;
        let lock = files::try_lock(&folder.join("studio.lock"))?.ok_or_else(|| {
            let message = format!(
                "Latchkey Studio is open already with the data folder {}. Use its window, or close it and try again.",
                folder.display()
            );
            Error::new(ErrorCode::AlreadyOpen, message)
        })?;
        let home = Arc::new(Home::open(folder, self.keychain)?);
        *opened = Some(Opened {
            home: Arc::clone(&home),
            _lock: lock,
        });
        Ok(home)
    }

    /// Returns Studio's log, which is in the data folder.
    pub(crate) fn log_file(&self) -> Result<LogFile> {
        let folder = files::data_dir(self.data_dir.clone())?;
        Ok(LogFile::new(&folder, "studio"))
    }

    /// Returns the data folder, if it is open.
    pub(crate) fn opened_home(&self) -> Option<Arc<Home>> {
        let opened = locked(&self.home);
        opened.as_ref().map(|opened| Arc::clone(&opened.home))
    }

    /// Ends the gateway and releases the data folder for another Studio. The next command opens it
    /// again.
    pub fn close(&self) {
        self.stop_gateway();
        *locked(&self.held) = None;
        *locked(&self.home) = None;
    }

    pub(crate) fn clipboard(&self) -> &Clipboard {
        &self.clipboard
    }

    /// Stores the backup that was chosen to be restored.
    pub(crate) fn choose_backup(&self, path: PathBuf) {
        *locked(&self.chosen_backup) = Some(path);
    }

    /// Begins work that the window can cancel.
    pub(crate) fn begin_task(&self) -> Task {
        let task = Task::default();
        *locked(&self.task) = task.clone();
        task
    }

    /// Cancels the work that was begun last.
    pub(crate) fn cancel_task(&self) {
        locked(&self.task).cancel();
    }

    /// Returns the backup that was chosen to be restored.
    pub(crate) fn chosen_backup(&self) -> Option<PathBuf> {
        locked(&self.chosen_backup).clone()
    }

    /// Stores the commands for the server to which an instance moves.
    pub(crate) fn set_server_commands(&self, commands: Vec<String>) {
        *locked(&self.server_commands) = commands;
    }

    /// Returns a command for the server to which an instance moves.
    pub(crate) fn server_command(&self, number: usize) -> Option<String> {
        locked(&self.server_commands).get(number).cloned()
    }

    /// Returns the previews that can still be copied.
    pub(crate) fn previews(&self) -> &Previews {
        &self.previews
    }

    /// Returns the file that users are imported from.
    pub(crate) fn imports(&self) -> &Imports {
        &self.imports
    }

    /// Returns the directory of an instance that is hosted here. Opens it on the first call.
    /// Changes of the instance's settings are recorded in it first.
    pub(crate) fn directory(&self, home: &Home, instance: &Instance) -> Result<Arc<dyn Directory>> {
        Ok(self.open_directory(home, instance)?.directory)
    }

    /// Returns the directory with the issued links and the activity of any instance, as
    /// [`Home::ledger`] does. Opens it on the first call.
    pub(crate) fn ledger(&self, home: &Home, instance: &Instance) -> Result<Arc<dyn Directory>> {
        Ok(self.open_ledger(home, instance)?.directory)
    }

    /// Returns the open directory of an instance that is hosted here.
    pub(crate) fn open_directory(&self, home: &Home, instance: &Instance) -> Result<OpenDirectory> {
        if instance.settings.hosted == Hosted::Elsewhere {
            require_here(instance)?;
        }
        self.open_ledger(home, instance)
    }

    /// Returns the open directory of any instance. That of an instance which is hosted elsewhere has
    /// only links and activity.
    pub(crate) fn open_ledger(&self, home: &Home, instance: &Instance) -> Result<OpenDirectory> {
        let open = self.own_directory(home, instance);
        let is_held_elsewhere = match &open {
            Ok(open) => open.is_remote,
            Err(cause) => cause.code == ErrorCode::DirectoryHeld,
        };
        self.change_held_elsewhere(|held_elsewhere| {
            if is_held_elsewhere {
                held_elsewhere.insert(instance.id.clone(), home.directory_holder(instance));
            } else {
                held_elsewhere.remove(&instance.id);
            }
        });
        open
    }

    fn change_held_elsewhere(&self, change: impl FnOnce(&mut HeldElsewhere)) {
        let mut held_elsewhere = locked(&self.held_elsewhere);
        let before = held_elsewhere.clone();
        change(&mut held_elsewhere);
        if *held_elsewhere != before {
            self.events.publish(StudioEvent::Gateway);
        }
    }

    /// Returns the directories that were requested while another process held them.
    pub(crate) fn held_elsewhere(&self) -> HeldElsewhere {
        locked(&self.held_elsewhere).clone()
    }

    /// Checks whether the processes that hold directories have ended. If so, publishes that users
    /// have changed. It does so only on the second check in a row, because a gateway may be
    /// restarting.
    pub(crate) fn check_held_elsewhere(&self, home: &Home) {
        for (id, before) in self.held_elsewhere() {
            let instance = home.instances().get(&id).ok();
            let holder = instance.and_then(|instance| home.directory_holder(&instance));
            let is_free = holder.is_none() && before.is_none();
            self.change_held_elsewhere(|held_elsewhere| {
                if is_free {
                    held_elsewhere.remove(&id);
                } else if let Some(known) = held_elsewhere.get_mut(&id) {
                    *known = holder;
                }
            });
            if is_free {
                let instance = id.as_str().to_owned();
                self.events.publish(StudioEvent::Users {
                    instance: instance.clone(),
                });
                self.events.publish(StudioEvent::Activity { instance });
            }
        }
    }

    fn own_directory(&self, home: &Home, instance: &Instance) -> Result<OpenDirectory> {
        let running = self.running();
        let running = running
            .as_ref()
            .map(|running| &running.open)
            .filter(|open| open.instance == instance.id);
        if let Some(open) = running.cloned() {
            // Closes the directory of another instance that was selected before.
            *locked(&self.held) = None;
            home.record_outbox(instance, &*open.directory).wait()?;
            return Ok(open);
        }
        let mut held = locked(&self.held);
        match &*held {
            Some(open) if open.instance == instance.id && open.is_usable(home, instance) => {
                home.record_outbox(instance, &*open.directory).wait()?;
                return Ok(open.clone());
            }
            _ => *held = None,
        }
        let give_way = self.giving_way(&instance.id);
        let open = OpenDirectory::open(self.home()?, instance, give_way, Timestamp::now())?;
        self.events.follow(&*open.directory, &instance.id);
        *held = Some(open.clone());
        Ok(open)
    }

    /// Returns the function that closes the directory of an instance for a gateway of another
    /// program. It refuses while Studio runs the gateway itself.
    fn giving_way(&self, id: &InstanceId) -> GiveWay {
        let (held, events) = (Arc::downgrade(&self.held), Arc::clone(&self.events));
        let id = id.clone();
        Box::new(move || {
            let Some(held) = held.upgrade() else {
                return false;
            };
            let Ok(mut held) = held.try_lock() else {
                // The directory is being opened or closed. The other program asks again.
                return false;
            };
            let is_free = |open: &mut OpenDirectory| open.instance == id && !open.is_shared();
            let Some(open) = held.take_if(is_free) else {
                return false;
            };
            let (events, instance) = (Arc::clone(&events), id.as_str().to_owned());
            // Closing waits for the request that asks for it.
            let closing = thread::Builder::new().name("latchkey-give-way".into());
            let begun = closing.spawn(move || {
                drop(open);
                thread::sleep(GIVE_WAY_PAUSE);
                for event in [
                    StudioEvent::Users {
                        instance: instance.clone(),
                    },
                    StudioEvent::Activity { instance },
                ] {
                    events.publish(event);
                }
            });
            begun.is_ok()
        })
    }

    /// Returns the open directory of the selected instance.
    pub(crate) fn held(&self) -> Option<OpenDirectory> {
        locked(&self.held).clone()
    }

    /// Records changes of instances by another process in the open directories.
    pub(crate) fn record_outboxes(&self, home: &Home) {
        let held = self.held();
        let running = self.running().as_ref().map(|running| running.open.clone());
        for open in [held, running].into_iter().flatten() {
            let instance = home.instances().get(&open.instance);
            let recorded = instance
                .and_then(|instance| home.record_outbox(&instance, &*open.directory).wait());
            if let Err(cause) = recorded {
                tracing::debug!(error = %cause.logged(), "changes of settings by another process are not recorded yet");
            }
        }
    }

    /// Runs work with the users of an instance for its verdicts.
    pub(crate) fn with_users<T>(
        &self,
        home: &Home,
        instance: &Instance,
        work: impl FnOnce(Users<'_>) -> T,
    ) -> T {
        match instance.settings.hosted {
            Hosted::Elsewhere => match home.typingmind_users(instance) {
                Ok(Some(copy)) => work(Users::Copied(&copy)),
                // Without a connection, or with a copy that cannot be read, nothing is known.
                _ => work(Users::Elsewhere),
            },
            Hosted::Here | Hosted::Gateway => match self.directory(home, instance) {
                Ok(directory) => work(Users::Here(&*directory)),
                Err(why) => work(Users::OutOfReach(&why)),
            },
        }
    }

    /// Ends the gateway of an instance and closes its directory, if they are open.
    pub(crate) fn release(&self, id: &InstanceId) {
        let running = self
            .running()
            .take_if(|running| running.open.instance == *id);
        if let Some(running) = running {
            running.end();
        }
        let mut held = locked(&self.held);
        if held.as_ref().is_some_and(|open| open.instance == *id) {
            *held = None;
        }
    }

    /// Stores an inspected code, so that the redeemed code equals the shown one. Returns its
    /// revision.
    pub(crate) fn inspected(&self, instance: InstanceId, code: Secret) -> u32 {
        let mut inspected = locked(&self.inspected);
        let (last, kept) = &mut *inspected;
        *last = last.wrapping_add(1);
        *kept = Some(Inspected {
            revision: *last,
            instance,
            code,
        });
        *last
    }

    /// Returns the code that was inspected last, if it has this revision.
    pub(crate) fn last_inspected(
        &self,
        instance: &InstanceId,
        revision: u32,
    ) -> std::result::Result<Secret, Problem> {
        let inspected = locked(&self.inspected);
        let kept = inspected.1.as_ref();
        kept.filter(|kept| kept.revision == revision && kept.instance == *instance)
            .map(|kept| kept.code.clone())
            .ok_or_else(|| {
                Problem::new(
                    StudioErrorCode::StaleInspection,
                    "The code has changed in the meantime. Inspect it again, then redeem it.",
                )
            })
    }

    /// Ends the running gateway, if there is one.
    pub(crate) fn stop_gateway(&self) {
        let running = self.running().take();
        if let Some(running) = running {
            running.end();
        }
    }

    pub(crate) fn events(&self) -> &Arc<Events> {
        &self.events
    }

    /// Locks and returns the running gateway, if there is one.
    pub(crate) fn running(&self) -> MutexGuard<'_, Option<Running>> {
        let mut running = locked(&self.running);
        if running.as_ref().is_some_and(Running::has_ended) {
            *running = None;
        }
        running
    }

    pub(crate) fn revealed(&self) -> MutexGuard<'_, Option<(InstanceId, Secret)>> {
        locked(&self.revealed)
    }
}

/// Returns the context of the administrator at the window, for a change made now.
pub(crate) fn now() -> AuditContext {
    AuditContext::new(Actor::Studio, Timestamp::now())
}

/// Runs blocking work on a thread for such work.
pub(crate) async fn blocking<T, E>(
    studio: State<'_, Arc<Studio>>,
    work: impl FnOnce(&Studio) -> std::result::Result<T, E> + Send + 'static,
) -> std::result::Result<T, Problem>
where
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    let studio = Arc::clone(&studio);
    match tauri::async_runtime::spawn_blocking(move || work(&studio)).await {
        Ok(done) => done.map_err(Into::into),
        Err(cause) => {
            tracing::error!(%cause, "a command ended early");
            Err(Error::internal(cause).into())
        }
    }
}

/// Runs blocking work with the data folder.
pub(crate) async fn at_home<T: Send + 'static>(
    studio: State<'_, Arc<Studio>>,
    work: impl FnOnce(&Studio, &Home) -> Result<T> + Send + 'static,
) -> std::result::Result<T, Problem> {
    blocking(studio, move |studio| -> Result<T, Error> {
        let home = studio.home()?;
        work(studio, &home)
    })
    .await
}
