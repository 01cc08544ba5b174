//! Bench of visits and forward authentication per second, beside a bare handler and beside servers
//! as a developer would write them by hand. Each server runs in processes of its own and does the
//! same durable work: a visit is on the disk before its response.

use std::path::Path;

use crate::links::{self, NEW, USERS};
use crate::server::Server;
use crate::servers;
use crate::wrk::{self, Load};

/// Number of measurements of each server. The servers take turns, so that a disturbance affects all
/// of them alike.
const TURNS: usize = 5;

/// A server, and its load in each turn.
struct Asked<'a> {
    name: &'static str,
    ask: Box<dyn Fn(usize) -> Load + 'a>,
    loads: Vec<Load>,
}

impl<'a> Asked<'a> {
    fn new(name: &'static str, ask: impl Fn(usize) -> Load + 'a) -> Self {
        Self {
            name,
            ask: Box::new(ask),
            loads: Vec::new(),
        }
    }

    fn middle(&self, of: fn(&Load) -> f64) -> f64 {
        let mut values: Vec<f64> = self.loads.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }

    fn rate(&self) -> f64 {
        self.middle(|load| load.per_second)
    }

    fn print(&self) {
        println!(
            "  {:<40}{:>8.0} /s   p50 {:>7.2} ms   p99 {:>8.2} ms",
            self.name,
            self.rate(),
            self.middle(|load| load.p50_ms),
            self.middle(|load| load.p99_ms),
        );
    }
}

fn in_turns(all: &mut [Asked<'_>]) {
    for turn in 0..TURNS {
        for asked in &mut *all {
            let load = (asked.ask)(turn);
            asked.loads.push(load);
        }
    }
    for asked in all {
        asked.print();
    }
}

pub(crate) fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let existing = links::for_all(folder);
    let new: Vec<_> = (0..TURNS)
        .map(|turn| links::for_new(folder, turn))
        .collect();
    let bare = Server::own(&["child-bare"], 1);
    let gateway = Server::own(&["child-gateway", folder.to_str().unwrap()], 2);
    let baselines = servers::baselines();
    let others = baselines
        .as_deref()
        .map(|baselines| Others::start(baselines, folder));

    println!(
        "\nThe gateway under load, with {USERS} users; 32 connections, median of {TURNS} turns"
    );
    let visit = |server: &Server, script: &Path| wrk::load(&server.url("/"), None, Some(script));
    let mut asked = vec![
        // The handler gets the cookie, too, and ignores it.
        Asked::new("a bare axum handler", |_| {
            wrk::load(&bare.url("/"), Some(&gateway.said[1]), None)
        }),
        Asked::new("/auth/verify", |_| {
            wrk::load(&gateway.url("/auth/verify"), Some(&gateway.said[1]), None)
        }),
        Asked::new("visits: the gateway", |_| visit(&gateway, &existing)),
    ];
    if let Some(others) = &others {
        asked.extend([
            Asked::new("visits: Node, one process", |_| {
                visit(&others.node, &existing)
            }),
            Asked::new("visits: Node, cluster of two", |_| {
                visit(&others.cluster, &existing)
            }),
            Asked::new("visits: Django, four workers", |_| {
                visit(&others.django.0, &others.django.1)
            }),
        ]);
    }
    in_turns(&mut asked);
    let resident = [
        Some(gateway.resident_mb()),
        others.as_ref().map(|others| others.node.all_resident_mb()),
        others
            .as_ref()
            .map(|others| others.django.0.all_resident_mb()),
    ];

    let provision = |server: &Server, turn: usize| {
        let load = visit(server, &new[turn]);
        assert!(load.answered < NEW, "the links for new users ran out");
        load
    };
    let mut created = vec![Asked::new("creating users: the gateway", |turn| {
        provision(&gateway, turn)
    })];
    if let Some(others) = &others {
        created.extend([
            Asked::new("creating users: Node, one process", |turn| {
                provision(&others.node, turn)
            }),
            Asked::new("creating users: Node, cluster of two", |turn| {
                provision(&others.cluster, turn)
            }),
        ]);
    }
    in_turns(&mut created);

    println!();
    ratio(
        "/auth/verify to the bare handler",
        &asked[1],
        &asked[0],
        0.7,
    );
    if let [_, _, visits, node, cluster, django] = &asked[..] {
        let node = quicker(node, cluster);
        ratio("visits to the quicker of Node's", visits, node, 5.0);
        ratio("visits to Django's", visits, django, 20.0);
        let node = quicker(&created[1], &created[2]);
        ratio(
            "creating users to the quicker of Node's",
            &created[0],
            node,
            5.0,
        );
    } else {
        println!("  beside Node and Django: by `cargo xtask bench gateway`, which installs them");
    }
    println!(
        "  memory, MB: the gateway{:>25.1}   target 80 or less",
        resident[0].unwrap()
    );
    for (name, resident) in [("Node", resident[1]), ("Django", resident[2])] {
        if let Some(resident) = resident {
            println!("  memory, MB: {name:<12}{resident:>24.1}");
        }
    }
}

fn quicker<'a, 'b>(one: &'b Asked<'a>, other: &'b Asked<'a>) -> &'b Asked<'a> {
    if one.rate() > other.rate() {
        one
    } else {
        other
    }
}

fn ratio(name: &str, one: &Asked<'_>, other: &Asked<'_>, target: f64) {
    let ratio = one.rate() / other.rate();
    println!("  {name:<40}{ratio:>8.2}   target {target} or more");
}

/// The servers of others.
struct Others {
    node: Server,
    cluster: Server,
    django: (Server, std::path::PathBuf),
}

impl Others {
    fn start(baselines: &Path, folder: &Path) -> Self {
        Self {
            node: servers::node(baselines, folder, 1),
            cluster: servers::node(baselines, folder, 2),
            django: servers::django(baselines, folder),
        }
    }
}
