//! A row for the catalogue, and changes of rows.

use std::borrow::Cow;

use super::kind::Kind;

/// A row for the catalogue.
pub(in crate::embedded) struct Row<'a, K: Kind> {
    pub(in crate::embedded) id: Cow<'a, str>,
    /// Text by which rows can be sorted.
    pub(in crate::embedded) text: Option<Cow<'a, str>>,
    /// Other texts that are searched.
    pub(in crate::embedded) others: [Option<Cow<'a, str>>; 3],
    pub(in crate::embedded) values: K::Values<'a>,
}

impl<K: Kind> Row<'_, K> {
    pub(in crate::embedded) fn into_owned<'a>(self) -> Row<'a, K> {
        let owned = |text: Option<Cow<'_, str>>| text.map(|text| Cow::Owned(text.into_owned()));
        Row {
            id: self.id.into_owned().into(),
            text: owned(self.text),
            others: self.others.map(owned),
            values: K::into_owned(self.values),
        }
    }
}

/// Change of a row that a catalogue applies.
pub(in crate::embedded) enum Update<K: Kind> {
    /// The row was added or replaced.
    Put(Box<Row<'static, K>>),
    /// The row with this ID was removed.
    Remove(String),
    /// A shared value has changed.
    Note(K::Note),
}
