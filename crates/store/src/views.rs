//! Stored views: a projection's rows as tables that people and tools may query. The store knows no
//! orders: it knows a schema, opaque rows and typed columns beside them.
//!
//! A row and the position folded into it are written in one transaction; a view may be dropped at
//! any time and is made again from the record.

mod checks;
mod cursor;
mod error;
mod known;
mod question;
mod request;
mod schema;
mod select;
mod shadow;
pub(crate) mod sql;
mod value;

use std::collections::HashMap;

use async_trait::async_trait;

pub use checks::BATCH_ROWS_MAX;
pub(crate) use checks::{check_count, check_day, check_step, difference, grown, stored_number};
pub use cursor::Cursor;
pub use error::{ViewError, ViewWriteError};
pub(crate) use known::Known;
pub(crate) use question::{Column, Condition, Question};
pub(crate) use request::check_limit;
pub use request::{FILTERS_MAX, Filter, PAGE_ROWS_MAX, PageRequest, ViewPage};
pub use schema::{ColumnIndex, ColumnKind, ViewColumn, ViewSchema};
pub use select::select;
pub use shadow::{RebuildFrom, Resumed, Shadow};
pub(crate) use shadow::{Replaces, ShadowEntry, Stage};
pub(crate) use value::is_cell_text;
pub use value::{
    CELL_BYTES_MAX, COLUMNS_MAX, Comparison, Direction, INDEXED_CELL_BYTES_MAX, KEY_BYTES_MAX,
    Value, ViewChanges, ViewInfo, ViewPoint, ViewRow, ViewState,
};

/// The views of one book. Every read sees one committed state; a swap is seen whole or not at all.
#[async_trait]
pub trait Views: Send + Sync {
    /// Makes `schema`'s view known to this process and says how it stands. One that is not there,
    /// or was made by another version, fingerprint or set of columns, is made anew: empty, cursor
    /// 0, for the day `as_of`.
    ///
    /// # Panics
    /// When the schema is not well formed: schemas are written by programmers, not by users.
    async fn ensure(&self, schema: &ViewSchema, as_of: &str) -> Result<ViewState, ViewError>;

    /// How a view stands now.
    async fn state(&self, view: &str) -> Result<ViewState, ViewError>;

    /// How all stored views stand, by name.
    async fn list(&self) -> Result<Vec<ViewInfo>, ViewError>;

    /// The packed rows under `keys` (at most [`BATCH_ROWS_MAX`]); absent keys are left out.
    async fn rows(
        &self,
        view: &str,
        keys: &[String],
    ) -> Result<HashMap<String, Vec<u8>>, ViewError>;

    /// The packed row under `key`.
    async fn get(&self, view: &str, key: &str) -> Result<Option<Vec<u8>>, ViewError>;

    /// Keys and packed rows whose columns change by themselves on or before the day `on`, the
    /// longest due first.
    async fn due(
        &self,
        view: &str,
        on: &str,
        limit: u32,
    ) -> Result<Vec<(String, Vec<u8>)>, ViewError>;

    /// Writes changed rows and the point they bring the view to, in one transaction. Nothing is
    /// written unless the view stands at `from`: another process may keep up the same view. Neither
    /// cursor nor day goes back.
    async fn write(
        &self,
        view: &str,
        from: &ViewPoint,
        changes: ViewChanges,
        to: &ViewPoint,
    ) -> Result<(), ViewWriteError>;

    /// A page of a list, by filters and order on the typed columns, and the point at which the view
    /// stood, both of one committed state.
    async fn page_at(
        &self,
        view: &str,
        request: &PageRequest,
    ) -> Result<(ViewPage, ViewPoint), ViewError>;

    /// The page alone.
    async fn page(&self, view: &str, request: &PageRequest) -> Result<ViewPage, ViewError> {
        Ok(self.page_at(view, request).await?.0)
    }

    /// Whole rows in order of key, after `after_key`: to compare one view with another.
    async fn scan(
        &self,
        view: &str,
        after_key: Option<&str>,
        limit: u32,
    ) -> Result<Vec<ViewRow>, ViewError>;

    /// Starts a rebuild beside the live view. An earlier rebuild of the view that was not swapped
    /// is dropped; whoever still loads it gets [`ViewError::Superseded`].
    ///
    /// # Panics
    /// When the schema is not well formed.
    async fn begin_rebuild(
        &self,
        schema: &ViewSchema,
        from: &RebuildFrom,
    ) -> Result<Shadow, ViewError>;

    /// Takes over a rebuild of a view of this very form that was begun and not swapped; whoever
    /// still works on it gets [`ViewError::Superseded`]. The caller judges by what it was begun
    /// from whether it may go on, and begins another one if not.
    async fn resume_rebuild(&self, schema: &ViewSchema) -> Result<Option<Resumed>, ViewError>;

    /// Adds rows whose keys the shadow does not hold yet, in any order, at most [`BATCH_ROWS_MAX`]
    /// in one call, and keeps `loaded`, the caller's measure of what is loaded by now, in the same
    /// transaction. It is refused after [`Views::index_shadow`].
    async fn load(&self, shadow: &Shadow, rows: Vec<ViewRow>, loaded: u32)
    -> Result<(), ViewError>;

    /// Builds the shadow's indexes, each in a transaction of its own. A key that was loaded twice
    /// is an error here. Calling it again does nothing.
    async fn index_shadow(&self, shadow: &Shadow) -> Result<(), ViewError>;

    /// The packed rows under `keys` in an indexed shadow, to fold into it what was recorded since.
    async fn shadow_rows(
        &self,
        shadow: &Shadow,
        keys: &[String],
    ) -> Result<HashMap<String, Vec<u8>>, ViewError>;

    /// [`Views::due`] of an indexed shadow, to bring it to a later day.
    async fn shadow_due(
        &self,
        shadow: &Shadow,
        on: &str,
        limit: u32,
    ) -> Result<Vec<(String, Vec<u8>)>, ViewError>;

    /// Changes rows of an indexed shadow, and keeps the position folded into them.
    async fn shadow_write(
        &self,
        shadow: &Shadow,
        changes: ViewChanges,
        cursor: u64,
    ) -> Result<(), ViewError>;

    /// Puts the shadow in the place of the live view, as it stands at `point`, in one transaction.
    /// Builds its indexes first if that was not done.
    async fn swap(&self, shadow: Shadow, point: &ViewPoint) -> Result<ViewState, ViewError>;

    /// The same, unless the live view of this form was folded further than `point` or is for a
    /// later day: then it answers `None`, and the shadow must first be brought as far. So a view
    /// that was brought to a position and a day never goes back behind them.
    async fn swap_forward(
        &self,
        shadow: &Shadow,
        point: &ViewPoint,
    ) -> Result<Option<ViewState>, ViewError>;

    /// Waits for what is under way and lets go of the storage.
    async fn close(&self);
}
