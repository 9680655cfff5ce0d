//! The disk under a real SQLite: it sees what is written and synced, and fails when it is told to.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

use daicho_test_vfs::{Disk, Fault, FaultKind, Lasting, Loss, Operation, Replay, Site};
use fastrand::Rng;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

async fn connect(disk: &Disk, synchronous: SqliteSynchronous) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(disk.path().join("a.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous);
    options.connect().await.unwrap()
}

async fn run(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(sql).execute(connection).await.map(drop)
}

async fn table(disk: &Disk, synchronous: SqliteSynchronous) -> SqliteConnection {
    let mut connection = connect(disk, synchronous).await;
    run(&mut connection, "CREATE TABLE t (a)").await.unwrap();
    connection
}

/// How many rows are there after a crash now.
async fn rows_after(disk: &Disk, loss: Loss) -> i64 {
    let trace = disk.trace();
    let mut replay = Replay::new(&trace);
    replay.advance_to(trace.operations().len());
    let after = Disk::of(&replay.image(loss, &mut Rng::with_seed(1)));
    let mut connection = connect(&after, SqliteSynchronous::Full).await;
    sqlx::query_scalar("SELECT count(*) FROM t").fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn a_commit_is_durable_with_full_syncs_and_lost_without() {
    for (synchronous, left) in [(SqliteSynchronous::Full, 1), (SqliteSynchronous::Normal, 0)] {
        let disk = Disk::new();
        let mut connection = table(&disk, synchronous).await;
        run(&mut connection, "PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
        run(&mut connection, "INSERT INTO t VALUES (1)").await.unwrap();
        assert_eq!(rows_after(&disk, Loss::Nothing).await, 1, "{synchronous:?}");
        assert_eq!(rows_after(&disk, Loss::Unsynced).await, left, "{synchronous:?}");
    }
}

#[tokio::test]
async fn a_commit_whose_sync_failed_is_an_error_and_not_durable() {
    let disk = Disk::new();
    let mut connection = table(&disk, SqliteSynchronous::Full).await;
    let at = disk.calls(Site::Sync) + 1;
    disk.break_at(Fault { kind: FaultKind::Sync, at, lasting: Lasting::Once });
    let failed = run(&mut connection, "INSERT INTO t VALUES (1)").await;
    assert!(failed.unwrap_err().to_string().contains("1034"), "SQLITE_IOERR_FSYNC");
    assert_eq!(disk.hits(), 1);
    let failed = |operation: &&Operation| matches!(operation, Operation::FailedSync { .. });
    assert_eq!(disk.trace().operations().iter().filter(failed).count(), 1);
    assert_eq!(rows_after(&disk, Loss::Unsynced).await, 0);
    run(&mut connection, "INSERT INTO t VALUES (2)").await.unwrap();
    assert_eq!(rows_after(&disk, Loss::Unsynced).await, 1);
}

#[tokio::test]
async fn every_kind_of_error_reaches_sqlite_and_ends_when_the_disk_is_mended() {
    for kind in FaultKind::ALL {
        let disk = Disk::new();
        let connection = table(&disk, SqliteSynchronous::Full).await;
        connection.close().await.unwrap();
        disk.break_at(Fault { kind, at: 1, lasting: Lasting::UntilMended });
        let options = SqliteConnectOptions::new().filename(disk.path().join("a.db"));
        let lived = async {
            let mut connection = options.connect().await?;
            run(&mut connection, "INSERT INTO t VALUES (1)").await?;
            run(&mut connection, "PRAGMA wal_checkpoint(TRUNCATE)").await?;
            connection.close().await
        };
        let failed = lived.await;
        assert!(disk.hits() > 0, "{kind:?}");
        // A file that cannot be removed at closing is nobody's error.
        assert!(failed.is_err() || kind == FaultKind::Remove, "{kind:?}");
        disk.mend();
        let mut connection = options.connect().await.unwrap();
        run(&mut connection, "INSERT INTO t VALUES (2)").await.unwrap();
    }
}

#[tokio::test]
async fn two_disks_and_a_folder_of_nobody_do_not_meet() {
    let (one, other, folder) = (Disk::new(), Disk::new(), tempfile::tempdir().unwrap());
    table(&one, SqliteSynchronous::Full).await.close().await.unwrap();
    assert!(one.operations() > 0);
    assert_eq!(other.operations(), 0);
    let seen = one.operations();
    let options = SqliteConnectOptions::new().filename(folder.path().join("a.db"));
    let mut connection = options.create_if_missing(true).connect().await.unwrap();
    run(&mut connection, "CREATE TABLE t (a)").await.unwrap();
    assert_eq!((one.operations(), other.operations()), (seen, 0));
}
