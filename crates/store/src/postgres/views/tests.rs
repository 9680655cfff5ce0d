//! What only PostgreSQL can show: how a page is read. What views promise on every database stands
//! in `tests/views`.

use sqlx::AssertSqlSafe;

use super::*;
use crate::views::{
    ColumnIndex, ColumnKind, Comparison, Cursor, Direction, Filter, Question, Value, ViewColumn,
};

const TODAY: &str = "2026-11-21";

fn orders() -> ViewSchema {
    let column = |name, index| ViewColumn { name, kind: ColumnKind::Text, index };
    ViewSchema {
        name: "orders",
        version: 1,
        fingerprint: "row 1".into(),
        columns: vec![column("status", ColumnIndex::Indexed), column("item", ColumnIndex::Plain)],
    }
}

/// Rows of which some have no status, every page of which ends after two.
async fn filled() -> PostgresViews {
    let url = daicho_test_servers::shared().fresh_database().await;
    let views = PostgresViews::open(url.parse().unwrap(), "b_derived", [7; 16]).await.unwrap();
    views.ensure(&orders(), TODAY).await.unwrap();
    let point = ViewPoint { cursor: 1, as_of: TODAY.into() };
    let from = RebuildFrom { point: point.clone(), origin: "a record".into() };
    let shadow = views.begin_rebuild(&orders(), &from).await.unwrap();
    let status = |number: u32| match number % 4 {
        0 => Value::Null,
        rest => Value::Text(format!("status {rest}")),
    };
    let row = |number: u32| ViewRow {
        key: format!("{number:05}"),
        row: vec![0; 100],
        columns: vec![status(number), Value::Null],
        next_change: None,
    };
    views.load(&shadow, (0..20_000).map(row).collect(), 1).await.unwrap();
    views.swap(shadow, &point).await.unwrap();
    views
}

async fn plan(views: &PostgresViews, request: &PageRequest) -> String {
    let question = Question::new(&orders(), request).unwrap();
    let page::Statement { text, values } = page::statement(&orders(), &question).unwrap();
    let explain = sqlx::query(AssertSqlSafe(format!("EXPLAIN {text}")));
    let explain = values.into_iter().fold(explain, rows::bind_value);
    let lines = explain.fetch_all(&views.readers).await.unwrap();
    let lines = lines.iter().map(|line| sqlx::Row::get::<String, _>(line, 0));
    lines.collect::<Vec<_>>().join("\n")
}

fn request(direction: Direction, after: Option<Cursor>) -> PageRequest {
    let sort = Some(("status".to_owned(), direction));
    PageRequest { filters: Vec::new(), sort, after, limit: 20 }
}

/// The cursor of a page that ends with the row `number`.
fn after(direction: Direction, status: Option<&str>) -> Option<Cursor> {
    let question = Question::new(&orders(), &request(direction, None)).unwrap();
    let status = status.map_or(Value::Null, |status| Value::Text(status.into()));
    Some(question.cursor_after(&ViewRow {
        key: "10000".into(),
        row: Vec::new(),
        columns: vec![status, Value::Null],
        next_change: None,
    }))
}

#[tokio::test]
async fn pages_by_an_indexed_column_read_the_index_and_sort_nothing() {
    let views = filled().await;
    for direction in [Direction::Ascending, Direction::Descending] {
        for after in [None, after(direction, Some("status 2")), after(direction, None)] {
            let plan = plan(&views, &request(direction, after)).await;
            assert!(plan.contains("by_status_2"), "{plan}");
            assert!(!plan.contains("Sort") && !plan.contains("Seq Scan on rows"), "{plan}");
        }
    }
    let value = Value::Text("status 1".into());
    let filter = Filter { column: "status".into(), op: Comparison::Eq, value };
    let narrowed = PageRequest { filters: vec![filter], sort: None, after: None, limit: 20 };
    let plan = plan(&views, &narrowed).await;
    assert!(!plan.contains("Sort") && !plan.contains("Seq Scan on rows"), "{plan}");
}
