//! A virtual display with a window manager for the tests of the window.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

/// A virtual display. Dropping it ends its programs.
pub(crate) struct Display {
    name: String,
    children: Vec<Child>,
}

impl Display {
    /// Starts Xvfb with the first free number, and openbox on it.
    pub(crate) fn start() -> Result<Self> {
        for number in 90..130 {
            if Path::new(&format!("/tmp/.X{number}-lock")).exists() {
                continue;
            }
            let mut display = Self {
                name: format!(":{number}"),
                children: Vec::new(),
            };
            let name = display.name.clone();
            display.spawn(Command::new("Xvfb").args([
                &name,
                "-screen",
                "0",
                "2000x1200x24",
                "-nolisten",
                "tcp",
            ]))?;
            if display.is_up() {
                display.spawn(Command::new("openbox").env("DISPLAY", &name))?;
                return Ok(display);
            }
        }
        bail!("no virtual display could be started")
    }

    /// Returns the name for `DISPLAY`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn spawn(&mut self, command: &mut Command) -> Result<()> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| {
                format!(
                    "{} could not be started",
                    command.get_program().to_string_lossy()
                )
            })?;
        self.children.push(child);
        Ok(())
    }

    /// Returns whether the display can be used within five seconds.
    fn is_up(&mut self) -> bool {
        let socket = format!("/tmp/.X11-unix/X{}", self.name.trim_start_matches(':'));
        for _ in 0..100 {
            if fs::exists(&socket).unwrap_or(false) {
                return true;
            }
            let ended = self
                .children
                .iter_mut()
                .any(|child| !matches!(child.try_wait(), Ok(None)));
            if ended {
                return false;
            }
            thread::sleep(Duration::from_millis(50));
        }
        false
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        for child in self.children.iter_mut().rev() {
            // An error is ignored, because the program may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
