//! Rows of a CSV file.

use csv::{ReaderBuilder, StringRecord};
use serde_json::Value;

use super::column::{Column, Target, columns};
use super::formula;
use super::limits::{MAX_COLUMNS, MAX_ROW_BYTES, MAX_ROWS, too_many_rows, unreadable};
use super::row::{Cells, ImportRow};

use crate::protocol::metadata::Metadata;
use crate::{Error, ErrorCode, Result};

/// Separators of columns, the most usual first.
const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// Returns the separator, the columns and the rows of a CSV text.
pub(super) fn rows(text: &str) -> Result<(char, Vec<Column>, Vec<ImportRow>)> {
    let (declared, text) = declared_separator(text);
    let separator = declared.unwrap_or_else(|| likely_separator(text));
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(u8::try_from(separator).unwrap_or(b','))
        .from_reader(text.as_bytes());
    let mut numbers = RowNumbers::new(text, usize::from(declared.is_some()));
    let (mut headings, mut rows) = (Vec::new(), Vec::new());
    let mut record = StringRecord::new();
    loop {
        let begin = offset(&reader);
        if !reader.read_record(&mut record).map_err(|cause| {
            unreadable("The file is not CSV. Choose a CSV or a JSON file.").because(cause)
        })? {
            break;
        }
        let number = numbers.next(begin);
        if record.as_slice().len() > MAX_ROW_BYTES {
            return Err(long_row(number));
        }
        if headings.is_empty() {
            if record.len() > MAX_COLUMNS {
                let message =
                    format!("The file has more than {MAX_COLUMNS} columns, which is the maximum.");
                return Err(Error::new(ErrorCode::InputTooLarge, message).about("file"));
            }
            let cells = record.iter().map(formula::original).map(str::to_owned);
            headings = columns(cells.collect())?;
            continue;
        }
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if rows.len() >= MAX_ROWS {
            return Err(too_many_rows());
        }
        rows.push(row(&record, &headings, number));
    }
    if let Some(begin) = open_quotation(text, separator) {
        let number = RowNumbers::new(text, usize::from(declared.is_some())).line(begin);
        return Err(unreadable(format!(
            "A quotation mark in line {number} is not closed. Close it, or double it if it belongs to the text."
        )));
    }
    Ok((separator, headings, rows))
}

fn offset(reader: &csv::Reader<&[u8]>) -> usize {
    usize::try_from(reader.position().byte()).unwrap_or(usize::MAX)
}

fn long_row(number: usize) -> Error {
    let message = format!(
        "Row {number} is longer than {} KiB, which is the maximum. A quotation mark before it may not be closed.",
        MAX_ROW_BYTES / 1024
    );
    Error::new(ErrorCode::InputTooLarge, message).about("file")
}

fn row(record: &StringRecord, columns: &[Column], number: usize) -> ImportRow {
    let mut cells = Cells::default();
    let (mut first_name, mut last_name) = (None, None);
    for (column, cell) in columns.iter().zip(record) {
        let cell = formula::original(cell);
        if cell.trim().is_empty() {
            continue;
        }
        match &column.target {
            Target::Id => cell.clone_into(&mut cells.id),
            Target::Email => cell.clone_into(&mut cells.email),
            Target::Member(name) => cells.add_member(name, cell.into()),
            Target::FirstName => first_name = Some((column, cell)),
            Target::LastName => last_name = Some((column, cell)),
            Target::Metadata => metadata(&mut cells, cell),
            Target::Status => cells.set_status(cell),
            Target::End => cells.set_end(cell),
            Target::Ignored => {}
        }
    }
    add_names(&mut cells, first_name, last_name);
    let beyond = record.iter().skip(columns.len());
    if beyond.into_iter().any(|cell| !cell.trim().is_empty()) {
        cells.refuse(Error::member(
            "row",
            format!(
                "The row has {} cells, and there are {} headings. A text with a separator belongs in quotation marks.",
                record.len(),
                columns.len()
            ),
        ));
    }
    cells.into_row(number)
}

