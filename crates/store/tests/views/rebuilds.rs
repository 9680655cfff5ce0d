//! Rebuilds: made beside the live view, seen whole or not at all.

use std::collections::HashMap;
use std::sync::Arc;

use daicho_store::views::*;

use crate::support::*;

fn rows(status: &str, count: usize) -> Vec<ViewRow> {
    (0..count).map(|number| row(&format!("{number:05}"), status, number as i64)).collect()
}

pub async fn a_rebuild_takes_the_place_of_the_live_view_with_all_its_rows_and_indexes<S: Store>() {
    let (store, views) = fixture::<S>().await;
    views.write("orders", &point(0), upserts(rows("old", 5)), &point(9)).await.unwrap();
    let shadow = views.begin_rebuild(&orders(), &beginning()).await.unwrap();
    let mut made = rows("new", 3_000);
    let second = made.split_off(1_234);
    views.load(&shadow, second.clone(), 1).await.unwrap();
    views.load(&shadow, made.clone(), 1).await.unwrap();
    assert_eq!(views.state("orders").await.unwrap(), ViewState { point: point(9), rows: 5 });
    assert_eq!(views.get("orders", "00001").await.unwrap(), Some(row("00001", "old", 1).row));

    let state = views.swap(shadow, &point(7)).await.unwrap();
    assert_eq!(state, ViewState { point: point(7), rows: 3_000 });
    assert_eq!(views.state("orders").await.unwrap(), state);
    made.extend(second);
    assert_eq!(views.scan("orders", None, 10_000).await.unwrap(), made);
    assert_eq!(store.number(S::COUNT_INDEXES).await, 4);
    let (from, one) = (point(7), upserts(vec![row("00001", "live", 1)]));
    views.write("orders", &from, one, &point(8)).await.unwrap();
    assert_eq!(views.state("orders").await.unwrap().rows, 3_000);
}

pub async fn a_rebuild_follows_what_was_recorded_since_before_it_is_swapped<S: Store>() {
    let (_store, views) = fixture::<S>().await;
    let shadow = views.begin_rebuild(&orders(), &beginning()).await.unwrap();
    views.load(&shadow, rows("new", 3), 1).await.unwrap();
    let early = views.shadow_write(&shadow, ViewChanges::default(), 9).await;
    assert!(matches!(early, Err(ViewError::Refused(_))));
    views.index_shadow(&shadow).await.unwrap();
    views.index_shadow(&shadow).await.unwrap();
    let late = views.load(&shadow, rows("late", 1), 1).await;
    assert!(matches!(late, Err(ViewError::Refused(_))));

    let found = views.shadow_rows(&shadow, &["00002".into(), "no".into()]).await.unwrap();
    assert_eq!(found, HashMap::from([("00002".to_owned(), row("00002", "new", 2).row)]));
    let changes = ViewChanges {
        upserts: vec![row("00002", "since", 2), row("x", "since", 3)],
        deletes: vec!["00000".into()],
    };
    views.shadow_write(&shadow, changes, 9).await.unwrap();
    let due =
        |key: &str, day: &str| ViewRow { next_change: Some(day.to_owned()), ..row(key, "due", 5) };
    let (later, soon) = (due("00001", "2026-11-24"), due("00002", "2026-11-23"));
    views.shadow_write(&shadow, upserts(vec![later.clone(), soon.clone()]), 9).await.unwrap();
    let found = |row: &ViewRow| (row.key.clone(), row.row.clone());
    for (on, limit, expected) in [
        ("2026-11-22", 9, vec![]),
        ("2026-11-24", 9, vec![found(&soon), found(&later)]),
        ("2026-11-24", 1, vec![found(&soon)]),
    ] {
        assert_eq!(views.shadow_due(&shadow, on, limit).await.unwrap(), expected, "{on}");
    }
    let state = views.swap(shadow.clone(), &point(4)).await.unwrap();
    assert!(matches!(views.shadow_due(&shadow, TODAY, 9).await, Err(ViewError::Superseded { .. })));
    assert_eq!(state, ViewState { point: point(4), rows: 3 });
    let expected = [later, soon, row("x", "since", 3)];
    assert_eq!(views.scan("orders", None, 9).await.unwrap(), expected);
}

