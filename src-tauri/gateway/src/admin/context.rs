use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::admin::{CONTEXT, Context};

use super::refused::Refused;
use crate::api::problem::Problem;

/// Passes the context of a request from the local socket on to the handler. A request without one
/// is made now, on the command line.
pub(super) async fn local(mut request: Request, next: Next) -> Result<Response, Refused> {
    let by = context(&request)?;
    request.extensions_mut().insert(by);
    Ok(next.run(request).await)
}

fn context(request: &Request) -> Result<AuditContext, Refused> {
    Ok(match request.headers().get(CONTEXT) {
        None => AuditContext::new(Actor::CommandLine, Timestamp::now()),
        Some(header) => {
            let context: Context = serde_json::from_slice(header.as_bytes()).map_err(|cause| {
                let message = format!("The header {CONTEXT} cannot be read: {cause}.");
                Problem::of(StatusCode::BAD_REQUEST, &message)
            })?;
            context.parse()?
        }
    })
}
