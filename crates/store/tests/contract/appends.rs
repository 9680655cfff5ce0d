//! What an append does: positions, texts, times, the tree, and order under many callers.

use std::sync::atomic::Ordering;

use daicho_store::{AppendError, Envelope, Frontier, Log, Query, format_us, leaf_hash};

use crate::support::{
    START_US, Store, append, assert_gapless, event, event_with, everything, fill, one,
};

pub async fn an_append_gets_the_next_positions_and_is_read_back_as_it_was_handed_in<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    let data = "{\"note\":\"a \\\"quoted\\\" 台帳\"}";
    let mut first = event_with("order.placed", &["order:\"1\"", "member:\\2"], data);
    first.version = 3;
    let answer = log.append(append(vec![first.clone(), event("order.paid", &[])])).await.unwrap();
    assert_eq!((answer.first, answer.last, answer.repeated()), (1, 2, false));
    let answer = log.append(one("order.shipped", &["order:1"])).await.unwrap();
    assert_eq!((answer.first, answer.last), (3, 3));

    let events = everything(&*log).await;
    assert_gapless(&events);
    let envelope = Envelope::parse(&events[0].envelope).unwrap();
    assert_eq!(&*events[0].data, data);
    assert_eq!(envelope.type_name, "order.placed");
    assert_eq!(envelope.version, 3);
    assert_eq!(envelope.tags, first.tags);
    assert_eq!(envelope.actor, "member:1");
    assert_eq!(envelope.effective_on, "2026-12-01");
    assert_eq!(envelope.recorded_at_us, START_US);
    assert_eq!(envelope.software, "contract 1");
    assert_eq!(envelope.data_sha256, first.data_sha256);
    assert_eq!(envelope.request, None);
}

pub async fn the_root_of_the_head_is_that_of_the_envelopes<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    let mut tree = Frontier::default();
    assert_eq!(log.head().await.unwrap().root, tree.root());
    for round in 1..=20_u64 {
        log.append(append(vec![event("a", &["t:1"]), event("b", &[])])).await.unwrap();
        let page = log.read(&Query::everything(), tree.size(), 0, 10).await.unwrap();
        page.events.iter().for_each(|event| tree.push(leaf_hash(event.envelope.as_bytes())));
        let head = log.head().await.unwrap();
        assert_eq!((head.position, head.root), (round * 2, tree.root()));
        assert_eq!(head.recorded_at_us, START_US);
    }
}

pub async fn the_time_of_recording_never_runs_backwards<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    let mut expected = START_US;
    for now in [START_US, START_US + 7, START_US - 9_000_000_000, START_US + 3, START_US + 8] {
        store.clock().0.store(now, Ordering::SeqCst);
        expected = expected.max(now);
        let position = log.append(one("a", &[])).await.unwrap().last;
        let event = log.last(&Query::everything(), position).await.unwrap().unwrap();
        let recorded = Envelope::parse(&event.envelope).unwrap().recorded_at_us;
        assert_eq!(format_us(recorded), format_us(expected));
        assert_eq!(log.head().await.unwrap().recorded_at_us, expected);
    }
}

pub async fn an_append_with_one_bad_event_writes_none_of_its_events<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    let refused = log.append(append(vec![event("a", &[]), event("", &[])])).await;
    assert!(matches!(refused, Err(AppendError::Refused(_))), "{refused:?}");
    assert_eq!(log.head().await.unwrap().position, 0);
    assert_eq!(log.append(one("a", &[])).await.unwrap().first, 1);
}

pub async fn a_cause_stands_before_its_effect<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    fill(&*log, 2, "a", &[]).await;
    for cause in [0, 3, 4] {
        let mut effect = event("b", &[]);
        effect.cause = Some(cause);
        let refused = log.append(append(vec![effect])).await;
        assert!(matches!(refused, Err(AppendError::Refused(_))), "{cause}: {refused:?}");
    }
    let mut effect = event("b", &[]);
    effect.cause = Some(2);
    assert_eq!(log.append(append(vec![effect])).await.unwrap().first, 3);
}

pub async fn sixty_four_callers_fill_the_positions_without_a_gap_and_no_append_is_torn<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..64 {
        let log = std::sync::Arc::clone(&log);
        callers.spawn(async move {
            let mut before = 0;
            for round in 0..4_usize {
                let tag = format!("caller:{caller}-{round}");
                let events = (0..=round).map(|_| event("a", &[&tag])).collect();
                let answer = log.append(append(events)).await.unwrap();
                assert_eq!(answer.last - answer.first, round as u64);
                assert!(answer.first > before, "what was answered first stands first");
                before = answer.last;
                let page = log
                    .read(&crate::support::query(&[], &[&tag]), 0, answer.last, 10)
                    .await
                    .unwrap();
                let found: Vec<u64> = page.events.iter().map(|event| event.position).collect();
                assert_eq!(found, (answer.first..=answer.last).collect::<Vec<_>>());
            }
        });
    }
    callers.join_all().await;
    let events = everything(&*log).await;
    assert_eq!(events.len(), 64 * 10);
    assert_gapless(&events);
}

pub async fn the_watch_tells_the_new_head<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    let mut heads = log.watch();
    assert_eq!(*heads.borrow_and_update(), 0);
    fill(&*log, 3, "a", &[]).await;
    heads.wait_for(|head| *head == 3).await.unwrap();
    assert_eq!(log.known_head(), 3);
}
