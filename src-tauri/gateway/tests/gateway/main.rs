//! Tests of the gateway, with the requests of browsers and proxies.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test panics when it fails, and prints figures"
)]

mod admin_api;
mod admin_document;
mod admin_routes;
mod admin_settings;
mod administering;
mod api;
mod api_client;
mod api_links;
mod asking;
mod bodies;
mod browser;
#[path = "../../../../tests/window/chromium.rs"]
mod chromium;
mod confirming;
mod counted;
mod crowd;
mod document;
mod embedding;
mod error_pages;
mod firefox;
mod granting;
mod guessing;
mod guests;
mod headers;
mod host;
mod idempotency;
mod inspecting;
mod landing;
mod made_links;
mod opening;
mod own_sessions;
mod pairing;
mod previews;
mod proxies;
mod races;
mod rotation;
mod scene;
mod scopes;
mod serving;
mod sessions;
mod short_links;
mod site;
#[path = "../../../../tests/soak.rs"]
mod soak;
mod tags;
mod verifying;
mod visiting;
#[path = "../../../../tests/window/webkit.rs"]
mod webkit;
mod widget;
