//! Bench of the share of a core that Studio uses while nothing happens, with its web processes.

use std::time::{Duration, Instant};

use crate::driver::Studio;
use crate::prepared::Prepared;
use crate::runtime::run;
use crate::table::heading;
use crate::webkit::free_port;

/// Time for a screen to come to rest after it was opened.
const REST: Duration = Duration::from_secs(5);
/// Time over which the share is measured.
const SPAN: Duration = Duration::from_mins(1);

pub(crate) fn measure() {
    heading("Idle: share of a core, the web processes included (target under 0.2 %)");
    run(async {
        let prepared = Prepared::with(100);
        let studio = prepared.open().await;
        studio.click("rail-users").await;
        studio.find("user-row").await;
        row(&studio, "Users, gateway closed").await;
        studio.click("gateway-mark").await;
        studio.fill("gateway-port", &free_port().to_string()).await;
        studio.click_for("gateway-start", "gateway-stop").await;
        row(&studio, "Gateway, open").await;
        studio.click("rail-activity").await;
        studio.find("activity-entry").await;
        row(&studio, "Activity, gateway open").await;
        studio.quit().await;
    });
}

async fn row(studio: &Studio, name: &str) {
    tokio::time::sleep(REST).await;
    let (before, began) = (studio.cpu_time(), Instant::now());
    tokio::time::sleep(SPAN).await;
    let spent = studio.cpu_time().saturating_sub(before);
    let share = spent.as_secs_f64() / began.elapsed().as_secs_f64();
    println!("  {name:<34} {:>12.2} %", share * 100.0);
}
