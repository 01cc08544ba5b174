//! Suite of tests of links and their revocations in one second, and by a clock that was wrong.

use latchkey_core::directory::{self, Directory};
use latchkey_core::ledger::{RevocationScope, TakenLink};
use latchkey_store::Wait as _;

use super::made_links::{HOUR, give, made_at, redeem, revoke_at, take_at};
use super::{at, code, id, person};
use crate::by;

pub(super) fn the_order_of_links_within_one_second_is_known(directory: &dyn Directory) {
    let moment = at(-3);
    let before = made_at("ada", moment);
    take_at(directory, &before, moment);
    revoke_at(directory, RevocationScope::Person(id("ada")), false, moment);
    let after = made_at("ada", moment);
    take_at(directory, &after, moment);
    let shown = made_at("ada", moment);
    directory
        .link_shown(&shown.claims, &by(moment))
        .wait()
        .unwrap();
    assert_eq!(redeem(directory, &before.code), "link_revoked");
    assert_eq!(redeem(directory, &after.code), "provisioned");
    assert_eq!(redeem(directory, &shown.code), "signed_in");
    // The clock of another issuer may be a minute ahead.
    let foreign = code(r#""id":"ada""#, 50);
    assert_eq!(redeem(directory, &foreign), "link_revoked");
}

pub(super) fn a_clock_that_is_set_back_changes_no_order_of_links(directory: &dyn Directory) {
    let before = give(directory, "ada");
    // From here on, the clock is behind by an hour.
    let behind = at(-HOUR);
    revoke_at(directory, RevocationScope::Person(id("ada")), false, behind);
    let after = made_at("ada", behind);
    take_at(directory, &after, behind);
    assert_eq!(redeem(directory, &before.code), "link_revoked");
    assert_eq!(redeem(directory, &after.code), "provisioned");
    let newer = made_at("ada", at(-HOUR + 1));
    let taken = TakenLink {
        supersedes: true,
        ..newer.taken()
    };
    directory
        .take_link(taken, &by(at(-HOUR + 1)))
        .wait()
        .unwrap();
    assert_eq!(redeem(directory, &before.code), "link_revoked");
    assert_eq!(redeem(directory, &after.code), "link_superseded");
    assert_eq!(redeem(directory, &newer.code), "signed_in");
    let counts = directory.link_counts(at(0)).wait().unwrap();
    assert_eq!(
        (counts.revoked, counts.superseded, counts.in_use),
        (1, 1, 1)
    );
}

pub(super) fn cutoffs_of_a_clock_that_was_ahead_are_corrected(directory: &dyn Directory) {
    let ada = person("ada", None);
    directory.add(&ada, &by(at(-500))).wait().unwrap();
    let ahead = at(5_000);
    revoke_at(directory, RevocationScope::Person(id("ada")), false, ahead);
    revoke_at(
        directory,
        RevocationScope::Before(ahead.as_second()),
        false,
        ahead,
    );
    let foreign = code(r#""id":"ada""#, -10);
    assert_eq!(redeem(directory, &foreign), "link_revoked");
    let found = directory.times_ahead(at(-130)).wait().unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|time| (time.user.as_str(), time.is_cutoff))
        .collect();
    assert_eq!(found, [("ada", true)]);
    let notices = || directory::notices(directory, at(-130)).wait().unwrap();
    let said = notices();
    let said = said.first().unwrap();
    assert_eq!(said.code, "times_ahead");
    let expected = "recorded for ada and for the links of all users or of a signing key lie in";
    assert!(said.message.contains(expected), "{}", said.message);
    // The one of the instance is corrected, too.
    assert_eq!(directory.correct_times(&by(at(-130))).wait().unwrap(), 2);
    assert_eq!(redeem(directory, &foreign), "signed_in");
    assert!(directory.times_ahead(at(-130)).wait().unwrap().is_empty());
    assert!(notices().is_empty());
    assert_eq!(directory.correct_times(&by(at(-130))).wait().unwrap(), 0);
}

pub(super) fn a_revocation_of_all_links_in_the_future_is_reported_without_users(
    directory: &dyn Directory,
) {
    directory
        .add(&person("ada", None), &by(at(-500)))
        .wait()
        .unwrap();
    let ahead = at(5_000);
    let all = RevocationScope::Before(ahead.as_second());
    revoke_at(directory, all, false, ahead);
    let notices = || directory::notices(directory, at(-130)).wait().unwrap();
    let said = notices();
    let [said] = &said[..] else {
        panic!("{said:?}");
    };
    assert_eq!(said.code, "times_ahead");
    let expected = "recorded for the links of all users or of a signing key lie in the future";
    assert!(said.message.contains(expected), "{}", said.message);
    assert_eq!(directory.correct_times(&by(at(-130))).wait().unwrap(), 1);
    assert!(notices().is_empty());
}
