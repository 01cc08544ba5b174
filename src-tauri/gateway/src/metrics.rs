//! What is counted, for Prometheus. It says how many, and never who.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use latchkey_core::verdict::Verdict;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::gateway::Gateway;

/// What was asked for.
fn route_of(path: Option<&MatchedPath>) -> &'static str {
    match path.map(MatchedPath::as_str) {
        None => "page",
        Some("/auth/verify") => "verify",
        Some("/auth/sign-in") => "sign_in",
        Some("/auth/continue") => "continue",
        Some("/auth/sign-out") => "sign_out",
        Some(path) if path.starts_with("/api/") => "api",
        Some(_) => "other",
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRoute {
    route: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfVerdict {
    verdict: &'static str,
}

/// What has been counted since the gateway was started.
pub(crate) struct Metrics {
    registry: Registry,
    answers: Family<Answered, Counter>,
    times: Family<OfRoute, Histogram>,
    verdicts: Family<OfVerdict, Counter>,
    users: Gauge,
    seats_used: Gauge,
    seat_limit: Gauge,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    pub(crate) fn new() -> Self {
        // From a tenth of a millisecond to some three seconds.
        let times = Family::<OfRoute, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(0.0001, 2.0, 16))
        });
        let mut registry = Registry::with_prefix("latchkey");
        let (answers, verdicts) = (Family::default(), Family::default());
        let (users, seats_used, seat_limit) =
            (Gauge::default(), Gauge::default(), Gauge::default());
        registry.register("answers", "Answers, by what was asked for", answers.clone());
        registry.register_with_unit(
            "answer_time",
            "How long an answer took",
            Unit::Seconds,
            times.clone(),
        );
        registry.register("verdicts", "What has become of codes", verdicts.clone());
        registry.register("users", "Users, active and suspended", users.clone());
        registry.register("seats_used", "Seats that are taken", seats_used.clone());
        registry.register(
            "seat_limit",
            "Seats there are; -1 for no limit",
            seat_limit.clone(),
        );
        Self {
            registry,
            answers,
            times,
            verdicts,
            users,
            seats_used,
            seat_limit,
        }
    }

    pub(crate) fn verdict(&self, verdict: &Verdict) {
        let verdict = verdict.code();
        self.verdicts.get_or_create(&OfVerdict { verdict }).inc();
    }
}

/// Counts every answer.
pub(crate) async fn count(
    State(gateway): State<Arc<Gateway>>,
    request: Request,
    next: Next,
) -> Response {
    let (route, begun) = (route_of(request.extensions().get()), Instant::now());
    let answer = next.run(request).await;
    let metrics = &gateway.metrics;
    let status = answer.status().as_u16();
    metrics
        .answers
        .get_or_create(&Answered { route, status })
        .inc();
    metrics
        .times
        .get_or_create(&OfRoute { route })
        .observe(begun.elapsed().as_secs_f64());
    answer
}

/// What Prometheus asks: `/metrics`, on a listener of its own, which no visitor reaches.
pub fn metrics_router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/metrics", get(text))
        .with_state(gateway)
}

async fn text(State(gateway): State<Arc<Gateway>>) -> Response {
    let metrics = &gateway.metrics;
    let counted = gateway
        .in_directory(|directory| Ok((directory.count()?, directory.seats()?)))
        .await;
    match counted {
        Ok((users, seats)) => {
            let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
            metrics.users.set(number(users));
            metrics.seats_used.set(number(seats.used));
            metrics.seat_limit.set(seats.limit.map_or(-1, number));
        }
        Err(cause) => tracing::error!(error = ?cause, "the users cannot be counted"),
    }
    let mut text = String::new();
    if encode(&mut text, &metrics.registry).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, kind)], text).into_response()
}
