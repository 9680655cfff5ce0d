//! The two consumers of the documentation, killed at random while events arrive, on two servers of
//! which one is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use daicho_test_servers::faults::{count, seed};
use daicho_test_servers::shared;
use fastrand::Rng;
use serde_json::json;

use crate::connect::{Serving, free_address};
use crate::support::{Ran, Shop, command};

const PATIENCE: Duration = Duration::from_secs(200);
const WORKERS: usize = 3;
const CUSTOMERS: usize = 50;

/// Somebody who is killed with what it began.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // One that is gone already is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a test's consumers and servers share.
struct Market {
    shop: Shop,
    url: String,
    key: String,
    addresses: [String; 2],
}

impl Market {
    async fn open() -> Self {
        let shop = Shop::without_books();
        let url = shared().fresh_database().await;
        let market =
            Self { shop, url, key: String::new(), addresses: [free_address(), free_address()] };
        market.daicho(&["book", "create", "shop", "--shop", "software-market"]).exits(0);
        let create =
            ["key", "create", "--name", "x", "--actor", "system:x", "--role", "integration"];
        let made = market.daicho(&[&create[..], &["--output", "json"]].concat()).exits(0).json();
        let key = made["secret"].as_str().unwrap().to_owned();
        market.daicho(&["consumer", "create", "orders", "--ordered-by", "organisation"]).exits(0);
        Self { key, ..market }
    }

    fn daicho(&self, args: &[&str]) -> Ran {
        let mut command = command(args);
        command.env("DAICHO_DATABASE", &self.url).env("DAICHO_ALLOW_UNSAFE_SERVER", "true");
        command.output().unwrap().into()
    }

    fn serve(&self, which: usize) -> Serving {
        let mut command =
            command(&["serve", "--listen", &self.addresses[which], "--output", "json"]);
        command.env("DAICHO_DATABASE", &self.url).env("DAICHO_ALLOW_UNSAFE_SERVER", "true");
        Serving::of(command)
    }

    /// A consumer that asks one of the servers.
    fn consumer(&self, mut program: Command, which: usize, said: &str) -> Killed {
        let path = self.shop.path(said);
        let out = OpenOptions::new().create(true).append(true).open(path).unwrap();
        program.env("DAICHO_BOOKS", format!("http://{}/v1/books/shop", self.addresses[which]));
        program.env("DAICHO_KEY", &self.key).stdin(Stdio::null()).stdout(out);
        program.stderr(File::create(self.shop.path(&format!("{said}.err"))).unwrap());
        Killed(program.spawn().unwrap())
    }

    fn worker(&self, number: usize, which: usize) -> Killed {
        let examples = std::path::Path::new(env!("CARGO_BIN_EXE_daicho")).parent().unwrap();
        let program = examples.join("examples/worker");
        assert!(program.exists(), "it is built with all tests, or by `cargo build --examples`");
        let mut worker = Command::new(program);
        worker.arg(format!("w-{number}"));
        self.consumer(worker, which, &format!("worker-{number}"))
    }

    fn follower(&self, which: usize) -> Killed {
        let mut follower = Command::new("python3");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/follow.py");
        follower.arg(script).arg(self.shop.path("seen.db"));
        self.consumer(follower, which, "follower")
    }

    /// Members of fifty organisations register, one line a command.
    fn commands(&self, events: usize) -> std::path::PathBuf {
        let id = |kind: u32, number: usize| format!("01K{kind}{number:022}");
        let customers = (0..CUSTOMERS).map(|number| {
            let organisation = id(1, number);
            let data = json!({
                "organisation": organisation, "name": "A", "country": "Japan", "reference": null,
            });
            json!({ "actor": "staff:sato", "command": "organisation.register", "data": data })
        });
        let members = (0..events).map(|number| {
            let (member, organisation) = (id(2, number), id(1, number % CUSTOMERS));
            let data = json!({
                "member": member, "organisation": organisation, "name": "H", "role": "general",
                "origin": "shop 1",
            });
            json!({ "actor": "staff:sato", "command": "member.migrate", "data": data })
        });
        let lines: Vec<String> = customers.chain(members).map(|line| format!("{line}\n")).collect();
        let path = self.shop.path("commands.jsonl");
        std::fs::write(&path, lines.concat()).unwrap();
        path
    }

