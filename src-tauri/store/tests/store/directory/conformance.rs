//! Suite of tests that every engine must pass. `conformance_tests!` declares them for an engine.

use latchkey_core::ErrorCode;
use latchkey_core::directory::{Directory, Origin};
use latchkey_core::instance::Policy;
use latchkey_core::protocol::code::{CodeRefusal, VerifiedCode};
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::verdict::Status;
use latchkey_store::Wait as _;

use super::{at, code, id, new_user, person};
use crate::signed::{judge, now};
use crate::{by, revoke_link};

/// Declares a test for each rule about what administrators do, which every engine must pass.
/// `$empty` is a function that returns a directory without users, or a value that dereferences to
/// one.
macro_rules! administration_tests {
    ($empty:path) => {
        use $crate::directory::{
            activity, conformance, emails, finding, guests, ledger, ledger_addresses, ledger_clock,
            ledger_finding, ledger_revoking, order, seats, snapshots, transfers,
        };

        $crate::directory::conformance::rules! { $empty:
            conformance {
                a_new_user_is_created_once_and_signed_in_again;
                a_refusal_and_a_dry_run_change_nothing;
                an_email_is_the_same_in_any_case_and_belongs_to_one_user;
                a_newer_code_refreshes_the_profile;
                a_removed_user_comes_back_only_by_a_newer_code;
                a_single_use_code_is_used_up_and_a_revoked_one_refused;
                look_alikes_are_kept_apart_and_long_ids_kept;
                a_missing_user_is_reported_as_unknown;
                the_largest_profile_is_kept_and_a_larger_one_refused;
            }
            seats {
                seats_are_taken_freed_and_never_given_twice;
                an_import_adds_all_or_none;
            }
            finding {
                every_query_is_answered_whole_and_in_order;
                a_search_looks_at_ids_addresses_and_names;
                a_changed_user_is_found_as_it_is_now;
                pages_stay_consistent_while_users_are_added_and_removed;
                a_page_begins_at_the_requested_row;
                nobody_is_found_in_an_empty_directory;
            }
            activity {
                every_change_is_recorded_once;
                a_command_that_changes_nothing_is_not_recorded;
                an_entry_says_who_when_and_from_where;
                entries_are_found_by_their_text;
                pages_follow_each_other_without_gaps;
                an_entry_is_found_behind_20_000_of_others;
                an_act_on_the_settings_is_recorded_once;
                a_profile_is_edited_and_older_codes_do_not_undo_it;
            }
            transfers {
                people_and_addresses_are_looked_up_together;
                an_import_does_what_its_plan_says;
                an_imported_user_is_found_in_the_activity;
                an_import_takes_only_free_seats;
                an_import_notices_what_changed_after_its_plan;
                an_edit_of_a_seen_profile_is_refused_after_another_change;
                an_import_of_many_rows_is_whole;
                an_export_restores_every_profile;
            }
            emails {
                an_address_that_looks_the_same_signs_nobody_else_in;
                an_address_is_found_in_any_spelling_of_its_domain;
            }
            order {
                a_code_that_is_dated_ahead_does_not_outlive_a_removal;
                a_code_from_before_a_removal_stays_refused_if_a_user_has_the_id_again;
                a_code_for_an_address_does_not_sign_in_its_next_user;
                a_code_without_iat_is_refused_after_a_removal;
                a_removal_by_a_clock_that_is_behind_counts;
                a_link_that_latchkey_makes_for_an_id_or_address_that_was_given_again_works_at_once;
                a_link_that_latchkey_makes_after_a_removal_works_at_once;
                a_link_that_was_made_while_another_process_held_the_directory_works;
                an_edit_is_not_undone_by_a_code_that_is_dated_ahead;
                a_link_that_latchkey_makes_after_an_edit_refreshes_the_profile;
                a_removal_in_the_future_is_reported_and_corrected;
                a_profile_in_the_future_is_reported_and_corrected;
            }
            ledger {
                a_link_that_is_given_out_is_in_the_ledger_with_its_claims;
                a_link_that_is_given_out_again_keeps_its_first_entry;
                links_are_found_and_counted_by_their_state;
                each_sign_in_by_a_link_is_noted;
                a_link_works_as_often_as_its_code_says;
                redemptions_at_the_same_instant_use_a_link_exactly_as_often_as_it_allows;
                a_code_of_another_system_enters_when_it_is_first_redeemed;
                a_link_that_was_scanned_from_the_screen_is_marked_so;
                a_removed_user_is_forgotten_by_the_ledger;
                a_link_has_one_short_link;
            }
            ledger_revoking {
                a_revoked_link_signs_nobody_in_and_others_do;
                all_links_of_a_person_are_revoked_together;
                links_before_a_moment_are_revoked_together;
                links_of_a_key_are_revoked_together;
                a_newer_link_replaces_the_older_ones_of_its_person;
                a_link_that_had_ended_stays_so_when_it_is_revoked_later;
                links_of_a_removed_user_count_as_revoked_and_later_ones_work;
                revoking_the_links_of_nobody_is_an_error;
                links_of_a_retired_key_count_as_revoked_from_its_date;
            }
            ledger_addresses {
                links_for_an_address_that_nobody_has_are_found_and_revoked_by_it;
                links_for_an_address_follow_the_cutoffs_of_the_user_who_gets_it;
                links_for_an_address_of_a_known_person_are_listed_as_they_open;
                links_for_an_address_stay_with_the_user_who_gives_it_up;
            }
            ledger_clock {
                the_order_of_links_within_one_second_is_known;
                a_clock_that_is_set_back_changes_no_order_of_links;
                cutoffs_of_a_clock_that_was_ahead_are_corrected;
                a_revocation_of_all_links_in_the_future_is_reported_without_users;
            }
            ledger_finding {
                links_of_one_second_are_listed_in_the_order_of_their_entry;
                links_are_sorted_in_each_order;
                links_are_found_by_all_their_texts;
                pages_of_links_stay_consistent_while_links_are_given_out;
            }
            guests {
                an_account_ends_at_its_time_and_not_before;
                an_account_ends_days_after_its_first_sign_in;
                a_link_whose_account_would_be_over_creates_nobody;
                a_returning_user_keeps_the_end_that_is_set;
                a_due_account_frees_its_seat_in_the_change_that_needs_it;
                every_change_that_takes_a_seat_ends_due_accounts;
                an_ended_account_is_extended_if_a_seat_is_free;
                a_user_who_takes_the_only_seat_can_be_extended_at_the_end;
                a_suspended_account_that_has_ended_is_extended_before_it_is_reactivated;
                a_guest_who_is_removed_frees_one_seat;
            }
            snapshots {
                a_snapshot_has_every_row_of_the_moment_when_it_began;
                two_snapshots_are_read_at_once;
            }
        }
    };
}
pub(super) use administration_tests;

