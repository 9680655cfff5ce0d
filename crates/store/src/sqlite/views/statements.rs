//! The text of the statements on a view's table. Names come from schemas that were asserted to be
//! `[a-z_]+`; values are never written into a text.

use crate::views::sql::{columns, quoted};
use crate::views::{ColumnIndex, ColumnKind, ViewColumn, ViewSchema};

/// The table of a rebuild.
pub(super) fn shadow_table(schema: &ViewSchema, generation: i64) -> String {
    format!("shadow_{}_{generation}", schema.name)
}

/// A table without any index: bulk loading fills it in whatever order the rows come.
pub(super) fn create_table(table: &str, schema: &ViewSchema) -> String {
    let mut sql =
        format!("CREATE TABLE {table} (key TEXT NOT NULL, row BLOB NOT NULL, next_change TEXT");
    for column in &schema.columns {
        sql.extend([", ", &quoted(column.name), " ", sql_type(*column)]);
    }
    sql.push_str(") STRICT");
    sql
}

/// The indexes of a table, by key first. Their names hold the generation: a live table and its
/// shadow have them at the same time.
pub(super) fn create_indexes(table: &str, schema: &ViewSchema, generation: i64) -> Vec<String> {
    let prefix = format!("view_{}_{generation}", schema.name);
    let mut indexes = vec![
        format!("CREATE UNIQUE INDEX IF NOT EXISTS {prefix}_key ON {table} (key)"),
        format!(
            "CREATE INDEX IF NOT EXISTS {prefix}_next_change ON {table} (next_change, key) \
             WHERE next_change IS NOT NULL"
        ),
    ];
    for column in &schema.columns {
        match column.index {
            ColumnIndex::Indexed => indexes.push(format!(
                "CREATE INDEX IF NOT EXISTS {prefix}_by_{} ON {table} ({}, key)",
                column.name,
                quoted(column.name)
            )),
            ColumnIndex::Plain => {}
        }
    }
    indexes
}

/// Parameters of one row in [`insert`] and [`upsert`].
pub(super) fn parameters(schema: &ViewSchema) -> usize {
    schema.columns.len() + 3
}

/// Inserts `count` rows: key, row, next change and the columns of each.
pub(super) fn insert(table: &str, schema: &ViewSchema, count: usize) -> String {
    let mut sql = format!("INSERT INTO {table} ({}) VALUES ", columns(schema));
    let row = vec!["?"; parameters(schema)].join(",");
    for place in 0..count {
        let comma = if place == 0 { "" } else { "," };
        sql.extend([comma, "(", &row, ")"]);
    }
    sql
}

/// Inserts `count` rows, or replaces those under their keys.
pub(super) fn upsert(table: &str, schema: &ViewSchema, count: usize) -> String {
    let mut sql = insert(table, schema, count);
    sql.push_str(
        " ON CONFLICT (key) DO UPDATE SET row = excluded.row, next_change = excluded.next_change",
    );
    for column in &schema.columns {
        let name = quoted(column.name);
        sql.extend([", ", &name, " = excluded.", &name]);
    }
    sql
}

/// Packed rows under the keys of a JSON array.
pub(super) fn find(table: &str) -> String {
    format!("SELECT key, row FROM {table} WHERE key IN (SELECT value FROM json_each(?1))")
}

/// How many of the keys of a JSON array there are.
pub(super) fn count(table: &str) -> String {
    format!("SELECT count(*) FROM {table} WHERE key IN (SELECT value FROM json_each(?1))")
}

/// Deletes the keys of a JSON array.
pub(super) fn delete(table: &str) -> String {
    format!("DELETE FROM {table} WHERE key IN (SELECT value FROM json_each(?1))")
}

/// Rows whose columns change by themselves on or before a day.
pub(super) fn due(table: &str) -> String {
    format!(
        "SELECT key, row FROM {table} WHERE next_change <= ?1 ORDER BY next_change, key LIMIT ?2"
    )
}

/// Whole rows in order of key, after a key.
pub(super) fn scan(table: &str, schema: &ViewSchema) -> String {
    format!("SELECT {} FROM {table} WHERE key > ?1 ORDER BY key LIMIT ?2", columns(schema))
}

fn sql_type(column: ViewColumn) -> &'static str {
    match column.kind {
        ColumnKind::Text | ColumnKind::Date | ColumnKind::Timestamp => "TEXT",
        ColumnKind::Integer | ColumnKind::Money => "INTEGER",
    }
}
