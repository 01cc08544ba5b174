//! The real window, driven as a person would: clicks and keys through WebDriver, and the pixels and
//! the clipboard of the display it stands on.

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

/// How long anything may take on a slow, shared machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The running program.
pub(crate) struct Studio {
    pub(crate) client: Client,
    driver: Driver,
}

impl Studio {
    /// Starts Studio in an environment, and waits until its page has been loaded.
    pub(crate) async fn start(environment: &Environment) -> Self {
        Self::start_program(env!("CARGO_BIN_EXE_latchkey-studio"), environment).await
    }

    /// Starts any program with a window of Tauri's.
    ///
    /// What is asked of a page before its first picture is, now and then, never answered; such a
    /// start is given up and made again.
    pub(crate) async fn start_program(program: &str, environment: &Environment) -> Self {
        for _ in 0..6 {
            let begun = Self::try_start(program, environment);
            match tokio::time::timeout(Duration::from_secs(15), begun).await {
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

    /// Closes the window and waits until the program is gone.
    pub(crate) async fn quit(self) {
        // The session ends with the window; one that is gone already is no error.
        let _ = self.client.clone().close().await;
    }

    /// The element of a test id, once it is there and shown.
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

    /// The first element that is shown. The page is asked itself: the driver's own question for
    /// this is never answered when it comes before the first picture of the window.
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

    /// Clicks until it has brought about another element, as a person does whose click went beside
    /// something that moved.
    pub(crate) async fn click_for(&self, id: &str, wanted: &str) {
        let css = format!("[data-testid='{wanted}']");
        for _ in 0..5 {
            self.click(id).await;
            let deadline = Instant::now() + Duration::from_secs(3);
            while Instant::now() < deadline {
                if self.shown(&css).await.is_some() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        }
        panic!("'{id}' does not bring about '{wanted}'");
    }

    /// Types into a field, in place of what stands in it.
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

    /// All text of an element, also what is scrolled or cut away.
    pub(crate) async fn text(&self, id: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.find(id).await.prop("textContent").await {
                Ok(text) => return text.unwrap_or_default().trim().to_owned(),
                // It was drawn anew between being found and being read.
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

    /// Waits until the page says so.
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

    /// Presses a key, with modifiers held.
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

    /// The serious and critical findings of axe-core on what is shown.
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

    /// Sets the size of the window's content as far as the window manager lets it.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        self.client.set_window_size(width, height).await.unwrap();
        self.wait_for_script(
            "the size",
            &format!("return Math.abs(window.innerWidth - {width}) < 80 && Math.abs(window.innerHeight - {height}) < 80"),
        )
        .await;
    }

    /// A picture of what the window shows, below `target/screenshots`.
    #[expect(
        clippy::unused_self,
        reason = "there is a window to picture while there is a session"
    )]
    pub(crate) fn screenshot(&self, name: &str) -> PathBuf {
        let path = picture(name);
        // By the display's means: without hardware to draw on, as under Xvfb, WebKitGTK never
        // answers a driver that asks for a picture, and this one is what a person sees.
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
    /// The id of the program's process.
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

    /// The time that the program and its web processes have spent on a core.
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
            // The name in brackets may have spaces in it. `utime` and `stime` are fields 14 and 15.
            let after = stat.rsplit(')').next()?;
            let fields = after.split_whitespace().skip(11).take(2);
            Some(
                fields
                    .filter_map(|field| field.parse::<u64>().ok())
                    .sum::<u64>(),
            )
        });
        // Linux counts hundredths of a second.
        Duration::from_millis(ticks.sum::<u64>() * 10)
    }

    /// The resident memory of the program and of its web processes, by name, in KiB.
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

/// A picture of the whole display, as a person sees it.
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

/// What another program finds on the clipboard.
pub(crate) fn clipboard() -> String {
    let output = Command::new("xclip")
        .args(["-o", "-selection", "clipboard"])
        .output()
        .expect("xclip is installed: `cargo xtask test` does it");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The picture that another program finds on the clipboard, as a PNG.
pub(crate) fn clipboard_picture(name: &str) -> PathBuf {
    let output = Command::new("xclip")
        .args(["-o", "-selection", "clipboard", "-t", "image/png"])
        .output()
        .expect("xclip is installed: `cargo xtask test` does it");
    let path = picture(name);
    std::fs::write(&path, output.stdout).unwrap();
    path
}

/// Answers the system's dialog of that title by typing a path, as a person would.
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
    // Where a file that is there is asked for, the line to type into shows up by this.
    run(&["key", "--clearmodifiers", "ctrl+l"]);
    run(&["key", "--clearmodifiers", "ctrl+a"]);
    run(&["type", "--delay", "5", path.to_str().unwrap()]);
    // The first one may only end what completes a path.
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
