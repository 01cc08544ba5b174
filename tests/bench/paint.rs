//! Bench of the time from an action to its painted frame in the real window: after a key, a turn of
//! the wheel, or a click.

use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::driver::Studio;
use crate::prepared::Prepared;
use crate::runtime::run;
use crate::table::heading;

/// Number of users in the table that is scrolled and searched.
const USERS: usize = 2_000;
/// Number of measurements of each action.
const TIMES: usize = 40;

/// Script that measures the time until the effect of an action is painted.
///
/// `paint.watch(holds)` waits for the first frame in which `holds()` is true. The time begins with
/// the first key or click after that call. It ends with a task that the callback of the frame has
/// started, because the callback runs before the frame is painted and the task runs after it.
const PROBE: &str = "
    window.paint = {
        began: null,
        ended: null,
        watch(holds) {
            this.began = this.ended = null;
            const look = () => {
                if (this.began === null || !holds()) requestAnimationFrame(look);
                else setTimeout(() => (this.ended = performance.now()));
            };
            requestAnimationFrame(look);
        },
    };
    const begin = (event) => (paint.began ??= event.timeStamp);
    for (const kind of ['keydown', 'pointerdown']) addEventListener(kind, begin, true);
    window.shown = (id) => document.querySelector(`[data-testid='${id}']`)?.textContent ?? '';
    return true";

pub(crate) fn measure() {
    heading(
        "Paint: from the key, the click or the scroll to the painted frame (target in Compose: median 30 ms, 95 % 40 ms)",
    );
    run(async {
        let prepared = Prepared::with(USERS);
        let studio = prepared.open().await;
        studio.script(PROBE).await;
        compose(&studio).await;
        users(&studio).await;
        screens(&studio).await;
        studio.quit().await;
    });
}

async fn compose(studio: &Studio) {
    studio.click("mode-new").await;
    studio.fill("field-user-id", "a").await;
    studio.find("qr").await;
    let field = studio.find("field-user-id").await;
    let mut typed = String::from("a");
    let mut times = Vec::new();
    for at in 0..TIMES {
        let key = char::from(b'a' + u8::try_from(at % 26).unwrap());
        typed.push(key);
        let wanted = json!(format!("Creates {typed}:")).to_string();
        watch(studio, &format!("shown('forecast').includes({wanted})")).await;
        field.send_keys(&key.to_string()).await.unwrap();
        times.push(painted(studio).await);
    }
    row("Compose: a key in the form", &mut times);
}

async fn users(studio: &Studio) {
    studio.click("rail-users").await;
    studio.find("user-row").await;

    let mut times = Vec::new();
    for _ in 0..TIMES {
        let scrolled = "
            const table = document.querySelector(`[data-testid='users-table']`);
            paint.watch(() => true);
            paint.began = performance.now();
            table.scrollTop += 220;
            return true";
        studio.script(scrolled).await;
        times.push(painted(studio).await);
    }
    row("Users: a scroll by five rows", &mut times);

    let mut times = Vec::new();
    for at in 0..TIMES {
        watch(
            studio,
            "document.querySelector(`[data-testid='user-link']`)",
        )
        .await;
        let ids = "return [...document.querySelectorAll('[data-user-id]')].slice(8, 14).map((row) => row.dataset.userId)";
        let ids: Vec<String> = serde_json::from_value(studio.script(ids).await).unwrap();
        let css = format!("[data-user-id='{}']", ids[at % ids.len()]);
        let found = studio.client.find(fantoccini::Locator::Css(&css)).await;
        found.unwrap().click().await.unwrap();
        times.push(painted(studio).await);
        studio.press(&[], char::from(Key::Escape)).await;
        studio
            .wait_for_script(
                "the closed panel",
                "return !document.querySelector(`[data-testid='user-panel']`)",
            )
            .await;
    }
    row("Users: opening the panel", &mut times);

    let mut times = Vec::new();
    let field = studio.find("users-search").await;
    studio.click("users-search").await;
    for at in 0..TIMES / 4 {
        studio.press(&[], char::from(Key::Escape)).await;
        studio
            .wait_for_script("everybody", "return !shown('screen-note').includes('of')")
            .await;
        // Each further digit leaves fewer users.
        for digit in [1, at % 2, at % 10, (at + 3) % 10] {
            let before = studio.script("return shown('screen-note')").await;
            watch(studio, &format!("shown('screen-note') !== {before}")).await;
            field.send_keys(&digit.to_string()).await.unwrap();
            times.push(painted(studio).await);
        }
    }
    studio.press(&[], char::from(Key::Escape)).await;
    row("Users: a key in the search", &mut times);
}

async fn screens(studio: &Studio) {
    let there = [
        (
            "rail-compose",
            "`[data-testid='qr'] path`",
            "Compose: opening it",
        ),
        (
            "rail-users",
            "`[data-testid='user-row']`",
            "Users: opening it",
        ),
        ("rail-activity", "`main li`", "Activity: opening it"),
        (
            "rail-settings",
            "`[data-testid='settings-url']`",
            "Settings: opening it",
        ),
    ];
    let mut times = there.map(|_| Vec::new());
    for _ in 0..TIMES / 2 {
        for ((button, css, _), times) in there.iter().zip(&mut times) {
            watch(studio, &format!("document.querySelector({css})")).await;
            studio.click(button).await;
            times.push(painted(studio).await);
        }
    }
    for ((_, _, name), times) in there.iter().zip(&mut times) {
        row(name, times);
    }

    let (mut opening, mut typing) = (Vec::new(), Vec::new());
    for _ in 0..TIMES / 2 {
        watch(
            studio,
            "document.querySelector(`[data-testid='palette-input']`)",
        )
        .await;
        studio.press(&[Key::Control], 'k').await;
        opening.push(painted(studio).await);
        let before = studio.script("return shown('palette')").await;
        watch(studio, &format!("shown('palette') !== {before}")).await;
        studio
            .find("palette-input")
            .await
            .send_keys("u")
            .await
            .unwrap();
        typing.push(painted(studio).await);
        studio.press(&[], char::from(Key::Escape)).await;
        studio
            .wait_for_script(
                "the closed palette",
                "return !document.querySelector(`[data-testid='palette']`)",
            )
            .await;
    }
    row("Palette: opening it", &mut opening);
    row("Palette: a key in it", &mut typing);
}

async fn watch(studio: &Studio, holds: &str) {
    studio
        .script(&format!("paint.watch(() => {holds}); return true"))
        .await;
}

/// Returns the milliseconds until the watched effect was painted.
async fn painted(studio: &Studio) -> f64 {
    studio
        .wait_for_script("the frame", "return paint.ended !== null")
        .await;
    let time: Value = studio.script("return paint.ended - paint.began").await;
    time.as_f64().unwrap()
}

fn row(name: &str, times: &mut [f64]) {
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    println!(
        "  {name:<34} median {:>6.1} ms   95 % {:>6.1} ms   slowest {:>6.1} ms",
        at(50),
        at(95),
        at(100)
    );
}
