//! Pages: the table and the list in memory answer every question alike, and following the cursor
//! shows each row once.

use daicho_store::views::*;
use proptest::strategy::{Strategy as _, ValueTree as _};

use crate::strategies::{any_request, any_rows, runner};
use crate::support::*;

/// Views that are filled and asked in one run of the tests.
const CASES: usize = 64;

/// What a filter means, written down once more in another way.
fn matches(row: &ViewRow, filter: &Filter) -> bool {
    let cell = match filter.column.as_str() {
        "key" => text(&row.key),
        "status" => row.columns[0].clone(),
        "amount" => row.columns[1].clone(),
        _ => row.columns[2].clone(),
    };
    let there = cell != Value::Null;
    match filter.op {
        Comparison::Eq => cell == filter.value,
        Comparison::Ne => cell != filter.value,
        Comparison::Lt => there && cell < filter.value,
        Comparison::Le => there && cell <= filter.value,
        Comparison::Gt => there && cell > filter.value,
        Comparison::Ge => there && cell >= filter.value,
        Comparison::Prefix => match (&cell, &filter.value) {
            (Value::Text(cell), Value::Text(start)) => cell.starts_with(start),
            _ => false,
        },
    }
}

async fn check(views: &impl Views, rows: Vec<ViewRow>, requests: Vec<PageRequest>) {
    let shadow = views.begin_rebuild(&orders(), &beginning()).await.unwrap();
    views.load(&shadow, rows.clone(), 1).await.unwrap();
    views.swap(shadow, &point(1)).await.unwrap();
    for request in requests {
        let mut request = request;
        let mut seen = Vec::new();
        loop {
            let stored = views.page("orders", &request).await.unwrap();
            let folded = select(&orders(), rows.iter().rev().cloned(), &request).unwrap();
            assert_eq!(stored, folded, "{request:?}");
            seen.extend(stored.rows.into_iter().map(|row| row.key));
            match stored.next {
                Some(next) => request.after = Some(next),
                None => break,
            }
        }
        let matching = rows.iter().filter(|row| request.filters.iter().all(|f| matches(row, f)));
        let matching: Vec<_> = matching.map(|row| row.key.clone()).collect();
        seen.sort_unstable();
        assert_eq!(seen, matching, "each matching row once: {request:?}");
    }
}

pub async fn the_table_and_the_list_in_memory_answer_alike_and_pages_show_each_row_once<
    S: Store,
>() {
    let (_store, views) = fixture::<S>().await;
    let mut runner = runner();
    let strategy = (any_rows(), proptest::collection::vec(any_request(), 1..8));
    for _ in 0..CASES {
        let (rows, requests) = strategy.new_tree(&mut runner).unwrap().current();
        check(&views, rows, requests).await;
    }
}

/// A page with one column sorted, as `(key, …)` in order.
async fn sorted(views: &impl Views, column: &str, direction: Direction) -> Vec<String> {
    let sort = Some((column.to_owned(), direction));
    let page = views.page("orders", &PageRequest { sort, ..by_key(9) }).await.unwrap();
    page.rows.into_iter().map(|row| row.key).collect()
}

pub async fn null_is_the_smallest_and_equal_cells_follow_their_keys_the_same_way<S: Store>() {
    let (_store, views) = fixture::<S>().await;
    let null = |key: &str| ViewRow {
        columns: vec![Value::Null, Value::Null, Value::Null],
        ..row(key, "", 0)
    };
    let rows = vec![null("a"), row("b", "x", 2), row("c", "x", 2), row("d", "x", 10), null("e")];
    views.write("orders", &point(0), upserts(rows), &point(1)).await.unwrap();
    let up = sorted(&views, "amount", Direction::Ascending).await;
    assert_eq!(up, ["a", "e", "b", "c", "d"]);
    let down = sorted(&views, "amount", Direction::Descending).await;
    assert_eq!(down, ["d", "c", "b", "e", "a"]);
}

pub async fn a_page_that_follows_writes_in_between_neither_repeats_nor_skips_a_row_that_stayed<
    S: Store,
