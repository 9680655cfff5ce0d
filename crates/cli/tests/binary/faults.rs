//! What the binary must survive: killed at any moment, beside other processes, and a record that
//! somebody altered behind its back with the `sqlite3` shell.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Command, Stdio};

use daicho_test_servers::faults;
use serde_json::{Value, json};

use crate::market::{Market, checkpoint as checkpoint_line};
use crate::support::{MAIN_ROAD, Ran, Shop, feed};

/// Kills of each kind (fault test T5), in each run of the tests and in `.ci/faults`.
const KILLS: (usize, usize) = (20, 2_000);
/// Kills amid the same lines, each further on.
const ROUND_KILLS: usize = 20;
const LINES: usize = 200;

/// Order lines of so many invoices, two rows each, not sorted; every tenth invoice came back.
fn order_lines(invoices: u32) -> String {
    let mut csv = String::from(
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n",
    );
    for line in 1..=2 {
        for invoice in 0..invoices {
            let customer = 100 + invoice % 7;
            let _ = writeln!(
                csv,
                "{},P{line},THING {line},{line},2011-0{}-15 10:00:00,1.25,{customer}.0,France",
                5_000 + invoice,
                1 + invoice % 9,
            );
        }
    }
    for invoice in (0..invoices).step_by(10) {
        let customer = 100 + invoice % 7;
        let _ = writeln!(
            csv,
            "C{},P1,THING 1,-1,2011-11-15 10:00:00,1.25,{customer}.0,France",
            5_000 + invoice
        );
    }
    csv
}

fn checkpoint(shop: &Shop) -> String {
    let verified = shop.daicho(&["verify", "--output", "json"]).exits(0).json();
    verified["checkpoint"].as_str().unwrap().to_owned()
}

pub(crate) fn registrations(count: usize) -> String {
    registrations_of("registration", count)
}

fn registrations_of(name: &str, count: usize) -> String {
    let mut lines = String::new();
    for number in 0..count {
        let command = json!({
            "request": format!("{name} {number}"), "actor": "staff:hanako",
            "command": "organisation.register", "data": { "name": format!("{name} {number}") },
        });
        let _ = writeln!(lines, "{command}");
    }
    lines
}

#[test]
fn a_run_that_is_killed_has_recorded_all_that_it_acknowledged() {
    let shop = Shop::after_the_main_road();
    kill_runs("a folder", |args| shop.command(args));
}

#[test]
fn a_run_on_a_server_that_is_killed_has_recorded_all_that_it_acknowledged() {
    let market = Market::new();
    market.daicho(&["book", "create", "shop"]).exits(0);
    feed(market.command(&["run", "-"]), MAIN_ROAD.as_bytes()).exits(0);
    kill_runs("a server", |args| market.command(args));
}

/// Kills `daicho run` while it answers, keeping a journal of what it acknowledged; afterwards each
/// request has that one answer, and one effect.
fn kill_runs(place: &str, command: impl Fn(&[&str]) -> Command) {
    let kills = faults::count(&format!("T5 kills of a run in {place}"), KILLS.0, KILLS.1);
    let mut recorded = crate::support::ROAD_EVENTS;
    for round in 0..kills.div_ceil(ROUND_KILLS) {
        let lines = registrations_of(&format!("registration {round}"), LINES);
        let mut acknowledged: Vec<(String, Value)> = Vec::new();
        for kill in 0..ROUND_KILLS {
            acknowledged.extend(answers_of_a_killed(command(&["run", "-"]), &lines, kill * 3 + 1));
        }
        let answers = feed(command(&["run", "-"]), lines.as_bytes()).exits(0).json_lines();
        for (request, positions) in acknowledged {
            let again = answers.iter().find(|answer| answer["request"] == *request).unwrap();
            assert_eq!(again["positions"], positions, "{request} has one answer for ever");
            assert_eq!(again["repeated"], true);
        }
        recorded += LINES as u64;
        let verified: Ran = command(&["verify"]).output().unwrap().into();
        let verified = checkpoint_line(&verified.exits(0));
        assert!(verified.starts_with(&format!("{recorded}:")), "each request has one effect");
    }
}

