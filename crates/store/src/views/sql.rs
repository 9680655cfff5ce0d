//! The SQL that both databases understand: names, the form of a table, and a page as conditions and
//! an order. A page starts where the last one ended (keyset), so that the thousandth costs what the
//! first one does.

use super::{Column, ColumnIndex, ColumnKind, Comparison, Condition, Direction, Question, Value};
use super::{ViewColumn, ViewSchema};

/// A stretch of the order that one range of an index covers. Nulls are before or after all values,
/// and SQL's comparisons do not reach them: a page may need two stretches.
pub(crate) enum Stretch {
    /// Everything.
    Whole,
    /// Keys beyond this one; the order is by key.
    KeysBeyond(String),
    /// Cells beyond this one, or the same with keys beyond this one.
    CellsBeyond(Value, String),
    /// Null cells with keys beyond this one.
    NullsBeyond(String),
    /// All cells that are not null.
    Values,
    /// All null cells.
    Nulls,
}

/// Conditions of a statement, with the values of its parameters: those that it had before, then
/// those of the conditions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions {
    sql: Vec<String>,
    /// In the order of the parameters' numbers.
    pub(crate) values: Vec<Value>,
}

/// The table that people read.
pub(crate) fn table(schema: &ViewSchema) -> String {
    format!("view_{}", schema.name)
}

/// What a stored table must have been made for: the fingerprint of its rows, and its columns.
pub(crate) fn form(schema: &ViewSchema) -> String {
    let mut form = schema.fingerprint.clone();
    for column in &schema.columns {
        let index = match column.index {
            ColumnIndex::Indexed => "indexed",
            ColumnIndex::Plain => "plain",
        };
        form.extend([" ", column.name, ":", form_type(*column), ":", index]);
    }
    form
}

fn form_type(column: ViewColumn) -> &'static str {
    match column.kind {
        ColumnKind::Text | ColumnKind::Date | ColumnKind::Timestamp => "TEXT",
        ColumnKind::Integer | ColumnKind::Money => "INTEGER",
    }
}

/// The columns of a whole row, in the order in which it is written and read.
pub(crate) fn columns(schema: &ViewSchema) -> String {
    let mut sql = String::from("key, row, next_change");
    for column in &schema.columns {
        sql.extend([", ", &quoted(column.name)]);
    }
    sql
}

/// A name, which may be a word of SQL's own.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The stretches that a page may read, in the order of its rows.
pub(crate) fn stretches(question: &Question) -> Vec<Stretch> {
    let Some(place) = &question.after else { return vec![Stretch::Whole] };
    let key = place.key.clone();
    match (question.sort, &place.value, question.direction) {
        (Column::Key, _, _) => vec![Stretch::KeysBeyond(key)],
        (Column::Typed(..), Value::Null, Direction::Ascending) => {
            vec![Stretch::NullsBeyond(key), Stretch::Values]
        }
        (Column::Typed(..), Value::Null, Direction::Descending) => vec![Stretch::NullsBeyond(key)],
        (Column::Typed(..), value, Direction::Ascending) => {
            vec![Stretch::CellsBeyond(value.clone(), key)]
        }
        (Column::Typed(..), value, Direction::Descending) => {
            vec![Stretch::CellsBeyond(value.clone(), key), Stretch::Nulls]
        }
    }
}

/// The order of a page. Where nulls come is said to both databases, since each has its own habit.
pub(crate) fn order(question: &Question) -> String {
    let (way, nulls) = match question.direction {
        Direction::Ascending => ("ASC", "FIRST"),
        Direction::Descending => ("DESC", "LAST"),
    };
    match question.sort {
        Column::Key => format!("key {way}"),
        Column::Typed(..) => {
            format!("{} {way} NULLS {nulls}, key {way}", quoted(question.sort.name()))
        }
    }
}

impl Conditions {
    /// No conditions yet, for a statement whose first parameters are `values`.
    pub(crate) fn after(values: Vec<Value>) -> Self {
        Self { sql: Vec::new(), values }
    }

    /// Adds what the rows of a page within `stretch` keep.
    pub(crate) fn push_page(&mut self, question: &Question, stretch: Stretch) {
        for condition in &question.conditions {
            self.push_condition(condition);
        }
        self.push_stretch(question, stretch);
    }

    /// Ends one statement's conditions: ` WHERE …`, or nothing. The values stay.
    pub(crate) fn take_where(&mut self) -> String {
        let sql = std::mem::take(&mut self.sql);
        if sql.is_empty() {
            return String::new();
        }
        format!(" WHERE {}", sql.join(" AND "))
    }

    fn push(&mut self, sql: String) {
        self.sql.push(sql);
    }

    /// The number of a parameter that has `value`, as both databases write it.
    fn parameter(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    fn push_condition(&mut self, condition: &Condition) {
        let column = quoted(condition.column.name());
        let operator = match (condition.op, &condition.value) {
            (Comparison::Eq, Value::Null) => return self.push(format!("{column} IS NULL")),
            (Comparison::Ne, Value::Null) => return self.push(format!("{column} IS NOT NULL")),
            (Comparison::Prefix, value) => return self.push_prefix(&column, value),
            (Comparison::Eq, _) => "=",
            (Comparison::Ne, _) => "IS DISTINCT FROM",
            (Comparison::Lt, _) => "<",
            (Comparison::Le, _) => "<=",
            (Comparison::Gt, _) => ">",
            (Comparison::Ge, _) => ">=",
        };
        let value = self.parameter(condition.value.clone());
        self.push(format!("{column} {operator} {value}"));
    }

    /// A range and not LIKE: it is exact about case and wildcards, and an index serves it.
    fn push_prefix(&mut self, column: &str, start: &Value) {
        let from = self.parameter(start.clone());
        self.push(format!("{column} >= {from}"));
        let end = match start {
            Value::Text(text) => end_of_prefix(text),
            Value::Null | Value::Integer(_) => None,
        };
        if let Some(end) = end {
            let end = self.parameter(Value::Text(end));
            self.push(format!("{column} < {end}"));
        }
    }

    fn push_stretch(&mut self, question: &Question, stretch: Stretch) {
        let column = quoted(question.sort.name());
        let beyond = match question.direction {
            Direction::Ascending => ">",
            Direction::Descending => "<",
        };
        match stretch {
            Stretch::Whole => {}
            Stretch::KeysBeyond(key) => {
                let key = self.parameter(Value::Text(key));
                self.push(format!("key {beyond} {key}"));
            }
            Stretch::CellsBeyond(value, key) => {
                let (value, key) = (self.parameter(value), self.parameter(Value::Text(key)));
                self.push(format!("({column}, key) {beyond} ({value}, {key})"));
            }
            Stretch::NullsBeyond(key) => {
                let key = self.parameter(Value::Text(key));
                self.push(format!("{column} IS NULL AND key {beyond} {key}"));
            }
            Stretch::Values => self.push(format!("{column} IS NOT NULL")),
            Stretch::Nulls => self.push(format!("{column} IS NULL")),
        }
    }
}

/// The first text after all that start with `start`; none if there is no such text. UTF-8 keeps the
/// order of code points, so the last one that has a successor is replaced by it.
fn end_of_prefix(start: &str) -> Option<String> {
    let mut end = start.to_owned();
    while let Some(last) = end.pop() {
        let mut beyond = (last..=char::MAX).skip(1);
        if let Some(next) = beyond.next() {
            end.push(next);
            return Some(end);
        }
    }
    None
}
