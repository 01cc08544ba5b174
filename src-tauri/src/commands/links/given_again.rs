//! Giving a link of the ledger out again.

use latchkey_core::Result;
use latchkey_core::directory::Directory;
use latchkey_core::instance::{Instance, InstanceId};
use latchkey_core::ledger::{self, GivenAs, IssuedLink, ListedLink};
use latchkey_core::link::again::{Again, give_out};
use latchkey_core::link::compose::Composed;
use latchkey_core::protocol::claims::Claims;
use latchkey_store::Wait as _;

use crate::Studio;
use crate::studio::now;

pub(super) fn find(ledger: &dyn Directory, id: &str) -> Result<(ListedLink, Option<Claims>)> {
    ledger
        .link(id, now().at)
        .wait()?
        .ok_or_else(ledger::unknown_link)
}

/// Gives a link of the ledger out again, in the form that `form` makes of the link, its instance and
/// its record.
pub(super) fn given_again<T>(
    studio: &Studio,
    id: &str,
    link: &str,
    given: GivenAs,
    form: impl FnOnce(&Composed, &Instance, &IssuedLink) -> Result<T>,
) -> Result<T> {
    let home = studio.home()?;
    let instance = home.instances().get(&InstanceId::parse(id)?)?;
    let ledger = studio.ledger(&home, &instance)?;
    if instance.connection.is_some() {
        let (listed, _) = find(&*ledger, link)?;
        let composed = home
            .copy_link_there(&instance, link, given, &now())?
            .try_into()?;
        return form(&composed, &instance, &listed.link);
    }
    let by = now();
    let keys = home.key_set(&instance, by.at)?;
    let again = Again {
        id: link,
        given,
        target: &instance.settings.target(),
        keys: &keys.usable(by.at),
    };
    let given = give_out(&*ledger, again, &by, |composed, link| {
        form(composed, &instance, link)
    });
    given.wait()
}