/// Declares a test for each rule of the suite, also those about sessions, which an engine must pass
/// if a gateway may run over it.
macro_rules! conformance_tests {
    ($empty:path) => {
        use $crate::directory::{sessions, sessions_of_links};

        $crate::directory::conformance::administration_tests!($empty);
        $crate::directory::conformance::rules! { $empty:
            sessions {
                a_session_is_a_record_of_the_sign_in;
                a_refusal_begins_no_session;
                signing_out_ends_one_session_only;
                one_session_of_a_user_is_ended_by_its_name;
                sessions_are_listed_in_pages_the_latest_first;
                only_sessions_that_work_are_listed;
                sessions_end_when_their_user_is_signed_out_suspended_or_removed;
                a_user_who_is_removed_and_added_in_one_second_is_another_user;
                a_new_session_replaces_the_one_of_the_same_browser;
                the_last_use_is_written_at_most_every_five_minutes;
                expired_sessions_are_pruned;
            }
            sessions_of_links {
                the_browser_that_used_a_link_may_repeat_it_for_thirty_seconds;
                sessions_end_with_a_revoked_link_only_by_choice;
                sessions_end_with_links_that_were_issued_before_a_moment;
                sessions_of_a_replaced_link_go_on;
            }
            guests {
                sessions_end_with_the_account_for_ever;
            }
        }

        #[test]
        fn codes_that_are_redeemed_together_have_the_same_verdicts_as_one_by_one() {
            seats::codes_that_are_redeemed_together_have_the_same_verdicts_as_one_by_one(
                &*$empty(),
                &*$empty(),
            );
        }
    };
}
pub(super) use conformance_tests;

/// Declares a test for each of the named rules.
macro_rules! rules {
    ($empty:path: $($module:ident { $($rule:ident;)* })*) => {
        $($(
            #[test]
            fn $rule() {
                $module::$rule(&*$empty());
            }
        )*)*
    };
}
pub(super) use rules;

pub(super) fn redeem(directory: &dyn Directory, code: &VerifiedCode) -> &'static str {
    let verdict = directory
        .redeem(Ok(code), Policy::default(), &by(now()))
        .wait()
        .unwrap();
    verdict.code()
}

