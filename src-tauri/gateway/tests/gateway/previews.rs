//! Tests of programs that open links before people do.

use latchkey_core::instance::SignInStep;

use crate::site::Site;

/// User agents of link previews and scanners, as their makers write them.
const AGENTS: [&str; 48] = [
    "",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36",
    "Discourse Forum Onebox v3.4",
    "Mastodon/4.4.3 (http.rb/5.2.0; +https://mastodon.example/) Bot",
    "http.rb/5.1.1 (Mastodon/4.1.2; +https://mastodon.example/)",
    "Synapse (bot; +https://github.com/matrix-org/synapse)",
    "Synapse/1.130.0",
    "curl/8.14.1",
    "Wget/1.25.0",
    "python-requests/2.32.4",
    "Go-http-client/2.0",
    "okhttp/5.1.0",
    "Java/21.0.7",
    "Apache-HttpClient/5.5 (Java/21)",
    "axios/1.11.0",
    "node",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Slackbot 1.0 (+https://api.slack.com/robots)",
    "Slack-ImgProxy (+https://api.slack.com/robots)",
    "Twitterbot/1.0",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Facebot",
    "WhatsApp/2.23.20.0",
    "TelegramBot (like TwitterBot)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
    "Mozilla/5.0 (compatible; MicrosoftPreview/2.0; +https://aka.ms/MicrosoftPreview)",
    "Mozilla/5.0 (Windows NT 10.0) Teams/1.5.00.10453",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "Mozilla/5.0 (compatible; Google-Safety; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (Windows NT 10.0) BingPreview/1.0b",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "DuckDuckBot/1.0; (+http://duckduckgo.com/duckduckbot.html)",
    "Mozilla/5.0 (Macintosh) (Applebot/0.1; +http://www.apple.com/go/applebot)",
    "Pinterest/0.2 (+https://www.pinterest.com/bot.html)",
    "Mozilla/5.0 (compatible; redditbot/1.0; +http://www.reddit.com/feedback)",
    "Mozilla/5.0 (compatible; Embedly/0.2; +http://support.embed.ly/)",
    "Iframely/1.3.1 (+https://iframely.com/docs/about)",
    "Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)",
    "Viber/22.0",
    "Mozilla/5.0 (compatible; Snapchat UrlPreview)",
    "Mattermost-Bot/1.1",
    "Barracuda Sentinel (EE)",
    "Mozilla/5.0 (compatible; Proofpoint URL Defense)",
];

fn nothing_has_happened(site: &Site, path: &str) {
    let looks = AGENTS.map(|agent| vec![("user-agent", agent)]);
    let others = [
        vec![("sec-purpose", "prefetch")],
        vec![("sec-purpose", "prefetch;prerender")],
        vec![("purpose", "prefetch")],
        vec![("x-moz", "prefetch")],
        vec![("x-purpose", "preview"), ("purpose", "preview")],
    ];
    for headers in looks.into_iter().chain(others) {
        for method in ["GET", "HEAD"] {
            let answer = site.ask(method, path, &headers, "");
            assert_eq!(answer.status.as_u16(), 200, "{headers:?}");
            assert!(answer.session().is_none(), "{headers:?}");
        }
    }
    assert_eq!(site.ask("HEAD", path, &[], "").status.as_u16(), 200);
    assert!(!site.has_user("ada"));
    assert_eq!(site.seats(), 0);
}

#[test]
fn a_link_preview_changes_nothing_and_a_persons_click_afterwards_works() {
    let site = Site::with("acme", |settings| {
        settings.visiting.step = SignInStep::Confirm;
    });
    let code = site.new_user("ada");
    let path = format!("/?externalAuthCode={code}");
    nothing_has_happened(&site, &path);
    // A scanner that fetches like a browser gets only the confirm page.
    let scanner = site.get(
        &path,
        &[("user-agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64)")],
    );
    assert_eq!(scanner.status.as_u16(), 200);
    assert!(!scanner.body.contains("<script") && !scanner.body.contains("http-equiv"));
    assert_eq!(site.seats(), 0);
    assert!(site.confirm(&path, &[]).session().is_some());
    assert_eq!(site.seats(), 1);
}

#[test]
fn known_programs_change_nothing_even_if_links_sign_in_at_once() {
    let site = Site::new();
    let path = format!("/?externalAuthCode={}", site.new_user("ada"));
    nothing_has_happened(&site, &path);
    assert!(site.get(&path, &[]).session().is_some());
}
