//! A route of the API: who may use it, and its handler.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use latchkey_core::instance::scope::Scope;

use super::administration::Administration;
use super::idempotency;
use super::kept_changes::Changes;
use super::refused::Refused;
use crate::api::require_no_body;
use crate::body_limit::BodyLimit;

/// Maximum size of a request body. An import has up to 250 users with 8 KiB of metadata each.
pub(super) const BODY_LIMIT: BodyLimit = BodyLimit { kib: 4 * 1024 };

/// Listeners that serve a route, and the permission that a request from the network needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// The local socket only.
    Local,
    /// Any API key.
    AnyKey,
    /// An API key with the scope.
    Key(Scope),
    /// The network only, with a pairing code in place of a key.
    PairingCode,
}

/// Whether a request has a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyUse {
    /// One must be sent.
    Required,
    /// One may be sent.
    Optional,
    /// One is refused.
    None,
}

/// A route of the API.
pub(super) struct Route {
    pub(super) method: Method,
    /// Path below [`ROOT`].
    pub(super) path: &'static str,
    pub(super) access: Access,
    /// Whether its requests have a body.
    pub(super) body: BodyUse,
    /// Whether it also serves an instance that is hosted elsewhere, whose directory has only links
    /// and activity.
    pub(super) is_of_ledger: bool,
    /// Handler for the method of the route.
    pub(super) handler: MethodRouter<Arc<Administration>>,
}

impl Route {
    /// Lets the route serve an instance that is hosted elsewhere, too.
    pub(super) fn of_ledger(self) -> Self {
        Self {
            is_of_ledger: true,
            ..self
        }
    }

    /// Refuses requests with a body.
    pub(super) fn without_body(self) -> Self {
        let layer = middleware::from_fn(require_no_body);
        Self {
            body: BodyUse::None,
            handler: self.handler.route_layer(layer),
            ..self
        }
    }

    /// Lets a client leave the body out.
    pub(super) fn with_optional_body(self) -> Self {
        Self {
            body: BodyUse::Optional,
            ..self
        }
    }

    /// Refuses requests about an instance that is hosted elsewhere, unless the route is of the
    /// ledger.
    pub(super) fn refusing_elsewhere(self, administration: &Arc<Administration>) -> Self {
        if self.is_of_ledger {
            return self;
        }
        let layer = middleware::from_fn_with_state(Arc::clone(administration), require_here);
        let handler = self.handler.route_layer(layer);
        Self { handler, ..self }
    }

    /// Returns whether a client can repeat a request with an idempotency key. Reading needs none,
    /// and a pairing code works once anyway.
    pub(super) fn is_repeatable(&self) -> bool {
        self.method != Method::GET && self.access != Access::PairingCode
    }

    /// Lets a client repeat a request with an idempotency key, if it is a change.
    pub(super) fn repeatable(self, changes: &Arc<Changes>) -> Self {
        if !self.is_repeatable() {
            return self;
        }
        let layer = middleware::from_fn_with_state(Arc::clone(changes), idempotency::replay);
        let handler = self.handler.route_layer(layer);
        Self { handler, ..self }
    }
}

async fn require_here(
    State(administration): State<Arc<Administration>>,
    request: Request,
    next: Next,
) -> Result<Response, Refused> {
    administration.require_here().await?;
    Ok(next.run(request).await)
}

pub(super) fn get<T: 'static>(
    path: &'static str,
    access: Access,
    handler: impl ServesRoute<T>,
) -> Route {
    route((Method::GET, MethodFilter::GET), path, access, handler).without_body()
}

pub(super) fn post<T: 'static>(
    path: &'static str,
    access: Access,
    handler: impl ServesRoute<T>,
) -> Route {
    route((Method::POST, MethodFilter::POST), path, access, handler)
}

pub(super) fn put<T: 'static>(
    path: &'static str,
    access: Access,
    handler: impl ServesRoute<T>,
) -> Route {
    route((Method::PUT, MethodFilter::PUT), path, access, handler)
}

pub(super) fn patch<T: 'static>(
    path: &'static str,
    access: Access,
    handler: impl ServesRoute<T>,
) -> Route {
    route((Method::PATCH, MethodFilter::PATCH), path, access, handler)
}

pub(super) fn delete<T: 'static>(
    path: &'static str,
    access: Access,
    handler: impl ServesRoute<T>,
) -> Route {
    route(
        (Method::DELETE, MethodFilter::DELETE),
        path,
        access,
        handler,
    )
    .without_body()
}

/// Handler of a route.
pub(super) trait ServesRoute<T>: Handler<T, Arc<Administration>> {}

impl<T, H: Handler<T, Arc<Administration>>> ServesRoute<T> for H {}

fn route<T: 'static>(
    (method, filter): (Method, MethodFilter),
    path: &'static str,
    access: Access,
    handler: impl ServesRoute<T>,
) -> Route {
    Route {
        method,
        path,
        access,
        body: BodyUse::Required,
        is_of_ledger: false,
        handler: on(filter, handler),
    }
}
