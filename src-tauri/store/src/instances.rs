//! Storage of instances: a folder for each, with an `instance.json`.

use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, iter};

use serde::{Deserialize, Serialize};

use crate::files;
use latchkey_core::activity::{AuditContext, Event};
use latchkey_core::instance::api_key::ApiKey;
use latchkey_core::instance::{
    Hosted, Instance, InstanceId, Name, Outbox, Policy, Retention, Settings, SignInSettings,
    acts_between,
};
use latchkey_core::link::{BaseUrl, Parameter};
use latchkey_core::protocol::audience::Audience;
use latchkey_core::protocol::code::Algorithm;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::secret::KeyRecord;
use latchkey_core::{Error, ErrorCode, Result};

/// Format of `instance.json`. Older formats are read, newer ones are refused.
///
/// Format 2 adds the encoding of a key, which programs for format 1 would ignore.
const FORMAT: u32 = 2;

/// Name of the file in the folder of an instance.
const FILE: &str = "instance.json";

/// The instances of a data folder.
#[derive(Debug)]
pub struct Instances {
    root: PathBuf,
}

/// All readable instances in the order of their names, and the errors of the others.
#[derive(Debug, Default)]
pub struct Listing {
    /// Readable instances.
    pub instances: Vec<Instance>,
    /// One error for each instance that cannot be read.
    pub problems: Vec<Error>,
}