>() {
    let (_store, views) = fixture::<S>().await;
    let rows = ["b", "d", "f"].map(|key| row(key, "open", 1)).to_vec();
    views.write("orders", &point(0), upserts(rows), &point(1)).await.unwrap();
    let first = views.page("orders", &by_key(2)).await.unwrap();
    let changes = ViewChanges { upserts: vec![row("a", "open", 1)], deletes: vec!["d".to_owned()] };
    views.write("orders", &point(1), changes, &point(2)).await.unwrap();
    let request = PageRequest { after: first.next, ..by_key(2) };
    let second = views.page("orders", &request).await.unwrap();
    assert_eq!(second.rows, [row("f", "open", 1)]);
    assert_eq!(second.next, None);
}

#[track_caller]
fn assert_bad_cursor(page: Result<ViewPage, ViewError>, expected: &str) {
    match page {
        Err(ViewError::BadCursor { reason }) => assert_eq!(reason, expected),
        other => panic!("{other:?}"),
    }
}

pub async fn a_damaged_forged_or_foreign_cursor_is_an_error_and_not_another_page<S: Store>() {
    let (_store, views) = fixture::<S>().await;
    let rows = (0..5).map(|number| row(&format!("{number}"), "open", number)).collect();
    views.write("orders", &point(0), upserts(rows), &point(1)).await.unwrap();
    let sort = |column: &str, direction| Some((column.to_owned(), direction));
    let request = PageRequest { sort: sort("amount", Direction::Ascending), ..by_key(2) };
    let next = views.page("orders", &request).await.unwrap().next.unwrap();
    let ask = |sort, after: &str| {
        let after = Some(Cursor::from(after.to_owned()));
        let request = PageRequest { sort, after, ..request.clone() };
        let views = &views;
        async move { views.page("orders", &request).await }
    };
    let own = || sort("amount", Direction::Ascending);
    assert_eq!(ask(own(), next.as_str()).await.unwrap().rows[0].key, "2");

    for garbage in ["", "?", "AAAA", &next.as_str()[1..], &"A".repeat(1_000_000)] {
        assert_bad_cursor(ask(own(), garbage).await, "is not one of ours");
    }
    use base64::Engine;
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let json = String::from_utf8(engine.decode(next.as_str()).unwrap()).unwrap();
    let forged = engine.encode(json.replace("\"value\":1", "\"value\":3"));
    assert_ne!(forged, next.as_str());
    assert_bad_cursor(ask(own(), &forged).await, "was altered");

    let another = "belongs to a list in another order";
    assert_bad_cursor(ask(None, next.as_str()).await, another);
    assert_bad_cursor(ask(sort("order", Direction::Ascending), next.as_str()).await, another);
    assert_bad_cursor(ask(sort("amount", Direction::Descending), next.as_str()).await, another);
}

pub async fn an_unknown_column_is_named_together_with_those_there_are<S: Store>() {
    let (_store, views) = fixture::<S>().await;
    let sort = Some(("colour".to_owned(), Direction::Ascending));
    let sorted = views.page("orders", &PageRequest { sort, ..by_key(1) }).await.unwrap_err();
    let filter = Filter { column: "colour".into(), op: Comparison::Eq, value: Value::Null };
    let request = PageRequest { filters: vec![filter], ..by_key(1) };
    let filtered = select(&orders(), std::iter::empty(), &request).unwrap_err();
    let expected = "view orders has no column colour: its columns are key, status, amount, order";
    assert_eq!(sorted.to_string(), expected);
    assert_eq!(filtered.to_string(), expected);
}

pub async fn a_filter_that_cannot_mean_anything_is_refused<S: Store>() {
    let (_store, views) = fixture::<S>().await;
    let bad = [
        ("amount", Comparison::Eq, text("5")),
        ("status", Comparison::Eq, Value::Integer(5)),
        ("amount", Comparison::Prefix, Value::Integer(5)),
        ("amount", Comparison::Lt, Value::Null),
        ("status", Comparison::Prefix, Value::Null),
        ("key", Comparison::Ge, Value::Integer(5)),
    ];
    for (column, op, value) in bad {
        let filter = Filter { column: column.into(), op, value };
        let request = PageRequest { filters: vec![filter], ..by_key(1) };
        assert!(matches!(views.page("orders", &request).await, Err(ViewError::Refused(_))));
    }
    let filter = Filter { column: "key".into(), op: Comparison::Ne, value: Value::Null };
    let many =
        PageRequest { filters: vec![filter; daicho_store::views::FILTERS_MAX + 1], ..by_key(1) };
    assert!(matches!(views.page("orders", &many).await, Err(ViewError::Refused(_))));
}
