//! The scope in which a request is answered: its reference, and the span of its log lines. The visitor of an error
//! page sees the same reference, and so does the administrator in the activity and in each log line.

use latchkey_core::activity::Reference;
use tokio::task_local;
use tracing::{Instrument as _, Span};

task_local! {
    static REFERENCE: Reference;
}

/// Returns the reference of the request that is being answered; a new one outside of a request.
pub(crate) fn reference() -> Reference {
    REFERENCE
        .try_with(Clone::clone)
        .unwrap_or_else(|_| Reference::random())
}

pub(crate) struct RequestScope {
    reference: Reference,
    span: Span,
}

impl RequestScope {
    /// The scope of a request for a route.
    pub(crate) fn new(route: &'static str) -> Self {
        let reference = Reference::random();
        // Lines of every level have it.
        let span = tracing::error_span!("request", %reference, route);
        Self { reference, span }
    }

    /// Does work of the request at once.
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        let work = || self.span.in_scope(work);
        REFERENCE.sync_scope(self.reference.clone(), work)
    }

    /// Does the rest of the request.
    pub(crate) fn finish<T>(self, work: impl Future<Output = T>) -> impl Future<Output = T> {
        REFERENCE.scope(self.reference, work).instrument(self.span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_parts_of_a_request_have_one_reference_and_two_requests_have_two() {
        let scope = RequestScope::new("page");
        let at_once = scope.run(reference);
        let later = scope.finish(async {
            tokio::task::yield_now().await;
            reference()
        });
        assert_eq!(later.await, at_once);
        assert_ne!(RequestScope::new("page").run(reference), at_once);
    }
}
