//! Rows of CSV.

use std::borrow::Cow;

use csv::{Terminator, Writer, WriterBuilder};

use super::cells::{rest_of, text_of};
use crate::directory::User;
use crate::import::column::{END, METADATA, STATUS, Target};
use crate::import::formula;
use crate::protocol::email::Email;
use crate::{Error, Result, time};

/// Byte order mark of UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Headings of the columns that an import does not read, but for the status and the end.
const INFORMATION: [&str; 6] = [
    STATUS,
    "latchkey.origin",
    "latchkey.created_at",
    "latchkey.last_sign_in",
    "latchkey.sign_ins",
    END,
];

fn writer() -> Writer<Vec<u8>> {
    WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new())
}

fn write(writer: &mut Writer<Vec<u8>>, cells: &[Cow<'_, str>]) -> Result<()> {
    let cells = cells.iter().map(|cell| formula::harmless(cell));
    writer
        .write_record(cells.map(|cell| cell.into_owned().into_bytes()))
        .map_err(Error::internal)
}

/// Returns rows of cells.
pub(super) fn lines<'a, const CELLS: usize>(
    rows: impl IntoIterator<Item = [Cow<'a, str>; CELLS]>,
) -> Result<Vec<u8>> {
    let mut writer = writer();
    for cells in rows {
        write(&mut writer, &cells)?;
    }
    writer
        .into_inner()
        .map_err(|cause| Error::internal(cause.to_string()))
}

/// Returns the beginning of a file with fixed headings.
pub(super) fn beginning<const CELLS: usize>(headings: [&str; CELLS]) -> Result<Vec<u8>> {
    let mut bytes = BYTE_ORDER_MARK.to_vec();
    bytes.extend(lines([headings.map(Cow::Borrowed)])?);
    Ok(bytes)
}

/// Returns the row of headings.
pub(super) fn head(columns: &[String]) -> Result<Vec<u8>> {
    let mut cells: Vec<Cow<'_, str>> = vec!["id".into(), "email".into()];
    let members = columns.iter().map(|member| Target::heading_of(member));
    cells.extend(members.map(Cow::Owned));
    cells.push(METADATA.into());
    cells.extend(INFORMATION.map(Cow::Borrowed));
    let mut writer = writer();
    write(&mut writer, &cells)?;
    writer
        .into_inner()
        .map_err(|cause| Error::internal(cause.to_string()))
}

/// Returns the rows of users.
pub(super) fn rows(users: &[User], columns: &[String]) -> Result<Vec<u8>> {
    let mut writer = writer();
    for user in users {
        let email = user.email.as_ref().map_or("", Email::as_str);
        let mut cells: Vec<Cow<'_, str>> = vec![user.id.as_str().into(), email.into()];
        let members = user.metadata.members();
        cells.extend(columns.iter().map(|name| {
            let text = members.get(name).and_then(|value| text_of(name, value));
            Cow::Borrowed(text.unwrap_or_default())
        }));
        cells.push(rest_of(&user.metadata, columns).unwrap_or_default().into());
        cells.push(user.status.name().into());
        cells.push(user.origin.name().into());
        cells.push(time::exact(user.created_at).into());
        cells.push(
            user.last_sign_in
                .map_or_else(String::new, time::exact)
                .into(),
        );
        cells.push(user.sign_ins.to_string().into());
        cells.push(user.ends_at.map_or_else(String::new, time::exact).into());
        write(&mut writer, &cells)?;
    }
    writer
        .into_inner()
        .map_err(|cause| Error::internal(cause.to_string()))
}
