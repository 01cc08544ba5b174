//! Scope of a request: its reference, and the span of its log lines. The visitor sees the reference
//! on an error page. The administrator finds it in the activity and in the log.

use latchkey_core::activity::Reference;
use tokio::task_local;
use tracing::{Instrument as _, Span, field};

task_local! {
    static REFERENCE: Reference;
}

/// Returns the reference of the current request, or a new one outside of a request.
pub(crate) fn reference() -> Reference {
    REFERENCE
        .try_with(Clone::clone)
        .unwrap_or_else(|_| Reference::random())
}

/// Runs a future in a new request scope.
pub(crate) async fn in_request_scope<T>(answer: impl Future<Output = T>) -> T {
    let reference = Reference::random();
    // A span of level `error`, so that log lines of every level have it.
    let span = tracing::error_span!("request", %reference, route = field::Empty);
    REFERENCE.scope(reference, answer).instrument(span).await
}

/// Runs a future in the scope of the current request, for a task of its own.
pub(crate) fn in_same_scope<T>(future: impl Future<Output = T>) -> impl Future<Output = T> {
    REFERENCE.scope(reference(), future).in_current_span()
}

/// Sets the route of the request in its span.
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
