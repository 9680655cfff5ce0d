//! A page of rows in memory, with the meaning that a stored view's page has: lists of past days are
//! folded, not stored, and must not answer differently.

use std::cmp::Ordering;

use super::cursor::Place;
use super::question::{Cell, Column, Condition, Question};
use super::{Comparison, Direction, PageRequest, ViewError, ViewPage, ViewRow, ViewSchema};

/// The page of `rows` (in any order, keys unique) that `request` asks for.
pub fn select(
    schema: &ViewSchema,
    rows: impl Iterator<Item = ViewRow>,
    request: &PageRequest,
) -> Result<ViewPage, ViewError> {
    let question = Question::new(schema, request)?;
    let mut rows: Vec<ViewRow> = rows.filter(|row| question.matches(row)).collect();
    // One row more than asked for tells whether there is a next page.
    if rows.len() > question.limit + 1 {
        rows.select_nth_unstable_by(question.limit, |one, other| question.compare(one, other));
        rows.truncate(question.limit + 1);
    }
    rows.sort_unstable_by(|one, other| question.compare(one, other));
    Ok(question.into_page(rows))
}

impl Question {
    /// Makes a page of `rows`, which may come in any order; sorting them costs nothing if they are
    /// sorted.
    pub(crate) fn into_sorted_page(self, mut rows: Vec<ViewRow>) -> ViewPage {
        rows.sort_by(|one, other| self.compare(one, other));
        self.into_page(rows)
    }

    /// Makes a page of `rows`, which are in order and at most one more than the limit.
    pub(crate) fn into_page(self, mut rows: Vec<ViewRow>) -> ViewPage {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let last = if more { rows.last() } else { None };
        let next = last.map(|row| self.cursor_after(row));
        ViewPage { rows, next }
    }

    fn matches(&self, row: &ViewRow) -> bool {
        self.conditions.iter().all(|condition| condition.holds(row))
            && self.after.as_ref().is_none_or(|place| self.follows(row, place))
    }

    fn follows(&self, row: &ViewRow, place: &Place) -> bool {
        let by_cell = match self.sort {
            Column::Key => Ordering::Equal,
            Column::Typed(..) => self.sort.cell(row).cmp(&place.value.cell()),
        };
        self.directed(by_cell.then_with(|| row.key.cmp(&place.key))) == Ordering::Greater
    }

    fn compare(&self, one: &ViewRow, other: &ViewRow) -> Ordering {
        let by_cell = self.sort.cell(one).cmp(&self.sort.cell(other));
        self.directed(by_cell.then_with(|| one.key.cmp(&other.key)))
    }

    fn directed(&self, ordering: Ordering) -> Ordering {
        match self.direction {
            Direction::Ascending => ordering,
            Direction::Descending => ordering.reverse(),
        }
    }
}

impl Condition {
    fn holds(&self, row: &ViewRow) -> bool {
        let cell = self.column.cell(row);
        let value = self.value.cell();
        let there = cell != Cell::Null;
        match self.op {
            Comparison::Eq => cell == value,
            Comparison::Ne => cell != value,
            Comparison::Lt => there && cell < value,
            Comparison::Le => there && cell <= value,
            Comparison::Gt => there && cell > value,
            Comparison::Ge => there && cell >= value,
            Comparison::Prefix => match (cell, value) {
                (Cell::Text(text), Cell::Text(start)) => text.starts_with(start),
                (Cell::Null | Cell::Integer(_) | Cell::Text(_), _) => false,
            },
        }
    }
}
