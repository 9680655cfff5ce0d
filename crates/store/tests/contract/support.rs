//! Stores under test, and short forms for what the rules hand in.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use daicho_store::postgres::Database;
use daicho_store::{
    Append, Book, Clock, Condition, Envelope, Log, MemoryLog, NewEvent, Options, Query, QueryItem,
    Request, Stored, sqlite,
};
use tempfile::TempDir;

pub const START_US: i64 = 1_795_222_923_000_004;
/// Small, so that every history crosses blocks.
pub const BLOCK_EVENTS: u32 = 8;

/// A clock that the test moves.
#[derive(Clone)]
pub struct TestClock(pub Arc<AtomicI64>);

impl Default for TestClock {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(START_US)))
    }
}

impl Clock for TestClock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A store with one book in it.
#[async_trait]
pub trait Store: Send + Sync + Sized + 'static {
    type Log: Log + 'static;
    /// An empty book.
    async fn new() -> Self;
    /// Opens the book; once more for each call.
    async fn open(&self) -> Arc<Self::Log>;
    fn clock(&self) -> &TestClock;
}

pub struct Memory {
    clock: TestClock,
    log: Arc<MemoryLog>,
}

#[async_trait]
impl Store for Memory {
    type Log = MemoryLog;

    async fn new() -> Self {
        let clock = TestClock::default();
        let log = MemoryLog::new(Arc::new(clock.clone()), "contract 1").unwrap();
        Self { clock, log: Arc::new(log) }
    }

    async fn open(&self) -> Arc<MemoryLog> {
        Arc::clone(&self.log)
    }

    fn clock(&self) -> &TestClock {
        &self.clock
    }
}

pub struct Sqlite {
    clock: TestClock,
    folder: TempDir,
}

fn options(clock: &TestClock) -> Options {
    Options {
        clock: Arc::new(clock.clone()),
        block_events: BLOCK_EVENTS,
        ..Options::new("contract 1")
    }
}

#[async_trait]
impl Store for Sqlite {
    type Log = Book;

    async fn new() -> Self {
        let store = Self { clock: TestClock::default(), folder: tempfile::tempdir().unwrap() };
        let book = sqlite::create_book(store.folder.path(), options(&store.clock)).await.unwrap();
        book.close().await;
        store
    }

    async fn open(&self) -> Arc<Book> {
        Arc::new(sqlite::open_book(self.folder.path(), options(&self.clock)).await.unwrap())
    }

    fn clock(&self) -> &TestClock {
        &self.clock
    }
}

pub struct Postgres {
    clock: TestClock,
    database: Database,
}

#[async_trait]
impl Store for Postgres {
    type Log = Book;

    async fn new() -> Self {
        let url = daicho_test_servers::shared().fresh_database().await;
        let store = Self { clock: TestClock::default(), database: Database::parse(&url).unwrap() };
        let created = store.database.create_book("book", options(&store.clock)).await;
        created.unwrap().close().await;
        store
    }

    async fn open(&self) -> Arc<Book> {
        Arc::new(self.database.open_book("book", options(&self.clock)).await.unwrap())
    }

    fn clock(&self) -> &TestClock {
        &self.clock
    }
}

pub fn event(type_name: &str, tags: &[&str]) -> NewEvent {
    event_with(type_name, tags, "{\"text\":\"台帳\"}")
}

pub fn event_with(type_name: &str, tags: &[&str], data: &str) -> NewEvent {
    NewEvent {
        type_name: type_name.into(),
        version: 1,
        effective_on: "2026-12-01".into(),
        tags: tags.iter().map(ToString::to_string).collect(),
        actor: "member:1".into(),
        cause: None,
        data: data.into(),
        data_sha256: NewEvent::hash_data(data),
    }
}

pub fn append(events: Vec<NewEvent>) -> Append {
    Append { events, condition: None, request: None }
}

pub fn one(type_name: &str, tags: &[&str]) -> Append {
    append(vec![event(type_name, tags)])
}

/// Short forms for the optional parts of an append.
pub trait With {
    fn unless(self, query: Query, after: u64) -> Self;
    fn answering(self, id: &str, hash: &str) -> Self;
}

impl With for Append {
    fn unless(mut self, query: Query, after: u64) -> Self {
        self.condition = Some(Condition { query, after });
        self
    }

    fn answering(mut self, id: &str, hash: &str) -> Self {
        self.request = Some(Request { id: id.into(), hash: hash.into() });
        self
    }
}

pub fn item(types: &[&str], tags: &[&str]) -> QueryItem {
    QueryItem {
        types: types.iter().map(ToString::to_string).collect(),
        tags: tags.iter().map(ToString::to_string).collect(),
    }
}

pub fn query(types: &[&str], tags: &[&str]) -> Query {
    Query { items: vec![item(types, tags)] }
}

pub async fn fill(log: &impl Log, count: usize, type_name: &str, tags: &[&str]) {
    for _ in 0..count {
        log.append(one(type_name, tags)).await.unwrap();
    }
}

pub async fn everything(log: &impl Log) -> Vec<Stored> {
    log.read(&Query::everything(), 0, 0, 100_000).await.unwrap().events
}

/// Reads the whole book and checks that positions are 1, 2, 3 … and envelopes agree.
#[track_caller]
pub fn assert_gapless(events: &[Stored]) {
    for (expected, event) in (1..).zip(events) {
        assert_eq!(event.position, expected);
        assert_eq!(Envelope::parse(&event.envelope).unwrap().position, expected);
    }
}
