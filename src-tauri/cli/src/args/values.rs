//! Parsers for values of options.

use std::net::{Ipv4Addr, SocketAddr};

use clap::ValueEnum;
use latchkey_core::activity::Mark;
use latchkey_core::export::LineFormat;

/// Number of seats, or no limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeatLimit(pub(crate) Option<u64>);

/// Format of an export of the activity or of links.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LineFormatArgument {
    /// For spreadsheets, in UTF-8.
    Csv,
    /// JSON Lines: an object for each entry or link, each in a line of its own.
    Jsonl,
}

impl From<LineFormatArgument> for LineFormat {
    fn from(format: LineFormatArgument) -> Self {
        match format {
            LineFormatArgument::Csv => Self::Csv,
            LineFormatArgument::Jsonl => Self::JsonLines,
        }
    }
}

pub(super) fn seat_limit(text: &str) -> Result<SeatLimit, &'static str> {
    if text == "none" {
        return Ok(SeatLimit(None));
    }
    let limit = text
        .parse()
        .map_err(|_| "must be a number that is not negative, or none")?;
    Ok(SeatLimit(Some(limit)))
}

pub(super) fn number(text: &str) -> Result<u64, &'static str> {
    text.parse()
        .map_err(|_| "must be a number that is not negative")
}

/// Parses a seal of the activity.
pub(super) fn mark(text: &str) -> Result<Mark, &'static str> {
    text.parse()
        .map_err(|_| "must be the number of an entry, a colon and 64 hexadecimal digits, as a verification prints it")
}

/// Parses a number of requests per second.
pub(super) fn rate(text: &str) -> Result<u32, &'static str> {
    text.parse()
        .map_err(|_| "must be a number from 0 to 4294967295")
}

/// Parses the maximum number of rows of a page.
pub(super) fn page_size(text: &str) -> Result<usize, &'static str> {
    match text.parse() {
        Ok(0) | Err(_) => Err("must be a number of at least 1"),
        Ok(rows) => Ok(rows),
    }
}

pub(super) fn yes_or_no(text: &str) -> Result<bool, &'static str> {
    match text {
        "yes" | "on" | "true" => Ok(true),
        "no" | "off" | "false" => Ok(false),
        _ => Err("must be yes or no"),
    }
}

pub(super) fn on_or_off(text: &str) -> Result<bool, &'static str> {
    yes_or_no(text).map_err(|_| "must be on or off")
}

/// Parses how often automatic backups are made. Returns whether they are made at all.
pub(super) fn daily_or_off(text: &str) -> Result<bool, &'static str> {
    match text {
        "daily" => Ok(true),
        "off" => Ok(false),
        _ => Err("must be daily or off"),
    }
}

/// Parses `127.0.0.1:8787`, `[::1]:8787`, and the loopback address as `localhost:8787` or `:8787`.
pub(super) fn listen_address(text: &str) -> Result<SocketAddr, &'static str> {
    let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
    if host.is_empty() || host.eq_ignore_ascii_case("localhost") {
        let port = port.parse().ok();
        return port
            .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
            .ok_or("must have a port, as in localhost:8787");
    }
    text.parse()
        .map_err(|_| "must be an address of this computer and a port, such as 127.0.0.1:8787, localhost:8787 or :8787")
}

pub(super) fn loopback(text: &str) -> Result<SocketAddr, &'static str> {
    let address = listen_address(text)?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("must be an address that only this computer can reach, such as 127.0.0.1:9187")
    }
}
