//! The real window, driven like a person: clicks and keys by WebDriver, and the pixels and the
//! clipboard of the display.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use fantoccini::Client;
use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::environment::Environment;
use crate::webkit::{Driver, session};

/// Timeout of all waits, for a slow, shared machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running Studio.
pub(crate) struct Studio {
    pub(crate) client: Client,
    driver: Driver,
}

impl Studio {
    /// Starts Studio in an environment. Waits until its page is loaded.
    pub(crate) async fn start(environment: &Environment) -> Self {
        Self::start_program(env!("CARGO_BIN_EXE_latchkey-studio"), environment).await
    }

    /// Starts any program with a Tauri window.
    ///
    /// Sometimes a request to a page before its first picture is never answered. Such a start is
    /// abandoned and repeated.
    pub(crate) async fn start_program(program: &str, environment: &Environment) -> Self {
        for _ in 0..6 {
            let begun = Self::try_start(program, environment);
            match tokio::time::timeout(Duration::from_secs(30), begun).await {
                Ok(Ok(studio)) => return studio,
                Ok(Err(cause)) => println!("the session is begun again: {cause}"),
                Err(_) => println!("the session is begun again: no answer"),
            }
        }
        panic!("no session could be begun");
    }

    async fn try_start(
        program: &str,
        environment: &Environment,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let (client, driver) = session(program, &[], &environment.variables()).await?;
        while client.current_url().await?.scheme() == "about" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let painted = "const done = arguments[arguments.length - 1];
            requestAnimationFrame(() => requestAnimationFrame(() => done(true)));";
        client.execute_async(painted, Vec::new()).await?;
        Ok(Self { client, driver })
    }

    /// Closes the window and waits until the program has ended.
    pub(crate) async fn quit(self) {
        // The session ends with the window, so an error is ignored.
        let _ = self.client.clone().close().await;
    }