/// What a run has acknowledged when it is killed after so many answers, while it works on the next.
fn answers_of_a_killed(mut run: Command, lines: &str, answers: usize) -> Vec<(String, Value)> {
    let mut child = run.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), lines.as_bytes().to_vec());
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let told = BufReader::new(child.stdout.take().unwrap()).lines().take(answers);
    let acknowledged: Vec<(String, Value)> = told
        .map(|line| {
            let answer: Value = serde_json::from_str(&line.unwrap()).unwrap();
            (answer["request"].as_str().unwrap().to_owned(), answer["positions"].clone())
        })
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    let _ = writer.join().unwrap(); // the pipe broke
    assert_eq!(acknowledged.len(), answers);
    acknowledged
}

#[test]
fn an_import_that_is_killed_goes_on_where_it_stopped() {
    let shop = Shop::without_books();
    let file = shop.path("orders.csv");
    std::fs::write(&file, order_lines(200)).unwrap();
    let file = file.to_str().unwrap();
    let wal = shop.path("books/retail/record.db-wal");
    let import = ["import", "orders", file, "--book", "retail", "--output", "json"];
    let mut kills = 0;
    for kill in 0..faults::count("T5 kills of an import", KILLS.0, KILLS.0) {
        let mut command = shop.command(&import);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let grown = 60_000 * (kill as u64 + 1);
        // In the middle: when it has written so much, however fast the machine is.
        while std::fs::metadata(&wal).map_or(0, |file| file.len()) < grown {
            if child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::yield_now();
        }
        kills += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        if shop.path("books/retail/record.db").exists() {
            shop.daicho(&["verify", "--book", "retail"]).exits(0);
        }
    }
    assert!(kills > 0, "the import was killed before it ended at least once");
    let report = shop.daicho(&import).exits(0).json();
    assert_eq!(report["rows"], 420);
    let done = |name: &str| report[name].as_u64().unwrap();
    assert_eq!(done("recorded") + done("already_recorded"), 420);
    let list =
        shop.daicho(&["orders", "list", "--book", "retail", "--limit", "500", "--output", "json"]);
    assert_eq!(list.exits(0).json()["rows"].as_array().unwrap().len(), 200);
    shop.daicho(&["verify", "--book", "retail"]).exits(0);
}

#[test]
fn an_import_beside_a_run_in_another_process_completes_as_does_the_run() {
    let shop = Shop::after_the_main_road();
    let file = shop.path("orders.csv");
    // The main road's book is in yen: the import takes the prices in the book's currency.
    std::fs::write(&file, order_lines(60)).unwrap();
    let import = ["import", "orders", file.to_str().unwrap(), "--output", "json"];
    let importing = shop.command(&import).stdout(Stdio::piped()).spawn().unwrap();
    let answers = shop.run(registrations(150).as_bytes()).exits(0).json_lines();
    assert!(answers.iter().all(|answer| answer["repeated"] == false));
    let imported: crate::support::Ran = importing.wait_with_output().unwrap().into();
    assert_eq!(imported.exits(0).json()["recorded"], 126);
    shop.daicho(&["verify"]).exits(0);
}

#[test]
fn derived_state_that_was_removed_is_made_again_the_same() {
    let shop = Shop::after_the_main_road();
    let digests = |shop: &Shop| {
        let compared = shop.daicho(&["projections", "compare", "--output", "json"]).exits(0).json();
        let digest = |list: &Value| (list["list"].clone(), list["live"].clone());
        compared.as_array().unwrap().iter().map(digest).collect::<Vec<_>>()
    };
    let before = (checkpoint(&shop), digests(&shop));
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(shop.path(&format!("books/shop/derived.db{suffix}")));
    }
    assert_eq!((checkpoint(&shop), digests(&shop)), before);
}

