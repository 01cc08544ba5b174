//! Tests of root in the data folder of a service. They need root, and print a message if they are
//! skipped.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::run::{Ran, SECRET, latchkey};
use crate::serve::{Serving, cookie};

/// A user number that no account of this computer has.
const SERVICE: u32 = 54_321;
const PASSPHRASE: &str = "correct horse battery";
const ROOTS: &str = "\"what only root may read\"";

/// A folder of root that everybody may enter, with the data folder of a service in it.
struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    /// Returns `None` if the test does not run as root.
    #[expect(clippy::print_stderr, reason = "a skipped test prints that")]
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        if fs::metadata(folder.path()).unwrap().uid() != 0 {
            eprintln!("skipped: this test needs root, to work in the folder of another user");
            return None;
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let scene = Self { folder };
        fs::create_dir(scene.path("service")).unwrap();
        chown(scene.path("service"), Some(SERVICE), Some(SERVICE)).unwrap();
        // Files that only root can read.
        fs::create_dir(scene.path("private")).unwrap();
        fs::set_permissions(scene.path("private"), fs::Permissions::from_mode(0o700)).unwrap();
        for (name, contents) in [
            ("private/secret", SECRET),
            ("private/passphrase", PASSPHRASE),
            ("roots", ROOTS),
        ] {
            fs::write(scene.path(name), contents).unwrap();
            fs::set_permissions(scene.path(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
        Some(scene)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn text_of(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn run_in(&self, data: &str, arguments: &[&str]) -> Ran {
        let (data, passphrase) = (self.text(data), self.text("private/passphrase"));
        let environment = [
            ("LATCHKEY_DATA_DIR", data.as_str()),
            ("LATCHKEY_PASSPHRASE_FILE", passphrase.as_str()),
        ];
        latchkey(arguments, &environment, b"")
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.run_in("service", arguments)
    }

    /// Runs a command that must succeed.
    fn done(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
        ran
    }

    /// Adds the instance `Here`, with a secret that only root can read.
    fn add_instance(&self) {
        let secret = self.text("private/secret");
        self.done(&[
            "instance",
            "add",
            "Here",
            "--url",
            "https://a.b",
            "--secret-file",
            &secret,
        ]);
    }

    /// Puts a link into the service's folder, as the service's user could.
    fn plant(&self, name: &str, target: &str) {
        let path = self.path("service").join(name);
        let _ = fs::remove_file(&path);
        symlink(self.path(target), &path).unwrap();
        lchown(&path, Some(SERVICE), Some(SERVICE)).unwrap();
    }

    /// Asserts that root's files are unchanged, and that the service owns everything in its folder.
    fn assert_kept_apart(&self, after: &str) {
        let roots = fs::metadata(self.path("roots")).unwrap();
        assert_eq!(roots.uid(), 0, "{after}: root's file was given away");
        assert_eq!(
            fs::read_to_string(self.path("roots")).unwrap(),
            ROOTS,
            "{after}: root's file was written"
        );
        assert!(
            !self.path("new").exists(),
            "{after}: a file of root's was made by a link"
        );
        for path in all_below(&self.path("service")) {
            let found = fs::symlink_metadata(&path).unwrap();
            assert_eq!(
                (found.uid(), found.gid()),
                (SERVICE, SERVICE),
                "{after}: {} is not the service's",
                path.display()
            );
        }
    }
}

fn all_below(folder: &Path) -> Vec<PathBuf> {
    let mut all = vec![folder.to_owned()];
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            all.extend(all_below(&entry.path()));
        } else {
            all.push(entry.path());
        }
    }
    all
}

const COMMANDS: [&[&str]; 4] = [
    &["users", "list", "--instance", "here"],
    &["instance", "set", "here", "--require-expiry", "yes"],
    &["api-key", "make", "CRM", "--instance", "here"],
    &["instance", "list"],
];

#[test]
fn files_that_root_makes_in_a_services_folder_belong_to_the_service() {
    let Some(scene) = Scene::new() else { return };
    scene.add_instance();
    scene.assert_kept_apart("instance add");
    scene.done(&["users", "add", "ada", "--instance", "here"]);
    for command in COMMANDS {
        scene.done(command);
        scene.assert_kept_apart(command[0]);
    }
}

#[test]
fn root_does_not_follow_links_in_a_services_folder() {
    let Some(scene) = Scene::new() else { return };
    scene.add_instance();
    scene.done(&["users", "add", "ada", "--instance", "here"]);
    for (link, target) in [
        ("instances/here/directory/holder", "roots"),
        ("instances/here/directory/watermark", "roots"),
        ("instances/here/directory/lock", "new"),
        ("instances/.lock", "new"),
        ("instances/evil/instance.json", "roots"),
        ("keys.sealed", "roots"),
    ] {
        fs::create_dir_all(scene.path("service/instances/evil")).unwrap();
        chown(
            scene.path("service/instances/evil"),
            Some(SERVICE),
            Some(SERVICE),
        )
        .unwrap();
        let path = scene.path("service").join(link);
        let kept = fs::read(&path).ok();
        scene.plant(link, target);
        for command in COMMANDS {
            let ran = scene.run(command);
            let said = ran.out + &ran.err;
            assert!(!said.contains("only root may read"), "{link}: {said}");
            scene.assert_kept_apart(&format!("{link}, {}", command[0]));
        }
        fs::remove_file(&path).unwrap();
        if let Some(kept) = kept {
            fs::write(&path, kept).unwrap();
            chown(&path, Some(SERVICE), Some(SERVICE)).unwrap();
        }
    }
}

/// A data folder of root in which an entry belongs to the service, or in which everybody can write.
#[test]
fn root_refuses_its_own_folder_if_others_can_change_it() {
    let Some(scene) = Scene::new() else { return };
    let add = [
        "instance",
        "add",
        "Here",
        "--url",
        "https://a.b",
        "--no-secret",
    ];
    let own = || scene.run_in("own", &["users", "list", "--instance", "here"]);
    assert_eq!(scene.run_in("own", &add).code, 0);
    assert_eq!(own().code, 0, "{}", own().err);
    let everything = || all_below(&scene.path("own"));
    let folders = [
        "",
        "/instances",
        "/instances/here",
        "/instances/here/directory",
    ];
    let give = |path: &Path, to: u32| lchown(path, Some(to), Some(to)).unwrap();
    for folder in &folders[1..] {
        // The service owns this folder and everything below, as after an incomplete change of
        // owner.
        let path = scene.path(&format!("own{folder}"));
        for path in all_below(&path) {
            give(&path, SERVICE);
        }
        let planted = scene.path("own/instances/here/directory/watermark");
        let _ = fs::remove_file(&planted);
        symlink(scene.path("roots"), &planted).unwrap();
        give(&planted, SERVICE);
        let refused = own();
        assert_eq!(refused.code, 1, "{folder}: {}", refused.out);
        assert!(
            refused.err.contains("chown -R") && refused.err.contains("54321"),
            "{folder}: {}",
            refused.err
        );
        assert_eq!(
            scene.text_of("roots"),
            ROOTS,
            "{folder}: root's file was written"
        );
        fs::remove_file(&planted).unwrap();
        for path in everything() {
            give(&path, 0);
        }
    }
    for (folder, mode) in folders
        .iter()
        .flat_map(|folder| [(folder, 0o777), (folder, 0o1777)])
    {
        let path = scene.path(&format!("own{folder}"));
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let refused = own();
        assert_eq!(refused.code, 1, "{folder} {mode:o}: {}", refused.out);
        assert!(
            refused.err.contains("chmod -R go-w"),
            "{folder}: {}",
            refused.err
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    }
    assert_eq!(own().code, 0, "{}", own().err);
}

#[test]
fn root_opens_only_named_files_whose_path_the_service_cannot_change() {
    let Some(scene) = Scene::new() else { return };
    scene.add_instance();
    let (secret, picture) = (scene.text("private/secret"), scene.text("private/ada.png"));
    let link = ["link", "--instance", "here", "--email", "ada@b.cd"];
    let named = ["--secret-file", &secret, "--qr", &picture];
    let made = scene.done(&[&link[..], &named].concat());
    assert!(
        fs::read(&picture).unwrap().starts_with(b"\x89PNG"),
        "the picture is where root wanted it"
    );
    let picture = fs::metadata(&picture).unwrap();
    assert_eq!((picture.uid(), picture.mode() & 0o777), (0, 0o600));
    let picture = scene.text("private/ada.png");
    let inspected = scene.done(&["inspect", &picture, "--instance", "here"]);
    assert!(inspected.out.contains("verifies"), "{}", inspected.out);
    assert!(made.out.starts_with("https://a.b/?"));

    scene.plant("steered", "roots");
    scene.plant("steered.png", "new");
    let steered = scene.text("service/steered");
    let refused = scene.run(&[&link[..], &["--secret-file", &steered]].concat());
    assert_eq!(refused.code, 1, "{}", refused.out);
    assert!(refused.err.contains("steered"), "{}", refused.err);
    let shown = scene.run(&["inspect", &steered, "--instance", "here"]);
    assert!(
        !(shown.out + &shown.err).contains("only root"),
        "root's file was shown"
    );
    let steered = scene.text("service/steered.png");
    scene.run(&[&link[..], &["--qr", &steered]].concat());
    scene.assert_kept_apart("named files");
}

#[test]
fn a_link_on_the_way_to_the_data_folder_does_not_lead_root_to_its_own() {
    let Some(scene) = Scene::new() else { return };
    let own = scene.run_in(
        "private/own",
        &[
            "instance",
            "add",
            "Roots",
            "--url",
            "https://a.b",
            "--no-secret",
        ],
    );
    assert_eq!(own.code, 0, "{}", own.err);
    scene.plant("data", "private/own");
    for data in ["service/data", "service/data/instances"] {
        let refused = scene.run_in(data, &["instance", "list"]);
        assert_eq!(refused.code, 1, "{}", refused.out);
        assert!(!refused.out.contains("Roots"), "{}", refused.out);
        assert!(refused.err.contains("service/data"), "{}", refused.err);
    }
    // The service could swap a folder of root that lies in the service's folder.
    fs::create_dir(scene.path("service/of-root")).unwrap();
    let refused = scene.run_in("service/of-root", &["instance", "list"]);
    assert_eq!(refused.code, 1, "{}", refused.out);
    assert!(refused.err.contains("belongs to root"), "{}", refused.err);
    // Root may follow its own links.
    symlink(scene.path("service"), scene.path("link")).unwrap();
    let followed = scene.run_in("link", &["instance", "list"]);
    assert_eq!(followed.code, 0, "{}", followed.err);
}

#[test]
fn a_folder_that_its_owner_cannot_enter_is_named_with_what_to_do() {
    let Some(scene) = Scene::new() else { return };
    // `DynamicUser=` keeps folders like this.
    fs::create_dir(scene.path("private/data")).unwrap();
    chown(scene.path("private/data"), Some(SERVICE), Some(SERVICE)).unwrap();
    let refused = scene.run_in("private/data", &["instance", "list"]);
    assert_eq!(refused.code, 1, "{}", refused.out);
    assert!(
        refused.err.contains("private/data") && refused.err.contains("cannot enter"),
        "{}",
        refused.err
    );
}

/// A folder of another user, for a process that is not root.
#[test]
fn the_folder_of_another_user_is_named_with_its_owner_and_what_to_do() {
    let Some(scene) = Scene::new() else { return };
    fs::set_permissions(scene.path("service"), fs::Permissions::from_mode(0o700)).unwrap();
    // Copies the program to a place where any user can run it.
    let program = scene.path("latchkey");
    fs::copy(env!("CARGO_BIN_EXE_latchkey"), &program).unwrap();
    let ran = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&program)
        .args(["instance", "list"])
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LATCHKEY_KEYCHAIN", "off")
        .env("LATCHKEY_DATA_DIR", scene.path("service"))
        .output()
        .unwrap();
    let said = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(1), "{said}");
    assert!(
        said.contains(&scene.text("service"))
            && said.contains("another user, #54321")
            && said.contains("hint: --data-dir"),
        "{said}"
    );
}

/// Returns the program for a user, with the data folder of the service and under options of its unit.
fn administrator(scene: &Scene, user: u32) -> Command {
    let mut command = Command::new("setpriv");
    let (uid, gid) = (format!("--reuid={user}"), format!("--regid={user}"));
    // `User=`, `NoNewPrivileges=` and `CapabilityBoundingSet=` of the unit in the guide.
    command.args([&uid, &gid, "--clear-groups", "--no-new-privs"]);
    command.args(["--bounding-set=-all", "--inh-caps=-all"]);
    command.arg(env!("CARGO_BIN_EXE_latchkey"));
    command.env_clear();
    command.envs([
        ("LATCHKEY_DATA_DIR", scene.text("service")),
        ("LATCHKEY_KEYCHAIN", "off".to_owned()),
    ]);
    command
}

/// Runs a command, and returns its output.
type Run<'a> = &'a dyn Fn(&[&str]) -> String;

#[test]
fn root_and_the_services_user_administer_a_running_service_and_nobody_else_does() {
    let Some(scene) = Scene::new() else { return };
    scene.add_instance();
    // The service reads the secret from a file that it can read, as from systemd.
    fs::write(scene.path("credential"), SECRET).unwrap();
    chown(scene.path("credential"), Some(SERVICE), Some(SERVICE)).unwrap();
    let as_user = |user| administrator(&scene, user);
    let mut service = as_user(SERVICE);
    service.args(["--json", "serve", "--instance", "here"]);
    service.args(["--listen", "127.0.0.1:0"]);
    // `LoadCredential=` of the unit: a file that the service can read.
    service.args(["--secret-file", &scene.text("credential")]);
    let serving = Serving::start(service.stderr(Stdio::piped()));
    let with_secret = |arguments: &[&str], file: &str| {
        let mut arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        if arguments[0] == "link" {
            arguments.extend(["--secret-file".to_owned(), scene.text(file)]);
        }
        arguments
    };
    let by_root = |arguments: &[&str]| {
        let arguments = with_secret(arguments, "private/secret");
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        scene.done(&arguments).out
    };
    let by_service = |arguments: &[&str]| {
        let arguments = with_secret(arguments, "credential");
        let ran = as_user(SERVICE).args(&arguments).output().unwrap();
        assert!(ran.status.success(), "{arguments:?}: {ran:?}");
        String::from_utf8(ran.stdout).unwrap()
    };
    let commands: [Run<'_>; 2] = [&by_root, &by_service];
    for (run, seats) in commands.into_iter().zip(["3", "4"]) {
        let link = run(&["link", "--instance", "here", "--user-id", "ada"]);
        let (_, path) = link.trim().split_once("https://a.b").unwrap();
        let cookie = cookie(&serving.get(path, ""));
        let is_in = || {
            let answer = serving.get("/auth/verify", &cookie);
            answer.contains("remote-user: ada")
        };
        assert!(is_in(), "{link}");
        assert!(run(&["users", "--instance", "here", "list"]).contains("ada"));
        run(&["users", "--instance", "here", "suspend", "ada"]);
        assert!(!is_in(), "the next request of a suspended user is refused");
        run(&["users", "--instance", "here", "reactivate", "ada"]);
        run(&["seats", "--instance", "here", "--set", seats]);
        assert!(run(&["seats", "--instance", "here"]).contains(seats));
        let activity = run(&["activity", "list", "--instance", "here"]);
        assert!(activity.contains("suspended"), "{activity}");
        scene.assert_kept_apart("administering");
    }
    let third = as_user(SERVICE + 1)
        .args(["users", "--instance", "here", "list"])
        .output()
        .unwrap();
    assert!(
        !third.status.success() && third.stdout.is_empty(),
        "{third:?}"
    );
    // Even if the folder and the socket were open to everybody, a third user gets no answer.
    let socket = scene.path("service/instances/here/control.sock");
    for (name, mode) in [
        ("service", 0o755),
        ("service/instances", 0o755),
        ("service/instances/here", 0o755),
        ("service/instances/here/control.sock", 0o666),
    ] {
        fs::set_permissions(scene.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let ask = r#"$SIG{PIPE} = "IGNORE";
        my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die $!;
        print $s "GET /admin/v1/users HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        $s->flush;
        print sysread($s, my $answer, 4096) || 0;"#;
    let answered = |user: u32| {
        let (uid, gid) = (format!("--reuid={user}"), format!("--regid={user}"));
        let ran = Command::new("setpriv")
            .args([
                &uid,
                &gid,
                "--clear-groups",
                "perl",
                "-MIO::Socket::UNIX",
                "-e",
                ask,
            ])
            .arg(&socket)
            .output()
            .unwrap();
        let said = String::from_utf8(ran.stdout).unwrap();
        let complaint = String::from_utf8_lossy(&ran.stderr);
        let bytes = said.trim().parse::<u32>();
        bytes.unwrap_or_else(|_| panic!("{complaint}"))
    };
    assert!(answered(SERVICE) > 0 && answered(0) > 0);
    assert_eq!(answered(SERVICE + 1), 0);
    let log = serving.end();
    assert!(
        log.contains("a process of another user was refused"),
        "{log}"
    );
}
