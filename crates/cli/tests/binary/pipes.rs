//! A reader who has seen enough ends the answer, not in a panic.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use crate::support::{MAIN_ROAD, ROAD_EVENTS, Shop};

const CSV: &[&str] = &["orders", "list", "--output", "csv"];
/// Lines of a run that do nothing but fill the pipe.
const FILLERS: usize = 3_000;

#[test]
fn a_list_whose_reader_went_away_ends_in_silence() {
    let shop = Shop::after_the_main_road();
    for args in [&["events", "read"][..], &["orders", "list"], CSV, &["completions", "zsh"]] {
        let mut command = shop.command(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ran = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&ran.stderr), "", "{args:?}");
        assert_eq!(ran.status.code(), Some(0), "{args:?}");
    }
}

#[test]
fn a_run_whose_reader_went_away_says_where_it_stopped() {
    let shop = Shop::empty();
    let mut command = shop.command(&["run", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    // The binary stops reading at the first answer: what is written then meets a closed pipe.
    let _ = stdin.write_all(MAIN_ROAD.as_bytes());
    drop(stdin);
    let ran = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1), "{err}");
    assert!(err.contains("nobody reads the answers any more: line 1 was the last"), "{err}");
    let events = shop.daicho(&["events", "read"]).exits(0).json_lines();
    assert_eq!(events.len(), 5, "the first line alone was run");
}

#[test]
fn each_answer_is_there_before_the_next_line_is_given() {
    let shop = Shop::empty();
    let mut command = shop.command(&["run", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    let mut last = String::new();
    for line in MAIN_ROAD.lines() {
        writeln!(stdin, "{line}").unwrap();
        last.clear();
        answers.read_line(&mut last).unwrap();
    }
    assert!(last.contains(&format!("\"position\":{ROAD_EVENTS}")), "{last}");
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn an_input_of_many_lines_is_answered_line_by_line() {
    let shop = Shop::empty();
    let mut command = shop.command(&["run", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all("{}\n".repeat(FILLERS).as_bytes()));
    let mut answers = String::new();
    child.stdout.take().unwrap().read_to_string(&mut answers).unwrap();
    writer.join().unwrap().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert_eq!(answers.lines().count(), FILLERS);
    assert!(answers.lines().last().unwrap().contains(&format!("\"line\":{FILLERS},")));
}
