//! Random sequences of steps (fault test T1): every store gives the answers of the naive model, in
//! the words of the log in memory, and comes to the same bytes and the same root.
//!
//! A sequence begins where the one before it in the same book ended, with requests and conditions
//! that reach back into it: so it meets every state of tail and blocks, and a book is not made for
//! a few steps. What fails is shrunk to the shortest book that shows it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use daicho_store::{Append, Condition, Log, MemoryLog, NewEvent, Query, QueryItem, Request};
use daicho_test_servers::faults;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tokio::task::JoinSet;

use crate::naive::{Naive, Said, of_answered, of_append, of_last, of_page};
use crate::support::{START_US, Store, TestClock, append, event, everything};

/// Sequences in each run of the tests, and in `.ci/faults`.
const SEQUENCES: (usize, usize) = (2_000, 1_000_000);
/// Sequences of one book.
const BOOK_SEQUENCES: std::ops::Range<usize> = 1..100;
/// Steps of one sequence.
const STEPS: std::ops::Range<usize> = 1..12;
/// Books that live at the same time, so that one works while another syncs.
const BOOKS_AT_ONCE: usize = 16;
/// Shorter books that are tried once one has failed.
const SHRINKS_MAX: usize = 300;
/// How far a clock is moved, microseconds: within what opening a book allows.
const CLOCK_MOVES_US: std::ops::Range<i64> = -2_000_000..2_000_000;

/// One step. What is a position counts back from the head.
#[derive(Debug, Clone)]
enum Step {
    Append { events: Vec<Given>, condition: Option<(Query, i64)>, request: Option<Asked> },
    Read { query: Query, after: i64, until: i64, limit: usize },
    Last { query: Query, until: i64 },
    Answered(Asked),
    Clock(i64),
    Restart,
}

#[derive(Debug, Clone)]
struct Given {
    type_name: String,
    tags: Vec<String>,
    cause: Option<i64>,
}

/// A request of this sequence or of one before it.
#[derive(Debug, Clone)]
struct Asked {
    sequences_ago: usize,
    number: u8,
    hash: u8,
}

fn name(prefix: &'static str, count: u8) -> impl Strategy<Value = String> {
    (0..count).prop_map(move |number| format!("{prefix}{number}"))
}

fn events() -> impl Strategy<Value = Vec<Given>> {
    let tags = prop::collection::btree_set(name("t:", 6), 0..4);
    let one = (name("type", 4), tags, prop::option::weighted(0.1, -2_i64..20));
    let one = one.prop_map(|(type_name, tags, cause)| {
        let tags = tags.into_iter().collect();
        Given { type_name, tags, cause }
    });
    prop::collection::vec(one, 1..5)
}

fn query() -> impl Strategy<Value = Query> {
    let types = prop::collection::vec(name("type", 5), 0..3);
    let tags = prop::collection::vec(name("t:", 7), 0..3);
    let item = (types, tags).prop_map(|(types, tags)| QueryItem { types, tags });
    prop::collection::vec(item, 0..4).prop_map(|items| Query { items })
}