/// Adds a first and a last name, and the whole name unless the row has one.
fn add_names(cells: &mut Cells, first: Option<(&Column, &str)>, last: Option<(&Column, &str)>) {
    let names: Vec<(&Column, &str)> = first.into_iter().chain(last).collect();
    if names.is_empty() {
        return;
    }
    if !cells.members.contains_key("name") {
        let name: Vec<&str> = names.iter().map(|(_, name)| name.trim()).collect();
        // The whole name is the one that is shown, so it comes first.
        cells
            .members
            .shift_insert(0, "name".to_owned(), Value::String(name.join(" ")));
    }
    for (column, name) in names {
        cells.add_member(column.heading.trim(), name.into());
    }
}

/// Adds the members of a cell with JSON.
fn metadata(cells: &mut Cells, cell: &str) {
    match Metadata::from_json(cell, "metadata") {
        Ok(metadata) => {
            for (name, value) in metadata.members() {
                cells.add_member(name, value.clone());
            }
        }
        Err(error) => cells.refuse(error),
    }
}

/// Returns the separator that the first line declares, as spreadsheets write it, and the text after
/// that line.
fn declared_separator(text: &str) -> (Option<char>, &str) {
    let Some(rest) = text.strip_prefix("sep=") else {
        return (None, text);
    };
    let mut signs = rest.chars();
    let separator = signs.next().filter(|sign| SEPARATORS.contains(sign));
    let rest = signs.as_str();
    let after = rest
        .strip_prefix("\r\n")
        .or_else(|| rest.strip_prefix('\n'));
    match (separator, after) {
        (Some(separator), Some(after)) => (Some(separator), after),
        _ => (None, text),
    }
}

/// Returns the separator that occurs most often in the first row, outside of quotation marks.
fn likely_separator(text: &str) -> char {
    let mut counts = [0_usize; SEPARATORS.len()];
    let mut is_quoted = false;
    for sign in text.trim_start_matches(['\r', '\n']).chars() {
        match sign {
            '"' => is_quoted = !is_quoted,
            '\r' | '\n' if !is_quoted => break,
            _ if is_quoted => {}
            _ => {
                for (count, separator) in counts.iter_mut().zip(SEPARATORS) {
                    *count += usize::from(sign == separator);
                }
            }
        }
    }
    // Of equal counts, the last wins, so the order is reversed.
    let most = SEPARATORS.into_iter().zip(counts).rev();
    most.max_by_key(|(_, count)| *count)
        .map_or(',', |(separator, _)| separator)
}

/// Returns where a quotation begins that has no end. Quotation marks in the middle of a cell are
/// text.
fn open_quotation(text: &str, separator: char) -> Option<usize> {
    let (mut begin, mut is_at_start) = (None, true);
    let mut signs = text.char_indices().peekable();
    while let Some((place, sign)) = signs.next() {
        if begin.is_some() {
            // Two quotation marks inside of a quotation are one that belongs to the text.
            if sign == '"' && signs.next_if(|(_, next)| *next == '"').is_none() {
                begin = None;
            }
            is_at_start = false;
        } else if sign == '"' && is_at_start {
            begin = Some(place);
        } else {
            is_at_start = sign == separator || matches!(sign, '\r' | '\n');
        }
    }
    begin
}

/// Numbers of rows as a spreadsheet shows them: empty rows count, and line breaks in a cell do not.
struct RowNumbers<'a> {
    text: &'a str,
    number: usize,
}

impl<'a> RowNumbers<'a> {
    fn new(text: &'a str, rows_before: usize) -> Self {
        Self {
            text,
            number: rows_before,
        }
    }

    /// Returns the number of the row that begins at or after `begin`, where the row before it ends.
    fn next(&mut self, begin: usize) -> usize {
        let before = self.text.as_bytes().get(begin.wrapping_sub(1));
        let mut rest = self.text.get(begin..).unwrap_or_default();
        if before == Some(&b'\r') {
            rest = rest.strip_prefix('\n').unwrap_or(rest);
        }
        let empty = rest.get(..rest.len() - rest.trim_start_matches(['\r', '\n']).len());
        let breaks = line_breaks(empty.unwrap_or_default());
        self.number += 1 + breaks;
        self.number
    }

    /// Returns the number of the line with a place.
    fn line(&self, place: usize) -> usize {
        let before = self.text.get(..place).unwrap_or_default();
        self.number + 1 + line_breaks(before)
    }
}

fn line_breaks(text: &str) -> usize {
    let lone = text.matches('\r').count() - text.matches("\r\n").count();
    text.matches('\n').count() + lone
}
