//! A server of its own: what a fault test may do to it, and that it never outlives its test.

use std::io::{BufRead as _, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};

use sqlx::Connection as _;

use super::*;
use crate::testing::{another_process, ask, connect, is_listening, run, url_in, wait_until};

#[tokio::test]
async fn a_server_answers_and_syncs_what_it_commits() {
    let server = PostgresServer::private();
    let url = server.url("postgres");
    assert_eq!(ask(&url, "SELECT 'it answers'").await, "it answers");
    assert_eq!(ask(&url, "SHOW fsync").await, "on");
    assert_eq!(ask(&url, "SHOW synchronous_commit").await, "on");
    assert_eq!(ask(&url, "SHOW max_connections").await, "300");
}

#[tokio::test]
async fn what_was_committed_survives_a_crash() {
    let server = PostgresServer::private();
    let url = server.fresh_database().await;
    run(&url, "CREATE TABLE kept (text TEXT); INSERT INTO kept VALUES ('committed')").await;
    server.stop_immediate();
    assert!(!is_listening(&url));
    server.start_again();
    assert_eq!(ask(&url, "SELECT text FROM kept").await, "committed");
}

#[tokio::test]
async fn clients_are_cut_off_and_come_back() {
    let server = PostgresServer::private();
    let url = server.url("postgres");
    let mut before = connect(&url).await;
    server.terminate_backends().await;
    assert!(before.ping().await.is_err());
    assert_eq!(ask(&url, "SELECT 'back'").await, "back");
}

#[tokio::test]
async fn settings_hold_until_the_next_restart_with_others() {
    let server = PostgresServer::private();
    let url = server.url("postgres");
    server.restart_with(&[("fsync", "off"), ("application_name", "it's")]);
    server.stop_immediate();
    server.start_again();
    assert_eq!(ask(&url, "SHOW fsync").await, "off");
    assert_eq!(ask(&url, "SHOW application_name").await, "it's");
    server.restart_with(&[]);
    assert_eq!(ask(&url, "SHOW fsync").await, "on");
}

#[test]
fn a_server_ends_with_its_test_even_in_a_panic() {
    let server = PostgresServer::private();
    let (url, folder) = (server.url("postgres"), server._folder.path().to_owned());
    assert!(is_listening(&url) && folder.exists());
    let ended = catch_unwind(AssertUnwindSafe(move || {
        assert!(server.url("postgres").is_empty(), "a test that fails");
    }));
    assert!(ended.is_err());
    assert!(!is_listening(&url));
    assert!(!folder.exists());
}

#[test]
fn a_server_ends_when_its_process_is_killed() {
    let helper = "private::tests::helper_starts_a_server_and_waits";
    let mut child = another_process(helper).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.into_iter().find(|line| line.contains("postgres://")).unwrap();
    let url = url_in(&line);
    assert!(is_listening(url));
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("the server to end", || !is_listening(url));
    let folder = line.split_whitespace().last().unwrap();
    wait_until("its folder to be removed", || !std::path::Path::new(folder).exists());
}

#[test]
#[ignore = "run by the test above, in a process of its own"]
fn helper_starts_a_server_and_waits() {
    let server = PostgresServer::private();
    println!("\n{} {}", server.url("postgres"), server._folder.path().display());
    std::io::stdin().read_line(&mut String::new()).unwrap();
}
