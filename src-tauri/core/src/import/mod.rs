//! Import of users from CSV and JSON files: reading a file, planning what each row does, and
//! carrying the plan out in batches.
//!
//! | concern | module |
//! |---|---|
//! | content of a file, in any encoding | [`file`] |
//! | CSV, and JSON | `csv`, `json` |
//! | meaning of a column | [`column`] |
//! | cells that begin like a formula | [`formula`] |
//! | a row | [`row`] |
//! | maxima, and the errors of files | `limits` |
//! | ID of a row that has none | [`derived_id`] |
//! | decision about a row | [`plan`] |
//! | plan of a whole file, and carrying it out | [`run`] |
//!
//! The decision about a row is a pure function of the row and of [`Facts`](crate::directory::Facts).
//! The preview and the import call the same function, so the import notices a plan that no longer
//! fits.

pub mod column;
mod csv;
pub mod derived_id;
pub mod file;
pub mod formula;
mod json;
mod limits;
pub mod plan;
pub mod row;
pub mod run;

pub use column::{Column, Target};
pub use derived_id::derived_id;
pub use file::{FileFormat, ImportFile};
pub use limits::{MAX_COLUMNS, MAX_FILE_BYTES, MAX_ROW_BYTES, MAX_ROWS, too_large};
pub use plan::{Action, ImportOptions, RowPlan, RowProblem};
pub use row::ImportRow;
pub use run::{Counts, Import};
