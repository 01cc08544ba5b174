//! Guesses of short links: requests for short links that do not exist.

use axum::http::HeaderMap;

use crate::fetch_metadata::may_be_foreign;
use crate::lockout::Lockout;

/// Lockouts of the addresses that guess. A page of another site can make its visitor's browser open
/// short links that do not exist. Requests that such a page may have caused are counted apart, so
/// that they lock out only such requests, and not those that the visitor makes.
#[derive(Default)]
pub(crate) struct Guesses {
    own: Lockout,
    foreign: Lockout,
}

impl Guesses {
    /// Returns the lockout that counts for a request.
    pub(crate) fn of(&self, headers: &HeaderMap) -> &Lockout {
        if may_be_foreign(headers) {
            &self.foreign
        } else {
            &self.own
        }
    }
}
