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
    let shadow = views.begin_rebuild(&orders()).await.unwrap();
    let mut made = rows("new", 3_000);
    let second = made.split_off(1_234);
    views.load(&shadow, second.clone()).await.unwrap();
    views.load(&shadow, made.clone()).await.unwrap();
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
    let shadow = views.begin_rebuild(&orders()).await.unwrap();
    views.load(&shadow, rows("new", 3)).await.unwrap();
    let early = views.shadow_write(&shadow, ViewChanges::default()).await;
    assert!(matches!(early, Err(ViewError::Refused(_))));
    views.index_shadow(&shadow).await.unwrap();
    views.index_shadow(&shadow).await.unwrap();
    let late = views.load(&shadow, rows("late", 1)).await;
    assert!(matches!(late, Err(ViewError::Refused(_))));

    let found = views.shadow_rows(&shadow, &["00002".into(), "no".into()]).await.unwrap();
    assert_eq!(found, HashMap::from([("00002".to_owned(), row("00002", "new", 2).row)]));
    let changes = ViewChanges {
        upserts: vec![row("00002", "since", 2), row("x", "since", 3)],
        deletes: vec!["00000".into()],
    };
    views.shadow_write(&shadow, changes).await.unwrap();
    let state = views.swap(shadow, &point(4)).await.unwrap();
    assert_eq!(state, ViewState { point: point(4), rows: 3 });
    let expected = [row("00001", "new", 1), row("00002", "since", 2), row("x", "since", 3)];
    assert_eq!(views.scan("orders", None, 9).await.unwrap(), expected);
}

pub async fn a_rebuild_may_bring_another_form_of_the_view<S: Store>() {
    let (_store, views) = fixture::<S>().await;
    views.write("orders", &point(0), upserts(rows("old", 5)), &point(9)).await.unwrap();
    let mut next = ViewSchema { version: 2, ..orders() };
    next.columns.pop();
    let shadow = views.begin_rebuild(&next).await.unwrap();
    let mut new = row("a", "new", 1);
    new.columns.pop();
    views.load(&shadow, vec![new.clone()]).await.unwrap();
    assert_eq!(all_keys(&views).await.len(), 5);
    views.swap(shadow, &point(9)).await.unwrap();
    assert_eq!(views.scan("orders", None, 9).await.unwrap(), [new]);
    let kept = views.ensure(&next, TODAY).await.unwrap();
    assert_eq!(kept, ViewState { point: point(9), rows: 1 });
}

pub async fn an_abandoned_rebuild_is_dropped_by_the_next_and_cannot_come_back<S: Store>() {
    let (store, views) = fixture::<S>().await;
    let abandoned = views.begin_rebuild(&orders()).await.unwrap();
    views.load(&abandoned, rows("abandoned", 3)).await.unwrap();
    let next = views.begin_rebuild(&orders()).await.unwrap();
    assert_eq!(store.number(S::COUNT_TABLES).await, 2, "the live one and the later shadow");
    let loaded = views.load(&abandoned, rows("abandoned", 1)).await;
    assert!(matches!(loaded, Err(ViewError::Superseded { .. })));
    let swapped = views.swap(abandoned, &point(1)).await;
    assert!(matches!(swapped, Err(ViewError::Superseded { .. })));
    views.load(&next, rows("next", 2)).await.unwrap();
    views.swap(next.clone(), &point(1)).await.unwrap();
    let again = views.swap(next, &point(1)).await;
    assert!(matches!(again, Err(ViewError::Superseded { .. })));
    assert_eq!(views.state("orders").await.unwrap().rows, 2);
}

pub async fn a_key_that_was_loaded_twice_is_found_before_anything_is_swapped<S: Store>() {
    let (_store, views) = fixture::<S>().await;
    let shadow = views.begin_rebuild(&orders()).await.unwrap();
    views.load(&shadow, rows("new", 2)).await.unwrap();
    views.load(&shadow, rows("new", 1)).await.unwrap();
    assert!(matches!(views.swap(shadow, &point(1)).await, Err(ViewError::Storage(_))));
    assert_eq!(views.state("orders").await.unwrap().rows, 0);
}

pub async fn a_swap_is_possible_beside_somebody_elses_sql_view<S: Store>() {
    let (store, views) = fixture::<S>().await;
    store.run("CREATE VIEW new_ones AS SELECT key FROM view_orders WHERE status = 'new'").await;
    let shadow = views.begin_rebuild(&orders()).await.unwrap();
    views.load(&shadow, rows("new", 2)).await.unwrap();
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
        let shadow = views.begin_rebuild(&orders()).await.unwrap();
        views.load(&shadow, rows(&number.to_string(), 300)).await.unwrap();
        views.swap(shadow, &point(1)).await.unwrap();
    }
    drop(stop);
    reader.await.unwrap();
}
