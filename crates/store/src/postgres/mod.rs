//! A book on PostgreSQL: a schema for each kind of state. `<book>` is the ledger; `<book>_derived`
//! can be dropped and is made anew.
//!
//! An append uses only what any server with PostgreSQL's protocol has: one statement at READ
//! COMMITTED that compares the head and moves it.

mod connect;
mod database;
mod derived;
mod error;
mod gate;
mod lender;
mod notifier;
mod record;
mod rights;
mod schema;
mod state;
mod vault;
mod views;

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::book::{
    Book, CopyError, Derived, Found, Notifier, OpenError, Options, Progress, Record, RecordDb as _,
    SCHEMA_VERSION, check_record, copy, new_id,
};
use crate::clock::{Clock, SystemClock};
use crate::error::StorageError;
use crate::log::Head;
use crate::merkle::Frontier;

pub use database::Database;
pub use state::PostgresState;
pub use vault::PostgresVault;
pub use views::PostgresViews;

use connect::PATIENCE;
use derived::PgDerived;
use error::is_taken;
use lender::{Within as _, in_time};
use notifier::PgNotifier;
use record::PgRecord;
use rights::Purpose;
use schema::Schemas;

const CREATING: &str = "create the book's schemas";
const CHECKING: &str = "read what the record is";
/// What makes the tables of the state.
const STATE_TABLES: [&str; 2] =
    [include_str!("sql/state/turn.sql"), include_str!("sql/state/schema.sql")];

impl Database {
    /// Creates the book `name` and opens it. The role must be allowed to create schemas.
    ///
    /// # Errors
    /// A name that is taken, or whatever [`Database::open_book`] refuses.
    pub async fn create_book(&self, name: &str, options: Options) -> Result<Book, OpenError> {
        options.check()?;
        let clock = options.clock.as_ref();
        self.create_record(name, new_id(), &options.software, clock).await?;
        self.open_book(name, options).await
    }

