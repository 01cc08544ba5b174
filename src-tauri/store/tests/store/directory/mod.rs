//! Tests of what every engine promises, and further tests of the embedded engine.

mod activity;
mod closing;
mod conformance;
mod copied;
mod damage;
mod emails;
mod embedded;
mod finding;
mod format_10;
mod format_4;
mod format_5;
mod format_6;
mod format_7;
mod format_8;
mod format_9;
mod formats_2_and_3;
mod guests;
mod kept;
mod kills;
mod ledger;
mod ledger_addresses;
mod ledger_clock;
mod ledger_finding;
mod ledger_revoking;
mod made_links;
mod million;
mod notices;
mod order;
mod race;
#[cfg(unix)]
mod race_links;
#[path = "../../../../../tests/random.rs"]
pub(crate) mod random;
mod records;
mod remote;
mod requests;
mod retained_links;
mod seats;
mod sessions;
mod sessions_of_links;
mod short_links;
pub(crate) mod snapshots;
#[cfg(unix)]
mod tls;
#[cfg(unix)]
mod tls_server;
mod transfers;
mod worded;

use std::sync::Arc;

use futures_util::future::join_all;
use jiff::Timestamp;
use latchkey_core::activity::AuditContext;
use latchkey_core::directory::{Command, Directory, Redemption};
use latchkey_core::instance::{Policy, Retention};
use latchkey_core::protocol::code::{CodeRefusal, VerifiedCode};
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::verdict::Verdict;
use latchkey_store::Wait as _;

use crate::signed::{judge, now};

fn id(text: &str) -> UserId {
    UserId::parse(text, "id").unwrap()
}

fn person(id: &str, email: Option<&str>) -> NewUser {
    NewUser {
        id: UserId::parse(id, "id").unwrap(),
        email: email.map(|email| Email::parse(email, "email").unwrap()),
        metadata: Metadata::default(),
    }
}

fn at(distance: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() + distance).unwrap()
}

/// Lets the clock go on for a day until a time, so that the retention believes it.
fn go_on_until(directory: &dyn Directory, second: i64) {
    let all = Retention {
        age: Lifetime::Never,
        refusals: u64::MAX,
        links: Lifetime::Never,
    };
    directory.prune(all, at(second - 86_400)).wait().unwrap();
}

/// Returns a verified code that was issued `issued` seconds from now.
fn code(payload: &str, issued: i64) -> VerifiedCode {
    let iat = now().as_second() + issued;
    judge(&format!(r#"{{{payload},"iat":{iat}}}"#)).unwrap()
}

fn code_without_iat(payload: &str) -> VerifiedCode {
    judge(&format!("{{{payload}}}")).unwrap()
}

fn new_user(id: &str) -> VerifiedCode {
    code(&format!(r#""user":{{"id":"{id}"}}"#), -60)
}

/// Redeems codes without sessions at the same time, so that they share one sync of the disk.
fn redeem_together(
    directory: &dyn Directory,
    codes: &[Result<VerifiedCode, CodeRefusal>],
    by: &AuditContext,
) -> Vec<Verdict> {
    let redeem = |code: &Result<VerifiedCode, CodeRefusal>| {
        let redemption = Arc::new(Redemption::new(code.as_ref(), Policy::default()));
        directory.execute(Command::Redeem(redemption), by)
    };
    let outcomes = join_all(codes.iter().map(redeem)).wait();
    let verdicts = outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap().verdict());
    verdicts.map(Result::unwrap).collect()
}
