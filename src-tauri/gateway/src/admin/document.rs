//! The `OpenAPI` description of the administration API. Methods, paths and responses come from the
//! handlers, and the scopes from the table of routes.

use axum::Extension;
use axum::http::StatusCode;
use axum::response::Response;
use latchkey_core::admin::ROOT;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    self, ContentBuilder, PathItem, Paths, Ref, RefOr, Required, ResponseBuilder,
};
use utoipa::{OpenApi, ToSchema as _};

use super::refused::Refused;
use super::route::{Access, BodyUse, Route};
use super::{
    activity, api_keys, changes, codes, gateway_state, idempotency, keys, ledger, links, pairing,
    program, requests, sessions, settings, snapshots, users,
};
use crate::api::answer;
use crate::api::key::KeyId;
use crate::api::problem::ProblemDetails;

/// Parts of the description that all paths share.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Administration of Latchkey",
        description = "Everything that an administrator does with an instance. On the network, each request sends a key in the header `X-API-KEY`, and each operation lists the scope that the key needs. The scope `admin` includes all others, and `users` includes `users:read`. On the local socket no key is needed. A change can be repeated with the same header `Idempotency-Key`. The gateway then gives the first response again, with the header `idempotency-replayed`, and changes nothing. It keeps responses for 24 hours and in memory only, at most 1,000 of them and 1 MiB for each API key. After a restart it makes the change again, unless the request has the header `Idempotency-Age` with the milliseconds since the first attempt: then it makes nothing and answers 409 with the code `outcome_unknown`. An operation without a request body refuses a request with one, unless it is `{}`. The response to a refused request is problem details (RFC 9457) with a stable `code` and, where one is at fault, the `field`."
    ),
    paths(
        program::about, users::list, users::add, users::import, users::show, users::edit, users::remove,
        users::suspend, users::reactivate, users::set_account_end, users::sign_out, sessions::list, sessions::end, sessions::end_all, sessions::signed_in, users::counts,
        users::set_seats, users::shared_emails, users::times_ahead, users::correct_times, users::look_up, activity::list,
        activity::verify, activity::record, activity::record_outbox, codes::dry_run, codes::redeem, ledger::list, ledger::counts, ledger::show,
        ledger::take, ledger::note_shown, ledger::revoke_one, ledger::revoke, requests::list, requests::grant, requests::dismiss, snapshots::begin, snapshots::next, snapshots::end, changes::stream, links::make, links::copy, links::inspect, settings::show,
        settings::change, keys::replace, keys::list, keys::rotate, keys::retire, api_keys::list, api_keys::make, api_keys::revoke, gateway_state::show,
        pairing::exchange, show, program::give_way,
    ),
    components(schemas(ProblemDetails)),
    tags(
        (name = "Users", description = "The people who can sign in."),
        (name = "Sessions", description = "The browsers in which users are signed in."),
        (name = "Seats", description = "The seats, of which each active user takes one."),
        (name = "Activity", description = "What has happened."),
        (name = "Links", description = "The login links that sign users in."),
        (name = "Instance", description = "The settings and the signing keys."),
        (name = "API keys", description = "The keys of other systems and of other computers."),
        (name = "Gateway", description = "The program that serves the API."),
        (name = "Server", description = "Requests of other programs on the server. They are on the local socket only."),
    ),
)]
struct Description;

/// Listener whose requests are described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listener {
    Local,
    Network,
}

/// Describe the API
///
/// In the format of `OpenAPI` 3.1. It is made from the code.
#[utoipa::path(
    get, path = "/openapi.json", tag = "Gateway",
    responses((status = 200, description = "The description", body = Object)),
)]
pub(super) fn show(key: Option<Extension<KeyId>>, routes: Vec<Route>) -> Result<Response, Refused> {
    let listener = key.map_or(Listener::Local, |_| Listener::Network);
    Ok(answer(StatusCode::OK, &description(listener, routes))?)
}

