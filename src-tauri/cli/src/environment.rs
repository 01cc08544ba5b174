//! Environment variables.

use std::env;

/// Returns the value of an environment variable. An empty one counts as unset.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
