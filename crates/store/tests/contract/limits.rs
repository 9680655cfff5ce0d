//! Every limit and rule of form, broken one at a time: each refusal names what was broken.

use daicho_store::{
    APPEND_BYTES_MAX, APPEND_EVENTS_MAX, Append, AppendError, DATA_BYTES_MAX, Log, NAME_BYTES_MAX,
    NewEvent, QUERY_ITEMS_MAX, QUERY_TYPES_MAX, Query, QueryItem, READ_EVENTS_MAX, ReadError,
    TAGS_MAX,
};

use crate::support::{Store, With, append, event, event_with, item, one};

fn changed(change: impl FnOnce(&mut NewEvent)) -> Append {
    let mut event = event("a", &["t:1"]);
    change(&mut event);
    append(vec![event])
}

fn data_of(bytes: usize) -> String {
    format!("\"{}\"", "x".repeat(bytes - 2))
}

fn broken_appends() -> Vec<(&'static str, Append)> {
    let long = "x".repeat(NAME_BYTES_MAX + 1);
    let tags = |count: usize| (0..count).map(|n| format!("t:{n}")).collect::<Vec<_>>();
    let long_tags: Vec<String> = (0..TAGS_MAX).map(|n| format!("{n:0NAME_BYTES_MAX$}")).collect();
    let large = event_with("a", &[], &data_of(DATA_BYTES_MAX));
    vec![
        ("no event", append(vec![])),
        ("at most 4096", append(vec![event("a", &[]); APPEND_EVENTS_MAX + 1])),
        ("bytes of data", append(vec![large; APPEND_BYTES_MAX / DATA_BYTES_MAX + 1])),
        ("the type is empty", changed(|event| event.type_name.clear())),
        ("the type has 257 bytes", changed(|event| event.type_name = long.clone())),
        ("the type holds a control", changed(|event| event.type_name = "a\n".into())),
        ("the actor is empty", changed(|event| event.actor.clear())),
        ("the actor has 257 bytes", changed(|event| event.actor = long.clone())),
        ("the actor holds a control", changed(|event| event.actor = "\u{85}".into())),
        ("version is 0", changed(|event| event.version = 0)),
        ("effective_on", changed(|event| event.effective_on = "2026-02-30".into())),
        ("33 tags", changed(|event| event.tags = tags(TAGS_MAX + 1))),
        ("a tag is empty", changed(|event| event.tags = vec![String::new()])),
        ("a tag has 257 bytes", changed(|event| event.tags = vec![long.clone()])),
        ("a tag holds a control", changed(|event| event.tags = vec!["a\u{0}".into()])),
        ("stands twice", changed(|event| event.tags = vec!["a".into(), "a".into()])),
        ("request:", changed(|event| event.tags = vec!["request:1".into()])),
        ("the envelope", changed(|event| event.tags = long_tags)),
        ("data_sha256", changed(|event| event.data_sha256 = [0; 32])),
        ("data is empty", append(vec![event_with("a", &[], "")])),
        ("1048577 bytes", append(vec![event_with("a", &[], &data_of(DATA_BYTES_MAX + 1))])),
        ("the request id is empty", one("a", &[]).answering("", "h")),
        ("the request id has 257 bytes", one("a", &[]).answering(&long, "h")),
        ("the request hash is empty", one("a", &[]).answering("r", "")),
        (
            "the query has 1025 items",
            one("a", &[])
                .unless(Query { items: vec![QueryItem::default(); QUERY_ITEMS_MAX + 1] }, 0),
        ),
    ]
}

pub async fn every_rule_of_form_of_an_append_is_refused_by_name<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    for (named, broken) in broken_appends() {
        match log.append(broken).await {
            Err(AppendError::Refused(reason)) => assert!(reason.contains(named), "{reason}"),
            other => panic!("{named}: {other:?}"),
        }
    }
    assert_eq!(log.head().await.unwrap().position, 0);
}

pub async fn what_is_just_within_the_limits_is_recorded<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    let name = "x".repeat(NAME_BYTES_MAX);
    let mut widest = event_with(&name, &[], &data_of(DATA_BYTES_MAX));
    widest.actor.clone_from(&name);
    widest.tags = (0..TAGS_MAX).map(|n| format!("t:{n:090}")).collect();
    let first = log.append(append(vec![widest.clone()]).answering(&"r".repeat(90), "h")).await;
    assert_eq!(first.unwrap().first, 1);
    let many = log.append(append(vec![event("a", &[]); APPEND_EVENTS_MAX])).await.unwrap();
    assert_eq!((many.first, many.last), (2, 1 + APPEND_EVENTS_MAX as u64));
    let stored = log.read(&Query::everything(), 0, 1, 1).await.unwrap().events;
    assert_eq!(&*stored[0].data, widest.data);
}

pub async fn every_rule_of_form_of_a_query_is_refused_by_name<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    let long = "x".repeat(NAME_BYTES_MAX + 1);
    let many_types = vec!["x".to_owned(); QUERY_TYPES_MAX + 1];
    let many_tags = vec!["x".to_owned(); TAGS_MAX + 1];
    for (named, broken) in [
        ("257 types", QueryItem { types: many_types, tags: vec![] }),
        ("33 tags", QueryItem { types: vec![], tags: many_tags }),
        ("257 bytes", item(&[&long], &[])),
        ("257 bytes", item(&[], &[&long])),
        ("request:", item(&[], &["request:1"])),
    ] {
        let query = Query { items: vec![broken] };
        match log.read(&query, 0, 0, 1).await {
            Err(ReadError::Refused(reason)) => assert!(reason.contains(named), "{reason}"),
            other => panic!("{named}: {other:?}"),
        }
        assert!(matches!(log.last(&query, 0).await, Err(ReadError::Refused(_))));
    }
    for limit in [0, READ_EVENTS_MAX + 1] {
        let refused = log.read(&Query::everything(), 0, 0, limit).await;
        assert!(matches!(refused, Err(ReadError::Refused(_))), "{refused:?}");
    }
}