pub(super) fn a_new_user_is_created_once_and_signed_in_again(directory: &dyn Directory) {
    assert_eq!(redeem(directory, &new_user("ada")), "provisioned");
    assert_eq!(redeem(directory, &new_user("ada")), "signed_in");
    assert_eq!(redeem(directory, &code(r#""id":"ada""#, -60)), "signed_in");
    let ada = directory.user(&id("ada")).wait().unwrap().unwrap();
    assert_eq!((ada.origin, ada.status), (Origin::Link, Status::Active));
    assert_eq!(
        (ada.sign_ins, ada.last_sign_in),
        (3, Some(now().as_second()))
    );
    assert_eq!(
        (
            directory.count().wait().unwrap(),
            directory.seats(now()).wait().unwrap().used
        ),
        (1, 1)
    );
}

pub(super) fn a_refusal_and_a_dry_run_change_nothing(directory: &dyn Directory) {
    let refused = CodeRefusal::BadSignature;
    let verdict = directory
        .redeem(Err(&refused), Policy::default(), &by(now()))
        .wait()
        .unwrap();
    assert_eq!(verdict.code(), "bad_signature");
    assert_eq!(
        redeem(directory, &code(r#""email":"a@b.cd""#, -60)),
        "unknown_user"
    );
    let dry = directory
        .dry_run(Ok(&new_user("ada")), Policy::default())
        .wait()
        .unwrap();
    assert_eq!(dry.code(), "provisioned");
    assert_eq!(directory.count().wait().unwrap(), 0);
    assert!(directory.user(&id("ada")).wait().unwrap().is_none());
}

pub(super) fn an_email_is_the_same_in_any_case_and_belongs_to_one_user(directory: &dyn Directory) {
    directory
        .add(&person("ada", Some("Ada@Example.com")), &by(now()))
        .wait()
        .unwrap();
    assert_eq!(
        redeem(directory, &code(r#""email":"ADA@example.COM""#, -60)),
        "signed_in"
    );
    let found = directory
        .user_by_email(&Email::parse("ada@example.com", "email").unwrap())
        .wait();
    assert_eq!(
        found.unwrap().unwrap().email.unwrap().as_str(),
        "Ada@Example.com"
    );
    let theirs = code(r#""user":{"id":"eve","email":"aDa@example.com"}"#, -60);
    assert_eq!(redeem(directory, &theirs), "email_in_use");
    let refused = directory
        .add(&person("eve", Some("ADA@EXAMPLE.COM")), &by(now()))
        .wait()
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::EmailInUse);
    let refused = directory
        .add(&person("ada", None), &by(now()))
        .wait()
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::UserExists);
    assert_eq!(directory.count().wait().unwrap(), 1);
    directory.remove(&id("ada"), &by(at(-121))).wait().unwrap();
    assert_eq!(
        redeem(directory, &theirs),
        "provisioned",
        "the address is free again"
    );
}

pub(super) fn a_newer_code_refreshes_the_profile(directory: &dyn Directory) {
    let with = |email: &str, team: &str, issued| {
        code(
            &format!(r#""user":{{"id":"ada","email":"{email}","team":"{team}"}}"#),
            issued,
        )
    };
    redeem(directory, &with("old@b.cd", "one", -50));
    assert_eq!(
        redeem(directory, &with("older@b.cd", "zero", -55)),
        "signed_in"
    );
    let ada = directory.user(&id("ada")).wait().unwrap().unwrap();
    assert_eq!(
        ada.email.unwrap().as_str(),
        "old@b.cd",
        "an older code changes nothing"
    );
    redeem(directory, &with("new@b.cd", "two", -45));
    let ada = directory.user(&id("ada")).wait().unwrap().unwrap();
    assert_eq!(ada.email.unwrap().as_str(), "new@b.cd");
    assert_eq!(ada.metadata.json(), r#"{"team":"two"}"#);
    assert_eq!(
        redeem(directory, &code(r#""email":"old@b.cd""#, -40)),
        "unknown_user"
    );
    assert_eq!(
        redeem(directory, &code(r#""email":"new@b.cd""#, -40)),
        "signed_in"
    );
    redeem(directory, &code(r#""user":{"id":"ada"}"#, -35));
    let ada = directory.user(&id("ada")).wait().unwrap().unwrap();
    assert_eq!(
        ada.metadata.json(),
        r#"{"team":"two"}"#,
        "what a code leaves out stays"
    );
}

pub(super) fn a_removed_user_comes_back_only_by_a_newer_code(directory: &dyn Directory) {
    let earlier = by(at(-100));
    let redeemed = directory
        .redeem(Ok(&new_user("ada")), Policy::default(), &earlier)
        .wait();
    assert_eq!(redeemed.unwrap().code(), "provisioned");
    directory.remove(&id("ada"), &by(at(-90))).wait().unwrap();
    assert_eq!(redeem(directory, &new_user("ada")), "user_removed");
    assert_eq!(
        redeem(directory, &new_user("eve")),
        "provisioned",
        "that concerns nobody else"
    );
    assert_eq!(
        redeem(directory, &code(r#""id":"ada""#, -10)),
        "user_removed"
    );
    assert_eq!(
        redeem(directory, &code(r#""user":{"id":"ada"}"#, -30)),
        "user_removed",
        "a clock may be a minute ahead"
    );
    assert_eq!(
        redeem(directory, &code(r#""user":{"id":"ada"}"#, -29)),
        "provisioned"
    );
    assert_eq!(
        directory.user(&id("ada")).wait().unwrap().unwrap().sign_ins,
        1,
        "as a new user"
    );
}

pub(super) fn a_single_use_code_is_used_up_and_a_revoked_one_refused(directory: &dyn Directory) {
    let iat = now().as_second();
    let once = judge(&format!(
        r#"{{"user":{{"id":"ada"}},"jti":"x","single_use":true,"iat":{iat}}}"#
    ))
    .unwrap();
    assert_eq!(redeem(directory, &once), "provisioned");
    assert_eq!(redeem(directory, &once), "link_already_used");
    let often = judge(&format!(r#"{{"id":"ada","jti":"y","iat":{iat}}}"#)).unwrap();
    assert_eq!(redeem(directory, &often), "signed_in");
    revoke_link(directory, "y", now());
    assert_eq!(redeem(directory, &often), "link_revoked");
    let other = judge(&format!(
        r#"{{"id":"ada","jti":"z","single_use":true,"iat":{iat}}}"#
    ))
    .unwrap();
    assert_eq!(redeem(directory, &other), "signed_in", "another link works");
    assert_eq!(redeem(directory, &other), "link_already_used");
}

pub(super) fn look_alikes_are_kept_apart_and_long_ids_kept(directory: &dyn Directory) {
    let long = "x".repeat(255);
    for name in ["ada", "\u{430}da", "Ada", long.as_str(), "é", "e\u{301}"] {
        assert_eq!(redeem(directory, &new_user(name)), "provisioned", "{name}");
    }
    assert_eq!(directory.count().wait().unwrap(), 6);
    assert_eq!(
        redeem(directory, &code(r#""id":1234"#, -60)),
        "unknown_user"
    );
    redeem(directory, &new_user("1234"));
    assert_eq!(
        redeem(directory, &code(r#""id":1234"#, -60)),
        "signed_in",
        "a number is its text"
    );
}

pub(super) fn a_missing_user_is_reported_as_unknown(directory: &dyn Directory) {
    let ghost = id("ghost");
    for refused in [
        directory.suspend(&ghost, &by(now())).wait().unwrap_err(),
        directory.reactivate(&ghost, &by(now())).wait().unwrap_err(),
        directory.sign_out(&ghost, &by(now())).wait().unwrap_err(),
        directory.remove(&ghost, &by(now())).wait().unwrap_err(),
    ] {
        assert_eq!(refused.code, ErrorCode::UnknownUser);
        assert!(refused.message.contains("ghost"));
    }
}

pub(super) fn the_largest_profile_is_kept_and_a_larger_one_refused(directory: &dyn Directory) {
    let of = |bytes: usize| {
        let text = "x".repeat(bytes - r#"{"k":""}"#.len());
        Metadata::from_json(&format!(r#"{{"k":"{text}"}}"#), "metadata")
    };
    let user = NewUser {
        metadata: of(8 * 1024).unwrap(),
        ..person(&"i".repeat(255), Some("a@b.cd"))
    };
    directory.add(&user, &by(now())).wait().unwrap();
    let kept = directory.user(&user.id).wait().unwrap().unwrap();
    assert_eq!(kept.metadata.json().len(), 8 * 1024);
    directory.suspend(&user.id, &by(now())).wait().unwrap();
    assert_eq!(
        directory.user(&user.id).wait().unwrap().unwrap().metadata,
        user.metadata
    );
    // A larger profile cannot be created, so it can never be added.
    let refused = of(8 * 1024 + 1).unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidPayload);
    let refused = UserId::parse(&"i".repeat(256), "user.id").unwrap_err();
    assert_eq!(refused.field.as_deref(), Some("user.id"));
}
