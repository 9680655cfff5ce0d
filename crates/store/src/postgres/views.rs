//! Stored views in the schema of a book's derived state: `view_<name>` with the key, the packed row
//! and the typed columns, for lists and for anybody's SQL.
//!
//! A read is one statement, which also checks that the view still has the form this process knows:
//! so it sees one committed state, and a caller that goes away leaves no transaction open. A write
//! runs in a task of its own for the same reason.

mod catalogue;
mod faults;
mod page;
mod read;
mod rebuild;
mod rows;
mod show;
mod statements;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use crate::StorageError;
use crate::views::{
    Known, PageRequest, RebuildFrom, Replaces, Resumed, Shadow, ViewChanges, ViewError, ViewInfo,
    ViewPage, ViewPoint, ViewRow, ViewSchema, ViewState, ViewWriteError, Views, check_count,
    check_day, check_limit, check_step, grown,
};

use super::connect::{Patience, limited};
use super::database::Database;
use super::schema::{Part, SchemaName};
use catalogue::Home;
use faults::{or_remade, to_the_end};

/// Connections that read at once.
const READERS_MAX: u32 = 8;
/// Connections that write at once.
const WRITERS_MAX: u32 = 4;
/// Long enough for a filter on a plain column, which looks at every row.
const READING: Patience = Patience { lock_ms: 30_000, statement_ms: 5 * 60_000, idle_ms: 60_000 };
/// Long enough for an index of a large rebuild, which is one statement.
const WRITING: Patience =
    Patience { lock_ms: 30_000, statement_ms: 6 * 60 * 60_000, idle_ms: 60_000 };
/// Statements that a writer keeps prepared: a few for each view.
const WRITER_STATEMENTS_MAX: usize = 256;

/// The views of one book in PostgreSQL.
pub struct PostgresViews {
    home: Home,
    readers: PgPool,
    known: Known,
}

impl Database {
    /// Opens the views of a book; see [`PostgresViews::open`].
    ///
    /// # Errors
    /// As there, or a name that no schema can have.
    pub async fn open_views(
        &self,
        book: &str,
        book_id: [u8; 16],
    ) -> Result<PostgresViews, ViewError> {
        let schema = SchemaName::of(book, Part::Derived).map_err(ViewError::Refused)?;
        PostgresViews::open(self.options().clone(), schema.as_str(), book_id).await
    }
}

impl PostgresViews {
    /// Opens the views of book `book_id` in `schema` (1 to 63 lower-case letters, digits, `_` and
    /// `-`; made if missing) of the database that `options` name. Views of another book are
    /// dropped: they were derived from another record.
    pub async fn open(
        options: PgConnectOptions,
        schema: &str,
        book_id: [u8; 16],
    ) -> Result<Self, ViewError> {
        let schema = SchemaName::new(schema).map_err(ViewError::Refused)?;
        let options = options.options([("client_min_messages", "warning")]);
        let reading = limited(options.clone(), &schema, READING);
        let writing = limited(options, &schema, WRITING)
            .options([
                // Derived: what a power loss takes is made again, rows and cursor together.
                ("synchronous_commit", "off"),
            ])
            .statement_cache_capacity(WRITER_STATEMENTS_MAX);
        let failed = "open the views";
        let writers = PgPoolOptions::new().max_connections(WRITERS_MAX).connect_with(writing);
        let pool = writers.await.map_err(StorageError::sqlx(failed))?;
        let home = Home { pool, schema: schema.as_str().into(), book_id };
        let adopting = home.clone();
        to_the_end(async move { catalogue::adopt(&adopting).await }).await?;
        let readers = PgPoolOptions::new().max_connections(READERS_MAX).connect_with(reading);
        let readers = readers.await.map_err(StorageError::sqlx(failed))?;
        Ok(Self { home, readers, known: Known::default() })
    }
}

#[async_trait]
impl Views for PostgresViews {
    async fn ensure(&self, schema: &ViewSchema, as_of: &str) -> Result<ViewState, ViewError> {
        schema.assert_well_formed();
        check_day(as_of)?;
        let schema = Arc::new(schema.clone());
        let stored = match catalogue::find(&self.readers, schema.name).await {
            Ok(found) => found.filter(|entry| entry.is_of(&schema)),
            Err(error) if faults::is_gone(&error) => None,
            Err(error) => return Err(error.into()),
        };
        let state = match stored {
            Some(entry) => entry.info.state,
            None => {
                let work = make(self.home.clone(), Arc::clone(&schema), as_of.to_owned());
                to_the_end(work).await?
            }
        };
        self.known.remember(schema);
        Ok(state)
    }

