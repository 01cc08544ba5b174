//! Tests of decisions on random commands, without an engine. A model in memory has the state of the
//! directory. Each command is decided twice: from the whole model, and from the facts that it asks
//! for. After each command, invariants are checked.

mod commands;
mod model;
mod random;
mod rules;

use latchkey_core::activity::{Event, EventData};
use latchkey_core::directory::{Command, Newcomer};
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::NewUser;

use model::{Model, id};

const ROUNDS: u64 = 60;
const COMMANDS: usize = 250;

#[test]
fn every_decision_asks_for_what_it_depends_on_and_keeps_the_rules() {
    let (mut made, mut refused) = (0, 0);
    for seed in 0..ROUNDS {
        let mut model = Model::new(seed);
        for _ in 0..COMMANDS {
            // Sometimes the clock is put back, or was far ahead.
            model.now += match model.random.below(40) {
                0 => -90,
                1 if seed.is_multiple_of(5) => 4000,
                2 if seed.is_multiple_of(5) => -4000,
                _ => 7,
            };
            let (command, before) = (model.command(), model.facts.counts);
            match model.execute(&command) {
                Ok(decision) => {
                    made += 1;
                    model.check(&command, before, &decision);
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(
        made > 8_000 && refused > 500,
        "{made} made, {refused} refused"
    );
}

#[test]
fn each_imported_user_has_an_entry_of_their_own() {
    let mut model = Model::new(0);
    let users = ["ada", "bob"].map(|name| {
        Newcomer::from(NewUser {
            id: id(name),
            email: None,
            metadata: Metadata::default(),
        })
    });
    let decision = model.execute(&Command::Import(users.to_vec())).unwrap();
    let entries = decision.entries.into_iter().map(|entry| entry.event);
    let imported =
        |newcomer: &Newcomer| Event::from(EventData::Imported { users: 1 }).of(&newcomer.user.id);
    assert_eq!(entries.collect::<Vec<_>>(), users.each_ref().map(imported));
}
