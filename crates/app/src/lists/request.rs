//! What can be asked of a list: conditions, an order, a page and a moment.

use daicho_events::Position;
use daicho_projections::List;
use daicho_store::views::{Comparison, Cursor, Direction, Filter, PageRequest, Value};
use daicho_values::Date;

use super::rows::LISTED;
use crate::decide::personal::Privacy;
use crate::error::Failure;
use crate::record::KnownAt;

/// What is asked of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListRequest {
    /// Conditions, all of which hold: `status=overdue`, `due_on<=2026-05-31`.
    pub filters: Vec<ListFilter>,
    /// A column to sort by, and which end comes first.
    pub sort: Option<ListSort>,
    /// Where the previous page ended.
    pub after: Option<String>,
    /// The most rows of the page.
    pub limit: u32,
    /// Show what was recorded up to this point; left out: everything.
    pub known_at: Option<KnownAt>,
    /// Show what counts on this day; left out: today.
    pub effective_on: Option<Date>,
    /// The position that the list must already include, such as that of one's own command.
    pub at_least: Option<AtLeast>,
    /// Whether personal values are shown.
    pub privacy: Privacy,
}

/// A position that a list must have reached, and how long to wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtLeast {
    /// The list must include every event up to this position.
    pub position: Position,
    /// Milliseconds to wait for another process that is bringing the list up to date; after that
    /// the answer is an error.
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
        // The first comparison in the text; of two at the same place the longer one, which comes
        // first above.
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

/// The query to the store.
pub(super) fn page_request(
    list: &'static dyn List,
    request: &ListRequest,
) -> Result<PageRequest, Failure> {
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
    let refused =
        |form| Failure::Condition { column: column.to_owned(), form, text: text.to_owned() };
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
