//! Test of changes that appear in the window by themselves.

use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::instance::Name;

use crate::prepared::Prepared;
use crate::run;

#[test]
fn a_change_by_another_process_appears_by_itself() {
    run(async {
        let prepared = Prepared::with(1);
        let studio = prepared.open().await;
        studio.click("rail-activity").await;
        studio.find("activity-entry").await;
        // Studio holds the directory, but another process may still change the settings.
        let by = AuditContext::new(Actor::CommandLine, Timestamp::now());
        let renamed = prepared.home.change(
            &prepared.instance.id,
            |settings| {
                settings.name = Name::parse("Practice")?;
                Ok(())
            },
            None,
            &by,
        );
        renamed.unwrap();
        studio
            .wait_for_text("instance-switcher", "the new name", |text| {
                text.contains("Practice")
            })
            .await;
        studio
            .wait_for_text("activity-entry", "who has changed it", |text| {
                text.contains("The command line")
            })
            .await;
        studio.quit().await;
    });
}