#[derive(Serialize, Deserialize)]
struct InstanceFile {
    format: u32,
    name: String,
    url: String,
    hosted: Hosted,
    parameter: String,
    algorithm: Algorithm,
    lifetime: Lifetime,
    policy: Policy,
    #[serde(default)]
    visiting: SignInSettings,
    #[serde(default)]
    retention: Retention,
    #[serde(default)]
    audiences: Vec<Audience>,
    key: Option<KeyRecord>,
    #[serde(default)]
    api_keys: Vec<ApiKey>,
    #[serde(default)]
    acts: Outbox,
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

impl Instances {
    /// Returns the instances below `data_dir`.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        Self {
            root: data_dir.join("instances"),
        }
    }

    /// Returns the folder of an instance, which also has its directory.
    #[must_use]
    pub fn folder(&self, id: &InstanceId) -> PathBuf {
        self.root.join(id.as_str())
    }

    /// Returns all instances. An unreadable instance does not hide the others.
    pub fn list(&self) -> Result<Listing> {
        let mut listing = Listing::default();
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(listing),
            Err(cause) => return Err(files::storage("read", &self.root, cause)),
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(Ok(id)) = name.to_str().map(InstanceId::parse) else {
                continue;
            };
            match self.read(&id) {
                Ok(Some(instance)) => listing.instances.push(instance),
                Ok(None) => {}
                Err(problem) => listing.problems.push(problem),
            }
        }
        listing
            .instances
            .sort_by_key(|instance| instance.settings.name.as_str().to_lowercase());
        Ok(listing)
    }

    /// Returns path, time and size of each instance's file, without reading it. The list changes
    /// when an instance is added, changed or removed.
    #[must_use]
    pub fn files(&self) -> Vec<(PathBuf, SystemTime, u64)> {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let mut files: Vec<_> = entries
            .filter_map(|entry| {
                let path = entry.path().join(FILE);
                let known = fs::metadata(&path).ok()?;
                Some((path, known.modified().ok()?, known.len()))
            })
            .collect();
        files.sort();
        files
    }

    /// Returns the instance with an ID.
    pub fn get(&self, id: &InstanceId) -> Result<Instance> {
        self.read(id)?.ok_or_else(|| {
            Error::new(
                ErrorCode::UnknownInstance,
                format!("There is no instance '{id}'."),
            )
        })
    }

    /// Returns the instance with an ID or a name. An exact ID wins, because scripts rely on it.
    /// Names are compared in any case.
    ///
    /// Fails with [`ErrorCode::UnknownInstance`].
    pub fn find(&self, name: &str) -> Result<Instance> {
        if let Ok(id) = InstanceId::parse(name)
            && let Some(instance) = self.read(&id)?
        {
            return Ok(instance);
        }
        let mut listing = self.list()?;
        let named = |instance: &Instance| instance.settings.name.matches(name);
        if let Some(at) = listing.instances.iter().position(named) {
            return Ok(listing.instances.swap_remove(at));
        }
        // An unreadable instance may be the wanted one.
        let unreadable = listing.problems.into_iter().next();
        let known: Vec<&str> = listing
            .instances
            .iter()
            .map(|instance| instance.settings.name.as_str())
            .collect();
        let known = match (unreadable, known.as_slice()) {
            (Some(problem), _) => format!("One cannot be read: {}", problem.message),
            (None, []) => "There is none yet. Add one.".to_owned(),
            (None, known) => format!("There is: {}.", known.join(", ")),
        };
        Err(Error::new(
            ErrorCode::UnknownInstance,
            format!("There is no instance '{name}'. {known}"),
        )
        .about("instance"))
    }

    /// Adds an instance. Its ID resembles its name, and is not the name of another instance.
    ///
    /// Fails with [`ErrorCode::InstanceExists`] if the name is taken or is the ID of another
    /// instance.
    pub fn add(
        &self,
        settings: Settings,
        key: Option<KeyRecord>,
        by: &AuditContext,
    ) -> Result<Instance> {
        let _lock = self.lock()?;
        let others = self.list()?.instances;
        refuse_taken(&settings.name, &others)?;
        let wanted = InstanceId::like(settings.name.as_str());
        let is_free = |id: &InstanceId| {
            let named = |other: &Instance| other.settings.name.matches(id.as_str());
            !self.folder(id).exists() && !others.iter().any(named)
        };
        let numbered = (2..1000).map(|number| wanted.numbered(number));
        let id = iter::once(wanted.clone())
            .chain(numbered)
            .find(is_free)
            .unwrap_or(wanted);
        let mut instance = Instance {
            id,
            settings,
            key,
            api_keys: Vec::new(),
            acts: Outbox::default(),
        };
        let made = Event::act("instance_made", "Instance made");
        instance.acts.add(vec![made], by);
        self.write(&instance).inspect_err(|_| {
            // An empty folder would keep the ID taken.
            let _ = fs::remove_dir(self.folder(&instance.id));
        })?;
        Ok(instance)
    }

    /// Changes an instance. `change` gets its current state, and nothing is written if it fails.
    /// The change waits beside the settings to be recorded in the activity.
    pub fn update(
        &self,
        id: &InstanceId,
        by: &AuditContext,
        change: impl FnOnce(&mut Instance) -> Result<()>,
    ) -> Result<Instance> {
        let _lock = self.lock()?;
        let before = self.get(id)?;
        let mut instance = before.clone();
        change(&mut instance)?;
        if instance.settings.name != before.settings.name {
            let mut others = self.list()?.instances;
            others.retain(|other| other.id != *id);
            refuse_taken(&instance.settings.name, &others)?;
        }
        let acts = acts_between(&before, &instance);
        instance.acts.add(acts, by);
        self.write(&instance)?;
        Ok(instance)
    }

    /// Adds an event that waits to be recorded in the activity of an instance.
    pub(crate) fn note(&self, id: &InstanceId, event: Event, by: &AuditContext) -> Result<()> {
        let _lock = self.lock()?;
        let mut instance = self.get(id)?;
        instance.acts.add(vec![event], by);
        self.write(&instance)
    }

    /// Drops the waiting events up to a number, which are recorded.
    pub(crate) fn shorten_outbox(&self, id: &InstanceId, up_to: u64) -> Result<()> {
        let _lock = self.lock()?;
        let mut instance = self.get(id)?;
        instance.acts.recorded(up_to);
        self.write(&instance)
    }

    /// Removes an instance with everything in its folder, even if its settings are damaged.
    pub fn remove(&self, id: &InstanceId) -> Result<()> {
        let _lock = self.lock()?;
        match self.get(id) {
            Err(refused) if refused.code != ErrorCode::DamagedFile => return Err(refused),
            _ => {}
        }
        let folder = self.folder(id);
        // The folder is renamed first, in one step, so that an interruption leaves garbage and not
        // half an instance.
        let leaving = self.root.join(format!(".removing-{id}"));
        if leaving.exists() {
            fs::remove_dir_all(&leaving)
                .map_err(|cause| files::storage("removed", &leaving, cause))?;
        }
        fs::rename(&folder, &leaving)
            .and_then(|()| files::sync_dir(&self.root))
            .map_err(|cause| files::storage("removed", &folder, cause))?;
        fs::remove_dir_all(&leaving).map_err(|cause| files::storage("removed", &leaving, cause))
    }

    fn lock(&self) -> Result<fs::File> {
        files::create_private_dir(&self.root)?;
        files::lock(&self.root.join(".lock"))
    }

    fn path(&self, id: &InstanceId) -> PathBuf {
        self.folder(id).join(FILE)
    }

    fn read(&self, id: &InstanceId) -> Result<Option<Instance>> {
        let path = self.path(id);
        let Some(contents) = files::read(&path)? else {
            return Ok(None);
        };
        let damaged = |cause: String| {
            Error::new(
                ErrorCode::DamagedFile,
                format!(
                    "{} cannot be used: {cause}. Mend it, restore it from a backup, or remove the instance '{id}' with all that is kept for it.",
                    path.display()
                ),
            )
        };
        let FormatOnly { format } =
            serde_json::from_slice(&contents).map_err(|cause| damaged(cause.to_string()))?;
        if format > FORMAT {
            return Err(Error::new(
                ErrorCode::NewerFormat,
                format!(
                    "{} was written by a newer Latchkey (format {format}; this one reads {FORMAT}). Use that one.",
                    path.display()
                ),
            ));
        }
        let file: InstanceFile =
            serde_json::from_slice(&contents).map_err(|cause| damaged(cause.to_string()))?;
        let settings = || -> Result<Settings> {
            Ok(Settings {
                name: Name::parse(&file.name)?,
                url: BaseUrl::parse(&file.url)?,
                hosted: file.hosted,
                parameter: Parameter::parse(&file.parameter)?,
                algorithm: file.algorithm,
                lifetime: file.lifetime,
                policy: file.policy,
                visiting: file.visiting.clone(),
                retention: file.retention,
                audiences: file.audiences.clone(),
            })
        };
        Ok(Some(Instance {
            id: id.clone(),
            settings: settings().map_err(|refused| damaged(refused.message))?,
            key: file.key,
            api_keys: file.api_keys,
            acts: file.acts,
        }))
    }

    fn write(&self, instance: &Instance) -> Result<()> {
        let settings = &instance.settings;
        let file = InstanceFile {
            format: FORMAT,
            name: settings.name.as_str().to_owned(),
            url: settings.url.as_str().to_owned(),
            hosted: settings.hosted,
            parameter: settings.parameter.as_str().to_owned(),
            algorithm: settings.algorithm,
            lifetime: settings.lifetime,
            policy: settings.policy,
            visiting: settings.visiting.clone(),
            retention: settings.retention,
            audiences: settings.audiences.clone(),
            key: instance.key.clone(),
            api_keys: instance.api_keys.clone(),
            acts: instance.acts.clone(),
        };
        let path = self.path(&instance.id);
        let contents = serde_json::to_vec_pretty(&file).map_err(Error::internal)?;
        files::create_private_dir(&self.folder(&instance.id))?;
        files::replace(&path, &contents)
    }
}

