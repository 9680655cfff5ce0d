//! Two processes on one book: before one rejects a command, it knows what the other has recorded.

#![allow(unreachable_pub, missing_docs, dead_code, reason = "a test crate has no public surface")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod support;

use daicho_app::{Books, CommandRequest, ExecuteError, Executed, Ledger};
use serde_json::{Value, json};
use support::{book_name, clock_at, run, wholesaler};

const ORGANISATION: &str = "01J0000000000000000000000A";
const CUSTOMER: &str = "organisation.register";

fn customer(name: &str) -> Value {
    json!({ "organisation": ORGANISATION, "name": name, "country": "Japan", "reference": null })
}

/// A book that two processes have open; the second has not yet read what the first records.
async fn two_processes(folder: &std::path::Path) -> (Ledger, Ledger) {
    let (_, clock_and_entropy) = clock_at("2026-11-22T01:00:00Z");
    let first = wholesaler(folder, clock_and_entropy.clone()).await;
    let second = Books::in_folder(folder).open(&book_name(), clock_and_entropy).await.unwrap();
    (first, second)
}

async fn requested(ledger: &Ledger, id: &str, data: Value) -> Result<Executed, ExecuteError> {
    let request =
        json!({ "request": id, "actor": "staff:sato", "command": CUSTOMER, "data": data });
    ledger.commands().run(serde_json::from_value::<CommandRequest>(request).unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_rejected_for_what_another_process_has_recorded_since() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = two_processes(folder.path()).await;
    // The second does not yet know the organisation that the member needs.
    run(&first, "staff:sato", CUSTOMER, customer("Aoba")).await.unwrap();
    let member = json!({
        "organisation": ORGANISATION, "name": "Hanako Aoki", "email": "hanako@aoba.example.jp",
        "phone": null, "role": "administrator",
    });
    let asked = run(&second, "staff:sato", "member.request_registration", member).await.unwrap();
    assert!(!asked.repeated);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_another_process_recorded_is_answered_though_its_rule_now_says_no() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = two_processes(folder.path()).await;
    let answer = requested(&first, "r-1", customer("Aoba")).await.unwrap();
    // Registering it once more breaks a rule; repeating the request does not.
    let again = requested(&second, "r-1", customer("Aoba")).await.unwrap();
    assert!(again.repeated);
    assert_eq!((again.first, &again.events), (answer.first, &answer.events));
    let other = requested(&second, "r-2", customer("Aoba")).await.unwrap_err();
    assert!(matches!(other, ExecuteError::Rejected(_)), "{other}");
    let reused = requested(&second, "r-1", customer("Another name")).await.unwrap_err();
    assert!(matches!(reused, ExecuteError::RequestReused { .. }), "{reused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_says_what_stands_in_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = two_processes(folder.path()).await;
    let answer = requested(&first, "r-1", customer("Aoba")).await.unwrap();
    let read_back = requested(&second, "r-1", customer("Aoba")).await.unwrap();
    assert_eq!(answer.events, read_back.events, "decided here, and read from the log there");
}
