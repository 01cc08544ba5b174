//! The order of links, cutoffs and removals, decided from facts.

use latchkey_core::directory::Command;
use latchkey_core::ledger::RevocationScope;

use crate::ledger_model::{Model, START, ada};

#[test]
fn links_of_one_second_are_in_the_order_in_which_they_were_given_out() {
    let mut model = Model::new();
    model.take("a", false);
    model.take("b", true);
    model.take("c", false);
    assert_eq!(model.verdict("a", START), "link_superseded");
    assert_eq!(model.verdict("b", START), "signed_in");
    model.revoke(RevocationScope::Person(ada()));
    model.take("d", false);
    for link in ["a", "b", "c"] {
        assert_eq!(model.verdict(link, START), "link_revoked", "{link}");
    }
    assert_eq!(model.verdict("d", START), "signed_in");
}

#[test]
fn a_link_that_is_given_out_again_supersedes_others_and_not_itself() {
    let mut model = Model::new();
    model.take("a", false);
    model.take("b", false);
    model.take("a", true);
    assert_eq!(model.verdict("a", START), "signed_in");
    assert_eq!(model.verdict("b", START), "link_superseded");
}

#[test]
fn a_scanned_link_that_is_copied_afterwards_supersedes_others_and_not_itself() {
    let mut model = Model::new();
    model.take("a", false);
    model.show("b");
    model.redeem("b", START);
    model.take("b", true);
    assert_eq!(model.verdict("a", START), "link_superseded");
    assert_eq!(model.verdict("b", START), "signed_in");
}

#[test]
fn a_link_that_was_taken_back_does_not_work_again_because_it_is_copied() {
    for supersedes in [false, true] {
        let mut model = Model::new();
        model.take("a", false);
        model.show("b");
        model.redeem("b", START);
        model.revoke(RevocationScope::Person(ada()));
        model.take("a", supersedes);
        model.take("b", supersedes);
        assert_eq!(model.verdict("a", START), "link_revoked");
        assert_eq!(model.verdict("b", START), "link_revoked");
    }
}

#[test]
fn a_link_that_was_shown_after_the_cutoff_of_its_person_works_at_once() {
    let mut model = Model::new();
    model.show("before");
    model.revoke(RevocationScope::Person(ada()));
    model.show("after");
    assert_eq!(model.verdict("before", START), "link_revoked");
    assert_eq!(model.verdict("after", START), "signed_in");
}

#[test]
fn a_link_that_was_shown_before_all_links_were_revoked_does_not_work() {
    let mut model = Model::new();
    model.execute(&Command::Remove(ada()));
    model.show("shown");
    assert_eq!(model.verdict("shown", START), "provisioned");
    model.revoke(RevocationScope::Before(START));
    assert_eq!(model.verdict("shown", START), "link_revoked");
}

#[test]
fn a_code_of_another_system_is_before_a_cutoff_unless_it_is_surely_later() {
    let mut model = Model::new();
    model.revoke(RevocationScope::Person(ada()));
    assert_eq!(model.verdict("other", START + 60), "link_revoked");
    assert_eq!(model.verdict("other", START + 61), "signed_in");
}

#[test]
fn a_clock_that_is_set_back_does_not_bring_a_revoked_link_back() {
    let mut model = Model::new();
    model.take("a", false);
    model.now = START - 86_400;
    model.revoke(RevocationScope::Person(ada()));
    model.take("b", false);
    assert_eq!(model.verdict("a", START), "link_revoked");
    assert_eq!(model.verdict("b", model.now), "signed_in");
}
