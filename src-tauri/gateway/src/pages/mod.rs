//! Pages that visitors see. Templates escape every text, and no page has a script.

use std::borrow::Cow;

use jiff::Timestamp;
use latchkey_core::session::{SessionScope, UserSession};
use latchkey_core::time;
use maud::{DOCTYPE, Markup, html};

use crate::config::GatewayConfig;

/// Path of the style sheet.
pub(crate) const STYLE_PATH: &str = "/auth/style.css";
/// Path of the page that shows who is signed in. It is below `/auth/`, because a proxy sends the home
/// page to the application.
pub(crate) const SESSIONS_PATH: &str = "/auth/sessions";
/// Target of the button that signs another browser of the person out.
pub(crate) const END_SESSION_PATH: &str = "/auth/sessions/end";
/// Target of the button that signs all browsers of the person out.
pub(crate) const END_SESSIONS_PATH: &str = "/auth/sessions/end-all";
/// Name of the button that asks for a new link, in the form that is sent to the link itself.
pub(crate) const ASK_BUTTON: &str = "ask";
/// Content of the style sheet.
pub(crate) const STYLE: &str = include_str!("style.css");

/// Returns a name that somebody else has chosen as markup. The name cannot change the text around
/// it, nor its direction.
fn name_of(text: &str) -> Markup {
    html! { bdi { (contained(text)) } }
}

/// Replaces control characters, and characters that change the direction of the following text, by
/// U+FFFD.
pub(crate) fn contained(text: &str) -> Cow<'_, str> {
    let controls =
        |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if text.contains(controls) {
        text.replace(controls, "\u{fffd}").into()
    } else {
        text.into()
    }
}

fn page(config: Option<&GatewayConfig>, title: &str, content: &Markup) -> Markup {
    let name = config.map(|config| config.settings.name.as_str());
    let folder = config.map_or("", |config| &config.folder);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) @if let Some(name) = name { " · " (name) } }
                link rel="stylesheet" href={ (folder) (STYLE_PATH) };
            }
            body {
                main {
                    @if let Some(name) = name { p.instance { (name) } }
                    (content)
                }
            }
        }
    }
}

/// Returns the page for a visitor who is signed in, with the person's other browsers. `unlisted` is the
/// number of those that are not in `others`. No network address is shown, because an administrator who
/// has tried the link may be among them.
pub(crate) fn signed_in(
    config: &GatewayConfig,
    name: &str,
    others: &[UserSession],
    unlisted: u64,
    now: Timestamp,
) -> Markup {
    page(
        Some(config),
        "Signed in",
        &html! {
            h1 { "You are signed in" }
            p { "as " strong { (name_of(name)) } "." }
            form method="post" action={ (config.folder) "/auth/sign-out" } {
                button type="submit" { "Sign out" }
            }
            @if !others.is_empty() {
                section.browsers aria-labelledby="browsers" {
                    h2 #browsers { "Your other browsers" }
                    ul { @for session in others { (browser(config, session, now)) } }
                    @if unlisted > 0 { p.quiet { "And " (unlisted) " more." } }
                    form method="post" action={ (config.folder) (END_SESSIONS_PATH) } {
                        button type="submit" { "Sign out everywhere" }
                    }
                    p.quiet { "That signs this browser out, too." }
                }
            }
        },
    )
}

/// Returns the row of another browser of the person.
fn browser(config: &GatewayConfig, session: &UserSession, now: Timestamp) -> Markup {
    let name = session.browser.as_deref().unwrap_or("Another browser");
    let ago = |at: i64| time::relative(at.min(now.as_second()), now);
    html! {
        li {
            div {
                strong { (name_of(name)) }
                @if session.scope == SessionScope::Frame { ", in another site's page" }
                p.quiet {
                    "Signed in " (ago(session.created_at)) ", last used " (ago(session.last_seen))
                }
            }
            form method="post" action={ (config.folder) (END_SESSION_PATH) } {
                button type="submit" name="session" value=(session.id)
                    aria-label={ "Sign out " (contained(name)) } { "Sign out" }
            }
        }
    }
}

/// Returns the page for a visitor who has signed all browsers out.
pub(crate) fn signed_out_everywhere(config: &GatewayConfig) -> Markup {
    page(
        Some(config),
        "Signed out everywhere",
        &html! {
            h1 { "You are signed out everywhere" }
            p { "Open your link again to come back." }
        },
    )
}

