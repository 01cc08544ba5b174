//! A server in processes of its own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// A running server, and the lines that it has printed. The first line is its address.
pub(crate) struct Server {
    child: Child,
    pub(crate) said: Vec<String>,
}

impl Server {
    /// Starts this program as a server.
    pub(crate) fn own(arguments: &[&str], lines: usize) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(arguments);
        Self::start(&mut command, lines)
    }

    pub(crate) fn start(command: &mut Command, lines: usize) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let said: Vec<String> = out.lines().take(lines).map(Result::unwrap).collect();
        assert_eq!(said.len(), lines, "{command:?} did not start");
        Self { child, said }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.said[0])
    }

    /// Returns the memory of the main process, in MB.
    pub(crate) fn resident_mb(&self) -> f64 {
        megabytes(self.child.id(), "status", "VmRSS:")
    }

    /// Returns the memory of all processes of the server, in MB. Shared memory counts once.
    pub(crate) fn all_resident_mb(&self) -> f64 {
        let id = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        let children = children.split_whitespace().map(|id| id.parse().unwrap());
        std::iter::once(id)
            .chain(children)
            .map(|id| megabytes(id, "smaps_rollup", "Pss:"))
            .sum()
    }
}

impl Drop for Server {
    /// Ends the server by a signal, so that its main process can end the others.
    fn drop(&mut self) {
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let _ = self.child.wait();
    }
}

fn megabytes(process: u32, file: &str, name: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/{file}")).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024.0 / 1e6
}