fn asked() -> impl Strategy<Value = Asked> {
    (0_usize..3, 0_u8..3, 0_u8..2).prop_map(|(sequences_ago, number, hash)| Asked {
        sequences_ago,
        number,
        hash,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let condition = prop::option::weighted(0.4, (query(), -2_i64..60));
    let request = prop::option::weighted(0.3, asked());
    let appending = (events(), condition, request)
        .prop_map(|(events, condition, request)| Step::Append { events, condition, request });
    let reading = (query(), -5_i64..90, -5_i64..90, 1_usize..12)
        .prop_map(|(query, after, until, limit)| Step::Read { query, after, until, limit });
    let last = (query(), -5_i64..90).prop_map(|(query, until)| Step::Last { query, until });
    prop_oneof![
        60 => appending,
        20 => reading,
        14 => last,
        3 => asked().prop_map(Step::Answered),
        2 => CLOCK_MOVES_US.prop_map(Step::Clock),
        1 => Just(Step::Restart),
    ]
}

type Sequences = Vec<Vec<Step>>;

/// Book `book` of a run: always the same for one seed.
fn draw(seed: u64, book: u64) -> impl ValueTree<Value = Sequences> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&book.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let sequence = prop::collection::vec(step(), STEPS);
    prop::collection::vec(sequence, BOOK_SEQUENCES).new_tree(&mut runner).unwrap()
}

pub async fn random_sequences_give_the_answers_of_the_naive_model_and_one_root<S: Store>() {
    let seed = faults::seed();
    let place = std::any::type_name::<S>().rsplit("::").next().unwrap();
    let mut left = faults::count(&format!("T1 sequences on {place}"), SEQUENCES.0, SEQUENCES.1);
    let mut living = JoinSet::new();
    let mut books = 0..;
    while left > 0 || !living.is_empty() {
        if left > 0 && living.len() < BOOKS_AT_ONCE {
            let book = books.next().unwrap();
            let mut sequences = draw(seed, book).current();
            sequences.truncate(left);
            left -= sequences.len();
            living.spawn(async move { (book, live::<S>(&sequences).await) });
        } else if let Some(ended) = living.join_next().await {
            let (book, lived) = ended.unwrap();
            if let Err(why) = lived {
                let (shortest, why) = shrink::<S>(draw(seed, book), why).await;
                panic!("{place}, DAICHO_SEED={seed}, book {book}: {why}\nin {shortest:#?}");
            }
        }
    }
}

/// The shortest book that still fails, and how.
async fn shrink<S: Store>(
    mut tree: impl ValueTree<Value = Sequences>,
    mut why: String,
) -> (Sequences, String) {
    let mut shortest = tree.current();
    let mut goes_on = tree.simplify();
    for _ in 0..SHRINKS_MAX {
        if !goes_on {
            break;
        }
        let shorter = tree.current();
        goes_on = match live::<S>(&shorter).await {
            Ok(()) => tree.complicate(),
            Err(failed) => {
                (shortest, why) = (shorter, failed);
                tree.simplify()
            }
        };
    }
    (shortest, why)
}

/// A new book through all of its sequences.
async fn live<S: Store>(sequences: &Sequences) -> Result<(), String> {
    let store = S::new().await;
    let mut log = store.open().await;
    let mut naive = Naive::default();
    let clock = TestClock::default();
    let memory = MemoryLog::new(Arc::new(clock.clone()), "contract 1").unwrap();
    for (number, sequence) in sequences.iter().enumerate() {
        for (at, step) in sequence.iter().enumerate() {
            match step {
                Step::Restart => log = store.open().await,
                Step::Clock(moved) => {
                    for clock in [&clock, store.clock()] {
                        clock.0.store(START_US + moved, Ordering::SeqCst);
                    }
                }
                Step::Append { .. } | Step::Read { .. } | Step::Last { .. } | Step::Answered(_) => {
                    let (said, words) = answer(&*log, step, number, naive.head()).await;
                    let (_, expected) = answer(&memory, step, number, naive.head()).await;
                    let model = model(&mut naive, step, number);
                    if said != model || words != expected {
                        let text = format!("sequence {number}, step {at}, {step:?}:\n{words}");
                        return Err(format!("{text}\nis not {model:?}:\n{expected}"));
                    }
                }
            }
        }
        let (head, expected) = (log.head().await, memory.head().await);
        if format!("{head:?}") != format!("{expected:?}") {
            return Err(format!("after sequence {number}: {head:?}\nis not {expected:?}"));
        }
    }
    let root = log.head().await.map_err(|error| error.to_string())?.root;
    let is_whole = naive.is_whole(&everything(&*log).await, root);
    is_whole.then_some(()).ok_or_else(|| "its events or its root are not the model's".to_owned())
}

fn position(head: u64, back: i64) -> u64 {
    u64::try_from(i64::try_from(head).unwrap() - back).unwrap_or(0)
}

fn request(asked: &Asked, sequence: usize) -> Request {
    let sequence = sequence.saturating_sub(asked.sequences_ago);
    Request { id: format!("r{sequence}-{}", asked.number), hash: format!("h{}", asked.hash) }
}

fn appending(step: &Step, sequence: usize, head: u64) -> Append {
    let Step::Append { events, condition, request: asked } = step else {
        panic!("{step:?} appends nothing")
    };
    let new = |given: &Given| {
        let tags: Vec<&str> = given.tags.iter().map(String::as_str).collect();
        let cause = given.cause.map(|back| position(head, back));
        NewEvent { cause, ..event(&given.type_name, &tags) }
    };
    let condition = condition.clone();
    Append {
        condition: condition.map(|(query, back)| Condition { query, after: position(head, back) }),
        request: asked.as_ref().map(|asked| request(asked, sequence)),
        ..append(events.iter().map(new).collect())
    }
}

/// What matters of the answer, and the answer itself with the error's own words.
async fn answer(log: &impl Log, step: &Step, sequence: usize, head: u64) -> (Said, String) {
    match step {
        Step::Append { .. } => {
            let answer = log.append(appending(step, sequence, head)).await;
            (of_append(&answer), format!("{answer:?}"))
        }
        Step::Read { query, after, until, limit } => {
            let (after, until) = (position(head, *after), position(head, *until));
            let answer = log.read(query, after, until, *limit).await;
            (of_page(&answer), format!("{answer:?}"))
        }
        Step::Last { query, until } => {
            let answer = log.last(query, position(head, *until)).await;
            (of_last(&answer), format!("{answer:?}"))
        }
        Step::Answered(asked) => {
            let answer = log.answered(&request(asked, sequence)).await;
            let words = format!("{answer:?}");
            (of_answered(answer), words)
        }
        Step::Clock(_) | Step::Restart => panic!("{step:?} has no answer"),
    }
}

fn model(naive: &mut Naive, step: &Step, sequence: usize) -> Said {
    let head = naive.head();
    match step {
        Step::Append { .. } => naive.append(&appending(step, sequence, head)),
        Step::Read { query, after, until, limit } => {
            naive.read(query, position(head, *after), position(head, *until), *limit)
        }
        Step::Last { query, until } => naive.last(query, position(head, *until)),
        Step::Answered(asked) => naive.find(&request(asked, sequence)),
        Step::Clock(_) | Step::Restart => panic!("{step:?} has no answer"),
    }
}
