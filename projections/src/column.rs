//! Typed columns: what a list offers for filters, sorting and plain SQL beside its binary rows.
//! Text compares by its bytes; dates and instants are written so that this is their own order.

use std::fmt;

use daicho_values::Money;
use serde::Serialize;

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// A text: a name, an id, a status.
    Text,
    /// A whole number.
    Integer,
    /// A civil date, `2026-11-22`.
    Date,
    /// An instant in UTC, `2026-11-21T01:02:03.000004Z`.
    Timestamp,
    /// An amount in the minor unit (yen, pence) of the row's column `currency`.
    Money,
}

/// Whether the stored table finds rows by a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnRole {
    /// The column has an index of its own.
    Indexed,
    /// The column has no index.
    Plain,
}

/// A column of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name: `snake_case`, no word that SQL keeps for itself.
    pub name: &'static str,
    /// What its values are; any may be null.
    pub kind: ColumnKind,
    /// Whether it has an index.
    pub role: ColumnRole,
    /// What it says, for people.
    pub describe: &'static str,
}

impl Column {
    /// A column that rows are found by.
    pub const fn indexed(name: &'static str, kind: ColumnKind, describe: &'static str) -> Self {
        Self { name, kind, role: ColumnRole::Indexed, describe }
    }

    /// A column without an index.
    pub const fn plain(name: &'static str, kind: ColumnKind, describe: &'static str) -> Self {
        Self { name, kind, role: ColumnRole::Plain, describe }
    }
}

/// The columns of a list, each declared once: whether it has an index, its name, what its values
/// are, what it says for people, and its value.
///
/// Stands in the `impl Projection` of the list and writes [`Projection::COLUMNS`] and
/// [`Projection::columns`]. The names between the bars stand for the row, the row on the day, and
/// the day.
///
/// ```text
/// columns! { |row, day, on|
///     indexed status: Text, "issued or lapsed" => Value::name_of(&day.status);
///     plain lines: Integer, "how many lines" => Value::integer(row.lines);
/// }
/// ```
///
/// [`Projection::COLUMNS`]: crate::Projection::COLUMNS
/// [`Projection::columns`]: crate::Projection::columns
macro_rules! columns {
    (
        |$row:ident, $day:ident, $on:pat_param|
        $($role:ident $name:ident: $kind:ident, $describe:literal => $value:expr;)+
    ) => {
        const COLUMNS: &'static [$crate::Column] = &[
            $($crate::Column::$role(stringify!($name), $crate::ColumnKind::$kind, $describe)),+
        ];

        fn columns(row: &Self::Row, on: daicho_values::Date) -> Vec<$crate::Value> {
            let ($row, $day, $on) = (row, &Self::on_day(row, on), on);
            vec![$($value),+]
        }
    };
}
pub(crate) use columns;

/// A value of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// No value.
    Null,
    /// A text, a date or an instant.
    Text(String),
    /// A number, or an amount in minor units.
    Integer(i64),
}

impl Value {
    /// A text.
    pub fn text(value: impl fmt::Display) -> Self {
        Self::Text(value.to_string())
    }

    /// A text that may be missing.
    pub fn text_or_null(value: Option<impl fmt::Display>) -> Self {
        value.map_or(Self::Null, Self::text)
    }

    /// The stored name of a variant without data, `partly_paid`.
    pub fn name_of(value: &impl Serialize) -> Self {
        Self::text(StoredName(value))
    }

    /// An amount in minor units.
    pub fn money(amount: Money) -> Self {
        Self::Integer(amount.minor_units())
    }

    /// A number.
    pub fn integer(number: impl Into<i64>) -> Self {
        Self::Integer(number.into())
    }
}

/// Writes the name under which a unit variant is serialised, without a detour through JSON.
struct StoredName<'a, T>(&'a T);

impl<T: Serialize> fmt::Display for StoredName<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use daicho_events::product::PaymentMethod;

    #[test]
    fn the_name_of_a_variant_is_the_one_in_the_record() {
        assert_eq!(
            Value::name_of(&PaymentMethod::DirectDebit),
            Value::Text("direct_debit".to_owned())
        );
    }

    #[test]
    fn money_is_shown_in_the_minor_unit_of_its_currency() {
        let pounds = Money::parse("4.10", daicho_values::Currency::Gbp).unwrap();
        assert_eq!(Value::money(pounds), Value::Integer(410));
    }
}
