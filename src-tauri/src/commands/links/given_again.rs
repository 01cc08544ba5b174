//! Giving a link of the ledger out again.

use latchkey_core::Result;
use latchkey_core::admin::Link;
use latchkey_core::directory::Directory;
use latchkey_core::error::Warning;
use latchkey_core::inspect::preview::{OUTLIVES_KEY, outlives_key};
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
/// its record. Also returns the warning about a link that works longer than its signing key.
pub(super) fn given_again<T>(
    studio: &Studio,
    id: &str,
    link: &str,
    given: GivenAs,
    form: impl FnOnce(&Composed, &Instance, &IssuedLink) -> Result<T>,
) -> Result<(T, Option<Warning>)> {
    let home = studio.home()?;
    let instance = home.instances().get(&InstanceId::parse(id)?)?;
    let ledger = studio.ledger(&home, &instance)?;
    if instance.connection.is_some() {
        let (listed, _) = find(&*ledger, link)?;
        let mut copied = home.copy_link_there(&instance, link, given, &now())?;
        let warning = warning_there(&mut copied);
        let formed = form(&copied.try_into()?, &instance, &listed.link)?;
        return Ok((formed, warning));
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
        let formed = form(composed, &instance, link)?;
        Ok((formed, outlives_key(composed, &keys)))
    });
    given.wait()
}

/// Takes the warning that a gateway gives about a link that works longer than its signing key.
pub(in crate::commands) fn warning_there(copied: &mut Link) -> Option<Warning> {
    let mut warnings = std::mem::take(&mut copied.warnings).into_iter();
    warnings.find(|warning| warning.code == OUTLIVES_KEY)
}

#[cfg(test)]
mod tests {
    use latchkey_core::instance::{Hosted, Name, Settings};
    use latchkey_core::ledger::TakenLink;
    use latchkey_core::link::BaseUrl;
    use latchkey_core::link::compose::{LinkSpec, compose};
    use latchkey_core::protocol::payload::{ExistingId, Payload};
    use latchkey_core::secret::{KeyRotation, Secret, SecretSource};
    use latchkey_store::keys::KeychainUse;

    use super::*;

    #[test]
    fn a_link_that_is_given_out_again_is_warned_of_if_it_works_longer_than_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let studio = Studio::new(Some(folder.path().to_owned()), KeychainUse::Never);
        let home = studio.home().unwrap();
        let passphrase = Secret::new("correct horse battery".to_owned());
        home.keys().create(&passphrase).unwrap();
        let url = BaseUrl::parse("https://chat.example").unwrap();
        let settings = Settings::new(Name::parse("Chat").unwrap(), url, Hosted::Here);
        let added = home.add(settings, SecretSource::Generate, &now()).unwrap();
        let key = home.signing_key(&added).unwrap();
        let made = |lifetime: &str| {
            let payload = Payload::Id(ExistingId::parse("ada", false).unwrap());
            let spec = LinkSpec::new(payload, lifetime.parse().unwrap());
            let made = compose(&added.settings.target(), &key, spec, now().at).unwrap();
            let taken = TakenLink::new(made.claims.clone(), key.id().map(str::to_owned));
            let ledger = studio.ledger(&home, &added).unwrap();
            ledger.take_link(taken, &now()).wait().unwrap();
            made.claims.registered.id.unwrap()
        };
        let (week, day) = (made("7 days"), made("1 day"));
        let warned = |link: &str| {
            let copied = given_again(
                &studio,
                added.id.as_str(),
                link,
                GivenAs::Link,
                |_, _, _| Ok(()),
            );
            copied.unwrap().1.map(|warning| warning.code)
        };
        assert_eq!(warned(&week), None, "its key does not retire");
        let rotation = KeyRotation {
            source: SecretSource::Generate,
            retire_after: Some("2d".parse().unwrap()),
        };
        home.rotate(&added.id, rotation, &now()).unwrap();
        assert_eq!(warned(&week).as_deref(), Some(OUTLIVES_KEY));
        assert_eq!(warned(&day), None);
    }
}
