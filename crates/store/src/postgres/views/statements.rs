//! The text of the statements on a view's tables. Names come from schemas that were asserted to be
//! `[a-z_]+`; values are never written into a text.

use crate::views::sql::{self, columns, quoted};
use crate::views::{ColumnIndex, ColumnKind, ViewColumn, ViewSchema};

/// What every read asks beside its rows, in one committed state with them: whether the view has the
/// form that this process knows, and where it stands. Takes the parameters 1 to 3,
/// `read::form_values`.
const FORM: &str = "(SELECT count(*) = 1 AS is_known, max(cursor) AS at_cursor, \
     max(as_of) AS at_as_of FROM views \
     WHERE name = $1 AND version = $2 AND fingerprint = $3) AS form";

/// The table that holds the rows of a view, or of its rebuild.
pub(super) fn rows_table(schema: &ViewSchema, generation: i64) -> String {
    format!("rows_{}_{generation}", schema.name)
}

/// A table without any index: bulk loading fills it in whatever order the rows come.
pub(super) fn create_table(table: &str, schema: &ViewSchema) -> String {
    let mut text = format!(
        "CREATE TABLE {table} (key TEXT COLLATE \"C\" NOT NULL, row BYTEA NOT NULL, \
         next_change TEXT COLLATE \"C\""
    );
    for column in &schema.columns {
        text.extend([", ", &quoted(column.name), " ", stored_type(*column)]);
    }
    text.push(')');
    text
}

/// The indexes of a table, by key first. Their names are short, since the database cuts names off
/// at 63 bytes, and hold the generation: a live table and its rebuild have them at the same time.
pub(super) fn create_indexes(table: &str, schema: &ViewSchema, generation: i64) -> Vec<String> {
    let mut indexes = vec![
        format!("CREATE UNIQUE INDEX IF NOT EXISTS by_key_{generation} ON {table} (key)"),
        format!(
            "CREATE INDEX IF NOT EXISTS by_next_change_{generation} ON {table} \
             (next_change, key) WHERE next_change IS NOT NULL"
        ),
    ];
    for column in &schema.columns {
        match column.index {
            ColumnIndex::Indexed => indexes.push(format!(
                "CREATE INDEX IF NOT EXISTS by_{}_{generation} ON {table} ({} NULLS FIRST, key)",
                column.name,
                quoted(column.name)
            )),
            ColumnIndex::Plain => {}
        }
    }
    indexes
}

/// The SQL view that people read.
pub(super) fn create_view(schema: &ViewSchema, generation: i64) -> String {
    format!(
        "CREATE OR REPLACE VIEW {} AS SELECT {} FROM {}",
        sql::table(schema),
        columns(schema),
        rows_table(schema, generation)
    )
}

/// Inserts rows that come as one array for each column.
pub(super) fn insert(table: &str, schema: &ViewSchema) -> String {
    let mut text = format!(
        "INSERT INTO {table} ({}) SELECT * FROM UNNEST($1::text[], $2::bytea[], $3::text[]",
        columns(schema)
    );
    for (column, parameter) in schema.columns.iter().zip(4..) {
        text.push_str(&format!(", ${parameter}::{}[]", base_type(*column)));
    }
    text.push(')');
    text
}

/// Inserts such rows, or replaces those under their keys.
pub(super) fn upsert(table: &str, schema: &ViewSchema) -> String {
    let mut text = insert(table, schema);
    text.push_str(
        " ON CONFLICT (key) DO UPDATE SET row = excluded.row, next_change = excluded.next_change",
    );
    for column in &schema.columns {
        let name = quoted(column.name);
        text.extend([", ", &name, " = excluded.", &name]);
    }
    text
}

/// Packed rows under the keys of an array.
pub(super) fn find(table: &str) -> String {
    format!("SELECT key, row FROM {table} WHERE key = ANY($1)")
}

/// Rows whose columns change by themselves on or before a day.
pub(super) fn due(table: &str) -> String {
    format!(
        "SELECT key, row FROM {table} WHERE next_change <= $1 ORDER BY next_change, key LIMIT $2"
    )
}

/// How many of the keys of an array there are.
pub(super) fn count(table: &str) -> String {
    format!("SELECT count(*) FROM {table} WHERE key = ANY($1)")
}

/// Deletes the keys of an array.
pub(super) fn delete(table: &str) -> String {
    format!("DELETE FROM {table} WHERE key = ANY($1)")
}

/// The rows of a query (its own parameters from 4 on) with the answer to whether the view is known:
/// `is_known` and nulls when the query has no row. They come in any order: the reader sorts them.
pub(super) fn read(found: &str) -> String {
    format!("SELECT form.is_known, found.* FROM {FORM} LEFT JOIN ({found}) AS found ON TRUE")
}

/// The same, each row with the point at which the view stands behind it.
pub(super) fn read_at(found: &str) -> String {
    format!(
        "SELECT form.is_known, found.*, form.at_cursor, form.at_as_of \
         FROM {FORM} LEFT JOIN ({found}) AS found ON TRUE"
    )
}

/// The columns of a whole row as they are read. Their types stand in the text: a prepared statement
/// is never met again by a view whose columns changed their types.
pub(super) fn typed_columns(schema: &ViewSchema) -> String {
    let mut text = String::from("key, row, next_change");
    for column in &schema.columns {
        let name = quoted(column.name);
        text.extend([", ", &name, "::", base_type(*column), " AS ", &name]);
    }
    text
}

fn base_type(column: ViewColumn) -> &'static str {
    match column.kind {
        ColumnKind::Text | ColumnKind::Date | ColumnKind::Timestamp => "text",
        ColumnKind::Integer | ColumnKind::Money => "bigint",
    }
}

fn stored_type(column: ViewColumn) -> &'static str {
    match column.kind {
        ColumnKind::Text | ColumnKind::Date | ColumnKind::Timestamp => "TEXT COLLATE \"C\"",
        ColumnKind::Integer | ColumnKind::Money => "BIGINT",
    }
}