    /// Copies a record into the schemas of `name`, byte for byte, and goes on where an earlier copy
    /// of the same book stopped. The copy is the same book: append to only one of the two.
    ///
    /// # Errors
    /// A name that another book has, or one that went on by itself.
    pub async fn copy_record(
        &self,
        source: &Record,
        name: &str,
        software: &str,
        progress: impl FnMut(Progress) + Send,
    ) -> Result<Head, CopyError> {
        match self.create_record(name, source.book_id(), software, &SystemClock).await {
            Ok(()) | Err(OpenError::AlreadyABook { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let (record, book_id) = self.find_record(name, Purpose::Serving, &SystemClock).await?;
        if book_id != source.book_id() {
            return Err(OpenError::AlreadyABook { place: self.place_of(name) }.into());
        }
        let copied = copy(source, &record, progress).await;
        record.close().await;
        copied
    }

    async fn create_record(
        &self,
        name: &str,
        book_id: [u8; 16],
        software: &str,
        clock: &dyn Clock,
    ) -> Result<(), OpenError> {
        let schemas = Schemas::of(name)?;
        let creating = self.create_parts(name, &schemas, book_id, software, clock);
        in_time(self.answer(), CREATING, creating).await
    }

    async fn create_parts(
        &self,
        name: &str,
        schemas: &Schemas,
        book_id: [u8; 16],
        software: &str,
        clock: &dyn Clock,
    ) -> Result<(), OpenError> {
        let mut connection = self.connect_to(&schemas.record, PATIENCE).await?;
        // Before anything is made: what opening refuses would be left behind as a book.
        gate::check_server(&mut connection, self, clock).await?;
        // Dropping the connection ends what a caller that goes away left in it.
        match create_schemas(&mut connection, schemas, book_id, software).await {
            Ok(()) => {}
            Err(error) if is_taken(&error) => {
                return Err(OpenError::AlreadyABook { place: self.place_of(name) });
            }
            Err(error) => return Err(StorageError::sqlx(CREATING)(error).into()),
        }
        Ok(connection.close().await.map_err(StorageError::sqlx(CREATING))?)
    }

    /// Opens the book `name`. Returns when everything but the last, unfinished block is sealed: a
    /// missing or foreign derived state is made anew first.
    ///
    /// # Errors
    /// Whatever makes it unsafe to open the book: see [`OpenError`].
    pub async fn open_book(&self, name: &str, options: Options) -> Result<Book, OpenError> {
        options.check()?;
        let schemas = Schemas::of(name)?;
        let clock = options.clock.as_ref();
        let (record, book_id) = self.find_record(name, Purpose::Serving, clock).await?;
        let head = check_record(&record, &options).await?;
        let database = Arc::new(PgDerived::new(self, schemas.derived, &schemas.state));
        let identity = options.identity(book_id);
        let pauses = options.pauses.clone();
        let derived = Derived::open(database, &identity, &record, pauses).await?;
        let notifier = PgNotifier::new(&schemas.record, self.access(&schemas.record, PATIENCE));
        let notifier: Option<Arc<dyn Notifier>> = Some(Arc::new(notifier));
        Book::open(Found { book_id, record: Arc::new(record), derived, head, notifier }, options)
            .await
    }

    /// The record of the book `name`, without asking whether it is whole: for looking into a book
    /// that [`Database::open_book`] refuses. Nothing is written.
    ///
    /// # Errors
    /// A database without that book, or one of a later release.
    pub async fn open_record(&self, name: &str) -> Result<Record, OpenError> {
        let (record, book_id) = self.find_record(name, Purpose::Reading, &SystemClock).await?;
        Ok(Record::of(Arc::new(record), book_id))
    }

    /// Names of the books that this role may see, in order.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn books(&self) -> Result<Vec<String>, StorageError> {
        self.find_books(None).await
    }

    /// Whether there is a book of that name that this role may see.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn has_book(&self, name: &str) -> Result<bool, StorageError> {
        Ok(!self.find_books(Some(name)).await?.is_empty())
    }

    async fn find_books(&self, name: Option<&str>) -> Result<Vec<String>, StorageError> {
        const LISTING: &str = "list the books";
        let mut connection = self.connect().await?;
        let found = sqlx::query_scalar(include_str!("sql/list_books.sql"))
            .bind(name)
            .fetch_all(&mut connection)
            .within(self.answer(), LISTING)
            .await?;
        connection.close().await.map_err(StorageError::sqlx(LISTING))?;
        Ok(found)
    }

    async fn find_record(
        &self,
        name: &str,
        purpose: Purpose,
        clock: &dyn Clock,
    ) -> Result<(PgRecord, [u8; 16]), OpenError> {
        let schemas = Schemas::of(name)?;
        let checking = async {
            let mut connection = self.connect_to(&schemas.record, PATIENCE).await?;
            if purpose == Purpose::Serving {
                state::migrate(&mut connection, &schemas).await?;
            }
            rights::check(&mut connection, &schemas, purpose).await?;
            let book_id = gate::check_schema(&mut connection, &self.place_of(name)).await?;
            if purpose == Purpose::Serving {
                gate::check_server(&mut connection, self, clock).await?;
            }
            connection.close().await.map_err(StorageError::sqlx(CHECKING))?;
            Ok::<_, OpenError>(book_id)
        };
        let book_id = in_time(self.answer(), CHECKING, checking).await?;
        let record = PgRecord::new(self.access(&schemas.record, PATIENCE));
        Ok((record, book_id))
    }

    fn place_of(&self, name: &str) -> String {
        format!("the schema {name} in {}", self.place())
    }
}

/// Makes the schemas in one transaction, so that a book is there whole or not at all.
async fn create_schemas(
    connection: &mut PgConnection,
    schemas: &Schemas,
    book_id: [u8; 16],
    software: &str,
) -> Result<(), sqlx::Error> {
    let mut tx = connection.begin().await?;
    for (part, tables) in [
        (&schemas.derived, &[][..]),
        (&schemas.state, &STATE_TABLES[..]),
        (&schemas.record, &[include_str!("sql/schema.sql")][..]),
    ] {
        let schema = part.quoted();
        let statements = format!("CREATE SCHEMA {schema}; SET LOCAL search_path = {schema}");
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut *tx).await?;
        for tables in tables {
            sqlx::raw_sql(*tables).execute(&mut *tx).await?;
        }
    }
    sqlx::query(include_str!("sql/insert_meta.sql"))
        .bind(book_id.as_slice())
        .bind(SCHEMA_VERSION)
        .bind(software)
        .bind(Frontier::default().encode())
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}
