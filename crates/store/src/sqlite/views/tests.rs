//! What stored views promise: pages that mean what a list in memory means, rows and cursor
//! together, rebuilds seen whole or not at all.

mod pages;
mod rebuilds;

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::views::{
    ColumnIndex, ColumnKind, Comparison, Cursor, Direction, Filter, Value, ViewColumn,
};

const BOOK: [u8; 16] = [7; 16];
const TODAY: &str = "2026-11-21";

struct Fixture {
    _folder: TempDir,
    path: PathBuf,
    views: SqliteViews,
}

/// An open file with the view `orders` in it, empty.
async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("derived.db");
    let views = SqliteViews::open(&path, BOOK).await.unwrap();
    views.ensure(&orders(), TODAY).await.unwrap();
    Fixture { _folder: folder, path, views }
}

fn orders() -> ViewSchema {
    let column = |name, kind, index| ViewColumn { name, kind, index };
    ViewSchema {
        name: "orders",
        version: 1,
        fingerprint: "row 1".into(),
        columns: vec![
            column("status", ColumnKind::Text, ColumnIndex::Indexed),
            column("amount", ColumnKind::Money, ColumnIndex::Plain),
            // A word of SQL's own.
            column("order", ColumnKind::Integer, ColumnIndex::Indexed),
        ],
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn row(key: &str, status: &str, amount: i64) -> ViewRow {
    ViewRow {
        key: key.to_owned(),
        row: format!("row of {key} {status} {amount}").into_bytes(),
        columns: vec![text(status), Value::Integer(amount), Value::Null],
        next_change: None,
    }
}

fn point(cursor: u64) -> ViewPoint {
    ViewPoint { cursor, as_of: TODAY.to_owned() }
}

fn upserts(upserts: Vec<ViewRow>) -> ViewChanges {
    ViewChanges { upserts, deletes: Vec::new() }
}

fn by_key(limit: u32) -> PageRequest {
    PageRequest { filters: Vec::new(), sort: None, after: None, limit }
}

async fn all_keys(views: &SqliteViews) -> Vec<String> {
    let page = views.page("orders", &by_key(1_000)).await.unwrap();
    page.rows.into_iter().map(|row| row.key).collect()
}

#[tokio::test]
async fn a_new_view_is_empty_and_stands_at_nothing() {
    let Fixture { views, _folder, .. } = fixture().await;
    let expected = ViewState { point: point(0), rows: 0 };
    assert_eq!(views.state("orders").await.unwrap(), expected);
    assert_eq!(all_keys(&views).await, Vec::<String>::new());
}

#[tokio::test]
async fn rows_and_cursor_are_written_together_and_read_back_whole() {
    let Fixture { views, _folder, .. } = fixture().await;
    let mut due = row("b", "open", 5);
    due.next_change = Some("2026-12-01".into());
    let rows = vec![row("a", "open", i64::MIN), due.clone()];
    views.write("orders", &point(0), upserts(rows.clone()), &point(9)).await.unwrap();

    let state = views.state("orders").await.unwrap();
    assert_eq!(state, ViewState { point: point(9), rows: 2 });
    assert_eq!(views.page("orders", &by_key(9)).await.unwrap().rows, rows);
    assert_eq!(views.scan("orders", None, 9).await.unwrap(), rows);
    assert_eq!(views.scan("orders", Some("a"), 9).await.unwrap(), [due.clone()]);
    assert_eq!(views.get("orders", "b").await.unwrap(), Some(due.row.clone()));
    assert_eq!(views.get("orders", "c").await.unwrap(), None);
    let found = views.rows("orders", &["b".into(), "c".into()]).await.unwrap();
    assert_eq!(found, HashMap::from([("b".to_owned(), due.row)]));
}

#[tokio::test]
async fn the_count_of_rows_follows_new_changed_and_deleted_rows() {
    let Fixture { views, _folder, .. } = fixture().await;
    let rows = (0..700).map(|number| row(&format!("{number}"), "open", number)).collect();
    views.write("orders", &point(0), upserts(rows), &point(1)).await.unwrap();
    let changes = ViewChanges {
        upserts: vec![row("1", "paid", 1), row("new", "open", 2)],
        deletes: vec!["2".into(), "3".into(), "never there".into()],
    };
    views.write("orders", &point(1), changes, &point(2)).await.unwrap();
    assert_eq!(views.state("orders").await.unwrap().rows, 699);
    assert_eq!(all_keys(&views).await.len(), 699);
    assert_eq!(views.get("orders", "1").await.unwrap(), Some(row("1", "paid", 1).row));
    assert_eq!(views.get("orders", "2").await.unwrap(), None);
}

#[tokio::test]
async fn of_two_processes_that_keep_up_one_view_the_second_is_told_where_it_stands() {
    let Fixture { views, path, _folder } = fixture().await;
    let other = SqliteViews::open(&path, BOOK).await.unwrap();
    other.ensure(&orders(), TODAY).await.unwrap();
    views.write("orders", &point(0), upserts(vec![row("a", "open", 1)]), &point(3)).await.unwrap();
    let late = other.write("orders", &point(0), upserts(vec![row("b", "x", 1)]), &point(2)).await;
    assert!(matches!(late, Err(ViewWriteError::Moved { at, .. }) if at == point(3)));
    let yesterday = ViewPoint { cursor: 3, as_of: "2026-11-20".into() };
    let late = other.write("orders", &yesterday, ViewChanges::default(), &point(4)).await;
    assert!(matches!(late, Err(ViewWriteError::Moved { .. })));
    assert_eq!(all_keys(&other).await, ["a"]);
    assert_eq!(other.state("orders").await.unwrap().point, point(3));
}

#[tokio::test]
async fn a_write_that_fails_midway_leaves_rows_and_cursor_as_they_were() {
    let Fixture { views, _folder, .. } = fixture().await;
    sqlx::raw_sql(
        "CREATE TRIGGER no_b BEFORE INSERT ON view_orders WHEN new.key = 'b'
         BEGIN SELECT raise(ABORT, 'no'); END",
    )
    .execute(&views.writer)
    .await
    .unwrap();
    let rows = vec![row("a", "open", 1), row("c", "open", 1), row("b", "open", 1)];
    let failed = views.write("orders", &point(0), upserts(rows), &point(1)).await;
    assert!(matches!(failed, Err(ViewWriteError::View(ViewError::Storage(_)))));
    assert_eq!(views.state("orders").await.unwrap(), ViewState { point: point(0), rows: 0 });
    assert_eq!(all_keys(&views).await, Vec::<String>::new());
}

#[tokio::test]
async fn neither_cursor_nor_day_goes_back() {
    let Fixture { views, _folder, .. } = fixture().await;
    let none = ViewChanges::default;
    views.write("orders", &point(0), none(), &point(5)).await.unwrap();
    let yesterday = ViewPoint { cursor: 6, as_of: "2026-11-20".into() };
    for to in [point(4), yesterday] {
        let back = views.write("orders", &point(5), none(), &to).await;
        assert!(matches!(back, Err(ViewWriteError::View(ViewError::Refused(_)))));
    }
}

#[tokio::test]
async fn rows_whose_columns_change_by_themselves_are_found_on_their_day() {
    let Fixture { views, _folder, .. } = fixture().await;
    let due_on =
        |key: &str, day: &str| ViewRow { next_change: Some(day.into()), ..row(key, "open", 1) };
    let rows = vec![
        due_on("a", "2026-12-02"),
        due_on("b", "2026-12-01"),
        due_on("c", "2026-12-03"),
        row("d", "open", 1),
    ];
    views.write("orders", &point(0), upserts(rows), &point(1)).await.unwrap();
    let due = views.due("orders", "2026-12-02", 9).await.unwrap();
    assert_eq!(due.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!(due[0].1, row("b", "open", 1).row);
    assert_eq!(views.due("orders", "2026-12-09", 1).await.unwrap().len(), 1);
    assert!(views.due("orders", "2026-11-30", 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_view_is_kept_when_it_is_ensured_again_and_emptied_when_its_form_has_changed() {
    let Fixture { views, path, _folder } = fixture().await;
    let filled = upserts(vec![row("a", "open", 1)]);
    let mut other_column = orders();
    other_column.columns[1].index = ColumnIndex::Indexed;
    let forms = [
        ViewSchema { version: 2, ..orders() },
        ViewSchema { fingerprint: "row 2".into(), ..orders() },
        other_column,
    ];
    for form in forms {
        let kept = views.ensure(&orders(), "2026-11-22").await.unwrap();
        views.write("orders", &kept.point, filled.clone(), &kept.point).await.unwrap();
        let again = SqliteViews::open(&path, BOOK).await.unwrap();
        let found = again.ensure(&orders(), "2026-11-23").await.unwrap();
        assert_eq!(found, ViewState { point: kept.point, rows: 1 });
        let emptied = again.ensure(&form, "2026-11-24").await.unwrap();
        let as_of = "2026-11-24".to_owned();
        assert_eq!(emptied, ViewState { point: ViewPoint { cursor: 0, as_of }, rows: 0 });
    }
}

#[tokio::test]
async fn a_process_is_told_when_another_has_made_its_view_anew_in_another_form() {
    let Fixture { views, path, _folder } = fixture().await;
    let other = SqliteViews::open(&path, BOOK).await.unwrap();
    other.ensure(&ViewSchema { version: 2, ..orders() }, TODAY).await.unwrap();
    let page = views.page("orders", &by_key(9)).await;
    assert!(matches!(page, Err(ViewError::Remade { .. })));
    assert!(matches!(views.get("orders", "a").await, Err(ViewError::Remade { .. })));
    let written = views.write("orders", &point(0), ViewChanges::default(), &point(1)).await;
    assert!(matches!(written, Err(ViewWriteError::View(ViewError::Remade { .. }))));
}

#[tokio::test]
async fn views_of_another_book_are_dropped() {
    let Fixture { views, path, _folder } = fixture().await;
    views.write("orders", &point(0), upserts(vec![row("a", "open", 1)]), &point(3)).await.unwrap();
    views.begin_rebuild(&orders()).await.unwrap();
    views.close().await;
    let other = SqliteViews::open(&path, [8; 16]).await.unwrap();
    assert_eq!(other.list().await.unwrap(), []);
    let tables: Vec<String> = sqlx::query_scalar(include_str!("list_tables.sql"))
        .fetch_all(&other.readers)
        .await
        .unwrap();
    assert_eq!(tables, Vec::<String>::new());
    let state = other.ensure(&orders(), TODAY).await.unwrap();
    assert_eq!(state, ViewState { point: point(0), rows: 0 });
}

#[tokio::test]
async fn tables_of_others_in_the_same_file_are_left_alone() {
    let Fixture { views, path, _folder } = fixture().await;
    sqlx::raw_sql("CREATE TABLE page (id INTEGER); CREATE TABLE viewing (id INTEGER)")
        .execute(&views.writer)
        .await
        .unwrap();
    views.close().await;
    let other = SqliteViews::open(&path, [8; 16]).await.unwrap();
    for sql in ["SELECT count(*) FROM page", "SELECT count(*) FROM viewing"] {
        let count: i64 = sqlx::query_scalar(sql).fetch_one(&other.readers).await.unwrap();
        assert_eq!(count, 0);
    }
}

#[tokio::test]
async fn all_views_are_listed_with_how_they_stand() {
    let Fixture { views, _folder, .. } = fixture().await;
    let contracts = ViewSchema { name: "contracts", version: 4, ..orders() };
    views.ensure(&contracts, TODAY).await.unwrap();
    views.write("orders", &point(0), upserts(vec![row("a", "open", 1)]), &point(3)).await.unwrap();
    let list = views.list().await.unwrap();
    let names: Vec<_> = list.iter().map(|info| (info.name.as_str(), info.version)).collect();
    assert_eq!(names, [("contracts", 4), ("orders", 1)]);
    assert_eq!(list[1].state, ViewState { point: point(3), rows: 1 });
}

#[tokio::test]
async fn rows_that_do_not_fit_the_schema_are_refused_by_name() {
    let Fixture { views, _folder, .. } = fixture().await;
    let good = row("a", "open", 1);
    let bad = [
        ViewRow { columns: vec![], ..good.clone() },
        ViewRow { columns: vec![Value::Integer(1), Value::Null, Value::Null], ..good.clone() },
        ViewRow { columns: vec![text("x"), text("1"), Value::Null], ..good.clone() },
        ViewRow { key: String::new(), ..good.clone() },
        ViewRow { key: "a\0b".into(), ..good.clone() },
        ViewRow { next_change: Some("tomorrow".into()), ..good.clone() },
        row("a", &"x".repeat(crate::views::CELL_BYTES_MAX + 1), 1),
    ];
    for bad in bad {
        let written = views.write("orders", &point(0), upserts(vec![bad]), &point(1)).await;
        assert!(matches!(written, Err(ViewWriteError::View(ViewError::Refused(_)))));
    }
    let twice = ViewChanges { upserts: vec![good], deletes: vec!["a".into()] };
    let written = views.write("orders", &point(0), twice, &point(1)).await;
    assert_eq!(written.unwrap_err().to_string(), "row a is changed twice in one write");
}

#[tokio::test]
async fn calls_beyond_the_limits_are_refused() {
    let Fixture { views, _folder, .. } = fixture().await;
    let keys = vec!["a".to_owned(); crate::views::BATCH_ROWS_MAX + 1];
    assert!(matches!(views.rows("orders", &keys).await, Err(ViewError::Refused(_))));
    for limit in [0, crate::views::PAGE_ROWS_MAX + 1] {
        let page = views.page("orders", &by_key(limit)).await;
        assert!(matches!(page, Err(ViewError::Refused(_))));
        assert!(matches!(views.scan("orders", None, limit).await, Err(ViewError::Refused(_))));
    }
    let unknown = views.page("quotes", &by_key(1)).await.unwrap_err();
    assert_eq!(unknown.to_string(), "there is no view quotes: known are orders");
}

#[tokio::test]
#[should_panic(expected = "is not named [a-z_]+")]
async fn a_schema_whose_name_could_be_mistaken_for_sql_is_a_programmers_error() {
    let Fixture { views, _folder, .. } = fixture().await;
    let _ = views.ensure(&ViewSchema { name: "orders; DROP", ..orders() }, TODAY).await;
}

#[tokio::test]
async fn anybody_can_query_a_view_with_plain_sql() {
    let Fixture { views, path, _folder } = fixture().await;
    let rows = vec![row("a", "open", 5), row("b", "open", 6), row("c", "paid", 7)];
    views.write("orders", &point(0), upserts(rows), &point(1)).await.unwrap();
    let options = SqliteConnectOptions::new().filename(&path).read_only(true);
    let pool = SqlitePoolOptions::new().connect_with(options).await.unwrap();
    let sums: Vec<(String, i64)> = sqlx::query_as(
        "SELECT status, sum(amount) FROM view_orders GROUP BY status ORDER BY status",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(sums, [("open".to_owned(), 11), ("paid".to_owned(), 7)]);
}
