//! Unsafe ground (fault test T20): each is refused by name with an exit code that says so, nothing
//! of the book is lost, and it is served again as soon as the ground is mended.

use std::path::{Path, PathBuf};
use std::process::Command;

use daicho_test_servers::PostgresServer;

use crate::faults::registrations;
use crate::market::{Market, checkpoint, psql};
use crate::support::{MAIN_ROAD, ROAD_EVENTS, Ran, Shop};

/// Every command that opens a book.
const OPENING: [&[&str]; 3] =
    [&["orders", "list"], &["verify"], &["projections", "rebuild", "orders"]];
const HOUR_SECONDS: i64 = 3_600;
/// What a file of a full disk holds: more than a new database's own tables, and not many events.
const DISK_KIB: u32 = 2_048;
/// Registrations that no such disk holds.
const TOO_MANY: usize = 6_000;

/// A server of its own with a book on it that went the main road.
struct Ground {
    server: PostgresServer,
    market: Market,
    checkpoint: String,
}

impl Ground {
    fn new() -> Self {
        Self::on(PostgresServer::private())
    }

    fn on(server: PostgresServer) -> Self {
        let market = Market::on(&server);
        market.daicho(&["book", "create", "shop"]).exits(0);
        let road = market.shop.path("road.jsonl");
        std::fs::write(&road, MAIN_ROAD).unwrap();
        market.daicho(&["run", road.to_str().unwrap()]).exits(0);
        let checkpoint = checkpoint(&market.daicho(&["verify"]).exits(0));
        Self { server, market, checkpoint }
    }

    /// Nothing that opens the book is done, and all of it says `why`.
    fn refuses(&self, exit: i32, why: &[&str]) {
        for args in OPENING {
            let refused = self.market.daicho(args).exits(exit);
            why.iter().for_each(|text| refused.complains(text));
            assert_eq!(refused.out, "", "nothing is answered");
        }
    }

    /// The book is as it was, and takes what is new.
    fn serves(&self) {
        let verified = self.market.daicho(&["verify", "--expect", &self.checkpoint]).exits(0);
        assert!(checkpoint(&verified).starts_with(&format!("{ROAD_EVENTS}:")));
        self.run(&registrations(1)).exits(0);
        self.market.daicho(&["verify"]).exits(0);
    }

    fn run(&self, lines: &str) -> Ran {
        let file = self.market.shop.path("lines.jsonl");
        std::fs::write(&file, lines).unwrap();
        self.market.daicho(&["run", file.to_str().unwrap()])
    }
}

#[test]
fn a_server_that_a_crash_makes_forget_is_refused_unless_it_is_allowed() {
    let ground = Ground::new();
    for setting in ["fsync", "full_page_writes"] {
        ground.server.restart_with(&[(setting, "off")]);
        ground.refuses(1, &[&format!("{setting} off"), "--allow-unsafe-server"]);
        let creating = ["book", "create", "other", "--shop", "telecom-shop"];
        ground.market.daicho(&creating).exits(1).complains(&format!("{setting} off"));
        let allowed = ["--allow-unsafe-server", "verify", "--expect", &ground.checkpoint];
        ground.market.daicho(&allowed).exits(0);
    }
    ground.server.restart_with(&[]);
    ground.serves();
}

#[test]
fn a_server_that_is_down_is_named_and_the_book_is_there_when_it_is_back() {
    let ground = Ground::new();
    ground.server.stop_immediate();
    ground.refuses(1, &["Connection refused"]);
    ground.server.start_again();
    ground.serves();
}

#[test]
fn a_standby_is_refused() {
    let ground = Ground::new();
    ground.server.restart_as_standby();
    ground.refuses(1, &["is a read-only standby", "give the address of the primary"]);
}

#[test]
fn a_full_disk_fails_what_does_not_fit_and_keeps_all_that_was_acknowledged() {
    // Given a book on a disk that has become full
    let ground = Ground::on(PostgresServer::of_small_files());
    ground.server.restart_with_files_up_to(DISK_KIB);
    // When more is recorded than fits
    let lines = registrations(TOO_MANY);
    let stopped = ground.run(&lines).exits(1);
    stopped.complains("the lines after it were not run");
    let mut acknowledged = stopped.json_lines();
    let failed = acknowledged.pop().unwrap().to_string();
    assert!(failed.contains("could not extend file"), "{failed}");
    assert!(acknowledged.len() > 100 && acknowledged.len() < TOO_MANY, "{}", acknowledged.len());
    // Then it can still be read, and says so again
    ground.market.daicho(&["verify", "--expect", &ground.checkpoint]).exits(0);
    ground.run(&lines).exits(1).says("could not extend file");
    // And when there is space again, every answer stands and the rest is taken
    ground.server.restart_with(&[]);
    let answers = ground.run(&lines).exits(0).json_lines();
    assert_eq!(answers.len(), TOO_MANY);
    for (before, after) in acknowledged.iter().zip(&answers) {
        assert_eq!(
            (&before["request"], &before["positions"]),
            (&after["request"], &after["positions"])
        );
        assert_eq!(after["repeated"], true);
    }
    let verified = ground.market.daicho(&["verify"]).exits(0);
    let events = ROAD_EVENTS + TOO_MANY as u64;
    assert!(
        checkpoint(&verified).starts_with(&format!("{events}:")),
        "each request has one effect"
    );
}

