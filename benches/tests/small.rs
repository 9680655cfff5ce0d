//! Every workload at a small size: the results are what was put in, and the same for the same seed.

use std::path::Path;

use daicho_benches::{append, rebuild};

fn append_options(folder: &Path, seed: u64) -> append::Options {
    let folder = folder.join(format!("append-{seed}"));
    append::Options { events: 500, burst_events: 100, bursts: 1, seed, folder }
}

fn rebuild_options(folder: &Path, events: u64, seed: u64) -> rebuild::Options {
    let folder = folder.join(format!("rebuild-{seed}-{events}"));
    rebuild::Options { events, lived: 600, seed, rounds: 1, folder }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_of_appending_holds_the_events_that_were_appended() {
    let folder = tempfile::tempdir().unwrap();
    let report = append::run(&append_options(folder.path(), 1)).await.unwrap();
    let lines: Vec<(&str, u64)> =
        report.lines.iter().map(|line| (line.work.as_str(), line.digest.events)).collect();
    assert_eq!(
        lines,
        [
            ("burst, 1 caller", 100),
            ("burst, 16 callers", 100),
            ("burst, 256 callers", 100),
            ("sustained, 1 caller", 100),
            ("naive, one a transaction", 100),
            ("sustained, 16 callers", 500),
            ("sustained, 256 callers", 500),
            ("row limit, 1000 a transaction", 500),
            ("naive, 1000 a transaction", 500),
        ]
    );
    for line in &report.lines {
        assert_eq!(line.digest.events, line.rate.events, "{}", line.work);
        let expected = if line.digest.events == 100 { HUNDRED } else { FIVE_HUNDRED };
        assert_eq!(line.digest.sha256, expected, "{}", line.work);
    }
    assert_eq!(report.lines[5].latencies.calls(), 500);
    assert!((390.0..410.0).contains(&report.data_bytes), "{}", report.data_bytes);
    assert!((3.0..4.0).contains(&report.tags), "{}", report.tags);
}

/// The first hundred and five hundred events of seed 1.
const HUNDRED: &str = "237aea1e65d121844ce19cac61fa92f477d89526e67c9470d2d0777cb3180056";
const FIVE_HUNDRED: &str = "fd2b17584b919b77c63d2981ed700cbbdf9236c337ecb1885c6a8b3306fd7638";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_seed_appends_other_events() {
    let folder = tempfile::tempdir().unwrap();
    let report = append::run(&append_options(folder.path(), 2)).await.unwrap();
    assert!(
        report.lines.iter().all(|line| ![HUNDRED, FIVE_HUNDRED].contains(&&*line.digest.sha256))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_book_is_the_same_for_the_same_seed_and_rebuilt_to_the_same_lists() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let one = rebuild::run(&rebuild_options(first.path(), 600, 3)).await.unwrap();
    let same = rebuild::run(&rebuild_options(second.path(), 600, 3)).await.unwrap();
    let other = rebuild::run(&rebuild_options(second.path(), 600, 4)).await.unwrap();
    assert!(one.checkpoint.position.0 >= 600 && one.lived == one.checkpoint.position.0);
    assert_eq!(one.round.rebuild.events, one.checkpoint.position.0);
    assert_eq!(one.round.naive.events, one.checkpoint.position.0);
    assert_eq!((one.checkpoint, &one.lists), (same.checkpoint, &same.lists));
    assert_ne!(one.checkpoint, other.checkpoint);
    assert_ne!(one.lists, other.lists);
    assert!(one.lists.iter().all(|list| list.rows > 0), "{:?}", one.lists);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_of_a_life_fill_blocks_and_are_rebuilt_to_lists_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let life = rebuild::run(&rebuild_options(folder.path(), 600, 3)).await.unwrap();
    let copied = rebuild::run(&rebuild_options(folder.path(), 4_500, 3)).await.unwrap();
    assert_eq!(copied.lived, life.lived);
    assert!(copied.checkpoint.position.0 >= 4_500);
    assert_eq!(copied.round.limit.events, 4_096, "one block is full");
    for (one, many) in life.lists.iter().zip(&copied.lists) {
        assert!(many.rows >= one.rows * 6, "{one:?} {many:?}");
    }
}