pub async fn a_rebuild_may_bring_another_form_of_the_view<S: Store>() {
    let (_store, views) = fixture::<S>().await;
    views.write("orders", &point(0), upserts(rows("old", 5)), &point(9)).await.unwrap();
    let mut next = ViewSchema { version: 2, ..orders() };
    next.columns.pop();
    let shadow = views.begin_rebuild(&next, &beginning()).await.unwrap();
    let mut new = row("a", "new", 1);
    new.columns.pop();
    views.load(&shadow, vec![new.clone()], 1).await.unwrap();
    assert_eq!(all_keys(&views).await.len(), 5);
    views.swap(shadow, &point(9)).await.unwrap();
    assert_eq!(views.scan("orders", None, 9).await.unwrap(), [new]);
    let stored = views.ensure(&next, TODAY).await.unwrap();
    assert_eq!(stored, ViewState { point: point(9), rows: 1 });
}

pub async fn an_abandoned_rebuild_is_dropped_by_the_next_and_cannot_come_back<S: Store>() {
    let (store, views) = fixture::<S>().await;
    let abandoned = views.begin_rebuild(&orders(), &beginning()).await.unwrap();
    views.load(&abandoned, rows("abandoned", 3), 1).await.unwrap();
    let next = views.begin_rebuild(&orders(), &beginning()).await.unwrap();
    assert_eq!(store.number(S::COUNT_TABLES).await, 2, "the live one and the later shadow");
    let loaded = views.load(&abandoned, rows("abandoned", 1), 1).await;
    assert!(matches!(loaded, Err(ViewError::Superseded { .. })));
    let swapped = views.swap(abandoned, &point(1)).await;
    assert!(matches!(swapped, Err(ViewError::Superseded { .. })));
    views.load(&next, rows("next", 2), 1).await.unwrap();
    views.swap(next.clone(), &point(1)).await.unwrap();
    let again = views.swap(next, &point(1)).await;
    assert!(matches!(again, Err(ViewError::Superseded { .. })));
    assert_eq!(views.state("orders").await.unwrap().rows, 2);
}

pub async fn a_stopped_rebuild_goes_on_where_it_was_and_only_in_one_place<S: Store>() {
    let (store, views) = fixture::<S>().await;
    assert!(views.resume_rebuild(&orders()).await.unwrap().is_none());
    let stopped = views.begin_rebuild(&orders(), &beginning()).await.unwrap();
    views.load(&stopped, rows("new", 3), 7).await.unwrap();
    let another = store.open().await;
    let resumed = another.resume_rebuild(&orders()).await.unwrap().unwrap();
    assert_eq!((&resumed.from, resumed.loaded, resumed.cursor), (&beginning(), 7, 5));
    let late = views.load(&stopped, vec![row("x", "late", 1)], 8).await;
    assert!(matches!(late, Err(ViewError::Superseded { .. })));
    another.load(&resumed.shadow, vec![row("x", "new", 1)], 8).await.unwrap();
    another.index_shadow(&resumed.shadow).await.unwrap();
    let since = ViewChanges { upserts: vec![row("y", "since", 2)], deletes: vec!["x".into()] };
    another.shadow_write(&resumed.shadow, since, 6).await.unwrap();

    let again = views.resume_rebuild(&orders()).await.unwrap().unwrap();
    assert_eq!((again.loaded, again.cursor), (8, 6));
    let state = views.swap(again.shadow, &point(6)).await.unwrap();
    assert_eq!(state.rows, 4);
    assert_eq!(all_keys(&views).await, ["00000", "00001", "00002", "y"]);
    assert!(views.resume_rebuild(&orders()).await.unwrap().is_none());
}

pub async fn a_stopped_rebuild_of_another_form_does_not_go_on<S: Store>() {
    let (store, views) = fixture::<S>().await;
    views.begin_rebuild(&orders(), &beginning()).await.unwrap();
    let mut fewer = orders();
    fewer.columns.pop();
    for other in [
        ViewSchema { version: 2, ..orders() },
        ViewSchema { fingerprint: "row 2".into(), ..orders() },
        fewer,
    ] {
        assert!(views.resume_rebuild(&other).await.unwrap().is_none(), "{other:?}");
    }
    let of_another_book = store.open_of_book([8; 16]).await;
    assert!(of_another_book.resume_rebuild(&orders()).await.unwrap().is_none());
}

