//! Rows and cursor, written together and found again.

use std::collections::HashMap;

use daicho_store::views::*;

use crate::support::*;

pub async fn a_new_view_is_empty_and_stands_at_nothing<S: Store>() {
    let (_store, views) = fixture::<S>().await;
    let expected = ViewState { point: point(0), rows: 0 };
    assert_eq!(views.state("orders").await.unwrap(), expected);
    assert_eq!(all_keys(&views).await, Vec::<String>::new());
}

pub async fn rows_and_cursor_are_written_together_and_read_back_whole<S: Store>() {
    let (_store, views) = fixture::<S>().await;
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

pub async fn the_count_of_rows_follows_new_changed_and_deleted_rows<S: Store>() {
    let (_store, views) = fixture::<S>().await;
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

pub async fn of_two_processes_that_keep_up_one_view_the_second_is_told_where_it_stands<S: Store>() {
    let (store, views) = fixture::<S>().await;
    let other = store.open().await;
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

pub async fn a_write_that_fails_midway_leaves_rows_and_cursor_as_they_were<S: Store>() {
    let (store, views) = fixture::<S>().await;
    store.refuse_row_b().await;
    let rows = vec![row("a", "open", 1), row("c", "open", 1), row("b", "open", 1)];
    let failed = views.write("orders", &point(0), upserts(rows), &point(1)).await;
    assert!(matches!(failed, Err(ViewWriteError::View(ViewError::Storage(_)))));
    assert_eq!(views.state("orders").await.unwrap(), ViewState { point: point(0), rows: 0 });
    assert_eq!(all_keys(&views).await, Vec::<String>::new());
}

pub async fn neither_cursor_nor_day_goes_back<S: Store>() {
    let (_store, views) = fixture::<S>().await;
    let none = ViewChanges::default;
    views.write("orders", &point(0), none(), &point(5)).await.unwrap();
    let yesterday = ViewPoint { cursor: 6, as_of: "2026-11-20".into() };
    for to in [point(4), yesterday] {
        let back = views.write("orders", &point(5), none(), &to).await;
        assert!(matches!(back, Err(ViewWriteError::View(ViewError::Refused(_)))));
    }
}

pub async fn rows_whose_columns_change_by_themselves_are_found_on_their_day<S: Store>() {
    let (_store, views) = fixture::<S>().await;
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

pub async fn a_view_is_kept_when_it_is_ensured_again_and_emptied_when_its_form_has_changed<
    S: Store,
>() {
    let (store, views) = fixture::<S>().await;
    let filled = upserts(vec![row("a", "open", 1)]);
    let mut other_column = orders();
    other_column.columns[1].index = ColumnIndex::Indexed;
    let forms = [
        ViewSchema { version: 2, ..orders() },
        ViewSchema { fingerprint: "row 2".into(), ..orders() },
        other_column,
    ];
    for form in forms {
        let stored = views.ensure(&orders(), "2026-11-22").await.unwrap();
        views.write("orders", &stored.point, filled.clone(), &stored.point).await.unwrap();
        let again = store.open().await;
        let found = again.ensure(&orders(), "2026-11-23").await.unwrap();
        assert_eq!(found, ViewState { point: stored.point, rows: 1 });
        let emptied = again.ensure(&form, "2026-11-24").await.unwrap();
        let as_of = "2026-11-24".to_owned();
        assert_eq!(emptied, ViewState { point: ViewPoint { cursor: 0, as_of }, rows: 0 });
    }
}

pub async fn a_process_is_told_when_another_has_made_its_view_anew_in_another_form<S: Store>() {
    let (store, views) = fixture::<S>().await;
    let other = store.open().await;
    other.ensure(&ViewSchema { version: 2, ..orders() }, TODAY).await.unwrap();
    let page = views.page("orders", &by_key(9)).await;
    assert!(matches!(page, Err(ViewError::Remade { .. })));
    assert!(matches!(views.get("orders", "a").await, Err(ViewError::Remade { .. })));
    let written = views.write("orders", &point(0), ViewChanges::default(), &point(1)).await;
    assert!(matches!(written, Err(ViewWriteError::View(ViewError::Remade { .. }))));
}

pub async fn views_of_another_book_are_dropped<S: Store>() {
    let (store, views) = fixture::<S>().await;
    views.write("orders", &point(0), upserts(vec![row("a", "open", 1)]), &point(3)).await.unwrap();
    views.begin_rebuild(&orders(), &beginning()).await.unwrap();
    assert_eq!(store.number(S::COUNT_TABLES).await, 2);
    drop(views);
    let other = store.open_of_book([8; 16]).await;
    assert_eq!(other.list().await.unwrap(), []);
    assert_eq!(store.number(S::COUNT_TABLES).await, 0);
    let state = other.ensure(&orders(), TODAY).await.unwrap();
    assert_eq!(state, ViewState { point: point(0), rows: 0 });
}

pub async fn tables_of_others_in_the_same_place_are_left_alone<S: Store>() {
    let (store, views) = fixture::<S>().await;
    store.run("CREATE TABLE page (id INTEGER); CREATE TABLE viewing (id INTEGER)").await;
    drop(views);
    store.open_of_book([8; 16]).await;
    for sql in ["SELECT count(*) FROM page", "SELECT count(*) FROM viewing"] {
        assert_eq!(store.number(sql).await, 0);
    }
}

pub async fn all_views_are_listed_with_how_they_stand<S: Store>() {
    let (_store, views) = fixture::<S>().await;
    let contracts = ViewSchema { name: "contracts", version: 4, ..orders() };
    views.ensure(&contracts, TODAY).await.unwrap();
    views.write("orders", &point(0), upserts(vec![row("a", "open", 1)]), &point(3)).await.unwrap();
    let list = views.list().await.unwrap();
    let names: Vec<_> = list.iter().map(|info| (info.name.as_str(), info.version)).collect();
    assert_eq!(names, [("contracts", 4), ("orders", 1)]);
    assert_eq!(list[1].state, ViewState { point: point(3), rows: 1 });
}

pub async fn anybody_can_query_a_view_with_plain_sql<S: Store>() {
    let (store, views) = fixture::<S>().await;
    let rows = vec![row("a", "open", 5), row("b", "open", 6), row("c", "paid", 7)];
    views.write("orders", &point(0), upserts(rows), &point(1)).await.unwrap();
    let sum = "SELECT CAST(sum(amount) AS BIGINT) FROM view_orders WHERE status = 'open'";
    assert_eq!(store.number(sum).await, 11);
    let order = "SELECT count(*) FROM view_orders WHERE \"order\" IS NULL AND key > 'a'";
    assert_eq!(store.number(order).await, 2);
}
