//! A page request that was checked against its view's schema: columns found, values of their kind,
//! the cursor read. The table and the list in memory answer the same question.

use super::cursor::Place;
use super::{
    Comparison, Cursor, Direction, FILTERS_MAX, PageRequest, Value, ViewColumn, ViewError, ViewRow,
    ViewSchema, check_limit, is_cell_text,
};

/// What a filter or an order looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    /// The row's key.
    Key,
    /// A typed column, by its place in the schema.
    Typed(usize, ViewColumn),
}

/// A cell without a copy of it; ordered as [`Value`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cell<'a> {
    Null,
    Integer(i64),
    Text(&'a str),
}

/// A checked filter.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) column: Column,
    pub(crate) op: Comparison,
    pub(crate) value: Value,
}

/// A checked page request.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) conditions: Vec<Condition>,
    pub(crate) sort: Column,
    pub(crate) direction: Direction,
    pub(crate) after: Option<Place>,
    pub(crate) limit: usize,
}

impl Question {
    /// Checks `request` against `schema`.
    pub(crate) fn new(schema: &ViewSchema, request: &PageRequest) -> Result<Self, ViewError> {
        check_limit(request.limit)?;
        let count = request.filters.len();
        if count > FILTERS_MAX {
            return Err(ViewError::Refused(format!("{count} filters: at most {FILTERS_MAX}")));
        }
        let conditions: Result<_, ViewError> = request
            .filters
            .iter()
            .map(|filter| {
                let column = Column::find(schema, &filter.column)?;
                check_comparison(column, filter.op, &filter.value)?;
                Ok(Condition { column, op: filter.op, value: filter.value.clone() })
            })
            .collect();
        let (sort, direction) = match &request.sort {
            Some((name, direction)) => (Column::find(schema, name)?, *direction),
            None => (Column::Key, Direction::Ascending),
        };
        let after = request.after.as_ref().map(Cursor::place).transpose()?;
        if let Some(place) = &after {
            check_place(place, sort, direction)?;
        }
        let limit = usize::try_from(request.limit)
            .map_err(|_| ViewError::Refused("the limit is too large".into()))?;
        Ok(Self { conditions: conditions?, sort, direction, after, limit })
    }

    /// The cursor of a page that ends with `row`.
    pub(crate) fn cursor_after(&self, row: &ViewRow) -> Cursor {
        let value = match self.sort {
            Column::Key => Value::Null,
            Column::Typed(place, _) => row.columns.get(place).cloned().unwrap_or(Value::Null),
        };
        Cursor::new(Place {
            sort: self.sort.name().to_owned(),
            direction: self.direction,
            value,
            key: row.key.clone(),
        })
    }
}

impl Column {
    fn find(schema: &ViewSchema, name: &str) -> Result<Self, ViewError> {
        if name == "key" {
            return Ok(Self::Key);
        }
        let place = schema.columns.iter().enumerate().find(|(_, column)| column.name == name);
        place.map(|(place, column)| Self::Typed(place, *column)).ok_or_else(|| {
            let known: Vec<_> = schema.columns.iter().map(|column| column.name).collect();
            ViewError::UnknownColumn {
                view: schema.name.to_owned(),
                column: name.to_owned(),
                known: format!("key, {}", known.join(", ")),
            }
        })
    }

    /// Its name, as in the schema.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Typed(_, column) => column.name,
        }
    }

    /// The cell of `row` in it.
    pub(crate) fn cell(self, row: &ViewRow) -> Cell<'_> {
        match self {
            Self::Key => Cell::Text(&row.key),
            Self::Typed(place, _) => row.columns.get(place).map_or(Cell::Null, Value::cell),
        }
    }

    fn check(self, value: &Value) -> Result<(), ViewError> {
        match (self, value) {
            (Self::Key, Value::Text(text)) if is_cell_text(text) => Ok(()),
            (Self::Key, value) => Err(ViewError::Refused(format!("key holds text, not {value}"))),
            (Self::Typed(_, column), value) => column.kind.check(value, column.name),
        }
    }
}

impl Value {
    /// The same without a copy.
    pub(crate) fn cell(&self) -> Cell<'_> {
        match self {
            Self::Null => Cell::Null,
            Self::Integer(number) => Cell::Integer(*number),
            Self::Text(text) => Cell::Text(text),
        }
    }
}

fn check_comparison(column: Column, op: Comparison, value: &Value) -> Result<(), ViewError> {
    let name = column.name();
    let against_null = *value == Value::Null;
    match op {
        Comparison::Eq | Comparison::Ne if against_null => Ok(()),
        Comparison::Prefix if !matches!(value, Value::Text(_)) => Err(ViewError::Refused(format!(
            "{name} is asked to start with {value}: only a text can be the start of another"
        ))),
        Comparison::Lt | Comparison::Le | Comparison::Gt | Comparison::Ge if against_null => {
            Err(ViewError::Refused(format!(
                "{name} is compared with nothing: ask whether it is or is not nothing"
            )))
        }
        Comparison::Eq
        | Comparison::Ne
        | Comparison::Lt
        | Comparison::Le
        | Comparison::Gt
        | Comparison::Ge
        | Comparison::Prefix => column.check(value),
    }
}

fn check_place(place: &Place, sort: Column, direction: Direction) -> Result<(), ViewError> {
    let fits = match sort {
        Column::Key => place.value == Value::Null,
        Column::Typed(..) => place.value == Value::Null || sort.check(&place.value).is_ok(),
    };
    let fits = fits && is_cell_text(&place.key);
    if place.sort != sort.name() || place.direction != direction || !fits {
        return Err(ViewError::BadCursor { reason: "belongs to a list in another order" });
    }
    Ok(())
}