/// Returns the description for a listener.
fn description(listener: Listener, routes: Vec<Route>) -> utoipa::openapi::OpenApi {
    let mut document = Description::openapi();
    let mut described = std::mem::take(&mut document.paths.paths);
    let mut paths = Paths::new();
    for route in routes {
        let body = route.body;
        let scopes = match route.access {
            Access::Local if listener == Listener::Network => continue,
            Access::PairingCode if listener == Listener::Local => continue,
            Access::Local | Access::AnyKey => Some(Vec::new()),
            Access::Key(scope) => Some(vec![scope.name().to_owned()]),
            Access::PairingCode => None,
        };
        // The table has the root as `/`, and the path of the API is without it.
        let path = route.path.trim_end_matches('/');
        let operation = described
            .get_mut(path)
            .and_then(|item| operation_of(item, route.method.as_str()).take());
        let Some(mut operation) = operation else {
            continue;
        };
        operation.operation_id = Some(format!("{} {path}", route.method));
        if listener == Listener::Network
            && let Some(scopes) = scopes
        {
            let key = SecurityRequirement::new("key", scopes);
            operation.security = Some(vec![key]);
        }
        if let Some(RefOr::T(request)) = &mut operation.request_body {
            let is_required = body == BodyUse::Required;
            request.required = Some(if is_required {
                Required::True
            } else {
                Required::False
            });
        }
        add_problems(&mut operation, listener);
        if route.is_repeatable() {
            describe_repetition(&mut operation);
        }
        describe_problems(&mut operation);
        let item = paths.paths.entry(format!("{ROOT}{path}")).or_default();
        *operation_of(item, route.method.as_str()) = Some(operation);
    }
    document.paths = paths;
    if listener == Listener::Network
        && let Some(components) = &mut document.components
    {
        let key = ApiKeyValue::with_description("X-API-KEY", "A key of the instance.");
        let scheme = SecurityScheme::ApiKey(ApiKey::Header(key));
        components.add_security_scheme("key", scheme);
    }
    document
}

fn operation_of<'a>(item: &'a mut PathItem, method: &str) -> &'a mut Option<Operation> {
    match method {
        "POST" => &mut item.post,
        "PUT" => &mut item.put,
        "PATCH" => &mut item.patch,
        "DELETE" => &mut item.delete,
        _ => &mut item.get,
    }
}

/// Adds the header `Idempotency-Key`, and what it does to the responses.
fn describe_repetition(operation: &mut Operation) {
    let text = || ObjectBuilder::new().schema_type(SchemaType::new(Type::String));
    let key = text()
        .min_length(Some(1))
        .max_length(Some(idempotency::MAX_KEY))
        .pattern(Some("^[!-~]+$"));
    let parameter = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .description(Some(
            "A new text for each change. A request that is sent again with the same text changes nothing, and gets the first response.",
        ))
        .schema(Some(key.build()));
    let parameters = operation.parameters.get_or_insert_default();
    parameters.push(parameter.build().into());
    let responses = &mut operation.responses.responses;
    for (status, why) in [
        ("400", "The header Idempotency-Key is not valid"),
        (
            "409",
            "The first request with this Idempotency-Key is still running, its response is not given again, or the gateway has started since the first attempt",
        ),
        ("413", "The body is too long"),
        ("422", "Another request had this Idempotency-Key"),
    ] {
        let response = responses.entry(status.to_owned());
        if let RefOr::T(response) = response.or_insert_with(|| openapi::Response::default().into())
        {
            if !response.description.is_empty() {
                response.description.push_str(". ");
            }
            response.description.push_str(why);
        }
    }
    let replayed = text().enum_values(Some(["true"])).build();
    let replayed = HeaderBuilder::new()
        .schema(Some(replayed))
        .description(Some("The response is that to an earlier request."))
        .build();
    for (status, response) in responses {
        // Failures of the gateway are not kept.
        if !status.starts_with('5')
            && let RefOr::T(response) = response
        {
            let name = idempotency::REPLAYED.as_str().to_owned();
            response.headers.insert(name, replayed.clone().into());
        }
    }
}

