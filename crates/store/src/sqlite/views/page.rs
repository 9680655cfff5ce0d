//! A page of a list as SQL over the typed columns: it starts where the last one ended (keyset), so
//! that the thousandth page costs what the first one does.

use sqlx::sqlite::Sqlite;
use sqlx::{AssertSqlSafe, Transaction};

use super::{rows, statements};
use crate::StorageError;
use crate::views::{
    Column, Comparison, Condition, Direction, PageRequest, Question, Value, ViewError, ViewPage,
    ViewRow, ViewSchema,
};

/// A stretch of the order that one range of an index covers. Nulls are before or after all values,
/// and SQL's comparisons do not reach them: a page may need two stretches.
enum Stretch {
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

/// A piece of SQL with the values of its parameters.
#[derive(Default)]
struct Conditions {
    sql: Vec<String>,
    values: Vec<Value>,
}

/// Reads the page that `request` asks for.
pub(super) async fn read(
    tx: &mut Transaction<'static, Sqlite>,
    schema: &ViewSchema,
    request: &PageRequest,
) -> Result<ViewPage, ViewError> {
    let question = Question::new(schema, request)?;
    let mut found: Vec<ViewRow> = Vec::new();
    for stretch in stretches(&question) {
        // One row more than asked for tells whether there is a next page.
        let wanted = question.limit + 1 - found.len();
        if wanted == 0 {
            break;
        }
        found.extend(read_stretch(tx, schema, &question, stretch, wanted).await?);
    }
    Ok(question.into_page(found))
}

async fn read_stretch(
    tx: &mut Transaction<'static, Sqlite>,
    schema: &ViewSchema,
    question: &Question,
    stretch: Stretch,
    wanted: usize,
) -> Result<Vec<ViewRow>, ViewError> {
    let mut conditions = Conditions::default();
    for condition in &question.conditions {
        conditions.push_condition(condition);
    }
    conditions.push_stretch(question, stretch);
    let wanted =
        i64::try_from(wanted).map_err(|_| ViewError::Refused("the limit is too large".into()))?;
    let sql = format!(
        "SELECT {} FROM {}{} ORDER BY {} LIMIT ?",
        statements::columns(schema),
        statements::table(schema),
        conditions.where_clause(),
        order(question)
    );
    let query =
        conditions.values.into_iter().fold(sqlx::query(AssertSqlSafe(sql)), rows::bind_value);
    let found = query
        .bind(wanted)
        .fetch_all(&mut **tx)
        .await
        .map_err(StorageError::sqlx("read a page of a view"))?;
    Ok(rows::decode(&found, schema)?)
}

fn stretches(question: &Question) -> Vec<Stretch> {
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

fn order(question: &Question) -> String {
    let way = match question.direction {
        Direction::Ascending => "ASC",
        Direction::Descending => "DESC",
    };
    match question.sort {
        Column::Key => format!("key {way}"),
        Column::Typed(..) => format!("{} {way}, key {way}", name(question.sort)),
    }
}

fn name(column: Column) -> String {
    statements::quoted(column.name())
}

impl Conditions {
    fn push(&mut self, sql: String, values: impl IntoIterator<Item = Value>) {
        self.sql.push(sql);
        self.values.extend(values);
    }

    fn where_clause(&self) -> String {
        if self.sql.is_empty() {
            return String::new();
        }
        format!(" WHERE {}", self.sql.join(" AND "))
    }

    fn push_condition(&mut self, condition: &Condition) {
        let column = name(condition.column);
        let operator = match (condition.op, &condition.value) {
            (Comparison::Eq, Value::Null) => return self.push(format!("{column} IS NULL"), []),
            (Comparison::Ne, Value::Null) => return self.push(format!("{column} IS NOT NULL"), []),
            (Comparison::Prefix, value) => return self.push_prefix(&column, value),
            (Comparison::Eq, _) => "=",
            (Comparison::Ne, _) => "IS NOT",
            (Comparison::Lt, _) => "<",
            (Comparison::Le, _) => "<=",
            (Comparison::Gt, _) => ">",
            (Comparison::Ge, _) => ">=",
        };
        self.push(format!("{column} {operator} ?"), [condition.value.clone()]);
    }

    /// A range and not LIKE: it is exact about case and wildcards, and an index serves it.
    fn push_prefix(&mut self, column: &str, start: &Value) {
        self.push(format!("{column} >= ?"), [start.clone()]);
        let end = match start {
            Value::Text(text) => end_of_prefix(text),
            Value::Null | Value::Integer(_) => None,
        };
        if let Some(end) = end {
            self.push(format!("{column} < ?"), [Value::Text(end)]);
        }
    }

    fn push_stretch(&mut self, question: &Question, stretch: Stretch) {
        let column = name(question.sort);
        let beyond = match question.direction {
            Direction::Ascending => ">",
            Direction::Descending => "<",
        };
        match stretch {
            Stretch::Whole => {}
            Stretch::KeysBeyond(key) => self.push(format!("key {beyond} ?"), [Value::Text(key)]),
            Stretch::CellsBeyond(value, key) => {
                self.push(format!("({column}, key) {beyond} (?, ?)"), [value, Value::Text(key)]);
            }
            Stretch::NullsBeyond(key) => {
                self.push(format!("{column} IS NULL AND key {beyond} ?"), [Value::Text(key)]);
            }
            Stretch::Values => self.push(format!("{column} IS NOT NULL"), []),
            Stretch::Nulls => self.push(format!("{column} IS NULL"), []),
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
