//! Tests of two settings of the desktop for every window: more contrast and less motion.

use serde_json::{Value, json};

use crate::driver::Studio;
use crate::environment::Environment;
use crate::run;

/// Script that returns the longest transition of all elements in milliseconds, and whether quiet
/// text has the colour of text and the edges of cards have that of controls.
const MEASURE: &str = "
    const style = (element) => getComputedStyle(element);
    const root = style(document.documentElement);
    const token = (name) => root.getPropertyValue(name).trim();
    const milliseconds = (text) => parseFloat(text) * (text.trim().endsWith('ms') ? 1 : 1000);
    const durations = [...document.querySelectorAll('*')].flatMap((element) => {
        const { transitionDuration, animationDuration } = style(element);
        return `${transitionDuration},${animationDuration}`.split(',').map(milliseconds);
    });
    return {
        longest: Math.max(...durations),
        quiet: token('--muted') === token('--text'),
        edges: token('--line') === token('--control-edge'),
    }";

async fn measured(environment: &Environment, name: &str) -> Value {
    let studio = Studio::start(environment).await;
    studio.click("door-sample").await;
    studio.find("mode-existing").await;
    studio.screenshot(name);
    let measured = studio.script(MEASURE).await;
    assert_eq!(studio.axe().await, Vec::<String>::new(), "{name}");
    studio.quit().await;
    measured
}

#[test]
fn more_contrast_and_less_motion_follow_the_desktop() {
    run(async {
        let environment = Environment::with_keychain();
        let usual = measured(&environment, "contrast-usual").await;
        assert_eq!(
            usual,
            json!({ "longest": 120, "quiet": false, "edges": false })
        );
        let environment = Environment::with_keychain();
        environment.ask_for_contrast_and_less_motion();
        let asked = measured(&environment, "contrast-more").await;
        assert_eq!(asked, json!({ "longest": 0, "quiet": true, "edges": true }));
    });
}
