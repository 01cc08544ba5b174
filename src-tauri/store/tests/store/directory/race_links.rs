//! Proof: clients of another process that redeem a link at the same instant sign in exactly as often
//! as the link allows. Each client has connections of its own.

use std::sync::Barrier;
use std::thread;

use latchkey_core::directory::Directory;
use latchkey_core::instance::Policy;
use latchkey_core::ledger::LinkStatus;
use latchkey_core::protocol::code::VerifiedCode;
use latchkey_store::{RemoteDirectory, Wait as _};

use super::id;
use super::made_links::{made_for, take};
use super::remote::Served;
use super::tls::OverTls;
use crate::by;
use crate::signed::now;
use crate::soak::{figure, share};

const CLIENTS: usize = 32;

/// Redeems a code by all clients at the same instant. Returns the codes of their verdicts.
fn redeem_at_once(clients: &[RemoteDirectory], code: &VerifiedCode) -> Vec<&'static str> {
    let (instant, by) = (&Barrier::new(clients.len()), &by(now()));
    thread::scope(|scope| {
        let redeem = |client: &RemoteDirectory| {
            instant.wait();
            let redeemed = client.redeem(Ok(code), Policy::default(), by);
            redeemed.wait().unwrap().code()
        };
        let redemptions: Vec<_> = clients
            .iter()
            .map(|client| scope.spawn(move || redeem(client)))
            .collect();
        let verdicts = redemptions
            .into_iter()
            .map(|verdict| verdict.join().unwrap());
        verdicts.collect()
    })
}

fn race(clients: &[RemoteDirectory]) {
    let rounds = share(200);
    let mut redemptions = 0;
    for round in 0..rounds {
        for uses in [1, 3, 100] {
            let user = format!("user-{round}-{uses}");
            let link = made_for(&user, Some(uses));
            take(&clients[0], &link);
            let bursts = uses.div_ceil(CLIENTS as u64);
            let mut signed_in = 0;
            for verdict in (0..bursts).flat_map(|_| redeem_at_once(clients, &link.code)) {
                match verdict {
                    "provisioned" | "signed_in" => signed_in += 1,
                    "link_already_used" => {}
                    other => panic!("round {round}, {uses} uses: {other}"),
                }
                redemptions += 1;
            }
            assert_eq!(signed_in, uses, "round {round}");
            let found = clients[0].link(link.id(), now()).wait().unwrap();
            let (listed, _) = found.unwrap();
            assert_eq!(listed.link.used, uses, "round {round}");
            assert_eq!(listed.standing.status, LinkStatus::UsedUp);
            let user = clients[0].known_user(&id(&user)).wait().unwrap();
            assert_eq!(user.sign_ins, uses, "round {round}");
        }
    }
    figure("links with 1, 3 and 100 uses", 3 * rounds);
    figure("clients that redeem at the same instant", CLIENTS);
    figure("redemptions", redemptions);
    figure("sign-ins over or under the number of uses", 0);
}

#[test]
fn clients_of_the_local_socket_sign_in_exactly_as_often_as_a_link_allows() {
    let served = Served::begin();
    let clients: Vec<_> = (0..CLIENTS).map(|_| served.client()).collect();
    race(&clients);
}

#[test]
fn clients_over_tls_sign_in_exactly_as_often_as_a_link_allows() {
    let over_tls = OverTls::begin();
    let clients: Vec<_> = (0..CLIENTS).map(|_| over_tls.client()).collect();
    race(&clients);
}
