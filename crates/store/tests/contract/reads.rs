//! Pages, cursors, bounds, and the last match.

use daicho_store::{Log, PAGE_BYTES_MAX, Query};

use crate::support::{Store, append, event, event_with, fill, query};

/// Positions 1..=40: every fourth is `b` with `t:4`, the others are `a`.
async fn mixed(log: &impl Log) {
    for position in 1..=40_u64 {
        let event =
            if position % 4 == 0 { event("b", &["t:4"]) } else { event("a", &["t:1", "u:1"]) };
        assert_eq!(log.append(append(vec![event])).await.unwrap().first, position);
    }
}

pub async fn a_page_ends_at_its_limit_and_says_how_far_it_looked<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    mixed(&*log).await;
    let mut cursor = 0;
    let mut found = Vec::new();
    loop {
        let page = log.read(&query(&["b"], &[]), cursor, 0, 3).await.unwrap();
        assert!(page.events.len() <= 3);
        found.extend(page.events.iter().map(|event| event.position));
        if page.scanned_to == cursor {
            break;
        }
        assert!(found.last().is_some_and(|last| *last <= page.scanned_to));
        cursor = page.scanned_to;
    }
    assert_eq!(cursor, 40);
    assert_eq!(found, (1..=10).map(|n| n * 4).collect::<Vec<_>>());
}

pub async fn a_filtered_page_without_a_match_moves_the_cursor_to_the_end<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    mixed(&*log).await;
    for query in [query(&["x"], &[]), query(&[], &["t:1", "t:4"]), Query::default()] {
        let page = log.read(&query, 0, 0, 5).await.unwrap();
        assert_eq!((page.events.len(), page.scanned_to), (0, 40));
        let page = log.read(&query, 3, 21, 5).await.unwrap();
        assert_eq!((page.events.len(), page.scanned_to), (0, 21));
    }
}

pub async fn a_read_sees_nothing_after_its_upper_bound<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    mixed(&*log).await;
    for until in 1..=41 {
        let page = log.read(&query(&["b"], &["t:4"]), 0, until, 100).await.unwrap();
        let found: Vec<u64> = page.events.iter().map(|event| event.position).collect();
        assert_eq!(found, (1..=until.min(40) / 4).map(|n| n * 4).collect::<Vec<_>>());
        assert_eq!(page.scanned_to, until.min(40));
    }
}

pub async fn a_read_from_beyond_the_end_stays_where_it_is<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    assert_eq!(log.read(&Query::everything(), 0, 0, 1).await.unwrap().scanned_to, 0);
    mixed(&*log).await;
    for (after, until) in [(40, 0), (41, 0), (9, 9), (9, 4)] {
        let page = log.read(&Query::everything(), after, until, 5).await.unwrap();
        assert_eq!((page.events.len(), page.scanned_to), (0, after));
    }
}

pub async fn the_last_match_is_found_at_or_below_the_bound<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    assert!(log.last(&Query::everything(), 0).await.unwrap().is_none());
    mixed(&*log).await;
    for until in 1..=40 {
        let last = log.last(&query(&[], &["t:4"]), until).await.unwrap();
        let expected = (until >= 4).then_some(until / 4 * 4);
        assert_eq!(last.map(|event| event.position), expected);
        let last = log.last(&Query::everything(), until).await.unwrap();
        assert_eq!(last.unwrap().position, until);
    }
    assert_eq!(log.last(&query(&["b"], &[]), 0).await.unwrap().unwrap().position, 40);
    assert!(log.last(&query(&["x"], &["t:1"]), 0).await.unwrap().is_none());
    fill(&*log, 1, "x", &["t:1"]).await;
    assert_eq!(log.last(&query(&["x"], &["t:1"]), 0).await.unwrap().unwrap().position, 41);
}

pub async fn a_page_ends_early_when_it_holds_many_bytes<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    let data = format!("\"{}\"", "x".repeat(1_000_000));
    for _ in 0..7 {
        log.append(append(vec![event_with("a", &["t:1"], &data); 10])).await.unwrap();
    }
    for query in [Query::everything(), query(&[], &["t:1"])] {
        let page = log.read(&query, 0, 0, 100).await.unwrap();
        let expected = PAGE_BYTES_MAX as u64 / 1_000_000 + 1;
        assert_eq!((page.events.len() as u64, page.scanned_to), (expected, expected));
        let page = log.read(&query, page.scanned_to, 0, 100).await.unwrap();
        assert_eq!(page.scanned_to, 70);
    }
}
