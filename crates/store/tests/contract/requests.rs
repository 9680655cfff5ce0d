//! A request has one effect and one answer, for ever; only recorded effects are remembered.

use std::sync::Arc;

use daicho_store::{AppendError, Appended, Log, Request};
use tokio::task::JoinSet;

use crate::support::{Store, With, append, event, fill, one, query};

pub async fn a_repeated_request_gets_its_first_answer_whatever_has_happened_since<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    fill(&*log, 2, "a", &[]).await;
    let request = || {
        append(vec![event("b", &["t:1"]), event("c", &[])])
            .unless(query(&["b"], &[]), 2)
            .answering("request 1", "hash 1")
    };
    let first = log.append(request()).await.unwrap();
    assert_eq!((first.first, first.last, first.repeated()), (3, 4, false));
    for _ in 0..50 {
        // Neither does its condition hold any more, nor does it stay in the unsealed tail.
        let again = log.append(request()).await.unwrap();
        assert_eq!(again, Appended { recorded_at_us: None, ..first });
        fill(&*log, 1, "b", &["t:1"]).await;
    }
}

pub async fn a_request_id_used_for_another_request_is_an_error<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    log.append(one("a", &[]).answering("request 1", "hash 1")).await.unwrap();
    for _ in 0..20 {
        let reused = log.append(one("a", &[]).answering("request 1", "hash 2")).await;
        let Err(AppendError::RequestReused { id, position }) = reused else { panic!("{reused:?}") };
        assert_eq!((id.as_str(), position), ("request 1", 1));
        log.append(one("a", &[])).await.unwrap();
    }
    assert_eq!(log.head().await.unwrap().position, 21);
}

pub async fn many_callers_with_one_request_have_one_effect_and_one_answer<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    for round in 0..20 {
        let mut callers = JoinSet::new();
        for _ in 0..16 {
            let log = Arc::clone(&log);
            let request = append(vec![event("a", &[]), event("b", &[])])
                .answering(&format!("request {round}"), "hash");
            callers.spawn(async move { log.append(request).await.unwrap() });
        }
        let answers = callers.join_all().await;
        let first = round * 2 + 1;
        assert!(answers.iter().all(|a| (a.first, a.last) == (first, first + 1)), "{answers:?}");
        assert_eq!(answers.iter().filter(|answer| !answer.repeated()).count(), 1);
    }
    assert_eq!(log.head().await.unwrap().position, 40);
}

pub async fn a_request_is_remembered_after_a_restart<S: Store>() {
    let store = S::new().await;
    for round in 0..30 {
        let log = store.open().await;
        let answer = log.append(one("a", &[]).answering(&format!("request {round}"), "hash")).await;
        assert_eq!(answer.unwrap().first, round + 1);
        for old in 0..=round {
            let old_request = one("a", &[]).answering(&format!("request {old}"), "hash");
            let again = log.append(old_request).await.unwrap();
            assert_eq!(again, Appended { first: old + 1, last: old + 1, recorded_at_us: None });
        }
    }
}

pub async fn a_rejected_request_is_not_remembered<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    fill(&*log, 1, "a", &[]).await;
    let request = |after| one("b", &[]).unless(query(&["a"], &[]), after).answering("r", "h");
    assert!(matches!(log.append(request(0)).await, Err(AppendError::Conflict { position: 1 })));
    let answer = log.append(request(1)).await.unwrap();
    assert_eq!((answer.first, answer.last, answer.repeated()), (2, 2, false));
}

pub async fn a_recorded_request_is_answered_without_asking_again<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    let request = |hash: &str| Request { id: "request 1".into(), hash: hash.into() };
    assert_eq!(log.answered(&request("hash 1")).await.unwrap(), None);
    fill(&*log, 3, "a", &[]).await;
    log.append(append(vec![event("b", &[]), event("c", &[])]).answering("request 1", "hash 1"))
        .await
        .unwrap();
    for _ in 0..20 {
        let answer = log.answered(&request("hash 1")).await.unwrap();
        assert_eq!(answer, Some(Appended { first: 4, last: 5, recorded_at_us: None }));
        let reused = log.answered(&request("hash 2")).await;
        assert!(matches!(reused, Err(AppendError::RequestReused { position: 4, .. })));
        fill(&*log, 1, "a", &[]).await;
    }
}
