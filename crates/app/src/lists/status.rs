//! The status of the stored lists: the position up to which each was folded, and how far behind the
//! record it is.

use daicho_projections::{List, all};
use daicho_store::views::Views;
use serde::Serialize;

use crate::error::Failure;

/// The status of a stored list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListState {
    /// Its name.
    pub list: &'static str,
    /// The version of the list's code that built it; for a list that is not stored yet, the version
    /// that will.
    pub version: u32,
    /// The position of the last event folded in; 0 for none.
    pub cursor: u64,
    /// The business day of its columns; `None` if it is not stored yet.
    pub as_of: Option<String>,
    /// The number of its rows.
    pub rows: u64,
    /// The number of events recorded since.
    pub behind_by: u64,
}

/// The status of every list if the record ends at `head`.
pub(super) async fn list_states(views: &dyn Views, head: u64) -> Result<Vec<ListState>, Failure> {
    let stored = views.list().await?;
    let state = |list: &&'static dyn List| {
        let view = stored.iter().find(|view| view.name == list.name());
        let cursor = view.map_or(0, |view| view.state.point.cursor);
        ListState {
            list: list.name(),
            version: view.map_or(list.version(), |view| view.version),
            cursor,
            as_of: view.map(|view| view.state.point.as_of.clone()),
            rows: view.map_or(0, |view| view.state.rows),
            behind_by: head.saturating_sub(cursor),
        }
    };
    Ok(all().iter().map(state).collect())
}
