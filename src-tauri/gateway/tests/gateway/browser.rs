//! A real browser of each engine.

use std::any::Any;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use fantoccini::Client;
use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::firefox::Firefox;
use crate::webkit;

/// Engine of a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Chromium,
    Firefox,
    /// Safari's engine, as `WebKitGTK`.
    WebKit,
}

/// A running browser with a fresh profile.
pub(crate) struct Browser {
    pub(crate) client: Client,
    pub(crate) engine: Engine,
    /// Ends together with the browser.
    _program: Box<dyn Any>,
}

impl Browser {
    pub(crate) async fn start(engine: Engine) -> Self {
        match engine {
            Engine::Chromium => Self::chromium(&[], json!({})).await,
            Engine::Firefox => {
                let firefox = Firefox::start().await;
                Self::of(engine, firefox.client.clone(), firefox)
            }
            Engine::WebKit => {
                let display = Display::start();
                let home = tempfile::tempdir().unwrap();
                let folder = home.path().display().to_string();
                let variables = [
                    ("DISPLAY", display.name.clone()),
                    ("HOME", folder.clone()),
                    ("XDG_RUNTIME_DIR", folder.clone()),
                    ("XDG_DATA_HOME", folder.clone()),
                    ("XDG_CONFIG_HOME", folder.clone()),
                    ("XDG_CACHE_HOME", folder),
                    ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent".into()),
                    ("GTK_USE_PORTAL", "0".into()),
                    ("LANG", "C.UTF-8".into()),
                ];
                let (client, driver) = webkit::browser(&variables).await;
                Self::of(engine, client, (driver, display, home))
            }
        }
    }

    /// Starts Chromium with arguments, and with further options for its driver.
    pub(crate) async fn chromium(arguments: &[&str], options: Value) -> Self {
        let chromium = Chromium::start(arguments, options).await;
        Self::of(Engine::Chromium, chromium.client.clone(), chromium)
    }

    fn of(engine: Engine, client: Client, program: impl Any) -> Self {
        Self {
            client,
            engine,
            _program: Box::new(program),
        }
    }
}

/// A virtual display, for a browser without a headless mode.
struct Display {
    server: Child,
    name: String,
}

impl Display {
    fn start() -> Self {
        let mut server = Command::new("Xvfb")
            // Xvfb chooses a free number and prints it.
            .args(["-displayfd", "1", "-screen", "0", "1200x900x24"])
            .args(["-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed: `cargo xtask test` does it");
        let mut number = String::new();
        let mut said = BufReader::new(server.stdout.take().unwrap());
        said.read_line(&mut number).unwrap();
        Self {
            server,
            name: format!(":{}", number.trim()),
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
