//! Lists as people read them: the live one, or as known at a position or day, or as effective on a
//! day.

use daicho_events::Position;
use daicho_projections::{List, all, find};
use daicho_store::Log;
use daicho_store::views::{
    Comparison, Cursor, Direction, Filter, PageRequest, Value, ViewPage, select,
};
use daicho_values::Date;

use crate::error::Failure;
use crate::folds::{Folds, ListFolds};
use crate::ledger::Ledger;
use crate::personal::Privacy;
use crate::progress::Unwatched;
use crate::replay::Replay;
use crate::rows::{LISTED, changes_blocking, schema_of};
use crate::upkeep::WAIT_MS_ANY;

/// Up to where the record is taken as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownAt {
    /// Up to this position.
    Position(Position),
    /// Up to the end of this day in the shop's time zone.
    Day(Date),
}

impl std::str::FromStr for KnownAt {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(position) = text.parse::<u64>() {
            return Ok(Self::Position(Position(position)));
        }
        text.parse().map(Self::Day).map_err(|_| {
            format!("`{text}` is neither a position (a number) nor a day (YYYY-MM-DD)")
        })
    }
}

/// What is asked of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListRequest {
    /// Conditions, all of which hold: `status=overdue`, `due_on<=2026-05-31`.
    pub filters: Vec<ListFilter>,
    /// A column to sort by, and which end comes first.
    pub sort: Option<ListSort>,
    /// Where the page before ended.
    pub after: Option<String>,
    /// Rows of the page.
    pub limit: u32,
    /// What was recorded up to there; left out: everything.
    pub known_at: Option<KnownAt>,
    /// What counts on that day; left out: today.
    pub effective_on: Option<Date>,
    /// What the list must hold already: one's own write, say.
    pub at_least: Option<AtLeast>,
    /// Whether personal values are shown.
    pub privacy: Privacy,
}

/// A position that a list is to have reached, and how long that is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtLeast {
    /// Every event up to here.
    pub position: Position,
    /// Milliseconds that another process which brings the list up is waited for: then the answer
    /// is that it is not there yet.
    pub wait_ms: u64,
}

/// A column to sort by: `gross`, or `-gross` for the largest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListSort {
    column: String,
    direction: Direction,
}

impl std::str::FromStr for ListSort {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (column, direction) = match text.strip_prefix('-') {
            Some(column) => (column, Direction::Descending),
            None => (text, Direction::Ascending),
        };
        if column.is_empty() || column.starts_with('-') {
            return Err("name a column, as `gross`, or `-gross` for the largest first".to_owned());
        }
        Ok(Self { column: column.to_owned(), direction })
    }
}

/// A condition as people write it: column, comparison, value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListFilter {
    column: String,
    op: Comparison,
    value: String,
}

impl ListFilter {
    /// Only rows that have this value in a column.
    pub fn equal(column: &str, value: &str) -> Self {
        Self { column: column.to_owned(), op: Comparison::Eq, value: value.to_owned() }
    }
}

impl std::str::FromStr for ListFilter {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let signs = [
            ("!=", Comparison::Ne),
            ("<=", Comparison::Le),
            (">=", Comparison::Ge),
            ("^=", Comparison::Prefix),
            ("<", Comparison::Lt),
            (">", Comparison::Gt),
            ("=", Comparison::Eq),
        ];
        let found = signs.into_iter().filter_map(|(sign, op)| Some((text.find(sign)?, sign, op)));
        // The first sign of the text; of two at one place the longer, which stands first above.
        let (at, sign, op) = found.min_by_key(|(at, _, _)| *at).ok_or_else(|| {
            format!(
                "`{text}` is no condition: write COLUMN=VALUE, or with != < <= > >= or ^= (begins \
                 with)"
            )
        })?;
        let (column, rest) = text.split_at(at);
        let value = rest.strip_prefix(sign).unwrap_or_default().to_owned();
        Ok(Self { column: column.trim().to_owned(), op, value })
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListPage {
    /// The rows, each a JSON object: its facts and what it looks like on the day.
    pub rows: Vec<serde_json::Value>,
    /// The typed columns of each row, in the order of the list's columns.
    pub columns: Vec<Vec<daicho_projections::Value>>,
    /// Where the next page begins.
    pub next: Option<String>,
    /// The position up to which the record was taken.
    pub known_at: Position,
    /// The day on which it counts.
    pub effective_on: Date,
}

/// The list of that name.
///
/// # Errors
/// A name that no list has.
pub fn list_by_name(name: &str) -> Result<&'static dyn List, Failure> {
    find(name).ok_or_else(|| {
        let known: Vec<&str> = all().iter().map(|list| list.name()).collect();
        Failure::Limit(format!("there is no list `{name}`: there are {}", known.join(", ")))
    })
}

impl Ledger {
    /// A page of a list.
    ///
    /// # Errors
    /// A column, value or cursor that the list does not know, or storage that fails.
    pub async fn list(
        &self,
        list: &'static dyn List,
        request: &ListRequest,
    ) -> Result<ListPage, Failure> {
        let today = self.today().await?;
        let effective_on = request.effective_on.unwrap_or(today);
        let page = page_request(list, request)?;
        let wanted = request.at_least.map(|at_least| KnownAt::Position(at_least.position));
        let wanted = self.position_of(wanted).await?;
        let (found, known_at) = if request.known_at.is_none() && effective_on == today {
            let wait_ms = request.at_least.map_or(WAIT_MS_ANY, |at_least| at_least.wait_ms);
            self.live_page(list, &page, (wanted, today), wait_ms).await?
        } else {
            let position = self.position_of(request.known_at).await?;
            check_holds(position, request.at_least)?;
            (self.past_page(list, &page, position, effective_on).await?, position)
        };
        self.shown(list, found, known_at, (effective_on, request.privacy)).await
    }

