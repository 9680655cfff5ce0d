//! Random histories against the naive model: the same answers, the same roots.

use std::sync::Arc;

use daicho_store::{Append, Log, MemoryLog, NewEvent, Query, QueryItem};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::support::{Store, TestClock, append, event};

/// Histories in one run of the tests, and steps in each.
const HISTORIES: usize = 25;
const STEPS: usize = 60;

#[derive(Debug, Clone)]
enum Step {
    Append(Append),
    Read { query: Query, after: u64, until: u64, limit: usize },
    Last { query: Query, until: u64 },
    Restart,
}

fn name(prefix: &'static str, count: u8) -> impl Strategy<Value = String> {
    (0..count).prop_map(move |number| format!("{prefix}{number}"))
}

fn events() -> impl Strategy<Value = Vec<NewEvent>> {
    let tags = prop::collection::btree_set(name("t:", 6), 0..4);
    let one = (name("type", 4), tags, prop::option::weighted(0.1, 1_u64..20)).prop_map(
        |(type_name, tags, cause)| {
            let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
            NewEvent { cause, ..event(&type_name, &tags) }
        },
    );
    prop::collection::vec(one, 1..5)
}

fn query() -> impl Strategy<Value = Query> {
    let types = prop::collection::vec(name("type", 5), 0..3);
    let tags = prop::collection::vec(name("t:", 7), 0..3);
    let item = (types, tags).prop_map(|(types, tags)| QueryItem { types, tags });
    prop::collection::vec(item, 0..4).prop_map(|items| Query { items })
}

fn step() -> impl Strategy<Value = Step> {
    let request = prop::option::weighted(0.3, (name("r", 6), name("h", 2)));
    let condition = prop::option::weighted(0.4, (query(), 0_u64..60));
    let append_step = (events(), condition, request).prop_map(|(events, condition, request)| {
        let mut append = append(events);
        append.condition = condition.map(|(query, after)| daicho_store::Condition { query, after });
        append.request = request.map(|(id, hash)| daicho_store::Request { id, hash });
        Step::Append(append)
    });
    let read = (query(), 0_u64..90, 0_u64..120, 1_usize..12)
        .prop_map(|(query, after, until, limit)| Step::Read { query, after, until, limit });
    let last = (query(), 0_u64..120).prop_map(|(query, until)| Step::Last { query, until });
    prop_oneof![8 => append_step, 3 => read, 2 => last, 1 => Just(Step::Restart)]
}

pub async fn random_histories_give_the_answers_of_the_naive_model<S: Store>() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for _ in 0..HISTORIES {
        let steps = prop::collection::vec(step(), STEPS).new_tree(&mut runner).unwrap().current();
        let store = S::new().await;
        let mut log = store.open().await;
        let model = MemoryLog::new(Arc::new(TestClock::default()), "contract 1").unwrap();
        for step in steps {
            if matches!(step, Step::Restart) {
                log = store.open().await;
            }
            assert_eq!(outcome(&*log, &step).await, outcome(&model, &step).await, "{step:?}");
        }
    }
}

/// The answer as text, with the error's own words.
async fn outcome(log: &impl Log, step: &Step) -> String {
    match step {
        Step::Append(append) => format!("{:?}", log.append(append.clone()).await),
        Step::Read { query, after, until, limit } => {
            format!("{:?}", log.read(query, *after, *until, *limit).await)
        }
        Step::Last { query, until } => format!("{:?}", log.last(query, *until).await),
        Step::Restart => format!("{:?}", log.head().await),
    }
}
