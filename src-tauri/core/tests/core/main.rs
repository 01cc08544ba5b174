//! Tests of core by its public functions.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test panics when it fails"
)]

mod accepted_codes;
mod administration;
mod causes;
mod cutoffs;
mod decisions;
mod guests;
mod import_files;
mod import_plans;
mod issued_links;
mod lasting;
mod ledger;
mod ledger_changes;
mod ledger_model;
mod pairing;
mod pasted;
mod pictures;
mod profiles;
mod redemptions;
mod refused_inputs;
mod request_model;
mod requests;
mod sealed;
mod settings;
mod short_links;
mod signed;
mod standings;
mod typingmind;
mod verdict_sentences;
mod verdict_table;
mod verdicts;
mod wording;
