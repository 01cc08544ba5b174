//! Metadata in options.

use latchkey_core::protocol::metadata::Metadata;

use crate::failure::Failure;

/// Parses the values of `--metadata name=value`.
pub(crate) fn metadata_fields(fields: &[String]) -> Result<Metadata, Failure> {
    let fields: Vec<_> = fields
        .iter()
        .map(|field| {
            field.split_once('=').ok_or_else(|| {
                Failure::usage(format!("--metadata {field}: write it as name=value."))
                    .about("metadata")
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(Metadata::from_fields(fields, "metadata")?)
}
