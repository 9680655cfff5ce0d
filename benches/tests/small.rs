//! Every workload at a small size: the results are what was put in, and the same for the same seed.

use std::path::Path;
use std::process::Command;

use daicho_benches::{Measurement, append, compare, growth, rebuild, service};
use sqlx::Connection as _;

fn append_options(folder: &Path, seed: u64) -> append::Options {
    let folder = folder.join(format!("append-{seed}"));
    let ground = append::Ground::Folder(folder);
    append::Options { events: 500, burst_events: 100, bursts: 1, seed, ground }
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
        // Every copy is of one shop, whose settings are rows of the same names.
        let least = if one.list == "settings" { one.rows } else { one.rows * 6 };
        assert!(many.rows >= least, "{one:?} {many:?}");
    }
}

fn bench(arguments: &[&str], folder: &Path) -> Vec<Measurement> {
    let program = env!("CARGO_BIN_EXE_daicho-benches");
    let output = Command::new(program).args(arguments).arg("--folder").arg(folder).output();
    let output = output.expect("the benches run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let decode = |line| serde_json::from_str(line).expect("a measurement a line");
    text.lines().map(decode).collect()
}

#[test]
fn one_workload_and_its_row_limit_hold_the_same_events_on_sqlite_and_on_postgresql() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = runtime.block_on(daicho_test_servers::shared().fresh_database());
    let workload = ["--events", "500", "--callers", "16", "--batch", "100", "--seed", "1"];
    for (work, batch) in [("append", 1), ("bulk", 100)] {
        let sqlite = [&["one", work][..], &workload].concat();
        let postgres = [&sqlite[..], &["--database", &url]].concat();
        let folder = folder.path().join(work);
        let measured = [bench(&sqlite, &folder), bench(&postgres, &folder)].concat();
        let [sqlite, sqlite_limit, postgres, postgres_limit] = &*measured else {
            panic!("{measured:?}")
        };
        for line in [sqlite, sqlite_limit, postgres, postgres_limit] {
            assert_eq!((line.events, &*line.result), (500, FIVE_HUNDRED), "{line:?}");
        }
        assert_eq!((sqlite.batch, postgres.batch), (batch, batch));
        assert!(postgres.storage.starts_with("PostgreSQL"), "{postgres:?}");
        assert_eq!(postgres.durability, "fsync=on, synchronous_commit=on");
        runtime.block_on(drop_book(&url));
    }
}

/// The next workload makes a book of the same name.
async fn drop_book(url: &str) {
    let mut connection = sqlx::PgConnection::connect(url).await.expect("a connection");
    let schemas = ["measured", "measured_state", "measured_derived"];
    for schema in schemas {
        let drop = sqlx::AssertSqlSafe(format!("DROP SCHEMA IF EXISTS {schema} CASCADE"));
        sqlx::raw_sql(drop).execute(&mut connection).await.expect("no schema");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comparison_without_the_peers_measures_both_databases_and_answers_its_goals() {
    let folder = tempfile::tempdir().unwrap();
    let options = compare::Options {
        events: 400,
        peer_events: 400,
        seed: 1,
        rounds: 1,
        folder: folder.path().to_owned(),
        database: None,
        sync_ms: 1,
        only: ["burst", "sync 1"].map(str::to_owned).to_vec(),
        program: env!("CARGO_BIN_EXE_daicho-benches").into(),
    };
    let report = compare::run(&options).await.unwrap();
    assert!(report.failed.is_empty(), "{:?}", report.failed);
    let goals = report.goals();
    let names: Vec<&str> = goals.iter().map(|goal| goal.name).collect();
    assert_eq!(names, ["G3", "G3"]);
    assert!(goals[0].what.starts_with("SQLite") && goals[1].what.starts_with("PostgreSQL"));
    let slowed = report.measurements().filter(|line| line.work == "sync" || line.checked);
    let slowed: Vec<Measurement> = slowed.cloned().collect();
    assert_eq!(slowed.len(), 3, "a sync, and a burst on each database");
    for line in slowed {
        assert!(line.p50_us >= 1_000.0, "no call is faster than a slowed sync: {line:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grown_book_is_measured_at_every_step() {
    let folder = tempfile::tempdir().unwrap();
    let options = growth::Options {
        events: 5_000,
        small_events: 1_000,
        lived: 600,
        append_events: 100,
        seed: 1,
        rounds: 1,
        folder: folder.path().to_owned(),
        program: (env!("CARGO_BIN_EXE_daicho-benches").into(), vec!["step".into()]),
    };
    let report = growth::run(&options).await.unwrap();
    let [big, small] = report.books;
    assert!(big >= 5_000 && small >= 1_000, "{:?}", report.books);
    let rebuilt = report.lines.iter().filter(|line| line.measured.what == "rebuild");
    let rebuilt: Vec<u64> = rebuilt.map(|line| line.measured.events).collect();
    assert_eq!(rebuilt, [big + 100, small + 100], "what was appended is rebuilt, too");
    assert!(!report.goals().to_string().contains('—'), "{}", report.goals());
}
/// Copies beyond one block, rebuilt in memory that holds some of the rows only.
fn live_options(folder: &Path, database: Option<String>) -> rebuild::live::Options {
    let book = rebuild_options(folder, 4_500, 3);
    rebuild::live::Options { book, memory_bytes: 512 * 1_024, database }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_rebuilt_beside_appends_and_readers_in_a_folder_and_in_a_database() {
    let url = daicho_test_servers::shared().fresh_database().await;
    for database in [None, Some(url)] {
        let folder = tempfile::tempdir().unwrap();
        let report = rebuild::live::run(&live_options(folder.path(), database)).await.unwrap();
        assert!(report.rebuild.passes > 1, "{:?}", report.rebuild);
        assert!(report.rebuild.events >= 4_800, "300 appends alone came first");
        assert!(report.beside.calls() > 0 && report.reads > 0);
        let ends: Vec<u64> = report.compared.iter().map(|list| list.position).collect();
        assert!(ends.iter().all(|end| *end > report.rebuild.events), "appends went on: {ends:?}");
        assert!(ends.windows(2).all(|ends| ends[0] == ends[1]), "all are at the end: {ends:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_under_load_records_what_it_acknowledges_on_both_databases() {
    let folder = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_daicho-benches"));
    let daicho = program.with_file_name("daicho");
    assert!(daicho.exists(), "{} is not built: run the whole workspace", daicho.display());
    let options = service::Options {
        connections: 8,
        seconds: 1,
        folder: folder.path().to_owned(),
        daicho,
        wrk: "wrk".into(),
        program: program.to_owned(),
    };
    let report = service::run(&options).await.unwrap();
    let lines: Vec<_> = report.lines.iter().map(|line| (line.storage, line.work)).collect();
    let (commands, pages) = ("commands", "pages of 100 events");
    let expected = ["SQLite", "PostgreSQL"].map(|storage| [(storage, commands), (storage, pages)]);
    assert_eq!(lines, expected.concat());
    assert!(report.lines.iter().all(|line| line.inside.events > 0 && line.served.events > 0));
    assert!(report.first_answers.iter().all(|(_, events, _)| *events > 0));
    assert_eq!(report.first_answers.len(), 2);
    for overload in &report.overloads {
        assert!(overload.made.events > 0 && overload.told_later > 0, "{overload:?}");
    }
}
