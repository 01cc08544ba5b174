//! Metrics for Prometheus. They count events and name no user.

use std::fmt;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use latchkey_core::verdict::{Seats, Verdict};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// Kind of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum RequestKind {
    /// A proxy asks who the visitor is.
    Verify,
    SignIn,
    Continue,
    SignOut,
    Api,
    /// A style sheet, the widget, or the health check.
    Other,
    /// A link or any other page.
    Page,
}

impl RequestKind {
    const ALL: [Self; 7] = [
        Self::Verify,
        Self::SignIn,
        Self::Continue,
        Self::SignOut,
        Self::Api,
        Self::Other,
        Self::Page,
    ];

    pub(crate) fn by(method: &Method, path: &str) -> Self {
        match path {
            "/auth/verify" => Self::Verify,
            "/auth/sign-in" => Self::SignIn,
            "/auth/sign-out" => Self::SignOut,
            "/healthz" | "/widget.js" => Self::Other,
            path if path.starts_with("/api/") => Self::Api,
            path if path.starts_with("/auth/verify/") => Self::Verify,
            path if path.starts_with("/auth/") && !path.starts_with("/auth/l/") => Self::Other,
            // The confirm page sends its form to the link itself, also to a short one.
            _ if *method == Method::POST => Self::Continue,
            _ => Self::Page,
        }
    }

    /// Returns the value of the label `route`.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::SignIn => "sign_in",
            Self::Continue => "continue",
            Self::SignOut => "sign_out",
            Self::Api => "api",
            Self::Other => "other",
            Self::Page => "page",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabels {
    route: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VerdictLabel {
    verdict: &'static str,
}

/// Counts since the gateway was started.
pub(crate) struct Metrics {
    registry: Registry,
    answers: Family<AnswerLabels, Counter>,
    /// In the order of [`RequestKind::ALL`], because looking a histogram up by its label takes as
    /// long as a signature.
    times: [Histogram; RequestKind::ALL.len()],
    verdicts: Family<VerdictLabel, Counter>,
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
        // From a tenth of a millisecond to about three seconds.
        let times = Family::<RouteLabel, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(0.0001, 2.0, 16))
        });
        let mut registry = Registry::with_prefix("latchkey");
        let (answers, verdicts) = (Family::default(), Family::default());
        let (users, seats_used, seat_limit) =
            (Gauge::default(), Gauge::default(), Gauge::default());
        registry.register("answers", "Responses by kind of request", answers.clone());
        registry.register_with_unit(
            "answer_time",
            "How long an answer took",
            Unit::Seconds,
            times.clone(),
        );
        let times = RequestKind::ALL.map(|asked| {
            let route = asked.label();
            times.get_or_create(&RouteLabel { route }).clone()
        });
        registry.register("verdicts", "What has become of codes", verdicts.clone());
        registry.register("users", "Users, active and suspended", users.clone());
        registry.register("seats_used", "Seats that are taken", seats_used.clone());
        registry.register(
            "seat_limit",
            "Number of seats; -1 without a limit",
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
        self.verdicts.get_or_create(&VerdictLabel { verdict }).inc();
    }

    pub(crate) fn answered(&self, asked: RequestKind, status: StatusCode, time: Duration) {
        let (route, status) = (asked.label(), status.as_u16());
        let answered = AnswerLabels { route, status };
        self.answers.get_or_create(&answered).inc();
        let times = RequestKind::ALL.iter().zip(&self.times);
        for (_, times) in times.filter(|(which, _)| **which == asked) {
            times.observe(time.as_secs_f64());
        }
    }

    pub(crate) fn users(&self, users: u64, seats: Seats) {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.users.set(number(users));
        self.seats_used.set(number(seats.used));
        self.seat_limit.set(seats.limit.map_or(-1, number));
    }

    /// Returns all metrics in the `OpenMetrics` text format.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_request_follows_from_its_method_and_path() {
        for (path, label) in [
            ("/auth/verify", "verify"),
            ("/auth/verify/a/b", "verify"),
            ("/auth/sign-in", "sign_in"),
            ("/auth/sign-out", "sign_out"),
            ("/api/v2/users/ada", "api"),
            ("/api/openapi.json", "api"),
            ("/healthz", "other"),
            ("/widget.js", "other"),
            ("/auth/widget/frame", "other"),
            ("/", "page"),
            ("/report", "page"),
            ("/apiary", "page"),
        ] {
            assert_eq!(RequestKind::by(&Method::GET, path).label(), label, "{path}");
        }
        assert_eq!(
            RequestKind::by(&Method::POST, "/report").label(),
            "continue"
        );
    }
}