    /// A page of the stored list at or after a position and a day, and at which position exactly:
    /// rows and position are of one committed state.
    async fn live_page(
        &self,
        list: &'static dyn List,
        page: &PageRequest,
        (target, day): (u64, Date),
        wait_ms: u64,
    ) -> Result<(ViewPage, u64), Failure> {
        let day = day.to_string();
        loop {
            self.keep_up_to(list, target, wait_ms).await?;
            let (found, point) = self.views().page_at(list.name(), page).await?;
            // A rebuild that was swapped in meanwhile may stand a little further back.
            if point.cursor >= target && point.as_of >= day {
                return Ok((found, point.cursor));
            }
        }
    }

    /// A page of the list folded anew up to a position: the live table is not touched.
    async fn past_page(
        &self,
        list: &'static dyn List,
        page: &PageRequest,
        position: u64,
        on: Date,
    ) -> Result<ViewPage, Failure> {
        let folds = Folds::start(&[list]);
        let folds = self.replay(folds, Replay::whole(position), &Unwatched).await?;
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
            self.show_personal(&mut json, privacy).await?;
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
    /// As [`Ledger::list`].
    pub async fn show(
        &self,
        list: &'static dyn List,
        key: &str,
        request: &ListRequest,
    ) -> Result<Option<serde_json::Value>, Failure> {
        let filters = vec![ListFilter::equal("key", key)];
        let request = ListRequest { filters, limit: 1, ..request.clone() };
        Ok(self.list(list, &request).await?.rows.pop())
    }

    /// The position up to which the record was known.
    ///
    /// # Errors
    /// A position beyond the head.
    pub async fn position_of(&self, known_at: Option<KnownAt>) -> Result<u64, Failure> {
        let head = self.log().head().await?.position;
        match known_at {
            None => Ok(head),
            Some(KnownAt::Position(Position(position))) if position <= head => Ok(position),
            Some(KnownAt::Position(Position(position))) => {
                Err(Failure::NotRecorded { position, head })
            }
            Some(KnownAt::Day(day)) => self.last_position_on(day, head).await,
        }
    }

    /// The last position recorded on or before a day: recorded times never run backwards.
    async fn last_position_on(&self, day: Date, head: u64) -> Result<u64, Failure> {
        let shop = self.shop().await?;
        let (mut low, mut high) = (0, head);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            let events = self.events_between(middle - 1, middle).await?;
            let recorded = events.first().map(|event| shop.date_of(event.header.recorded_at));
            if recorded.is_some_and(|recorded| recorded <= day) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Ok(low)
    }
}

/// Refuses to wait for what was not known then.
fn check_holds(known_at: u64, at_least: Option<AtLeast>) -> Result<(), Failure> {
    match at_least.map(|at_least| at_least.position.0) {
        Some(position) if position > known_at => Err(Failure::Limit(format!(
            "a list as known at position {known_at} never holds position {position}: leave one out"
        ))),
        Some(_) | None => Ok(()),
    }
}

fn page_request(list: &'static dyn List, request: &ListRequest) -> Result<PageRequest, Failure> {
    let listed = Filter { column: LISTED.to_owned(), op: Comparison::Eq, value: Value::Integer(1) };
    let mut filters = vec![listed];
    for filter in &request.filters {
        let column = if filter.column == list.key_name() { "key" } else { &filter.column };
        let value = filter_value(list, column, &filter.value)?;
        filters.push(Filter { column: column.to_owned(), op: filter.op, value });
    }
    let after = request.after.clone().map(Cursor::from);
    let sort = request.sort.as_ref().map(|ListSort { column, direction }| {
        let column = if column == list.key_name() { "key" } else { column };
        (column.to_owned(), *direction)
    });
    Ok(PageRequest { filters, sort, after, limit: request.limit })
}

fn filter_value(list: &'static dyn List, column: &str, text: &str) -> Result<Value, Failure> {
    use daicho_projections::ColumnKind as Kind;
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let kind = list.columns().iter().find(|known| known.name == column).map(|known| known.kind);
    let refused = |form: &str| Failure::Limit(format!("`{column}` is {form}, not `{text}`"));
    match kind {
        Some(Kind::Integer | Kind::Money) => {
            let number = text.parse().map(Value::Integer);
            number.map_err(|_| refused("a whole number (money in the smallest unit)"))
        }
        Some(Kind::Date) => {
            text.parse::<Date>().map_err(|_| refused("a day, YYYY-MM-DD"))?;
            Ok(Value::Text(text.to_owned()))
        }
        Some(Kind::Text | Kind::Timestamp) | None => Ok(Value::Text(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hyphen_before_a_column_puts_the_largest_first() {
        let sort = |direction| ListSort { column: "gross".to_owned(), direction };
        assert_eq!("gross".parse(), Ok(sort(Direction::Ascending)));
        assert_eq!("-gross".parse(), Ok(sort(Direction::Descending)));
        assert!("-".parse::<ListSort>().is_err() && "--gross".parse::<ListSort>().is_err());
    }
}
