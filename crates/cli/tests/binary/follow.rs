//! Following a book from outside: each event once, whoever ends in the midst of it.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use serde_json::Value;

use crate::support::{MAIN_ROAD, ROAD_EVENTS, Shop};

const FOLLOW: [&str; 4] = ["events", "follow", "--name", "crm"];
const UNTIL_HEAD: [&str; 5] = ["events", "follow", "--name", "crm", "--until-head"];

/// A process that follows, until it is asked to end.
struct Following {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Following {
    fn start(shop: &Shop, args: &[&str]) -> Self {
        let mut command = shop.command(args);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn next(&mut self) -> u64 {
        position(&serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap())
    }

    /// Asks it to end as a terminal or a supervisor does.
    fn end(mut self, signal: &str) -> (ExitStatus, usize) {
        let asked =
            Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status();
        assert!(asked.unwrap().success());
        let rest = self.lines.count();
        (self.child.wait().unwrap(), rest)
    }
}

fn position(event: &Value) -> u64 {
    event["envelope"]["position"].as_u64().unwrap()
}

fn positions(shop: &Shop, args: &[&str]) -> Vec<u64> {
    shop.daicho(args).exits(0).json_lines().iter().map(position).collect()
}

fn cursor_of(shop: &Shop, name: &str) -> Value {
    shop.daicho(&["events", "cursor", name, "--output", "json"]).exits(0).json()
}

#[test]
fn who_follows_gets_what_is_there_and_then_what_is_recorded_and_a_signal_ends_it() {
    let shop = Shop::empty();
    for (signal, round) in [("TERM", 0), ("INT", 1)] {
        let mut following = Following::start(&shop, &["events", "follow", "--after", "0"]);
        if round == 0 {
            shop.run(MAIN_ROAD.as_bytes()).exits(0);
        }
        let seen: Vec<u64> = (0..ROAD_EVENTS).map(|_| following.next()).collect();
        assert_eq!(seen, (1..=ROAD_EVENTS).collect::<Vec<_>>());
        let (ended, rest) = following.end(signal);
        assert_eq!((ended.code(), rest), (Some(0), 0), "{signal}");
    }
}

#[test]
fn under_a_name_each_run_goes_on_where_the_one_before_ended() {
    let shop = Shop::empty();
    let half = MAIN_ROAD.lines().count() / 2;
    let lines: Vec<&str> = MAIN_ROAD.lines().collect();
    shop.run(lines[..half].join("\n").as_bytes()).exits(0);
    let first = positions(&shop, &UNTIL_HEAD);
    assert_eq!(positions(&shop, &UNTIL_HEAD), [0; 0], "all of it is acknowledged");
    shop.run(lines[half..].join("\n").as_bytes()).exits(0);
    let cursor = cursor_of(&shop, "crm");
    assert_eq!(cursor["position"], first.len());
    assert_eq!(cursor["behind_by"], ROAD_EVENTS - first.len() as u64);
    let mut following = Following::start(&shop, &FOLLOW);
    let rest: Vec<u64> = (first.len() as u64..ROAD_EVENTS).map(|_| following.next()).collect();
    assert_eq!(following.end("TERM").0.code(), Some(0));
    assert_eq!([first, rest].concat(), (1..=ROAD_EVENTS).collect::<Vec<_>>());
    // A cursor that is there counts more than where a new one would begin.
    let args = [&UNTIL_HEAD[..], &["--after", "3"]].concat();
    assert_eq!(positions(&shop, &args), [0; 0]);
    assert_eq!(cursor_of(&shop, "crm")["behind_by"], 0);
}

#[test]
fn a_closed_pipe_ends_it_without_a_word_and_what_was_not_written_comes_again() {
    let shop = Shop::after_the_main_road();
    let mut child =
        shop.command(&FOLLOW).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(
        (ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()),
        (Some(0), "")
    );
    assert_eq!(cursor_of(&shop, "crm")["position"], 0);
    assert_eq!(positions(&shop, &UNTIL_HEAD), (1..=ROAD_EVENTS).collect::<Vec<_>>());
}

#[test]
fn a_signal_while_its_reader_is_slow_ends_it_in_order_and_what_was_taken_is_acknowledged() {
    let shop = Shop::without_books();
    // More than a pipe holds: it is still writing when the signal comes.
    shop.daicho(&["simulate", "--book", "shop", "--events", "300", "--seed", "3"]).exits(0);
    let mut following = Following::start(&shop, &FOLLOW);
    assert_eq!(following.next(), 1);
    let (ended, rest) = following.end("TERM");
    assert_eq!(ended.code(), Some(0));
    let taken = cursor_of(&shop, "crm")["position"].as_u64().unwrap();
    assert!(taken <= 1 + rest as u64, "{taken} acknowledged, {rest} more taken");
}

#[test]
fn only_what_was_asked_for_is_printed_and_the_rest_is_acknowledged_too() {
    let shop = Shop::after_the_main_road();
    let args = [&UNTIL_HEAD[..], &["--type", "order.placed"]].concat();
    assert_eq!(positions(&shop, &args).len(), 1);
    assert_eq!(cursor_of(&shop, "crm")["behind_by"], 0);
    let after = ["events", "follow", "--until-head", "--after", "19"];
    assert_eq!(positions(&shop, &after), [20, 21]);
    shop.daicho(&["events", "cursors"]).exits(0).says("crm");
}

#[test]
fn a_cursor_is_set_back_or_deleted_in_words_that_say_what_is_repeated() {
    let shop = Shop::after_the_main_road();
    shop.daicho(&["events", "cursors"]).exits(0).says("Nobody follows under a name");
    positions(&shop, &UNTIL_HEAD);
    let cursor = |rest: &[&str]| shop.daicho(&[&["events", "cursor", "crm"], rest].concat());
    cursor(&["--set", "19"]).exits(0).says("Its consumer gets events 20 to 21 again.");
    assert_eq!(positions(&shop, &UNTIL_HEAD), [20, 21]);
    cursor(&["--set", "3"]).exits(0);
    cursor(&["--set", "5"]).exits(0).says("never gets events 4 to 5");
    cursor(&["--delete"]).exits(0).says("It is deleted");
    assert_eq!(positions(&shop, &UNTIL_HEAD).len() as u64, ROAD_EVENTS);
}

#[test]
fn what_no_cursor_can_be_is_said_with_the_rule_and_the_way_out() {
    let shop = Shop::after_the_main_road();
    positions(&shop, &UNTIL_HEAD);
    let refused = |args: &[&str], complaint: &str| {
        shop.daicho(args).exits(2).complains(complaint);
    };
    refused(&["events", "follow", "--name", "Kunde 1"], "1 to 64 lower-case letters");
    refused(&["events", "follow", "--after", "22"], "the book ends at 21");
    refused(&["events", "cursor", "erp"], "there is no cursor `erp`: there are crm");
    refused(&["events", "cursor", "erp", "--delete"], "there is no cursor `erp`");
    refused(&["events", "cursor", "crm", "--set", "22"], "the book ends at 21");
    refused(&["events", "cursor", "crm", "--set", "1", "--delete"], "cannot be used with");
}

#[test]
fn a_cursor_that_is_taken_away_ends_who_follows_under_it_with_the_reason() {
    let shop = Shop::empty();
    let mut command = shop.command(&FOLLOW);
    let mut old = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It has begun when its cursor is there.
    while shop.daicho(&["events", "cursor", "crm"]).exit != 0 {}
    shop.daicho(&["events", "cursor", "crm", "--delete"]).exits(0);
    shop.run(MAIN_ROAD.as_bytes());
    let ended = old.wait().unwrap();
    let said = std::io::read_to_string(old.stderr.take().unwrap()).unwrap();
    assert_eq!(ended.code(), Some(1), "{said}");
    assert!(said.contains("cursor crm was deleted while its consumer followed"), "{said}");
}

#[test]
fn the_cursors_go_along_when_a_book_is_copied_and_never_back() {
    let shop = Shop::after_the_main_road();
    positions(&shop, &UNTIL_HEAD);
    let elsewhere = shop.path("elsewhere");
    let elsewhere = elsewhere.to_str().unwrap();
    let copy = ["book", "copy", "shop", "--to-data", elsewhere];
    shop.daicho(&copy).exits(0);
    let there = ["--data", elsewhere];
    assert_eq!(positions(&shop, &[&UNTIL_HEAD[..], &there].concat()), [0; 0]);
    shop.daicho(&["events", "cursor", "crm", "--set", "5"]).exits(0);
    shop.daicho(&copy).exits(0);
    assert_eq!(positions(&shop, &[&UNTIL_HEAD[..], &there].concat()), [0; 0]);
}

#[test]
fn a_list_is_read_with_what_another_process_was_answered_or_not_at_all() {
    let shop = Shop::after_the_main_road();
    let list = |position: &str| {
        let args = ["orders", "list", "--output", "json", "--wait-for", position];
        shop.daicho(&args)
    };
    let page = list(&ROAD_EVENTS.to_string()).exits(0).json();
    assert_eq!(
        (&page["known_at"], &page["rows"][0]["status"]),
        (&ROAD_EVENTS.into(), &"confirmed".into())
    );
    list("22").exits(2).complains("\"code\":\"not_recorded\"");
    let key = page["rows"][0]["order"].as_str().unwrap();
    shop.daicho(&["orders", "show", key, "--wait-for", "21"]).exits(0);
    shop.daicho(&["orders", "show", key, "--wait-for", "22"]).exits(2).complains("ends at 21");
    shop.daicho(&["orders", "list", "--wait-ms", "5"]).exits(2).complains("--wait-for");
}