#[test]
fn a_record_of_a_later_release_is_refused_and_left_as_it_is() {
    let ground = Ground::new();
    psql(&ground.market.url, "UPDATE shop.meta SET schema_version = 2").exits(0);
    ground.refuses(1, &["the record has schema 2", "use a later release"]);
    let events = psql(&ground.market.url, "SELECT 'events', count(*) FROM shop.log").exits(0);
    events.says(&ROAD_EVENTS.to_string());
}

#[test]
fn a_database_in_another_encoding_takes_no_book() {
    let ground = Ground::new();
    let create = "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0";
    psql(&ground.market.url, create).exits(0);
    let (front, _) = ground.market.url.rsplit_once('/').unwrap();
    let url = format!("{front}/ascii");
    let refused = ground.market.shop.daicho(&["--database", &url, "book", "create", "shop"]);
    refused.exits(1).complains("SQL_ASCII");
    let books = psql(&url, "SELECT 'schemas', count(*) FROM pg_namespace WHERE nspname = 'shop'");
    books.says("schemas  |     0");
}

#[test]
fn a_role_that_lost_a_right_is_told_which_and_serves_when_it_has_it_again() {
    let ground = Ground::new();
    let (front, database) = ground.market.url.rsplit_once('/').unwrap();
    let place = front.rsplit_once('@').unwrap().1;
    let url = format!("postgres://clerk:of-the-clerk@{place}/{database}");
    psql(&ground.market.url, "CREATE ROLE clerk LOGIN PASSWORD 'of-the-clerk'").exits(0);
    ground.market.daicho(&["book", "grant", "shop", "clerk", "--vault"]).exits(0);
    psql(&ground.market.url, "REVOKE INSERT ON shop.log FROM clerk").exits(0);
    let list = ["--database", &url, "orders", "list"];
    let refused = ground.market.shop.daicho(&list).exits(1);
    refused.complains("the role clerk cannot use the book, it lacks INSERT on shop.log");
    let wrong = url.replace("of-the-clerk", "of-another");
    let refused = ground.market.shop.daicho(&["--database", &wrong, "orders", "list"]).exits(1);
    refused.complains("password authentication failed");
    ground.market.daicho(&["book", "grant", "shop", "clerk", "--vault"]).exits(0);
    ground.market.shop.daicho(&list).exits(0);
    ground.serves();
}

/// The shim that sets a program's clock off, compiled by the compiler that links every test.
fn clock_shim(folder: &Path) -> PathBuf {
    let shim = folder.join("clock_off.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/clock_off.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(&shim).args([source, "-ldl"]);
    let compiled = compiler.output().expect("the C compiler is installed (Debian: gcc)");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    shim
}

#[test]
fn a_node_whose_clock_is_an_hour_off_is_refused_on_a_server_and_behind_its_own_record() {
    let ground = Ground::new();
    let in_folder = Shop::after_the_main_road();
    let shim = clock_shim(&ground.market.shop.path(""));
    let off = |mut command: Command, seconds: i64| -> Ran {
        command.env("LD_PRELOAD", &shim).env("CLOCK_OFF_SECONDS", seconds.to_string());
        command.output().unwrap().into()
    };
    let on_server = || ground.market.command(&["orders", "list"]);
    for seconds in [HOUR_SECONDS, -HOUR_SECONDS] {
        let refused = off(on_server(), seconds).exits(1);
        refused.complains("clock_skew: the clock is");
        refused.complains("off the database's");
    }
    off(on_server(), 1).exits(0);
    ground.serves();
    // A folder has no other clock than the last event.
    let refused = off(in_folder.command(&["orders", "list"]), -HOUR_SECONDS).exits(1);
    refused.complains("behind the last event");
    in_folder.daicho(&["verify"]).exits(0);
}