/// Runs SQL on the record as somebody with the file in hands would.
fn tamper(shop: &Shop, sql: &str) {
    let triggers = "DROP TRIGGER log_is_never_updated; DROP TRIGGER log_is_never_deleted; \
                    DROP TRIGGER head_moves_forward_only;";
    let record = shop.path("books/shop/record.db");
    let output = Command::new("sqlite3")
        .arg(record)
        .arg(format!("{triggers} {sql}"))
        .output()
        .expect("the sqlite3 shell is installed (Debian: sqlite3)");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
fn found_at(sql: &str, position: u64) {
    let shop = Shop::after_the_main_road();
    tamper(&shop, sql);
    let verified = shop.daicho(&["verify"]).exits(4);
    verified.complains(&format!("event {position} was altered"));
}

#[test]
fn one_byte_of_a_data_that_was_changed_is_found() {
    found_at("UPDATE log SET data = data || ' ' WHERE position = 9;", 9);
}

#[test]
fn one_byte_of_an_envelope_that_was_changed_is_found() {
    found_at(
        "UPDATE log SET envelope = replace(envelope, 'staff:', 'stafg:') WHERE position = 1;",
        1,
    );
}

#[test]
fn a_row_that_was_deleted_is_found() {
    found_at("DELETE FROM log WHERE position = 7;", 7);
}

#[test]
fn two_rows_that_were_swapped_are_found() {
    let swap = "UPDATE log SET position = -1 WHERE position = 5; \
                UPDATE log SET position = 5 WHERE position = 8; \
                UPDATE log SET position = 8 WHERE position = -1;";
    found_at(swap, 5);
}

#[test]
fn a_tail_that_was_cut_is_found_by_the_head() {
    let first = crate::support::ROAD_EVENTS - 3;
    found_at(&format!("DELETE FROM log WHERE position >= {first};"), first);
}

#[test]
fn a_tail_that_was_cut_together_with_the_head_is_found_by_a_checkpoint_that_somebody_kept() {
    let shop = Shop::after_the_main_road();
    let head = "SELECT 'UPDATE head SET position = ' || position || ', frontier = ' || \
                quote(frontier) || ', recorded_at_us = ' || recorded_at_us FROM head";
    let record = shop.path("books/shop/record.db");
    let earlier = Command::new("sqlite3").arg(&record).arg(head).output().unwrap();
    let rewind = String::from_utf8(earlier.stdout).unwrap();
    shop.run(registrations(5).as_bytes()).exits(0);
    let kept = checkpoint(&shop);
    let end = crate::support::ROAD_EVENTS;
    tamper(&shop, &format!("DELETE FROM log WHERE position > {end}; {rewind};"));
    shop.daicho(&["verify"]).exits(0); // a shorter book, whole in itself
    let verified = shop.daicho(&["verify", "--expect", &kept]).exits(4);
    verified.complains(&format!("the book ends at {end}"));
}

#[test]
fn no_personal_value_stands_in_any_file_of_a_book_but_sealed() {
    let shop = Shop::after_the_main_road();
    let canaries = ["Canary Kaneko", "canary.kaneko@example.co.jp", "090-1234-5678"];
    let command = json!({
        "actor": "staff:hanako", "command": "member.request_registration",
        "data": {
            "organisation": crate::support::ORGANISATION, "role": "general",
            "name": canaries[0], "email": canaries[1], "phone": canaries[2],
        },
    });
    shop.run(format!("{command}\n").as_bytes()).exits(0);
    let list = shop.daicho(&["members", "list", "--output", "json"]).exits(0);
    list.says(canaries[0]); // opened on reading
    let mut files = 0;
    for entry in std::fs::read_dir(shop.path("books/shop")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        files += 1;
        for canary in canaries {
            let found = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
            assert!(!found, "{canary} stands in {}", path.display());
        }
    }
    assert!(files >= 3, "record, derived and vault were read");
    assert!(MAIN_ROAD.contains("member.request_registration"));
}
