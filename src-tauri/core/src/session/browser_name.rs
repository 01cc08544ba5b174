//! Short names of browsers, such as `iPhone, Safari`, from the header `User-Agent`.
//!
//! The table names the systems and browsers that most people have. It decides nothing, so a browser
//! that is missing from it only gets a less exact name.

/// Systems by a part of the header. The first that occurs counts.
const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
    ("X11", "Unix"),
];

/// Browsers by a part of the header. The first that occurs counts, because most browsers also name
/// those that they are compatible with.
const BROWSERS: [(&str, &str); 16] = [
    ("; wv)", "in an app"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("Ddg/", "DuckDuckGo"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Safari/", "Safari"),
];

/// Maximum length of the name of an unknown program.
const MAX_PROGRAM: usize = 32;

/// Returns the short name of a browser. `None` if the header names nothing that a person knows.
#[must_use]
pub fn browser_name(user_agent: &str) -> Option<String> {
    let named = |table: &'static [(&str, &'static str)]| {
        let found = table.iter().find(|(part, _)| user_agent.contains(part));
        found.map(|(_, name)| *name)
    };
    match (named(&SYSTEMS), named(&BROWSERS)) {
        (Some(system), Some(browser)) => Some(format!("{system}, {browser}")),
        (Some(name), None) | (None, Some(name)) => Some(name.to_owned()),
        (None, None) => program(user_agent),
    }
}

/// Returns the name of a program that is no browser, such as `curl`.
fn program(user_agent: &str) -> Option<String> {
    let name = user_agent.split(['/', ' ']).next()?;
    let is_plain = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let is_name = !name.is_empty() && name.len() <= MAX_PROGRAM && name != "Mozilla";
    (is_name && is_plain).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_browsers_have_a_short_name() {
        for (user_agent, name) in [
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
                "iPhone, Safari",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1",
                "iPhone, Chrome",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/140.0 Mobile/15E148 Safari/605.1.15",
                "iPad, Firefox",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
                "iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
                "Android, Chrome",
            ),
            (
                "Mozilla/5.0 (Linux; Android 16; Pixel 9; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/140.0.0.0 Mobile Safari/537.36",
                "Android, in an app",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
                "Android, Samsung Internet",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                "Windows, Edge",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 OPR/125.0.0.0",
                "Windows, Opera",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
                "Mac, Safari",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Linux, Firefox",
            ),
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
                "ChromeOS, Chrome",
            ),
            ("curl/8.14.1", "curl"),
            ("python-requests/2.32", "python-requests"),
        ] {
            assert_eq!(browser_name(user_agent).as_deref(), Some(name));
        }
    }

    #[test]
    fn a_text_that_names_no_program_has_no_name() {
        for unknown in ["", "Mozilla/5.0", "<script>/1", "ä", &"a".repeat(33)] {
            assert_eq!(browser_name(unknown), None, "{unknown}");
        }
    }
}
