//! Stores under test, and short forms for what the tests of the rules hand in.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::task::Poll;

use async_trait::async_trait;
use daicho_store::postgres::Database;
use daicho_store::{
    Append, Book, Clock, Condition, Envelope, Log, MemoryLog, NewEvent, Options, Query, QueryItem,
    Request, Stored, sqlite,
};
use tempfile::TempDir;
use tokio::sync::OnceCell;

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
    book: String,
}

/// All books of a test share a database: making one costs more than a short life in it.
static DATABASE: OnceCell<String> = OnceCell::const_new();
static BOOKS: AtomicU64 = AtomicU64::new(0);

#[async_trait]
impl Store for Postgres {
    type Log = Book;

    async fn new() -> Self {
        let url = DATABASE.get_or_init(|| daicho_test_servers::shared().fresh_database()).await;
        let book = format!("book-{}", BOOKS.fetch_add(1, Ordering::SeqCst));
        let database = Database::parse(url).unwrap();
        let store = Self { clock: TestClock::default(), database, book };
        let created = store.database.create_book(&store.book, options(&store.clock)).await;
        created.unwrap().close().await;
        store
    }

    async fn open(&self) -> Arc<Book> {
        Arc::new(self.database.open_book(&self.book, options(&self.clock)).await.unwrap())
    }

    fn clock(&self) -> &TestClock {
        &self.clock
    }
}

/// No operation waits as often as that.
pub const AWAITS_MAX: usize = 1_000;

/// Drops `future` at its await number `awaits`, counted from 1, if it is not done before. It goes
/// on only when it is woken, so that each await of its own is met.
pub async fn dropped_at<F: Future>(future: F, awaits: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = awaits;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left <= 1 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// How often an operation waits, and what comes of it. A connection with a password alone waits
/// thousands of times, since sqlx lets others have their turn while it hashes.
pub async fn counted<F: Future>(future: F) -> (usize, F::Output) {
    let mut future = pin!(future);
    let mut awaits = 0;
    let output = poll_fn(|context| {
        let polled = future.as_mut().poll(context);
        awaits += usize::from(polled.is_pending());
        polled
    });
    let output = output.await;
    (awaits, output)
}

/// Where to drop an operation that waits so often: at places all over it, and at each of the last.
pub fn places(awaits: usize) -> impl Iterator<Item = usize> {
    const SPREAD: usize = 40;
    const LAST: usize = 40;
    let step = awaits / SPREAD + 1;
    (1..=awaits).filter(move |place| place % step == 0 || awaits - place < LAST)
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
        on_behalf_of: None,
        cause: None,
        data: data.into(),
        data_sha256: NewEvent::hash_data(data),
    }
}

/// Another business date than the usual one.
pub trait NewEventOn {
    fn on(self, day: &str) -> Self;
}

impl NewEventOn for NewEvent {
    fn on(self, day: &str) -> Self {
        Self { effective_on: day.into(), ..self }
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
