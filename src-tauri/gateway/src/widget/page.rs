//! The page in the widget's frame. It has all states; the script shows one of them.

use maud::{DOCTYPE, Markup, html};

use crate::config::GatewayConfig;
use crate::pages;

/// Path of the frame's script.
pub(super) const SCRIPT_PATH: &str = "/auth/widget/frame.js";
/// Path of the frame's style sheet, which is loaded after that of all pages.
pub(super) const STYLE_PATH: &str = "/auth/widget/frame.css";

/// Returns the page. It lists the origins from which its script accepts messages.
pub(super) fn frame(config: &GatewayConfig) -> Markup {
    let name = config.settings.name.as_str();
    let embed_in = config.settings.visiting.embed_in.iter();
    let embed_in: Vec<String> = embed_in.map(ToString::to_string).collect();
    html! {
        (DOCTYPE)
        html lang="en" data-embed-in=(embed_in.join(" ")) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (name) }
                link rel="stylesheet" href={ (config.folder) (pages::STYLE_PATH) };
                link rel="stylesheet" href={ (config.folder) (STYLE_PATH) };
                script defer src={ (config.folder) (SCRIPT_PATH) } {}
            }
            body {
                div #content role="group" aria-labelledby="busy-title" tabindex="-1" {
                    header {
                        p.instance { (name) }
                        button #close type="button" aria-label="Close" {
                            svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" {
                                path d="M5 5l10 10M15 5L5 15" {}
                            }
                        }
                    }
                    div aria-live="polite" { (states(name)) }
                }
            }
        }
    }
}

fn states(name: &str) -> Markup {
    html! {
        (state("busy", "One moment …", &html! {}))
        (state("signed_in", "You are signed in", &html! {
            p { "as " strong { bdi data-slot="name" {} } "." }
            button #sign-out type="button" { "Sign out" }
        }))
        (state("signed_out", "You are not signed in", &html! {
            p { "The page around this one can sign you in. So can your own link." }
        }))
        (state("asks", &format!("Sign in to {name}"), &html! {
            p { "You are signed in as " strong { bdi data-slot="other" {} } ". Going on signs you in as somebody else." }
            button.primary #continue type="button" { "Continue as " bdi data-slot="whom" {} }
            button #decline type="button" { "Not now" }
        }))
        (state("refused", "That did not work", &html! {
            p { span data-slot="message" {} }
            p.quiet { "Reference " code data-slot="reference" {} }
        }))
        (state("no_cookies", "Nobody can sign in here", &html! {
            p #no_cookies-message { "Your browser keeps no cookies of " (name) " in this page. Either your browser blocks cookies, or it reaches " (name) " by http and not by https." }
        }))
    }
}

/// Returns the section of the page for a state. A paragraph with an empty slot is hidden.
fn state(id: &str, title: &str, content: &Markup) -> Markup {
    html! {
        section id=(id) hidden[id != "busy"] {
            h1 id={ (id) "-title" } { (title) }
            (content)
        }
    }
}
