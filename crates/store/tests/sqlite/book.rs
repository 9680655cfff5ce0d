//! A book in a folder of its own, and ways to lay hands on its files.

use std::path::PathBuf;
use std::sync::Arc;

use daicho_store::{Book, Log, OpenError, Options, Packer, Pauses, Stored, sqlite};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tempfile::TempDir;

use crate::support::{BLOCK_EVENTS, TestClock, With, append, event};

pub struct Folder {
    pub dir: TempDir,
    pub clock: TestClock,
}

/// Packs the positions, so that a block can be told from another.
pub struct Positions;

impl Packer for Positions {
    fn fingerprint(&self) -> String {
        "positions".into()
    }

    fn pack(&self, events: &[Stored]) -> Result<Vec<u8>, String> {
        Ok(events.iter().flat_map(|event| event.position.to_be_bytes()).collect())
    }
}

impl Folder {
    pub async fn new() -> Self {
        let folder = Self { dir: tempfile::tempdir().unwrap(), clock: TestClock::default() };
        let book = sqlite::create_book(folder.dir.path(), folder.options()).await.unwrap();
        book.close().await;
        folder
    }

    pub fn options(&self) -> Options {
        Options {
            clock: Arc::new(self.clock.clone()),
            block_events: BLOCK_EVENTS,
            packer: Arc::new(Positions),
            ..Options::new("contract 1")
        }
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    pub async fn try_open(&self) -> Result<Arc<Book>, OpenError> {
        sqlite::open_book(self.dir.path(), self.options()).await.map(Arc::new)
    }

    pub async fn open(&self) -> Arc<Book> {
        self.try_open().await.unwrap()
    }

    pub async fn open_with(&self, pauses: Pauses) -> Arc<Book> {
        let options = Options { pauses, ..self.options() };
        Arc::new(sqlite::open_book(self.dir.path(), options).await.unwrap())
    }

    /// A book of `events` events `a`, one an append, `t:<position>` and request `r<position>` each.
    pub async fn with_events(events: u64) -> Self {
        let folder = Self::new().await;
        let book = folder.open().await;
        extend(&*book, events).await;
        close(book).await;
        folder
    }

    /// The same book once more, in another folder.
    pub fn copied(&self) -> Self {
        let copy = Self { dir: tempfile::tempdir().unwrap(), clock: self.clock.clone() };
        copy.replace("record.db", self);
        copy.replace("derived.db", self);
        copy
    }

    /// The record as an administrator sees it, with its triggers dropped.
    pub async fn tampered(&self, sql: &str) {
        let mut record = self.record().await;
        let triggers: Vec<String> =
            sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
                .fetch_all(&mut record)
                .await
                .unwrap();
        for trigger in triggers {
            execute(&mut record, &format!("DROP TRIGGER {trigger}")).await.unwrap();
        }
        execute(&mut record, sql).await.unwrap();
        record.close().await.unwrap();
    }

    pub async fn record(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.path("record.db")).connect().await.unwrap()
    }

    /// Takes a file away, with what SQLite keeps beside it.
    pub fn remove(&self, file: &str) {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(self.path(&format!("{file}{suffix}")));
        }
    }

    /// Puts another folder's file in place of this one's.
    pub fn replace(&self, file: &str, other: &Self) {
        self.remove(file);
        for suffix in ["", "-wal", "-shm"] {
            let name = format!("{file}{suffix}");
            if other.path(&name).exists() {
                std::fs::copy(other.path(&name), self.path(&name)).unwrap();
            }
        }
    }
}

pub async fn execute(
    connection: &mut SqliteConnection,
    sql: &str,
) -> Result<sqlx::sqlite::SqliteQueryResult, sqlx::Error> {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(connection).await
}

pub async fn extend(log: &impl Log, events: u64) {
    let head = log.head().await.unwrap().position;
    for position in head + 1..=head + events {
        let tag = format!("t:{position}");
        let one = append(vec![event("a", &[&tag, "every:1"])]);
        log.append(one.answering(&format!("r{position}"), "h")).await.unwrap();
    }
}

pub async fn close(book: Arc<Book>) {
    Arc::into_inner(book).unwrap().close().await;
}