/// Adds the responses to refused requests.
fn add_problems(operation: &mut Operation, listener: Listener) {
    let parameters = operation.parameters.iter().flatten();
    let is_in = |place: &ParameterIn| {
        parameters
            .clone()
            .any(|one| matches!(one, RefOr::T(one) if one.parameter_in == *place))
    };
    let mut problems = vec![
        ("500", "Something went wrong here"),
        (
            "503",
            "Something does not work at the moment; nothing was changed",
        ),
    ];
    if is_in(&ParameterIn::Path) {
        problems.push(("404", "There is none with this ID"));
    }
    if is_in(&ParameterIn::Query) {
        problems.extend([
            ("400", "A parameter is unknown or has a wrong value"),
            ("422", "A parameter breaks a rule"),
        ]);
    }
    if operation.request_body.is_some() {
        problems.extend([
            ("400", "The body is no JSON"),
            ("413", "The body is too long"),
            ("415", "The header Content-Type does not say JSON"),
            ("422", "A member breaks a rule"),
        ]);
    } else {
        problems.extend([
            ("400", "The body is incomplete"),
            ("413", "The body is too long"),
            ("422", "The request has a body"),
        ]);
    }
    if listener == Listener::Network {
        problems.extend([
            (
                "401",
                "The key is missing, does not belong to this instance, or has expired",
            ),
            ("403", "The key lacks the scope that the operation needs"),
            ("408", "The request took too long"),
            (
                "429",
                "There are too many requests or wrong keys from this address",
            ),
        ]);
    }
    let responses = &mut operation.responses.responses;
    for (status, why) in problems {
        let response = ResponseBuilder::new().description(why).build();
        responses
            .entry(status.to_owned())
            .or_insert(response.into());
    }
}

/// Adds the form of the responses to refused requests.
fn describe_problems(operation: &mut Operation) {
    let details = Ref::from_schema_name(ProblemDetails::name());
    for (status, response) in &mut operation.responses.responses {
        if status.starts_with(['4', '5'])
            && let RefOr::T(response) = response
        {
            let content = ContentBuilder::new().schema(Some(details.clone())).build();
            let kind = "application/problem+json".to_owned();
            response.content.insert(kind, content.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::router::routes;
    use super::*;

    #[test]
    fn each_route_of_the_table_is_described_and_each_description_is_a_route() {
        let mut document = Description::openapi();
        let mut described = BTreeSet::new();
        for (path, item) in &mut document.paths.paths {
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
                if operation_of(item, method).is_some() {
                    described.insert(format!("{method} {path}"));
                }
            }
        }
        let table = routes().into_iter();
        let table = table.map(|route| {
            let path = route.path.trim_end_matches('/');
            format!("{} {path}", route.method)
        });
        assert_eq!(described, table.collect());
    }

    #[test]
    fn a_body_is_described_for_exactly_the_routes_that_read_one() {
        let mut document = Description::openapi();
        for route in routes() {
            let path = route.path.trim_end_matches('/');
            let item = document.paths.paths.get_mut(path).unwrap();
            let operation = operation_of(item, route.method.as_str()).as_ref().unwrap();
            let is_read = route.body != BodyUse::None;
            let is_described = operation.request_body.is_some();
            assert_eq!(is_described, is_read, "{} {path}", route.method);
        }
    }

    #[test]
    fn only_the_description_of_the_local_socket_has_the_routes_of_the_server() {
        let paths = |listener| description(listener, routes()).paths.paths;
        let path = format!("{ROOT}/give-way");
        assert!(paths(Listener::Local).contains_key(&path));
        assert!(!paths(Listener::Network).contains_key(&path));
        assert!(paths(Listener::Network).contains_key(ROOT));
    }

    #[test]
    fn the_header_for_repetition_is_described_for_each_change_and_for_nothing_else() {
        for listener in [Listener::Local, Listener::Network] {
            let mut document = description(listener, routes());
            for route in routes() {
                let path = format!("{ROOT}{}", route.path.trim_end_matches('/'));
                let item = document.paths.paths.get_mut(&path);
                let operation = item.map(|item| operation_of(item, route.method.as_str()));
                let Some(Some(operation)) = operation else {
                    continue;
                };
                let mut parameters = operation.parameters.iter().flatten();
                let is_described = parameters
                    .any(|one| matches!(one, RefOr::T(one) if one.name == "Idempotency-Key"));
                let responses = operation.responses.responses.values();
                let replays = responses.filter(|response| {
                    matches!(response, RefOr::T(response) if response.headers.contains_key("idempotency-replayed"))
                });
                let expected = route.is_repeatable();
                assert_eq!(is_described, expected, "{} {path}", route.method);
                assert_eq!(replays.count() > 0, expected, "{} {path}", route.method);
            }
        }
    }
}