    /// Waits until the element with a test ID is shown, and returns it.
    pub(crate) async fn find(&self, id: &str) -> Element {
        let css = format!("[data-testid='{id}']");
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(element) = self.shown(&css).await {
                return element;
            }
            if Instant::now() > deadline {
                self.screenshot("failed-to-find");
                panic!("'{id}' is not shown; see target/screenshots/failed-to-find.png");
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Returns the first shown element. Asks the page by script, because the driver's own request
    /// is never answered before the first picture of the window.
    async fn shown(&self, css: &str) -> Option<Element> {
        let script = "return [...document.querySelectorAll(arguments[0])]
            .find((one) => one.checkVisibility({ visibilityProperty: true })) ?? null";
        let found = self.client.execute(script, vec![json!(css)]).await.ok()?;
        let id = found.as_object()?.values().next()?.as_str()?.to_owned();
        Some(Element::from_element_id(self.client.clone(), id.into()))
    }

    pub(crate) async fn click(&self, id: &str) {
        let deadline = Instant::now() + PATIENCE;
        while let Err(cause) = self.find(id).await.click().await {
            assert!(
                Instant::now() < deadline,
                "'{id}' cannot be clicked: {cause}"
            );
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Clicks until another element appears, because a click may miss an element that moves.
    pub(crate) async fn click_for(&self, id: &str, wanted: &str) {
        let css = format!("[data-testid='{wanted}']");
        for _ in 0..5 {
            self.click(id).await;
            let deadline = Instant::now() + Duration::from_secs(10);
            while Instant::now() < deadline {
                if self.shown(&css).await.is_some() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        }
        panic!("'{id}' does not bring about '{wanted}'");
    }

    /// Replaces the text of a field by typing.
    pub(crate) async fn fill(&self, id: &str, text: &str) {
        let field = self.find(id).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Chooses an option of a list by its value.
    pub(crate) async fn choose(&self, id: &str, value: &str) {
        let field = self.find(id).await;
        field.select_by_value(value).await.unwrap();
    }

    /// Returns all text of an element, also text that is scrolled out of view or cut.
    pub(crate) async fn text(&self, id: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.find(id).await.prop("textContent").await {
                Ok(text) => return text.unwrap_or_default().trim().to_owned(),
                // The element was replaced after it was found.
                Err(cause) => assert!(Instant::now() < deadline, "'{id}': {cause}"),
            }
        }
    }

    /// Waits until an element's text satisfies a condition.
    pub(crate) async fn wait_for_text(
        &self,
        id: &str,
        what: &str,
        holds: impl Fn(&str) -> bool,
    ) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = self.text(id).await;
            if holds(&text) {
                return text;
            }
            if Instant::now() > deadline {
                self.screenshot("failed-to-see");
                panic!("'{id}' never {what}: {text}");
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Waits until a script in the page returns true.
    pub(crate) async fn wait_for_script(&self, what: &str, script: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.script(script).await != json!(true) {
            if Instant::now() > deadline {
                self.screenshot("failed-to-become");
                panic!("{what} never came to be");
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    pub(crate) async fn script(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// Presses a key while modifiers are held.
    pub(crate) async fn press(&self, modifiers: &[Key], key: char) {
        let mut actions = KeyActions::new("keyboard".to_owned());
        for modifier in modifiers {
            actions = actions.then(KeyAction::Down {
                value: (*modifier).into(),
            });
        }
        actions = actions
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key });
        for modifier in modifiers.iter().rev() {
            actions = actions.then(KeyAction::Up {
                value: (*modifier).into(),
            });
        }
        self.client.perform_actions(actions).await.unwrap();
    }

    /// Returns the serious and critical findings of axe-core on the current screen.
    pub(crate) async fn axe(&self) -> Vec<String> {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/node_modules/axe-core/axe.min.js");
        let axe = std::fs::read_to_string(path)
            .expect("axe-core is installed: `npm ci` in the folder ui");
        self.client.execute(&axe, Vec::new()).await.unwrap();
        let found = self
            .client
            .execute_async(
                "const done = arguments[arguments.length - 1];
                 axe.run(document, { resultTypes: ['violations'] }).then(
                   (result) => done(result.violations
                     .filter((violation) => ['serious', 'critical'].includes(violation.impact))
                     .map((violation) => violation.id + ': ' + violation.nodes.map((node) => node.target.join(' ') + ' ' + node.failureSummary).join(' | '))),
                   (error) => done(['axe failed: ' + error]));",
                Vec::new(),
            )
            .await
            .unwrap();
        serde_json::from_value(found).unwrap()
    }

    /// Sets the size of the window's content, as far as the window manager allows.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        self.client.set_window_size(width, height).await.unwrap();
        self.wait_for_script(
            "the size",
            &format!("return Math.abs(window.innerWidth - {width}) < 80 && Math.abs(window.innerHeight - {height}) < 80"),
        )
        .await;
    }

    /// Takes a picture of the window, below `target/screenshots`.
    #[expect(
        clippy::unused_self,
        reason = "the window exists while there is a session"
    )]
    pub(crate) fn screenshot(&self, name: &str) -> PathBuf {
        let path = picture(name);
        // Taken by the display, because without graphics hardware, as under Xvfb, WebKitGTK never
        // answers a driver's request for a picture. It is also what a person sees.
        let found = Command::new("xdotool")
            .args(["search", "--onlyvisible", "--name", "^Latchkey Studio$"])
            .output()
            .expect("xdotool is installed: `cargo xtask test` does it");
        let found = String::from_utf8_lossy(&found.stdout).into_owned();
        let window = found.lines().next_back().expect("the window is shown");
        import(window, &path);
        path
    }
}

impl Studio {
    /// Returns the ID of the program's process.
    pub(crate) fn process(&self) -> String {
        let group = self.driver.group().to_string();
        let output = Command::new("ps")
            .args(["-e", "-o", "pgid=,pid=,comm="])
            .output()
            .unwrap();
        let all = String::from_utf8(output.stdout).unwrap();
        let mut lines = all.lines().map(str::split_whitespace);
        let id = lines.find_map(|mut columns| {
            let of_group = columns.next()? == group;
            let id = columns.next()?.to_owned();
            (of_group && columns.next()? == "latchkey-studio").then_some(id)
        });
        id.expect("the program runs")
    }

    /// Returns the processor time of the program and its web processes.
    pub(crate) fn cpu_time(&self) -> Duration {
        let group = self.driver.group().to_string();
        let output = Command::new("ps")
            .args(["-e", "-o", "pgid=,pid=,comm="])
            .output()
            .unwrap();
        let listed = String::from_utf8_lossy(&output.stdout).into_owned();
        let ticks = listed.lines().filter_map(|line| {
            let mut columns = line.split_whitespace();
            let of_group = columns.next()? == group;
            let process = columns.next()?;
            let is_driver = columns.next()? == "WebKitWebDriver";
            let is_counted = of_group && !is_driver;
            let stat = is_counted.then(|| std::fs::read_to_string(format!("/proc/{process}/stat")));
            let stat = stat?.ok()?;
            // The name in parentheses may contain spaces. `utime` and `stime` are fields 14 and 15.
            let after = stat.rsplit(')').next()?;
            let fields = after.split_whitespace().skip(11).take(2);
            Some(
                fields
                    .filter_map(|field| field.parse::<u64>().ok())
                    .sum::<u64>(),
            )
        });
        // Linux counts in hundredths of a second.
        Duration::from_millis(ticks.sum::<u64>() * 10)
    }

    /// Returns the resident memory of the program and its web processes, by name, in KiB.
    pub(crate) fn resident_kib(&self) -> Vec<(String, u64)> {
        let group = self.driver.group().to_string();
        let output = Command::new("ps")
            .args(["-e", "-o", "pgid=,rss=,comm="])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| {
                let mut columns = line.split_whitespace();
                let of_group = columns.next()? == group;
                let rss = columns.next()?.parse().ok()?;
                let name = columns.next()?.to_owned();
                (of_group && name != "WebKitWebDriver").then_some((name, rss))
            })
            .collect()
    }
}

/// Takes a picture of the whole display.
pub(crate) fn picture_of_display(name: &str) -> PathBuf {
    let path = picture(name);
    import("root", &path);
    path
}

fn import(window: &str, path: &Path) {
    let status = Command::new("import")
        .args(["-window", window])
        .arg(path)
        .status()
        .expect("imagemagick is installed: `cargo xtask test` does it");
    assert!(status.success());
}

/// Returns the text on the clipboard, as another program reads it.
pub(crate) fn clipboard() -> String {
    let output = Command::new("xclip")
        .args(["-o", "-selection", "clipboard"])
        .output()
        .expect("xclip is installed: `cargo xtask test` does it");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Saves the picture on the clipboard as a PNG, as another program reads it.
pub(crate) fn clipboard_picture(name: &str) -> PathBuf {
    let output = Command::new("xclip")
        .args(["-o", "-selection", "clipboard", "-t", "image/png"])
        .output()
        .expect("xclip is installed: `cargo xtask test` does it");
    let path = picture(name);
    std::fs::write(&path, output.stdout).unwrap();
    path
}

/// Answers the system's dialog with a title by typing a path.
pub(crate) fn answer_file_dialog(title: &str, path: &Path) {
    let run = |arguments: &[&str]| {
        let status = Command::new("xdotool").args(arguments).status();
        assert!(
            status
                .expect("xdotool is installed: `cargo xtask test` does it")
                .success()
        );
    };
    run(&[
        "search",
        "--sync",
        "--onlyvisible",
        "--name",
        title,
        "windowactivate",
        "--sync",
    ]);
    // In a dialog for an existing file, this key shows the field for the path.
    run(&["key", "--clearmodifiers", "ctrl+l"]);
    run(&["key", "--clearmodifiers", "ctrl+a"]);
    run(&["type", "--delay", "5", path.to_str().unwrap()]);
    // The first press may only close the list of completions.
    for _ in 0..20 {
        run(&["key", "Return"]);
        std::thread::sleep(Duration::from_millis(250));
        let open = Command::new("xdotool")
            .args(["search", "--onlyvisible", "--name", title])
            .output();
        if open.unwrap().stdout.is_empty() {
            return;
        }
    }
    panic!("the dialog '{title}' does not close");
}

pub(crate) fn picture(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(format!("{name}.png"))
}
