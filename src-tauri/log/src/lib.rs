//! The log of Latchkey's programs.
//!
//! Lines of Latchkey contain no code, cookie or key. The types of these values do not print them, and
//! the gateway logs the route of a request and not its address.
//!
//! Each program starts its log first. `LATCHKEY_LOG` sets the level: `off`, `error`, `warn`,
//! `info`, `debug` or `trace`. The level counts for Latchkey's own modules. Other crates log only
//! warnings and errors, because below that they may log a request with its code and its cookies.
//!
//! A thread writes the log, so that a full disk or a reader that stops reading delays nothing.
//! Lines that do not fit into the queue are dropped.

mod file;

use std::env;
use std::io;
use std::panic;

use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, fmt};

pub use file::LogFile;

/// Environment variable that sets the level.
const LEVEL: &str = "LATCHKEY_LOG";
/// Maximum number of lines in the queue.
const MAX_WAITING_LINES: usize = 4096;
/// Prefix of the names of Latchkey's own crates.
const OWN_CRATES: &str = "latchkey";

/// Format of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Text for people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// A running log. Dropping it writes the queued lines.
#[must_use]
#[derive(Debug)]
pub struct Log(#[expect(dead_code, reason = "dropping the guards is their use")] Vec<WorkerGuard>);

/// Logs to standard error from level `default` on, unless `LATCHKEY_LOG` sets another level.
pub fn to_stderr(format: Format, default: LevelFilter) -> Log {
    let (writer, guard) = non_blocking(io::stderr());
    let level = level(default);
    start(vec![layer(format, writer, level)]);
    Log(vec![guard])
}

/// Logs to a file from level `info` on, and to standard error from `warn` on. `LATCHKEY_LOG` sets
/// the level of both. If the file cannot be opened, logs only to standard error.
pub fn to_file_and_stderr(file: Option<&LogFile>) -> Log {
    let (stderr, guard) = non_blocking(io::stderr());
    let mut layers = vec![layer(Format::Text, stderr, level(LevelFilter::WARN))];
    let mut guards = vec![guard];
    let opened = file.map(LogFile::open);
    let refused = match opened {
        Some(Ok(file)) => {
            let (file, guard) = non_blocking(file);
            layers.push(layer(Format::Text, file, level(LevelFilter::INFO)));
            guards.push(guard);
            None
        }
        Some(Err(refused)) => Some(refused),
        None => None,
    };
    start(layers);
    if let Some(refused) = refused {
        tracing::warn!(error = %refused.logged(), "there is no log file");
    }
    Log(guards)
}

fn start(layers: Vec<Box<dyn Layer<Registry> + Send + Sync>>) {
    // In a test another log may already be set.
    if tracing_subscriber::registry()
        .with(layers)
        .try_init()
        .is_ok()
    {
        log_panics();
    }
}

/// Logs panics and does not print them, because standard error may be closed, and printing to it
/// would panic again.
fn log_panics() {
    panic::set_hook(Box::new(|panicked| {
        tracing::error!(%panicked, "a panic");
    }));
}

fn level(default: LevelFilter) -> LevelFilter {
    let set = env::var(LEVEL).ok();
    set.and_then(|text| text.trim().parse().ok())
        .unwrap_or(default)
}

fn non_blocking(writer: impl io::Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(MAX_WAITING_LINES)
        .finish(writer)
}

fn layer<S>(
    format: Format,
    writer: NonBlocking,
    level: LevelFilter,
) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
{
    let layer = fmt::layer()
        // Reporting a failed write on standard error would panic if standard error is closed.
        .log_internal_errors(false)
        .with_ansi(false)
        .with_writer(writer);
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target(OWN_CRATES, level);
    match format {
        Format::Text => layer.with_filter(targets).boxed(),
        Format::Json => layer
            .json()
            .with_span_list(false)
            .with_filter(targets)
            .boxed(),
    }
}