pub async fn a_view_that_somebody_brought_further_is_not_swapped_back<S: Store>() {
    let (_store, views) = fixture::<S>().await;
    let shadow = views.begin_rebuild(&orders(), &beginning()).await.unwrap();
    views.load(&shadow, rows("new", 3), 1).await.unwrap();
    views.index_shadow(&shadow).await.unwrap();
    views.write("orders", &point(0), upserts(rows("live", 5)), &point(9)).await.unwrap();
    assert_eq!(views.swap_forward(&shadow, &point(8)).await.unwrap(), None);
    assert_eq!(views.state("orders").await.unwrap(), ViewState { point: point(9), rows: 5 });
    views.shadow_write(&shadow, upserts(rows("since", 4)), 9).await.unwrap();
    let on = |day: &str| ViewPoint { cursor: 9, as_of: day.to_owned() };
    let (monday, tuesday) = (on("2026-11-23"), on("2026-11-24"));
    views.write("orders", &point(9), ViewChanges::default(), &tuesday).await.unwrap();
    assert_eq!(views.swap_forward(&shadow, &monday).await.unwrap(), None);
    let swapped = views.swap_forward(&shadow, &tuesday).await.unwrap();
    assert_eq!(swapped, Some(ViewState { point: tuesday, rows: 4 }));
    // A view of another form is not compared with.
    let other = ViewSchema { version: 2, ..orders() };
    let shadow = views.begin_rebuild(&other, &beginning()).await.unwrap();
    assert!(views.swap_forward(&shadow, &point(1)).await.unwrap().is_some());
}

pub async fn a_key_that_was_loaded_twice_is_found_before_anything_is_swapped<S: Store>() {
    let (_store, views) = fixture::<S>().await;
    let shadow = views.begin_rebuild(&orders(), &beginning()).await.unwrap();
    views.load(&shadow, rows("new", 2), 1).await.unwrap();
    views.load(&shadow, rows("new", 1), 1).await.unwrap();
    assert!(matches!(views.swap(shadow, &point(1)).await, Err(ViewError::Storage(_))));
    assert_eq!(views.state("orders").await.unwrap().rows, 0);
}

pub async fn a_swap_is_possible_beside_somebody_elses_sql_view<S: Store>() {
    let (store, views) = fixture::<S>().await;
    store.run("CREATE VIEW new_ones AS SELECT key FROM view_orders WHERE status = 'new'").await;
    let shadow = views.begin_rebuild(&orders(), &beginning()).await.unwrap();
    views.load(&shadow, rows("new", 2), 1).await.unwrap();
    views.swap(shadow, &point(1)).await.unwrap();
    assert_eq!(store.number("SELECT count(*) FROM new_ones").await, 2);
    assert_eq!(store.number(S::COUNT_TABLES).await, 1);
}

pub async fn readers_see_the_old_view_or_the_new_one_and_nothing_between<S: Store>() {
    let (_store, views) = fixture::<S>().await;
    views.write("orders", &point(0), upserts(rows("0", 300)), &point(1)).await.unwrap();
    let views = Arc::new(views);
    let (stop, stopped) = tokio::sync::watch::channel(());
    let reader = {
        let views = Arc::clone(&views);
        tokio::spawn(async move {
            let mut pages = 0;
            while !stopped.has_changed().unwrap_or(true) || pages == 0 {
                let page = views.page("orders", &by_key(1_000)).await.unwrap();
                assert_eq!(page.rows.len(), 300);
                let status = &page.rows[0].columns[0];
                assert!(page.rows.iter().all(|row| row.columns[0] == *status));
                pages += 1;
            }
        })
    };
    for number in 1..12 {
        let shadow = views.begin_rebuild(&orders(), &beginning()).await.unwrap();
        views.load(&shadow, rows(&number.to_string(), 300), 1).await.unwrap();
        views.swap(shadow, &point(1)).await.unwrap();
    }
    drop(stop);
    reader.await.unwrap();
}