    /// What the workers have said of each event, each file in its order.
    fn handled(&self) -> Vec<(usize, u64)> {
        let mut handled = Vec::new();
        for number in 0..WORKERS {
            let text =
                std::fs::read_to_string(self.shop.path(&format!("worker-{number}"))).unwrap();
            // A line that a kill has cut off was not said.
            for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
                let position = line.split(' ').next().and_then(|text| text.parse().ok());
                handled.push((number, position.unwrap_or_else(|| panic!("{line}"))));
            }
        }
        handled
    }

    /// What consumers have said on standard error.
    fn errors(&self) -> String {
        let files = (0..WORKERS).map(|number| format!("worker-{number}.err"));
        let texts = files.chain(["follower.err".to_owned()]);
        texts.filter_map(|file| std::fs::read_to_string(self.shop.path(&file)).ok()).collect()
    }

    fn behind_by(&self) -> u64 {
        let state =
            self.daicho(&["consumer", "show", "orders", "--output", "json"]).exits(0).json();
        state["behind_by"].as_u64().unwrap()
    }

    /// The positions that the follower has seen.
    fn seen(&self) -> Vec<u64> {
        let mut sqlite = Command::new("sqlite3");
        sqlite.arg(self.shop.path("seen.db")).arg("SELECT position FROM seen ORDER BY position");
        let ran: Ran = sqlite.output().unwrap().into();
        ran.exits(0).out.lines().map(|line| line.parse().unwrap()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consumers_that_are_killed_handle_every_event_though_a_server_is_killed_too() {
    let market = Market::open().await;
    let (first, second) = (market.serve(0), market.serve(1));
    let events = count("events", 400, 20_000);
    let mut chance = Rng::with_seed(seed());
    let mut workers: Vec<Killed> = (0..WORKERS).map(|number| market.worker(number, 0)).collect();
    let mut follower = market.follower(1);
    let commands = market.commands(events);
    let mut writer = command(&["run", commands.to_str().unwrap()]);
    writer.env("DAICHO_DATABASE", &market.url).env("DAICHO_ALLOW_UNSAFE_SERVER", "true");
    let mut writer = writer.stdout(Stdio::null()).spawn().unwrap();
    let (kills, mut second) = (count("kills", 12, 200), Some(second));
    for kill in 1..=kills {
        std::thread::sleep(Duration::from_millis(chance.u64(100..600)));
        if kill == kills / 2 {
            drop(second.take());
        }
        let which = |chance: &mut Rng| if second.is_some() { chance.usize(..2) } else { 0 };
        // The old one first: two would write one file.
        if chance.u8(..4) > 0 {
            let victim = chance.usize(..WORKERS);
            drop(workers.remove(victim));
            workers.insert(victim, market.worker(victim, which(&mut chance)));
        } else {
            drop(follower);
            follower = market.follower(which(&mut chance));
        }
    }
    // Who still asks the server that is gone asks the other.
    workers.clear();
    workers.extend((0..WORKERS).map(|number| market.worker(number, 0)));
    drop(follower);
    let mut follower = market.follower(0);
    let began = Instant::now();
    let all = loop {
        std::thread::sleep(Duration::from_millis(200));
        assert!(began.elapsed() < PATIENCE, "they come to the end");
        for consumer in workers.iter_mut().chain([&mut follower]) {
            let ended = consumer.0.try_wait().unwrap();
            assert!(ended.is_none(), "a consumer ended by itself: {}", market.errors());
        }
        if writer.try_wait().unwrap().is_some() && market.behind_by() == 0 {
            let books = market.daicho(&["book", "list", "--output", "json"]).exits(0).json();
            let head = books[0]["events"].as_u64().unwrap();
            if market.seen().len() as u64 == head {
                break head;
            }
        }
    };
    assert!(writer.wait().unwrap().success());
    drop((workers, follower));
    let handled = market.handled();
    let once: BTreeSet<u64> = handled.iter().map(|(_, position)| *position).collect();
    assert_eq!(once, (1..=all).collect(), "each event at least once, none passed over");
    assert_eq!(market.seen(), (1..=all).collect::<Vec<_>>(), "and by the other exactly once");
    let mut of_worker: BTreeMap<usize, usize> = BTreeMap::new();
    handled.iter().for_each(|(worker, _)| *of_worker.entry(*worker).or_default() += 1);
    eprintln!("consumers: {kills} kills, {} repeats, {of_worker:?}", handled.len() - once.len());
    assert_eq!(first.ends_with("-TERM"), Some(0));
}