    async fn state(&self, view: &str) -> Result<ViewState, ViewError> {
        let schema = self.known.schema(view)?;
        let found = catalogue::find(&self.readers, view).await;
        let found = found.map_err(ViewError::from).map_err(or_remade(view))?;
        let entry = found.filter(|entry| entry.is_of(&schema));
        Ok(entry.ok_or_else(|| ViewError::Remade { view: view.to_owned() })?.info.state)
    }

    async fn list(&self) -> Result<Vec<ViewInfo>, ViewError> {
        match catalogue::list(&self.readers).await {
            // Everything was dropped: there is no view.
            Err(error) if faults::is_gone(&error) => Ok(Vec::new()),
            listed => Ok(listed?),
        }
    }

    async fn rows(
        &self,
        view: &str,
        keys: &[String],
    ) -> Result<HashMap<String, Vec<u8>>, ViewError> {
        check_count(keys.len())?;
        read::rows(&self.readers, &*self.known.schema(view)?, keys).await
    }

    async fn get(&self, view: &str, key: &str) -> Result<Option<Vec<u8>>, ViewError> {
        read::get(&self.readers, &*self.known.schema(view)?, key).await
    }

    async fn due(
        &self,
        view: &str,
        on: &str,
        limit: u32,
    ) -> Result<Vec<(String, Vec<u8>)>, ViewError> {
        check_day(on)?;
        check_limit(limit)?;
        read::due(&self.readers, &*self.known.schema(view)?, on, limit).await
    }

    async fn write(
        &self,
        view: &str,
        from: &ViewPoint,
        changes: ViewChanges,
        to: &ViewPoint,
    ) -> Result<(), ViewWriteError> {
        let schema = self.known.schema(view)?;
        schema.check_changes(&changes)?;
        check_step(from, to)?;
        let step = Step { from: from.clone(), changes, to: to.clone() };
        to_the_end(keep_up(self.home.pool.clone(), schema, step)).await
    }

    async fn page_at(
        &self,
        view: &str,
        request: &PageRequest,
    ) -> Result<(ViewPage, ViewPoint), ViewError> {
        page::read(&self.readers, &*self.known.schema(view)?, request).await
    }

    async fn scan(
        &self,
        view: &str,
        after_key: Option<&str>,
        limit: u32,
    ) -> Result<Vec<ViewRow>, ViewError> {
        check_limit(limit)?;
        read::scan(&self.readers, &*self.known.schema(view)?, after_key, limit).await
    }

    async fn begin_rebuild(
        &self,
        schema: &ViewSchema,
        from: &RebuildFrom,
    ) -> Result<Shadow, ViewError> {
        schema.assert_well_formed();
        check_day(&from.point.as_of)?;
        let (pool, schema) = (self.home.pool.clone(), Arc::new(schema.clone()));
        to_the_end(rebuild::begin(pool, schema, from.clone())).await
    }

    async fn resume_rebuild(&self, schema: &ViewSchema) -> Result<Option<Resumed>, ViewError> {
        to_the_end(rebuild::resume(self.home.pool.clone(), Arc::new(schema.clone()))).await
    }

    async fn load(
        &self,
        shadow: &Shadow,
        rows: Vec<ViewRow>,
        loaded: u32,
    ) -> Result<(), ViewError> {
        check_count(rows.len())?;
        rows.iter().try_for_each(|row| shadow.schema.check_row(row))?;
        to_the_end(rebuild::load(self.home.pool.clone(), shadow.clone(), rows, loaded)).await
    }

    async fn index_shadow(&self, shadow: &Shadow) -> Result<(), ViewError> {
        to_the_end(rebuild::build_indexes(self.home.pool.clone(), shadow.clone())).await
    }

    async fn shadow_rows(
        &self,
        shadow: &Shadow,
        keys: &[String],
    ) -> Result<HashMap<String, Vec<u8>>, ViewError> {
        check_count(keys.len())?;
        to_the_end(rebuild::find(self.home.pool.clone(), shadow.clone(), keys.to_vec())).await
    }

