//! The shared server: one for all who ask, gone when nobody does, and made anew where a run left
//! only its pieces.

use super::*;
use crate::cluster::Stop;
use crate::testing::{another_process, ask, is_listening, run, url_in, wait_until};

const LINGER_SECONDS: u32 = 1;
const ROOT_VARIABLE: &str = "DAICHO_TEST_SERVERS_ROOT";
/// When the server started, to the microsecond: tells one server from the next.
const STARTED: &str = "SELECT pg_postmaster_start_time()::text";

/// A folder to meet in; goes when its server has gone.
struct Meeting(TempDir);

impl Meeting {
    fn new() -> Self {
        Self(temporary_folder("daicho-meeting-"))
    }

    fn join(&self) -> SharedPostgres {
        join(self.0.path(), LINGER_SECONDS)
    }

    fn wait_until_gone(&self) {
        wait_until("the server to go", || !self.0.path().join("server").exists());
    }
}

impl Drop for Meeting {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.wait_until_gone();
        }
    }
}

#[tokio::test]
async fn processes_that_ask_for_the_shared_server_reach_one() {
    let meeting = Meeting::new();
    let helper = "shared::tests::helper_says_when_the_shared_server_started";
    let children: Vec<_> = (0..4)
        .map(|_| another_process(helper).env(ROOT_VARIABLE, meeting.0.path()).spawn().unwrap())
        .collect();
    let server = meeting.join();
    let started = ask(server.url(), STARTED).await;
    for child in children {
        let output = child.wait_with_output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        assert_eq!(url_in(&output), server.url());
        assert!(output.contains(&started), "{output} is not {started}");
    }
}

#[tokio::test]
#[ignore = "run by the test above, in a process of its own"]
async fn helper_says_when_the_shared_server_started() {
    let root = PathBuf::from(env::var_os(ROOT_VARIABLE).unwrap());
    let server = join(&root, LINGER_SECONDS);
    println!("\n{} {}", server.url(), ask(server.url(), STARTED).await);
}

#[tokio::test]
async fn the_server_goes_when_nobody_uses_it_and_comes_when_somebody_asks() {
    let meeting = Meeting::new();
    let first = meeting.join();
    let url = first.url().to_owned();
    let started = ask(&url, STARTED).await;
    drop(first);
    meeting.wait_until_gone();
    assert!(!is_listening(&url));
    assert_ne!(ask(meeting.join().url(), STARTED).await, started);
}

#[tokio::test]
async fn the_server_stays_while_somebody_uses_it() {
    let meeting = Meeting::new();
    let (mine, other) = (meeting.join(), meeting.join());
    drop(other);
    assert_eq!(ask(mine.url(), "SELECT 'done' FROM pg_sleep(3)").await, "done");
    assert_eq!(ask(mine.url(), "SELECT 'and on'").await, "and on");
}

#[tokio::test]
async fn what_a_killed_run_left_behind_is_replaced() {
    let meeting = Meeting::new();
    let pieces = meeting.0.path().join("server");
    fs::create_dir_all(pieces.join("data")).unwrap();
    fs::write(pieces.join("access"), "20000 password\n").unwrap();
    assert_eq!(ask(meeting.join().url(), "SELECT 'new'").await, "new");
}

#[tokio::test]
async fn a_server_that_crashed_is_replaced() {
    let meeting = Meeting::new();
    let first = meeting.join();
    first.cluster.stop(Stop::Immediate);
    assert_eq!(ask(meeting.join().url(), "SELECT 'new'").await, "new");
}

#[tokio::test]
async fn every_test_has_a_database_of_its_own() {
    let server = shared();
    let (one, two) = (server.fresh_database().await, server.fresh_database().await);
    run(&one, "CREATE TABLE mine (text TEXT)").await;
    let tables = "SELECT count(*)::text FROM pg_tables WHERE tablename = 'mine'";
    assert_eq!(ask(&one, tables).await, "1");
    assert_eq!(ask(&two, tables).await, "0");
}

#[test]
#[should_panic(expected = "was not made by these tests")]
fn a_folder_that_others_may_enter_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    make_root(folder.path(), Account::of_servers());
}