/// Fails if a name is the name or the ID of another instance.
fn refuse_taken(name: &Name, others: &[Instance]) -> Result<()> {
    let taken = |other: &&Instance| {
        other.settings.name.matches(name.as_str()) || name.matches(other.id.as_str())
    };
    let Some(other) = others.iter().find(taken) else {
        return Ok(());
    };
    let (name, other_name) = (name.as_str(), other.settings.name.as_str());
    let message = if other.settings.name.matches(name) {
        format!("There is an instance '{other_name}' already. Choose another name.")
    } else {
        format!("'{name}' is the id of the instance '{other_name}'. Choose another name.")
    };
    Err(Error::new(ErrorCode::InstanceExists, message).about("name"))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use latchkey_core::activity::Actor;

    fn by() -> AuditContext {
        AuditContext::new(Actor::Studio, Timestamp::UNIX_EPOCH)
    }

    fn settings(name: &str) -> Settings {
        Settings::new(
            Name::parse(name).unwrap(),
            BaseUrl::parse("https://a.b").unwrap(),
            Hosted::Here,
        )
    }

    #[test]
    fn instances_are_added_found_changed_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let instances = Instances::new(folder.path());
        assert!(instances.list().unwrap().instances.is_empty());
        let added = instances
            .add(settings("Your Company"), None, &by())
            .unwrap();
        assert_eq!(added.id.as_str(), "your-company");
        let other = instances
            .add(settings("Your, Company"), None, &by())
            .unwrap();
        assert_eq!(other.id.as_str(), "your-company-2");
        let taken = instances
            .add(settings("YOUR company"), None, &by())
            .unwrap_err();
        assert_eq!(taken.code, ErrorCode::InstanceExists);

        assert_eq!(instances.find("your company").unwrap().id, added.id);
        assert_eq!(instances.find("your-company-2").unwrap().id, other.id);
        let unknown = instances.find("nobody").unwrap_err();
        assert!(
            unknown.message.contains("Your Company"),
            "{}",
            unknown.message
        );

        let changed = instances.update(&added.id, &by(), |instance| {
            instance.settings.policy.require_expiry = true;
            Ok(())
        });
        assert!(changed.unwrap().settings.policy.require_expiry);
        assert!(
            instances
                .get(&added.id)
                .unwrap()
                .settings
                .policy
                .require_expiry
        );
        let refused = instances.update(&added.id, &by(), |instance| {
            instance.settings.name = Name::parse("Your, Company")?;
            Ok(())
        });
        assert_eq!(refused.unwrap_err().code, ErrorCode::InstanceExists);

        instances.remove(&added.id).unwrap();
        assert_eq!(
            instances.get(&added.id).unwrap_err().code,
            ErrorCode::UnknownInstance
        );
        assert_eq!(instances.list().unwrap().instances.len(), 1);
    }

    #[test]
    fn a_damaged_or_newer_file_is_reported_and_hides_no_instance() {
        let folder = tempfile::tempdir().unwrap();
        let instances = Instances::new(folder.path());
        let broken = instances.add(settings("Broken"), None, &by()).unwrap();
        let newer = instances.add(settings("Newer"), None, &by()).unwrap();
        instances.add(settings("Whole"), None, &by()).unwrap();
        fs::write(instances.path(&broken.id), b"{\"format\":1,").unwrap();
        fs::write(
            instances.path(&newer.id),
            b"{\"format\":3,\"what\":\"ever\"}",
        )
        .unwrap();
        let listing = instances.list().unwrap();
        assert_eq!(listing.instances.len(), 1);
        assert_eq!(listing.problems.len(), 2);
        // The damaged instance can be removed by its ID.
        instances.remove(&broken.id).unwrap();
        assert!(!instances.folder(&broken.id).exists());
        let refused = instances.remove(&newer.id).unwrap_err();
        assert_eq!(refused.code, ErrorCode::NewerFormat);
        let again = instances.add(settings("Broken"), None, &by()).unwrap();
        assert_eq!(again.id, broken.id);
        fs::write(instances.path(&broken.id), b"{\"format\":1,").unwrap();
        // An unreadable instance cannot be found by its name.
        let unknown = instances.find("Broken Inc").unwrap_err().message;
        assert!(unknown.contains("One cannot be read"), "{unknown}");
        assert_eq!(
            instances.find("newer").unwrap_err().code,
            ErrorCode::NewerFormat
        );
        assert_eq!(
            instances.find("broken").unwrap_err().code,
            ErrorCode::DamagedFile
        );
    }

    /// The file was written by the last version of format 1.
    #[test]
    fn a_file_of_format_1_is_read_and_becomes_one_of_format_2() {
        let folder = tempfile::tempdir().unwrap();
        let instances = Instances::new(folder.path());
        let id = InstanceId::parse("acme").unwrap();
        let path = instances.path(&id);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, include_bytes!("../tests/store/instance-1.json")).unwrap();
        let read = instances.get(&id).unwrap();
        assert_eq!(read.settings.name.as_str(), "Acme");
        assert!(read.key.is_some_and(|key| key.encoding.is_text()));
        assert_eq!(read.api_keys.len(), 1);
        let renamed = |instance: &mut Instance| {
            instance.settings.name = Name::parse("Acme Inc")?;
            Ok(())
        };
        instances.update(&id, &by(), renamed).unwrap();
        let written = fs::read_to_string(&path).unwrap();
        assert!(written.contains("\"format\": 2"), "{written}");
        assert_eq!(instances.get(&id).unwrap().api_keys.len(), 1);
    }

    #[test]
    fn an_id_is_never_a_path() {
        for text in ["..", "a/b", "", "A", "a\\b", "a.b"] {
            assert!(InstanceId::parse(text).is_err(), "{text}");
        }
        assert_eq!(InstanceId::like("../../etc").as_str(), "etc");
        assert_eq!(InstanceId::like("日本").as_str(), "instance");
    }
}
