//! Last fields of stored rows. Rows that were written before such a field was added end before it.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Deserializer, SeqAccess, Visitor};

/// A field that a row may lack.
pub trait LastField: Default + DeserializeOwned {
    /// Reads the field from its first byte in a row and the bytes behind it.
    fn read<'de, A: SeqAccess<'de>>(first: u8, rest: &mut A) -> Result<Self, A::Error>;
}

/// Reads one of the last fields of a row. If the row ends before it, returns its default. A damaged
/// field is an error.
pub fn last_field<'de, D: Deserializer<'de>, T: LastField>(deserializer: D) -> Result<T, D::Error> {
    if deserializer.is_human_readable() {
        return T::deserialize(deserializer);
    }
    deserializer.deserialize_tuple(usize::MAX, Bytes(PhantomData))
}

struct Bytes<T>(PhantomData<T>);

impl<'de, T: LastField> Visitor<'de> for Bytes<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the last field of a row")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<T, A::Error> {
        // A byte is missing only at the end of the row.
        match bytes.next_element() {
            Ok(Some(first)) => T::read(first, &mut bytes),
            Ok(None) | Err(_) => Ok(T::default()),
        }
    }
}

impl LastField for bool {
    fn read<'de, A: SeqAccess<'de>>(first: u8, _: &mut A) -> Result<Self, A::Error> {
        match first {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(damaged()),
        }
    }
}

impl<T: DeserializeOwned> LastField for Option<T> {
    fn read<'de, A: SeqAccess<'de>>(first: u8, rest: &mut A) -> Result<Self, A::Error> {
        match first {
            0 => Ok(None),
            1 => next(rest).map(Some),
            _ => Err(damaged()),
        }
    }
}

impl<T: DeserializeOwned> LastField for Vec<T> {
    fn read<'de, A: SeqAccess<'de>>(first: u8, rest: &mut A) -> Result<Self, A::Error> {
        let length = length(first, rest)?;
        (0..length).map(|_| next(rest)).collect()
    }
}

/// Reads a length, of which each byte has seven bits, the lowest first, and says by the highest bit
/// whether another byte follows.
fn length<'de, A: SeqAccess<'de>>(first: u8, rest: &mut A) -> Result<u64, A::Error> {
    let (mut length, mut byte, mut shift) = (0, first, 0);
    loop {
        length |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(length);
        }
        shift += 7;
        if shift > 56 {
            return Err(damaged());
        }
        byte = next(rest)?;
    }
}

fn next<'de, A: SeqAccess<'de>, T: DeserializeOwned>(rest: &mut A) -> Result<T, A::Error> {
    rest.next_element()?.ok_or_else(damaged)
}

fn damaged<E: serde::de::Error>() -> E {
    E::custom("the last field of a row is damaged")
}
