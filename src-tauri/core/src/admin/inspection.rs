//! Inspection of a pasted text. The answer is a [`Report`](crate::inspect::Report).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::secret::{Secret, exposed};

/// A text that contains a code.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InspectRequest {
    /// A code, a login link, a widget tag, or any text that contains one, such as a mail.
    #[serde(serialize_with = "exposed::serialize")]
    #[schema(value_type = String)]
    pub text: Secret,
}
