//! System packages for building the window and for the tests.

use std::env;
use std::fs;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::process::{program, run, succeeds};

/// Purpose of system packages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Building and running Studio.
    Studio,
    /// Running the tests.
    Tests,
}

/// Package manager of a platform.
struct Manager {
    /// Program that identifies the platform.
    program: &'static str,
    install: &'static [&'static str],
    /// Command that checks whether a package is installed.
    query: &'static [&'static str],
    studio: &'static [&'static str],
    /// Packages for the tests. `None` if the tests of the window do not run there; they need Debian
    /// or a derivative.
    tests: Option<&'static [&'static str]>,
}

const MANAGERS: [Manager; 4] = [
    Manager {
        program: "apt-get",
        install: &["apt-get", "install", "-y", "--no-install-recommends"],
        query: &["dpkg-query", "-W", "-f=${Status}\\n"],
        studio: &[
            "build-essential",
            "libayatana-appindicator3-dev",
            "librsvg2-dev",
            "libssl-dev",
            "libwebkit2gtk-4.1-dev",
            "libxdo-dev",
            "pkg-config",
        ],
        tests: Some(&[
            "caddy",
            "chromium",
            "chromium-driver",
            "curl",
            "dbus-x11",
            "firefox-esr",
            "fonts-dejavu-core",
            "fonts-noto-core",
            "gnome-keyring",
            "haproxy",
            "imagemagick",
            "iproute2",
            "librsvg2-bin",
            "mandoc",
            "nginx-light",
            "openbox",
            "openssl",
            "procps",
            "qrencode",
            "strace",
            "systemd",
            "webkit2gtk-driver",
            "wrk",
            "xclip",
            "xdotool",
            "xvfb",
            "zbar-tools",
            "zstd",
        ]),
    },
    Manager {
        program: "dnf",
        install: &["dnf", "install", "-y"],
        query: &["rpm", "-q"],
        studio: &[
            "gcc",
            "librsvg2-devel",
            "libxdo-devel",
            "openssl-devel",
            "pkgconf",
            "webkit2gtk4.1-devel",
        ],
        tests: None,
    },
    Manager {
        program: "pacman",
        install: &["pacman", "-S", "--needed", "--noconfirm"],
        query: &["pacman", "-Q"],
        studio: &[
            "base-devel",
            "librsvg",
            "openssl",
            "webkit2gtk-4.1",
            "xdotool",
        ],
        tests: None,
    },
    Manager {
        program: "zypper",
        install: &["zypper", "--non-interactive", "install"],
        query: &["rpm", "-q"],
        studio: &[
            "gcc",
            "libopenssl-devel",
            "librsvg-devel",
            "pkgconf",
            "webkit2gtk3-devel",
            "xdotool-devel",
        ],
        tests: None,
    },
];

/// Installs missing packages. Lists them first, and asks unless `yes` is set or no person is at the
/// terminal.
pub(crate) fn install(purpose: Purpose, yes: bool) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return other_platform(purpose);
    }
    let Some(manager) = MANAGERS.iter().find(|manager| on_path(manager.program)) else {
        println!(
            "The package manager of this system is unknown. Studio needs WebKitGTK 4.1 and librsvg, with their headers."
        );
        return Ok(());
    };
    let mut wanted = manager.studio.to_vec();
    if purpose == Purpose::Tests {
        let Some(tests) = manager.tests else {
            bail!(
                "the tests open a real window with Debian's WebKitWebDriver, so they run on Debian or Ubuntu"
            );
        };
        wanted.extend(tests);
        if !succeeds("python3", &["-m", "pip", "--version"]) {
            wanted.push("python3-pip");
        }
    }
    let missing: Vec<&str> = wanted
        .into_iter()
        .filter(|package| !is_installed(manager, package))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let command = as_root(manager.install, &missing);
    println!(
        "These system packages are missing: {}.\nThey will be installed by:\n  {}",
        missing.join(" "),
        command.join(" ")
    );
    if !yes && io::stdin().is_terminal() && env::var_os("CI").is_none() && !agreed()? {
        bail!("nothing was installed; install them by the command above and start again");
    }
    if manager.program == "apt-get" {
        start(&as_root(&["apt-get", "update"], &[]))?;
    }
    start(&command).context("the system packages could not be installed")
}

/// Fails if Node is missing or too old.
pub(crate) fn require_node() -> Result<()> {
    let version = crate::process::output(&mut program("node", &["--version"]))
        .context("Node.js is not installed; the UI is built with Node.js 20.19 or newer")?;
    let mut numbers = version
        .trim()
        .trim_start_matches('v')
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or(0));
    let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if (major, minor) < (20, 19) {
        bail!(
            "Node.js {} is too old; the UI is built with Node.js 20.19 or newer",
            version.trim()
        );
    }
    Ok(())
}

fn other_platform(purpose: Purpose) -> Result<()> {
    if purpose == Purpose::Tests {
        bail!(
            "the tests open a real window with Debian's WebKitWebDriver, so they run on Debian or Ubuntu"
        );
    }
    if cfg!(target_os = "macos") && !succeeds("xcode-select", &["-p"]) {
        bail!(
            "the Command Line Tools of Xcode are missing; install them by `xcode-select --install`"
        );
    }
    // Windows 11 and current versions of Windows 10 include WebView2. Without it, Studio says so at
    // its start.
    Ok(())
}

fn is_installed(manager: &Manager, package: &str) -> bool {
    let Some((name, arguments)) = manager.query.split_first() else {
        return false;
    };
    let mut query = program(name, arguments);
    query.arg(package);
    query.output().is_ok_and(|output| {
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success() && (*name != "dpkg-query" || said.contains("install ok installed"))
    })
}

fn as_root<'a>(command: &[&'a str], packages: &[&'a str]) -> Vec<&'a str> {
    let sudo = (!is_root()).then_some("sudo");
    sudo.into_iter()
        .chain(command.iter().copied())
        .chain(packages.iter().copied())
        .collect()
}

fn is_root() -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        let uid = status.lines().find_map(|line| line.strip_prefix("Uid:"));
        uid.and_then(|uids| uids.split_whitespace().nth(1)) == Some("0")
    })
}

fn on_path(name: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}

fn agreed() -> Result<bool> {
    print!("Go on? [Y/n] ");
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "" | "y" | "Y" | "yes"))
}

fn start(command: &[&str]) -> Result<()> {
    let Some((name, arguments)) = command.split_first() else {
        return Ok(());
    };
    let mut command = Command::new(name);
    command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    run(&mut command)
}
