//! Snapshots of the directory, which a client reads in parts.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::directory::Row;

/// A snapshot that has begun. It ends after its last part, and if a client reads no part for a minute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SnapshotBegun {
    /// ID of the snapshot.
    pub snapshot: String,
}

/// Next part of a snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SnapshotRows {
    /// Rows. None if the snapshot was read whole.
    #[schema(value_type = Vec<Value>)]
    pub rows: Vec<Row>,
}
