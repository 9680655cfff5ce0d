//! A book in a database of its own, and ways to lay hands on its tables.

use std::error::Error;
use std::sync::Arc;

use daicho_store::postgres::Database;
use daicho_store::{Book, Log, OpenError, Options, SystemClock};
use daicho_test_servers::{PostgresServer, shared};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::support::{BLOCK_EVENTS, TestClock, With, append, event};

pub const BOOK: &str = "book";
/// Looks at the server's transactions before one counts as left open.
const LOOKS_MAX: usize = 500;

/// A database with the book [`BOOK`] in it.
pub struct Place {
    pub url: String,
    pub clock: TestClock,
}

impl Place {
    pub async fn new() -> Self {
        Self::at(shared().fresh_database().await).await
    }

    /// A place that another process has made.
    pub fn of(url: String) -> Self {
        Self { url, clock: TestClock::default() }
    }

    pub async fn on(server: &PostgresServer) -> Self {
        Self::at(server.fresh_database().await).await
    }

    pub async fn at(url: String) -> Self {
        let place = Self::of(url);
        let book = place.database().create_book(BOOK, place.options()).await.unwrap();
        book.close().await;
        place
    }

    /// A book of `events` events `a`, one an append, `t:<position>` and request `r<position>` each.
    pub async fn with_events(events: u64) -> Self {
        let place = Self::new().await;
        let book = place.open().await;
        extend(&*book, events).await;
        close(book).await;
        place
    }

    pub fn database(&self) -> Database {
        Database::parse(&self.url).unwrap()
    }

    pub fn options(&self) -> Options {
        Options {
            clock: Arc::new(self.clock.clone()),
            block_events: BLOCK_EVENTS,
            ..Options::new("postgres 1")
        }
    }

    pub async fn try_open(&self) -> Result<Arc<Book>, OpenError> {
        self.database().open_book(BOOK, self.options()).await.map(Arc::new)
    }

    pub async fn open(&self) -> Arc<Book> {
        self.try_open().await.unwrap()
    }

    /// Opens it with the clock that all processes share.
    pub async fn try_open_with_the_worlds_clock(&self) -> Result<Arc<Book>, OpenError> {
        let options = Options { clock: Arc::new(SystemClock), ..self.options() };
        self.database().open_book(BOOK, options).await.map(Arc::new)
    }

    pub async fn open_with_the_worlds_clock(&self) -> Arc<Book> {
        self.try_open_with_the_worlds_clock().await.unwrap()
    }

    /// What the server's administrator does.
    pub async fn execute(&self, sql: &str) {
        execute(&self.url, sql).await.unwrap();
    }

    pub async fn count(&self, sql: &str) -> i64 {
        count(&self.url, sql).await
    }

    /// No connection to the database stays in a transaction; one that is about to end it is waited
    /// for.
    pub async fn assert_no_transaction_is_left_open(&self) {
        let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
            AND pid <> pg_backend_pid() AND xact_start IS NOT NULL";
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        for _ in 0..LOOKS_MAX {
            let open: i64 = sqlx::query_scalar(open).fetch_one(&mut connection).await.unwrap();
            if open == 0 {
                return connection.close().await.unwrap();
            }
            sqlx::query("SELECT pg_sleep(0.01)").execute(&mut connection).await.unwrap();
        }
        panic!("a transaction was left open");
    }
}

/// `url` with another role.
pub fn url_of(url: &str, role: &str, password: &str) -> String {
    let (_, place) = url.split_once('@').unwrap();
    format!("postgres://{role}:{password}@{place}")
}

/// Makes a role that may log in, named after the database: the shared server has many tests.
pub async fn new_role(url: &str, suffix: &str) -> (String, String) {
    let database = url.rsplit('/').next().unwrap();
    let role = format!("{database}_{suffix}");
    execute(url, &format!("CREATE ROLE {role} LOGIN PASSWORD 'secret'")).await.unwrap();
    (url_of(url, &role, "secret"), role)
}

pub async fn execute(url: &str, sql: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await?;
    connection.close().await
}

pub async fn count(url: &str, sql: &str) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let sql = AssertSqlSafe(sql.to_owned());
    let counted = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    counted
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

/// What is said of an error, down to its last cause.
pub fn said(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
