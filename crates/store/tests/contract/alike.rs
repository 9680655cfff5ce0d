//! The same history on every store: the same answers, the same bytes, the same root.

use daicho_store::{Append, Head, Log, Query, Stored};

use crate::support::{
    BLOCK_EVENTS, Memory, Postgres, Sqlite, Store, With, append, event, everything, one, query,
};

/// Blocks that the history fills, so that most of it is sealed.
const BLOCKS: u64 = 12;

/// What a history came to: how each append was answered, and what stands in the end.
#[derive(Debug, PartialEq)]
struct Outcome {
    answers: Vec<Result<(u64, u64, bool), String>>,
    head: Head,
    events: Vec<Stored>,
    last: Option<Stored>,
}

/// Appends that are recorded, repeated, in conflict and refused, in turn.
fn history() -> Vec<Append> {
    let mut appends = Vec::new();
    for number in 0..BLOCKS * u64::from(BLOCK_EVENTS) / 2 {
        let order = format!("order:{}", number / 2);
        let tags = [order.as_str(), "shop:all"];
        appends.push(append(vec![event("order.placed", &tags), event("quote.converted", &tags)]));
        let unless = query(&["order.placed"], &[order.as_str()]);
        appends.push(one("order.accepted", &tags).unless(unless, number));
        let request = format!("request-{}", number / 3);
        appends.push(one("order.seen", &tags).answering(&request, &"0".repeat(64)));
        let mut refused = one("order.seen", &tags);
        refused.events.iter_mut().for_each(|event| event.cause = Some(u64::MAX));
        appends.push(refused);
    }
    appends
}

async fn lived<S: Store>() -> Outcome {
    let store = S::new().await;
    let log = store.open().await;
    let mut answers = Vec::new();
    for append in history() {
        let answer = log.append(append).await;
        answers.push(match answer {
            Ok(at) => Ok((at.first, at.last, at.repeated())),
            Err(error) => Err(error.to_string()),
        });
    }
    let of_one = query(&[], &["order:3"]);
    Outcome {
        answers,
        head: log.head().await.unwrap(),
        events: everything(log.as_ref()).await,
        last: log.last(&Query { items: of_one.items }, 0).await.unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_history_has_the_same_bytes_and_the_same_root_on_every_store() {
    let memory = lived::<Memory>().await;
    assert!(memory.answers.iter().any(Result::is_ok) && memory.answers.iter().any(Result::is_err));
    assert!(memory.head.position > BLOCKS * u64::from(BLOCK_EVENTS));
    assert_eq!(lived::<Sqlite>().await, memory);
    assert_eq!(lived::<Postgres>().await, memory);
}
