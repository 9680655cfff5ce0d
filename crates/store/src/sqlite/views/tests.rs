//! What only SQLite can show: how a page is read. What views promise on every database stands in
//! `tests/views`.

use super::*;
use crate::views::{ColumnIndex, ColumnKind, ViewColumn};

fn orders() -> ViewSchema {
    let column = |name, index| ViewColumn { name, kind: ColumnKind::Text, index };
    ViewSchema {
        name: "orders",
        version: 1,
        fingerprint: "row 1".into(),
        columns: vec![column("status", ColumnIndex::Indexed), column("item", ColumnIndex::Plain)],
    }
}

#[tokio::test]
async fn pages_by_an_indexed_column_read_the_index_and_sort_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let views = SqliteViews::open(&folder.path().join("derived.db"), [7; 16]).await.unwrap();
    views.ensure(&orders(), "2026-11-21").await.unwrap();
    let plan = |condition: &'static str, order: &'static str| {
        let sql = format!(
            "EXPLAIN QUERY PLAN SELECT {} FROM view_orders WHERE {condition} ORDER BY {order}",
            sql::columns(&orders())
        );
        let views = &views;
        async move {
            let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&views.readers).await.unwrap();
            let details = rows.iter().map(|row| sqlx::Row::get::<String, _>(row, "detail"));
            details.collect::<Vec<_>>().join("; ")
        }
    };
    for (condition, order) in [
        ("(\"status\", key) > ('a', 'b')", "\"status\" ASC NULLS FIRST, key ASC"),
        ("(\"status\", key) < ('a', 'b')", "\"status\" DESC NULLS LAST, key DESC"),
        ("\"status\" IS NULL AND key < 'b'", "\"status\" DESC NULLS LAST, key DESC"),
        ("\"status\" = 'open' AND key > 'b'", "key ASC"),
    ] {
        let plan = plan(condition, order).await;
        assert!(plan.contains("_by_status"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
}

#[tokio::test]
async fn a_catalogue_that_a_disk_gave_back_in_part_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("derived.db");
    let views = SqliteViews::open(&path, [7; 16]).await.unwrap();
    views.ensure(&orders(), "2026-11-21").await.unwrap();
    views.close().await;
    let raw = SqlitePool::connect_with(SqliteConnectOptions::new().filename(&path)).await.unwrap();
    sqlx::raw_sql(
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = replace(sql, 'INTEGER NOT NULL', 'INTEGER')
         WHERE name = 'views_meta';
         PRAGMA writable_schema = RESET;
         UPDATE views_meta SET generation = NULL;",
    )
    .execute(&raw)
    .await
    .unwrap();
    raw.close().await;
    let views = SqliteViews::open(&path, [7; 16]).await.unwrap();
    assert_eq!(views.list().await.unwrap(), []);
    views.ensure(&orders(), "2026-11-21").await.unwrap();
    views.close().await;
}
