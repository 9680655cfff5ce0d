//! *Fail if any event matching the query stands after the position*, checked against the record and
//! the batch so far.

use std::sync::Arc;

use daicho_store::{AppendError, Log, Query};
use tokio::task::JoinSet;

use crate::support::{Store, With, append, event, everything, fill, item, one, query};

#[track_caller]
fn assert_conflict<T: std::fmt::Debug>(result: Result<T, AppendError>, expected: u64) {
    match result {
        Err(AppendError::Conflict { position }) => assert_eq!(position, expected),
        other => panic!("a conflict at {expected} was expected: {other:?}"),
    }
}

pub async fn a_condition_fails_when_a_match_stands_after_its_position<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    fill(&*log, 3, "a", &["t:1"]).await;
    assert_conflict(log.append(one("b", &[]).unless(query(&["a"], &["t:1"]), 2)).await, 3);
    assert_conflict(log.append(one("b", &[]).unless(query(&["a"], &["t:1"]), 0)).await, 3);
    assert_eq!(log.head().await.unwrap().position, 3);
}

pub async fn a_condition_holds_when_the_matches_stand_before_its_position<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    fill(&*log, 3, "a", &["t:1"]).await;
    fill(&*log, 2, "b", &["t:1"]).await;
    let answer = log.append(one("b", &[]).unless(query(&["a"], &["t:1"]), 3)).await.unwrap();
    assert_eq!(answer.first, 6);
    let answer = log.append(one("b", &[]).unless(Query::default(), 0)).await.unwrap();
    assert_eq!(answer.first, 7, "no item matches nothing");
}

pub async fn a_condition_asks_for_any_type_and_all_tags_of_any_item<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    log.append(one("a", &["t:1", "u:1"])).await.unwrap();
    for (fails, items) in [
        (true, vec![item(&[], &[])]),
        (true, vec![item(&["a"], &[])]),
        (true, vec![item(&["x", "a"], &[])]),
        (true, vec![item(&[], &["u:1"])]),
        (true, vec![item(&[], &["u:1", "t:1"])]),
        (true, vec![item(&["x"], &[]), item(&["a"], &["t:1"])]),
        (false, vec![item(&["x"], &[])]),
        (false, vec![item(&["a"], &["t:2"])]),
        (false, vec![item(&["x"], &["t:1"])]),
        (false, vec![item(&[], &["t:1", "t:2"])]),
        (false, vec![]),
    ] {
        let query = Query { items };
        let result = log.append(one("z", &[]).unless(query.clone(), 0)).await;
        assert_eq!(result.is_err(), fails, "{query:?}");
    }
}

pub async fn a_condition_on_old_events_is_decided_on_all_of_them<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    for round in 1..=100_u64 {
        let tag = format!("t:{round}");
        let log = &*log;
        log.append(one("a", &[&tag, "every:1"])).await.unwrap();
        for old in [1, round / 2, round - 1, round].into_iter().filter(|old| *old > 0) {
            let old_tag = format!("t:{old}");
            let unless = |after| one("a", &[]).unless(query(&[], &[&old_tag, "every:1"]), after);
            assert_conflict(log.append(unless(old - 1)).await, old);
        }
        assert_conflict(
            log.append(one("a", &[]).unless(query(&["a"], &["every:1"]), 0)).await,
            round,
        );
        assert_conflict(log.append(one("a", &[]).unless(query(&["a"], &[]), 0)).await, round);
    }
}

pub async fn of_many_callers_with_one_condition_exactly_one_wins<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    for round in 0..30 {
        let tag = format!("unique:{round}");
        let mut callers = JoinSet::new();
        for _ in 0..16 {
            let (log, tag) = (Arc::clone(&log), tag.clone());
            callers.spawn(async move {
                log.append(one("taken", &[&tag]).unless(query(&[], &[&tag]), 0)).await
            });
        }
        let answers = callers.join_all().await;
        let winner: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
        assert_eq!(winner.len(), 1, "{answers:?}");
        for loser in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            let AppendError::Conflict { position } = loser else { panic!("{loser}") };
            assert_eq!(*position, winner[0].first);
        }
    }
    assert_eq!(log.head().await.unwrap().position, 30);
}

pub async fn a_failed_condition_fails_its_own_caller_only<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    fill(&*log, 1, "seed", &["t:1"]).await;
    let mut callers = JoinSet::new();
    for caller in 0..60 {
        let log = Arc::clone(&log);
        callers.spawn(async move {
            let pair = append(vec![event("a", &[]), event("b", &[])]);
            let holds = caller % 3 != 0;
            let after = u64::from(holds);
            (holds, log.append(pair.unless(query(&["seed"], &["t:1"]), after)).await.is_ok())
        });
    }
    let answers = callers.join_all().await;
    assert!(answers.iter().all(|(holds, done)| holds == done), "{answers:?}");
    assert_eq!(everything(&*log).await.len(), 1 + 40 * 2);
}

pub async fn a_condition_that_knows_more_than_the_book_is_refused<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    fill(&*log, 3, "a", &[]).await;
    let refused = log.append(one("b", &[]).unless(query(&["x"], &[]), 4)).await;
    assert!(matches!(refused, Err(AppendError::Refused(_))), "{refused:?}");
    log.append(one("b", &[]).unless(query(&["x"], &[]), 3)).await.unwrap();
}
