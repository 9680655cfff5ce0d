//! Stores of views under test, and short forms for what the tests of the rules hand in.

use std::path::PathBuf;

use async_trait::async_trait;
use daicho_store::views::*;
use daicho_store::{PostgresViews, SqliteViews};
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use tempfile::TempDir;

pub const BOOK: [u8; 16] = [7; 16];
pub const TODAY: &str = "2026-11-21";
/// Not a name that stands without quotes.
pub const SCHEMA: &str = "a-book_derived";

/// A place for the views of one book.
#[async_trait]
pub trait Store: Send + Sync + Sized + 'static {
    type Views: Views + 'static;
    /// How many tables hold rows of views and rebuilds.
    const COUNT_TABLES: &'static str;
    /// How many indexes the view `orders` has.
    const COUNT_INDEXES: &'static str;
    /// An empty place.
    async fn new() -> Self;
    /// Opens the views of a book, as one more process.
    async fn open_of_book(&self, book_id: [u8; 16]) -> Self::Views;
    async fn open(&self) -> Self::Views {
        self.open_of_book(BOOK).await
    }
    /// Runs somebody's SQL.
    async fn run(&self, sql: &str);
    /// The one number that somebody's SQL asks for.
    async fn number(&self, sql: &str) -> i64;
    /// Lets the database refuse every row `b` of the view `orders`, in its first form.
    async fn refuse_row_b(&self);
}

/// A place with the view `orders` in it, empty.
pub async fn fixture<S: Store>() -> (S, S::Views) {
    let store = S::new().await;
    let views = store.open().await;
    views.ensure(&orders(), TODAY).await.unwrap();
    (store, views)
}

pub struct Sqlite {
    path: PathBuf,
    _folder: TempDir,
}

impl Sqlite {
    async fn pool(&self) -> SqlitePool {
        let options = SqliteConnectOptions::new().filename(&self.path);
        SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap()
    }
}

#[async_trait]
impl Store for Sqlite {
    type Views = SqliteViews;

    const COUNT_TABLES: &'static str = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' \
         AND (name LIKE 'view\\_%' ESCAPE '\\' OR name LIKE 'shadow\\_%' ESCAPE '\\')";
    const COUNT_INDEXES: &'static str =
        "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'view_orders'";

    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { path: folder.path().join("derived.db"), _folder: folder }
    }

    async fn open_of_book(&self, book_id: [u8; 16]) -> SqliteViews {
        SqliteViews::open(&self.path, book_id).await.unwrap()
    }

    async fn run(&self, sql: &str) {
        let pool = self.pool().await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&pool).await.unwrap();
        pool.close().await;
    }

    async fn number(&self, sql: &str) -> i64 {
        let pool = self.pool().await;
        let query = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()));
        let number = query.fetch_one(&pool).await.unwrap();
        pool.close().await;
        number
    }

    async fn refuse_row_b(&self) {
        self.run(
            "CREATE TRIGGER no_b BEFORE INSERT ON view_orders WHEN new.key = 'b'
             BEGIN SELECT raise(ABORT, 'no'); END",
        )
        .await;
    }
}

pub struct Postgres {
    pub options: PgConnectOptions,
    pub pool: PgPool,
}

#[async_trait]
impl Store for Postgres {
    type Views = PostgresViews;

    const COUNT_TABLES: &'static str = "SELECT count(*) FROM pg_class \
         WHERE relnamespace = to_regnamespace('\"a-book_derived\"') AND relkind = 'r' \
         AND relname LIKE 'rows\\_%'";
    const COUNT_INDEXES: &'static str = "SELECT count(*) FROM pg_index JOIN pg_class \
         ON pg_class.oid = indrelid JOIN views ON relname = 'rows_orders_' || generation \
         WHERE name = 'orders' AND indisvalid";

    async fn new() -> Self {
        let url = daicho_test_servers::shared().fresh_database().await;
        let options: PgConnectOptions = url.parse().unwrap();
        let ours = options.clone().options([("search_path", format!("\"{SCHEMA}\""))]);
        let pool = PgPoolOptions::new().max_connections(2).connect_lazy_with(ours);
        Self { options, pool }
    }

    async fn open_of_book(&self, book_id: [u8; 16]) -> PostgresViews {
        PostgresViews::open(self.options.clone(), SCHEMA, book_id).await.unwrap()
    }

    async fn run(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&self.pool).await.unwrap();
    }

    async fn number(&self, sql: &str) -> i64 {
        let query = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()));
        query.persistent(false).fetch_one(&self.pool).await.unwrap()
    }

    async fn refuse_row_b(&self) {
        self.run("ALTER TABLE rows_orders_1 ADD CHECK (key <> 'b')").await;
    }
}

pub fn orders() -> ViewSchema {
    let column = |name, kind, index| ViewColumn { name, kind, index };
    ViewSchema {
        name: "orders",
        version: 1,
        fingerprint: "row 1".into(),
        columns: vec![
            column("status", ColumnKind::Text, ColumnIndex::Indexed),
            column("amount", ColumnKind::Money, ColumnIndex::Plain),
            // A word of SQL's own.
            column("order", ColumnKind::Integer, ColumnIndex::Indexed),
        ],
    }
}

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub fn row(key: &str, status: &str, amount: i64) -> ViewRow {
    ViewRow {
        key: key.to_owned(),
        row: format!("row of {key} {status} {amount}").into_bytes(),
        columns: vec![text(status), Value::Integer(amount), Value::Null],
        next_change: None,
    }
}

pub fn point(cursor: u64) -> ViewPoint {
    ViewPoint { cursor, as_of: TODAY.to_owned() }
}

/// What the rebuilds of these tests begin from.
pub fn beginning() -> RebuildFrom {
    RebuildFrom { point: point(5), origin: "a record".into() }
}

pub fn upserts(upserts: Vec<ViewRow>) -> ViewChanges {
    ViewChanges { upserts, deletes: Vec::new() }
}

pub fn by_key(limit: u32) -> PageRequest {
    PageRequest { filters: Vec::new(), sort: None, after: None, limit }
}

/// Keys of the view `orders`, in order.
pub async fn all_keys(views: &impl Views) -> Vec<String> {
    let page = views.page("orders", &by_key(1_000)).await.unwrap();
    page.rows.into_iter().map(|row| row.key).collect()
}
