//! API request that inspects a code.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use latchkey_core::admin::InspectRequest;
use latchkey_core::directory::Directory;
use latchkey_core::inspect::diagnosis::{Case, OtherInstance, diagnose};
use latchkey_core::inspect::{Outcome, Report, Unverified, dry_run, inspect_text, retired_key};
use latchkey_core::instance::Settings;
use latchkey_core::secret::KeySet;
use latchkey_core::{Error, ErrorCode, Result};
use tokio::task;

use super::body::{Body, answer};
use super::hints::Requests;
use super::problem::{Problem, ProblemDetails};

use crate::gateway::Gateway;

/// Inspect a code
///
/// Says whether a code verifies, what opening it would do, and the cause behind a refusal. Changes
/// and records nothing. Quotes a code only if the secret of the instance has signed it.
#[utoipa::path(
    post, path = "/api/v1/inspect", tag = "Links", security(("key" = ["links"])), request_body = InspectRequest,
    responses(
        (status = 200, description = "What is known of the code", body = Report),
        (status = 400, description = "The body is no JSON", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 413, description = "The body is longer than 16 KiB"),
        (status = 415, description = "The header Content-Type does not say JSON", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 422, description = "There is no code in the text, or a member breaks a rule", body = ProblemDetails, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn inspect(
    State(gateway): State<Arc<Gateway>>,
    Body(InspectRequest { text }): Body<InspectRequest>,
) -> Result<Response, Problem> {
    let config = gateway.config().await?;
    // Runs on a thread that may block, because it may read the keys of other instances.
    let others = gateway.others();
    let others = task::spawn_blocking(move || others()).await;
    let others = others.map_err(Error::internal)??;
    let (settings, keys) = (&config.settings, &config.keys);
    let directory = &*gateway.directory;
    let requests = &Requests::OTHER_SYSTEMS;
    let report = report(text.expose(), settings, keys, &others, directory, requests).await?;
    answer(StatusCode::OK, &report)
}

/// Inspects a text for an instance with these settings. `others` are the administrator's other
/// instances.
pub(crate) async fn report(
    text: &str,
    settings: &Settings,
    key_set: &KeySet,
    others: &[OtherInstance],
    directory: &dyn Directory,
    requests: &Requests,
) -> Result<Report> {
    let now = Timestamp::now();
    let keys = key_set.usable(now);
    let (parameter, rules) = (settings.parameter.as_str(), settings.code_rules());
    let (found, inspection) =
        inspect_text(text, parameter, &keys, rules, now).map_err(|refused| match refused.code {
            ErrorCode::NoCode => refused.about("text"),
            _ => refused,
        })?;
    let opened = match inspection.judged() {
        Some(judged) => Some(dry_run(judged, settings, directory).await?),
        None => None,
    };
    let mut hints = diagnose(&Case {
        shown: &inspection.shown,
        judged: inspection.judged(),
        address: found.address.as_ref(),
        url: Some(&settings.url),
        parameter,
        keys: &keys,
        others,
    });
    hints.extend(retired_key(&inspection, &keys, directory, now).await);
    let unverified = if inspection.is_signed_with(&keys) {
        Unverified::Shown
    } else {
        Unverified::Withheld
    };
    let (verdict, stay) = opened.unzip();
    Ok(Report {
        dry_run: verdict.as_ref().map(|verdict| {
            let outcome = Outcome::new(verdict, unverified, |refusal| {
                requests.against(refusal).map(str::to_owned)
            });
            outcome.for_link(&hints)
        }),
        stay: stay.flatten(),
        hints,
        signed_by: inspection.signed_by(key_set, now),
        warnings: key_set
            .active()
            .short_for(settings.algorithm)
            .into_iter()
            .chain(found.several())
            .collect(),
        ..inspection.report(found.form, unverified)
    })
}