    async fn shadow_due(
        &self,
        shadow: &Shadow,
        on: &str,
        limit: u32,
    ) -> Result<Vec<(String, Vec<u8>)>, ViewError> {
        check_day(on)?;
        check_limit(limit)?;
        to_the_end(rebuild::due(self.home.pool.clone(), shadow.clone(), on.to_owned(), limit)).await
    }

    async fn shadow_write(
        &self,
        shadow: &Shadow,
        changes: ViewChanges,
        cursor: u64,
    ) -> Result<(), ViewError> {
        shadow.schema.check_changes(&changes)?;
        let pool = self.home.pool.clone();
        to_the_end(rebuild::change(pool, shadow.clone(), changes, cursor)).await
    }

    async fn swap(&self, shadow: Shadow, point: &ViewPoint) -> Result<ViewState, ViewError> {
        let swapped = self.swap_shadow(&shadow, point, Replaces::Any).await?;
        swapped.ok_or_else(|| shadow.superseded())
    }

    async fn swap_forward(
        &self,
        shadow: &Shadow,
        point: &ViewPoint,
    ) -> Result<Option<ViewState>, ViewError> {
        self.swap_shadow(shadow, point, Replaces::NoFurther).await
    }

    async fn close(&self) {
        self.readers.close().await;
        self.home.pool.close().await;
    }
}

impl PostgresViews {
    async fn swap_shadow(
        &self,
        shadow: &Shadow,
        point: &ViewPoint,
        replaces: Replaces,
    ) -> Result<Option<ViewState>, ViewError> {
        check_day(&point.as_of)?;
        let pool = self.home.pool.clone();
        let work = rebuild::swap(pool, shadow.clone(), point.clone(), replaces);
        let swapped = to_the_end(work).await?;
        if swapped.is_some() {
            self.known.remember(Arc::clone(&shadow.schema));
        }
        Ok(swapped)
    }
}

/// Makes a view that is not there in this form, and whatever else of the schema was dropped.
async fn make(home: Home, schema: Arc<ViewSchema>, as_of: String) -> Result<ViewState, ViewError> {
    catalogue::adopt(&home).await?;
    let mut tx = catalogue::begin(&home.pool).await?;
    catalogue::lock(&mut tx).await?;
    // Another process may have made it meanwhile.
    let found = catalogue::find(&mut *tx, schema.name).await?;
    let state = match found.filter(|entry| entry.is_of(&schema)) {
        Some(entry) => entry.info.state,
        None => show::make_empty(&mut tx, &schema, &as_of).await?,
    };
    tx.commit().await.map_err(StorageError::sqlx("make a view"))?;
    Ok(state)
}

/// One step of upkeep.
struct Step {
    from: ViewPoint,
    changes: ViewChanges,
    to: ViewPoint,
}

async fn keep_up(pool: PgPool, schema: Arc<ViewSchema>, step: Step) -> Result<(), ViewWriteError> {
    let view = schema.name;
    let written = try_keep_up(&pool, &schema, step).await;
    written.map_err(|error| match error {
        ViewWriteError::View(error) => or_remade(view)(error).into(),
        moved @ ViewWriteError::Moved { .. } => moved,
    })
}

async fn try_keep_up(pool: &PgPool, schema: &ViewSchema, step: Step) -> Result<(), ViewWriteError> {
    let view = schema.name;
    let mut tx = catalogue::begin(pool).await?;
    let found = catalogue::find_locked(&mut tx, view).await?;
    let entry = found.filter(|entry| entry.is_of(schema));
    let entry = entry.ok_or_else(|| ViewError::Remade { view: view.to_owned() })?;
    let ViewState { point, rows } = entry.info.state;
    if point != step.from {
        return Err(ViewWriteError::Moved { view: view.to_owned(), at: point });
    }
    let table = statements::rows_table(schema, entry.generation);
    let added = rows::apply(&mut tx, &table, schema, step.changes).await?;
    let state = ViewState { point: step.to, rows: grown(view, rows, added)? };
    catalogue::move_to(&mut tx, schema, &state).await?;
    tx.commit().await.map_err(StorageError::sqlx("write a view"))?;
    Ok(())
}
#[cfg(test)]
mod tests;