/// Returns the page for a visitor who is signed in at this host, but came from a page of another
/// host, which does not see the session.
pub(crate) fn signed_in_here(config: &GatewayConfig, name: &str, host: &str, to: &str) -> Markup {
    page(
        Some(config),
        "Signed in here only",
        &html! {
            h1 { "You are signed in here" }
            p { "as " strong { (name_of(name)) } ", but " strong { (host) } " does not learn of it. Ask whoever runs it for a link that leads there." }
            p { a href=(to) { "Go to " (host) " all the same" } }
        },
    )
}

/// Returns the page that asks whether the link is for this visitor. The form has no action, so the
/// browser sends it to the link itself and keeps the fragment of the link, which no server sees.
pub(crate) fn confirm(config: &GatewayConfig, whom: &str, other: Option<&str>) -> Markup {
    page(
        Some(config),
        "Sign in",
        &html! {
            h1 { "Sign in to " (config.settings.name.as_str()) }
            @if let Some(other) = other {
                p { "You are signed in as " strong { (name_of(other)) } ". Going on signs you in as somebody else." }
            }
            form method="post" {
                button.primary type="submit" { "Continue as " (name_of(whom)) }
            }
            p.quiet { "If that is not you, close this page." }
        },
    )
}

/// Returns the page for a visitor who has asked for a new link.
pub(crate) fn asked(config: &GatewayConfig) -> Markup {
    page(
        Some(config),
        "New link asked for",
        &html! {
            h1 { "You have asked for a new link" }
            p { "Whoever gave you the first one sees that, and can send you another." }
            p.quiet { "You can close this page." }
        },
    )
}

/// Returns the page for a visitor whose browser keeps no cookies, and who has asked for a new link.
pub(crate) fn no_cookies_to_ask(config: &GatewayConfig) -> Markup {
    page(
        Some(config),
        "Cookies are blocked",
        &html! {
            h1 { "Your browser keeps no cookies here" }
            p { "Without cookies you cannot ask for a new link here. Allow cookies for " strong { (config.settings.url.authority()) } " and open the link again, or ask whoever gave it to you." }
        },
    )
}

/// Returns the page for a visitor whose browser keeps no cookies. The code is not used up.
pub(crate) fn no_cookies(config: &GatewayConfig) -> Markup {
    page(
        Some(config),
        "Cookies are blocked",
        &html! {
            h1 { "Your browser keeps no cookies here" }
            p { "Without cookies it cannot keep you signed in. Your link was not used. Allow cookies for " strong { (config.settings.url.authority()) } " and open the link again, or open it in another browser." }
        },
    )
}

/// Returns the page for a visitor who is not signed in. A browser that keeps no cookies gets it
/// after a sign-in, too.
pub(crate) fn not_signed_in(config: &GatewayConfig) -> Markup {
    let note = html! {
        p.quiet { "If you have just opened it, your browser keeps no cookies here. Allow them for " (config.settings.url.authority()) ", and open the link again." }
    };
    how_to_sign_in(config, &note)
}

/// Returns the page for a visitor whom a proxy has sent here to sign in.
pub(crate) fn sign_in(config: &GatewayConfig) -> Markup {
    how_to_sign_in(config, &html! {})
}

/// Returns the page that says how to sign in, and then a note.
fn how_to_sign_in(config: &GatewayConfig, note: &Markup) -> Markup {
    page(
        Some(config),
        "Not signed in",
        &html! {
            h1 { "You are not signed in" }
            p { "Open the link that you were given, or scan its QR code. If you have none, ask whoever runs " (config.settings.name.as_str()) " for one." }
            (note)
        },
    )
}

/// Returns the page for a visitor who has signed out.
pub(crate) fn signed_out(config: &GatewayConfig) -> Markup {
    page(
        Some(config),
        "Signed out",
        &html! {
            h1 { "You are signed out" }
            p { "Open your link again to come back." }
        },
    )
}

/// Returns the page for a refused request. `title` is the title and the heading. If
/// `offers_new_link`, it has a button to ask for a new link.
pub(crate) fn refused(
    config: Option<&GatewayConfig>,
    title: &str,
    sentence: &str,
    offers_new_link: bool,
    reference: &str,
) -> Markup {
    page(
        config,
        title,
        &html! {
            h1 { (title) }
            p { (sentence) }
            @if offers_new_link {
                form method="post" {
                    button.primary type="submit" name=(ASK_BUTTON) value="new-link" { "Ask for a new link" }
                }
            }
            p.quiet { "Reference " code { (reference) } }
        },
    )
}
