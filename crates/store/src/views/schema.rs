//! What the rows of a view look like, and which rows fit.

use std::fmt;

use super::{
    CELL_BYTES_MAX, COLUMNS_MAX, INDEXED_CELL_BYTES_MAX, KEY_BYTES_MAX, Value, ViewChanges,
    ViewError, ViewRow, check_count, check_day, is_cell_text,
};

/// What the rows of a view look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewSchema {
    /// `[a-z_]+`, e.g. `orders`: its table is `view_orders`.
    pub name: &'static str,
    /// The projection's version: another one empties the view.
    pub version: u32,
    /// Fingerprint of the row's type: another one empties the view.
    pub fingerprint: String,
    /// The typed columns beside the row, at most [`COLUMNS_MAX`].
    pub columns: Vec<ViewColumn>,
}

/// A typed column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewColumn {
    /// `[a-z_]+`, none of `key`, `row`, `next_change`.
    pub name: &'static str,
    /// What its cells hold; every cell may be null.
    pub kind: ColumnKind,
    /// Whether lists are often filtered or sorted by it.
    pub index: ColumnIndex,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Text in binary collation.
    Text,
    /// A whole number.
    Integer,
    /// A day as ISO text, `YYYY-MM-DD`.
    Date,
    /// A moment as ISO text in UTC, of one fixed precision, so that text order is time order.
    Timestamp,
    /// Money in units of the currency's smallest part.
    Money,
}

/// Whether a column has an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnIndex {
    /// Pages sorted by it, or narrowed by it, read only what they show.
    Indexed,
    /// Reading by it looks at every row.
    Plain,
}

impl ViewSchema {
    /// # Panics
    /// When a name is not `[a-z_]+`, is taken or occurs twice, or there are too many columns.
    pub(crate) fn assert_well_formed(&self) {
        assert!(is_identifier(self.name), "view {} is not named [a-z_]+", self.name);
        assert!(self.columns.len() <= COLUMNS_MAX, "view {} has too many columns", self.name);
        for (place, column) in self.columns.iter().enumerate() {
            let name = column.name;
            assert!(is_identifier(name), "column {name} is not named [a-z_]+");
            assert!(!["key", "row", "next_change"].contains(&name), "column {name} is taken");
            let mut before = self.columns.iter().take(place);
            assert!(!before.any(|other| other.name == name), "column {name} occurs twice");
        }
    }

    /// Refuses a row that does not fit.
    pub(crate) fn check_row(&self, row: &ViewRow) -> Result<(), ViewError> {
        check_key(&row.key)?;
        if row.columns.len() != self.columns.len() {
            return Err(ViewError::Refused(format!(
                "row {} of view {} has {} cells: it must have {}",
                row.key,
                self.name,
                row.columns.len(),
                self.columns.len()
            )));
        }
        for (column, value) in self.columns.iter().zip(&row.columns) {
            if *value != Value::Null {
                column.check(value)?;
            }
        }
        row.next_change.as_deref().map_or(Ok(()), check_day)
    }

    /// Refuses changes of which one does not fit, or which name a key twice or too many keys.
    pub(crate) fn check_changes(&self, changes: &ViewChanges) -> Result<(), ViewError> {
        let count = changes.upserts.len() + changes.deletes.len();
        check_count(count)?;
        let mut keys = std::collections::HashSet::with_capacity(count);
        for key in changes.upserts.iter().map(|row| &row.key).chain(&changes.deletes) {
            if !keys.insert(key) {
                return Err(ViewError::Refused(format!("row {key} is changed twice in one write")));
            }
        }
        changes.upserts.iter().try_for_each(|row| self.check_row(row))
    }
}

impl ViewColumn {
    /// Refuses a cell that is not null and not for this column.
    fn check(&self, value: &Value) -> Result<(), ViewError> {
        self.kind.check(value, self.name)?;
        match (self.index, value) {
            (ColumnIndex::Indexed, Value::Text(text)) if text.len() > INDEXED_CELL_BYTES_MAX => {
                Err(ViewError::Refused(format!(
                    "column {} is indexed and holds text of at most {INDEXED_CELL_BYTES_MAX} \
                     bytes, not of {}",
                    self.name,
                    text.len()
                )))
            }
            (ColumnIndex::Indexed | ColumnIndex::Plain, _) => Ok(()),
        }
    }
}

impl ColumnKind {
    /// Refuses a value that is not null and not of this kind.
    pub(crate) fn check(self, value: &Value, column: &str) -> Result<(), ViewError> {
        let fits = match self {
            Self::Text | Self::Date | Self::Timestamp => {
                matches!(value, Value::Text(text) if is_cell_text(text))
            }
            Self::Integer | Self::Money => matches!(value, Value::Integer(_)),
        };
        if fits {
            return Ok(());
        }
        Err(ViewError::Refused(format!("column {column} holds {self}, not {value}")))
    }
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => {
                write!(formatter, "text of at most {CELL_BYTES_MAX} bytes, none of them zero")
            }
            Self::Integer => formatter.write_str("whole numbers"),
            Self::Date => formatter.write_str("days (text, YYYY-MM-DD)"),
            Self::Timestamp => formatter.write_str("moments (text, ISO 8601)"),
            Self::Money => formatter.write_str("money (whole numbers of the smallest unit)"),
        }
    }
}

fn is_identifier(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 48
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn check_key(key: &str) -> Result<(), ViewError> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX || key.contains('\0') {
        return Err(ViewError::Refused(format!(
            "a row's key must have 1 to {KEY_BYTES_MAX} bytes, none of them zero; it has {}",
            key.len()
        )));
    }
    Ok(())
}
