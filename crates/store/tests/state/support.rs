//! Books under test, each with an empty state, and short forms.

use std::sync::Arc;

use async_trait::async_trait;
use daicho_store::postgres::Database;
use daicho_store::{Append, Book, Log, NewEvent, Options, SqliteState, State, StateName, sqlite};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};
use tempfile::TempDir;

pub const BOOK: &str = "book";
/// Small, so that every history crosses blocks.
const BLOCK_EVENTS: u32 = 8;

/// A place with the state of one book.
#[async_trait]
pub trait Place: Send + Sync + Sized + 'static {
    async fn new() -> Self;
    /// The state as another process would see it; once more for each call.
    fn open(&self) -> Arc<dyn State>;
    /// Lays hands on the tables of the state.
    async fn execute(&self, sql: &str);
    /// The book itself; once more for each call.
    async fn book(&self) -> Arc<Book>;
}

/// A folder, and the id of the book in it.
pub struct Sqlite(pub TempDir, pub [u8; 16]);

pub fn options() -> Options {
    Options { block_events: BLOCK_EVENTS, ..Options::new("state 1") }
}

#[async_trait]
impl Place for Sqlite {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let book = sqlite::create_book(folder.path(), options()).await.unwrap();
        let id = book.id();
        book.close().await;
        Self(folder, id)
    }

    fn open(&self) -> Arc<dyn State> {
        Arc::new(SqliteState::new(&self.0.path().join("state.db"), self.1))
    }

    async fn execute(&self, sql: &str) {
        let file = SqliteConnectOptions::new().filename(self.0.path().join("state.db"));
        let mut connection = file.connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn book(&self) -> Arc<Book> {
        Arc::new(sqlite::open_book(self.0.path(), options()).await.unwrap())
    }
}

pub struct Postgres(pub String);

impl Postgres {
    pub fn database(&self) -> Database {
        Database::parse(&self.0).unwrap()
    }
}

#[async_trait]
impl Place for Postgres {
    async fn new() -> Self {
        let place = Self(daicho_test_servers::shared().fresh_database().await);
        let book = place.database().create_book(BOOK, options()).await;
        book.unwrap().close().await;
        place
    }

    fn open(&self) -> Arc<dyn State> {
        Arc::new(self.database().state(BOOK).unwrap())
    }

    async fn execute(&self, sql: &str) {
        let mut connection = PgConnection::connect(&self.0).await.unwrap();
        let sql = AssertSqlSafe(format!("SET search_path = {BOOK}_state; {sql}"));
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn book(&self) -> Arc<Book> {
        Arc::new(self.database().open_book(BOOK, options()).await.unwrap())
    }
}

pub fn name(text: &str) -> StateName {
    StateName::new(text).unwrap()
}

/// Appends `count` events of a type, one an append.
pub async fn fill(book: &Book, count: usize, type_name: &str) {
    for _ in 0..count {
        let event = NewEvent {
            type_name: type_name.into(),
            version: 1,
            effective_on: "2026-12-01".into(),
            tags: vec!["t:1".into()],
            actor: "member:1".into(),
            on_behalf_of: None,
            cause: None,
            data: "{}".into(),
            data_sha256: NewEvent::hash_data("{}"),
        };
        let append = Append { events: vec![event], condition: None, request: None };
        book.append(append).await.unwrap();
    }
}
