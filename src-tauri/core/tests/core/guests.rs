//! Tests of accounts that end.

use latchkey_core::activity::EventData;
use latchkey_core::directory::{Command, Decision, DueAccounts, Effect, Outcome, User};
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::time::MAX_SECS;
use latchkey_core::verdict::Status;
use latchkey_core::{Error, ErrorCode};

use crate::ledger_model::{Model, START, ada};

const END: i64 = START + 1000;

fn bob() -> UserId {
    UserId::parse("bob", "id").unwrap()
}

fn add_bob(model: &mut Model) {
    let bob = NewUser {
        id: bob(),
        email: None,
        metadata: Metadata::default(),
    };
    model.execute(&Command::Add(bob.into()));
}

fn set_end(model: &mut Model, id: UserId, end: Option<i64>) -> Result<Decision, Error> {
    model.try_execute(&Command::SetAccountEnd(id, end))
}

/// Returns a directory in which the account of Ada ends at [`END`].
fn with_end() -> Model {
    let mut model = Model::new();
    set_end(&mut model, ada(), Some(END)).unwrap();
    model
}

/// Ends the accounts of these users that are due. Returns the decision and their number.
fn end_due(model: &mut Model, users: &[UserId]) -> (Decision, u64) {
    model.facts.due = Some(DueAccounts {
        at: model.now,
        count: users.len() as u64,
        first: users.to_vec(),
    });
    let decision = model.execute(&Command::EndDueAccounts);
    let Outcome::Count(ended) = decision.outcome else {
        panic!("{:?}", decision.outcome);
    };
    (decision, ended)
}

fn user<'a>(model: &'a Model, id: &UserId) -> &'a User {
    model.facts.user(id).unwrap()
}

#[test]
fn an_account_ends_at_its_time_with_its_sessions_and_frees_its_seat() {
    let mut model = with_end();
    model.now = END - 1;
    let (early, ended) = end_due(&mut model, &[ada()]);
    assert_eq!((early.effects.len(), early.entries.len(), ended), (0, 0, 0));
    assert_eq!(user(&model, &ada()).status, Status::Active);

    model.now = END;
    let change = model.facts.change;
    let (decision, ended) = end_due(&mut model, &[ada()]);
    assert_eq!(ended, 1);
    let ada_now = user(&model, &ada());
    assert_eq!(ada_now.status, Status::Ended);
    assert_eq!(ada_now.generation, change, "all sessions end");
    assert_eq!(model.facts.counts.active, 0);
    assert!(decision.effects.contains(&Effect::DropDue(ada(), END)));
    let [entry] = &decision.entries[..] else {
        panic!("{:?}", decision.entries);
    };
    assert!(entry.is_due);
    assert_eq!(entry.event.data, EventData::AccountEnded { ended_at: END });
    assert_eq!(entry.event.subject.as_deref(), Some("ada"));
}

#[test]
fn all_due_accounts_end_and_are_counted() {
    let mut model = with_end();
    add_bob(&mut model);
    set_end(&mut model, bob(), Some(END + 1)).unwrap();
    model.now = END + 1;
    let (decision, ended) = end_due(&mut model, &[ada(), bob()]);
    assert_eq!((ended, decision.entries.len()), (2, 2));
    assert_eq!(model.facts.counts.active, 0);
}

#[test]
fn an_account_ends_in_the_future_and_before_the_last_time() {
    for (end, is_possible) in [
        (START - 1, false),
        (START, false),
        (START + 1, true),
        (MAX_SECS, true),
        (MAX_SECS + 1, false),
    ] {
        let mut model = Model::new();
        let set = set_end(&mut model, ada(), Some(end));
        if is_possible {
            set.unwrap();
            assert_eq!(user(&model, &ada()).ends_at, Some(end));
        } else {
            let refused = set.unwrap_err();
            assert_eq!(refused.code, ErrorCode::InvalidTime, "{end}");
            assert_eq!(refused.field.as_deref(), Some("ends_at"));
            assert_eq!(user(&model, &ada()).ends_at, None);
        }
    }
}

#[test]
fn the_index_of_due_accounts_follows_the_end_of_an_account() {
    let mut model = with_end();
    let moved = set_end(&mut model, ada(), Some(END + 1)).unwrap();
    let of_index = |decision: &Decision| -> Vec<Effect> {
        let effects = decision.effects.iter();
        let is_of_index =
            |effect: &&Effect| matches!(effect, Effect::AddDue(..) | Effect::DropDue(..));
        effects.filter(is_of_index).cloned().collect()
    };
    let expected = [Effect::DropDue(ada(), END), Effect::AddDue(ada(), END + 1)];
    assert_eq!(of_index(&moved), expected);
    let removed = set_end(&mut model, ada(), None).unwrap();
    assert_eq!(of_index(&removed), [Effect::DropDue(ada(), END + 1)]);
}

#[test]
fn setting_the_end_that_an_account_has_changes_nothing_unless_the_account_has_ended() {
    let mut model = with_end();
    let same = set_end(&mut model, ada(), Some(END)).unwrap();
    assert_eq!((same.effects.len(), same.entries.len()), (0, 0));
    model.now = END;
    end_due(&mut model, &[ada()]);
    // The clock was ahead, so the end lies in the future again.
    model.now = START;
    set_end(&mut model, ada(), Some(END)).unwrap();
    assert_eq!(user(&model, &ada()).status, Status::Active);
    assert_eq!(model.facts.counts.active, 1);
}

#[test]
fn an_ended_account_is_extended_if_there_is_a_seat() {
    let mut model = with_end();
    model.execute(&Command::SetSeatLimit(Some(1)));
    model.now = END;
    end_due(&mut model, &[ada()]);
    add_bob(&mut model);
    let refused = set_end(&mut model, ada(), None).unwrap_err();
    assert_eq!(refused.code, ErrorCode::NoSeats);
    model.execute(&Command::Suspend(bob()));
    set_end(&mut model, ada(), None).unwrap();
    assert_eq!(user(&model, &ada()).status, Status::Active);
    assert_eq!(model.facts.counts.active, 1);
}

#[test]
fn an_account_that_is_due_and_not_ended_yet_is_extended_with_new_sessions() {
    let mut model = with_end();
    model.now = END;
    let before = user(&model, &ada()).generation;
    let decision = set_end(&mut model, ada(), Some(END + 1000)).unwrap();
    let codes: Vec<&EventData> = decision
        .entries
        .iter()
        .map(|entry| &entry.event.data)
        .collect();
    let set = EventData::AccountEndSet {
        ends_at: Some(END + 1000),
    };
    assert_eq!(codes, [&EventData::AccountEnded { ended_at: END }, &set]);
    let ada_now = user(&model, &ada());
    assert_eq!(ada_now.status, Status::Active);
    assert!(ada_now.generation > before, "the old sessions have ended");
    assert_eq!(model.facts.counts.active, 1);
}

#[test]
fn an_ended_account_is_extended_and_not_reactivated() {
    let mut model = with_end();
    model.now = END;
    end_due(&mut model, &[ada()]);
    let refused = model.try_execute(&Command::Reactivate(ada())).unwrap_err();
    assert_eq!(refused.code, ErrorCode::UserEnded);
    assert!(
        refused.message.contains("Extend it first."),
        "{}",
        refused.message
    );
}
