//! The scope in which a request is answered: its reference, and the span of its log lines. The visitor of an error
//! page sees the same reference, and so does the administrator in the activity and in each log line.

use latchkey_core::activity::Reference;
use tokio::task_local;
use tracing::{Instrument as _, Span, field};

task_local! {
    static REFERENCE: Reference;
}

/// Returns the reference of the request that is being answered; a new one outside of a request.
pub(crate) fn reference() -> Reference {
    REFERENCE
        .try_with(Clone::clone)
        .unwrap_or_else(|_| Reference::random())
}

/// Answers a request in its scope.
pub(crate) async fn in_request_scope<T>(answer: impl Future<Output = T>) -> T {
    let reference = Reference::random();
    // Lines of every level have it.
    let span = tracing::error_span!("request", %reference, route = field::Empty);
    REFERENCE.scope(reference, answer).instrument(span).await
}

/// Says in the span of the request which route it takes.
pub(crate) fn set_route(route: &'static str) {
    Span::current().record("route", route);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_parts_of_a_request_have_one_reference_and_two_requests_have_two() {
        let references = || {
            in_request_scope(async {
                let first = reference();
                tokio::task::yield_now().await;
                (first, reference())
            })
        };
        let (first, later) = references().await;
        assert_eq!(later, first);
        assert_ne!(references().await.0, first);
    }
}
