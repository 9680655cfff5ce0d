//! Lists as people read them: the live list, a list as known at a position or day, or a list as
//! effective on a day.

use std::sync::Arc;

use daicho_events::Position;
use daicho_projections::{List, all, find};
use daicho_store::views::{PageRequest, ViewPage, Views, select};
use daicho_values::Date;

use super::folds::{Folds, ListFolds};
use super::replay::{Replay, Replayer};
use super::request::{AtLeast, ListFilter, ListRequest, page_request};
use super::rows::{changes_blocking, schema_of};
use super::status::{ListState, list_states};
use super::upkeep::{Upkeep, WAIT_MS_ANY};
use crate::decide::personal::{PersonalValues, Privacy};
use crate::error::Failure;
use crate::progress::Unwatched;
use crate::record::{KnownAt, Record};
use crate::storage::Storage;

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListPage {
    /// The rows, each a JSON object: its facts and how it looks on the day.
    pub rows: Vec<serde_json::Value>,
    /// The typed columns of each row, in the order of the list's columns.
    pub columns: Vec<Vec<daicho_projections::Value>>,
    /// Where the next page begins.
    pub next: Option<String>,
    /// The position up to which the record was taken into account.
    pub known_at: Position,
    /// The day for which the rows are shown.
    pub effective_on: Date,
}

/// The list of that name.
///
/// # Errors
/// No list has that name.
pub fn list_by_name(name: &str) -> Result<&'static dyn List, Failure> {
    find(name).ok_or_else(|| {
        let known: Vec<&str> = all().iter().map(|list| list.name()).collect();
        Failure::UnknownList { name: name.to_owned(), known: known.join(", ") }
    })
}

/// The lists of a book.
pub struct Lists {
    views: Arc<dyn Views>,
    record: Arc<Record>,
    upkeep: Upkeep,
    replayer: Replayer,
    personal_values: PersonalValues,
}

impl Lists {
    pub(crate) fn of(storage: &Storage, record: &Arc<Record>) -> Self {
        Self {
            views: Arc::clone(&storage.views),
            record: Arc::clone(record),
            upkeep: Upkeep::of(storage, record),
            replayer: Replayer::of(storage, record),
            personal_values: PersonalValues::of(storage),
        }
    }

    /// The status of every list; none is brought up to date for it.
    ///
    /// # Errors
    /// Storage fails.
    pub async fn states(&self) -> Result<Vec<ListState>, Failure> {
        list_states(self.views.as_ref(), self.record.head().await?).await
    }

    /// A page of a list.
    ///
    /// # Errors
    /// The list does not know the column, value or cursor, or storage fails.
    pub async fn page(
        &self,
        list: &'static dyn List,
        request: &ListRequest,
    ) -> Result<ListPage, Failure> {
        let today = self.record.today().await?;
        let effective_on = request.effective_on.unwrap_or(today);
        let page = page_request(list, request)?;
        let wanted = request.at_least.map(|at_least| KnownAt::Position(at_least.position));
        let wanted = self.record.position_of(wanted).await?;
        let (found, known_at) = if request.known_at.is_none() && effective_on == today {
            let wait_ms = request.at_least.map_or(WAIT_MS_ANY, |at_least| at_least.wait_ms);
            self.live_page(list, &page, (wanted, today), wait_ms).await?
        } else {
            let position = self.record.position_of(request.known_at).await?;
            check_holds(position, request.at_least)?;
            (self.past_page(list, &page, position, effective_on).await?, position)
        };
        self.shown(list, found, known_at, (effective_on, request.privacy)).await
    }

    /// A page of the stored list at or after a position and a day, with its exact position: rows
    /// and position are of one committed state.
    async fn live_page(
        &self,
        list: &'static dyn List,
        page: &PageRequest,
        (target, day): (u64, Date),
        wait_ms: u64,
    ) -> Result<(ViewPage, u64), Failure> {
        let day = day.to_string();
        loop {
            self.upkeep.keep_up_to(list, target, wait_ms).await?;
            let (found, point) = self.views.page_at(list.name(), page).await?;
            // A rebuild that was swapped in meanwhile may be a little further back.
            if point.cursor >= target && point.as_of >= day {
                return Ok((found, point.cursor));
            }
        }
    }

    /// A page of the list freshly folded up to a position: the live table is not touched.
    async fn past_page(
        &self,
        list: &'static dyn List,
        page: &PageRequest,
        position: u64,
        on: Date,
    ) -> Result<ViewPage, Failure> {
        let folds = Folds::start(&[list]);
        let folds = self.replayer.replay(folds, Replay::whole(position), &Unwatched).await?;
        let mut rows = Vec::new();
        for part in folds.by_list().into_iter().flat_map(ListFolds::parts) {
            rows.extend(changes_blocking(list, part, on).await?.upserts);
        }
        Ok(select(&schema_of(list), rows.into_iter(), page)?)
    }

    async fn shown(
        &self,
        list: &'static dyn List,
        page: ViewPage,
        known_at: u64,
        (effective_on, privacy): (Date, Privacy),
    ) -> Result<ListPage, Failure> {
        let (mut rows, mut columns) = (Vec::new(), Vec::new());
        for row in page.rows {
            let Some(mut json) = list.json(&row.row, effective_on)? else { continue };
            self.personal_values.show(&mut json, privacy).await?;
            rows.push(json);
            columns.push(list.columns_on(&row.row, effective_on)?.unwrap_or_default());
        }
        Ok(ListPage {
            rows,
            columns,
            next: page.next.map(|cursor| cursor.to_string()),
            known_at: Position(known_at),
            effective_on,
        })
    }

    /// One row of a list by its key, at the moment that `request` names; `None`: it is not in the
    /// list.
    ///
    /// # Errors
    /// As [`Lists::page`].
    pub async fn row(
        &self,
        list: &'static dyn List,
        key: &str,
        request: &ListRequest,
    ) -> Result<Option<serde_json::Value>, Failure> {
        let filters = vec![ListFilter::equal("key", key)];
        let request = ListRequest { filters, limit: 1, ..request.clone() };
        Ok(self.page(list, &request).await?.rows.pop())
    }
}

/// Refuses a list of the past that is to hold a position recorded after it.
fn check_holds(known_at: u64, at_least: Option<AtLeast>) -> Result<(), Failure> {
    match at_least.map(|at_least| at_least.position.0) {
        Some(position) if position > known_at => Err(Failure::NeverHolds { known_at, position }),
        Some(_) | None => Ok(()),
    }
}
