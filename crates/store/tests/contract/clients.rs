//! Sixty-four clients at once on hot and cold keys (fault test T11): what was answered before
//! something else was asked stands before it, and each answer is what replaying the record up to
//! its position gives.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use daicho_store::{Append, AppendError, Appended, Envelope, Log, Stored};
use daicho_test_servers::faults;
use tokio::task::JoinSet;

use crate::support::{Store, With, append, assert_gapless, event, everything, query};

/// Operations on each store, over one handle and over two: with five such books, 20,000 in each run
/// of the tests and 10 million in `.ci/faults`.
const OPERATIONS: (usize, usize) = (4_000, 2_000_000);
/// Operations of one book, after which it is looked at as a whole.
const BOOK_OPERATIONS: usize = 4_000;
const CLIENTS: usize = 64;
/// Cold keys; half of what is done is about one hot key.
const COLD_KEYS: u64 = 200;
const PAGE: usize = 20;

/// What was asked, what was answered, and when: the ticks of one counter before and after.
struct Done {
    asked: u64,
    answered: u64,
    /// The newest position that anybody had been told when it was asked.
    known: u64,
    what: What,
}

enum What {
    /// `key` was not written after `after`, and so this was.
    Decided {
        key: String,
        after: u64,
        at: Appended,
    },
    /// It was, and the answer named a newer event.
    Conflict {
        key: String,
        after: u64,
        position: u64,
    },
    Added {
        at: Appended,
    },
    Repeated {
        first: Appended,
        again: Appended,
    },
    Last {
        key: String,
        position: Option<u64>,
    },
    Page {
        key: String,
        after: u64,
        positions: Vec<u64>,
        scanned_to: u64,
    },
}

/// The clock that all clients share.
#[derive(Default)]
struct Ticks {
    now: AtomicU64,
    known: AtomicU64,
}

/// A generator of a client's own (Steele, Lea, Flood: SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn key(&mut self) -> String {
        if self.roll(2) == 0 { "hot:1".into() } else { format!("cold:{}", self.roll(COLD_KEYS)) }
    }
}

struct Client<L> {
    log: Arc<L>,
    ticks: Arc<Ticks>,
    dice: Dice,
    name: String,
    done: Vec<Done>,
    before: Option<(Append, Appended)>,
}

impl<L: Log> Client<L> {
    async fn work(mut self, operations: usize) -> Vec<Done> {
        for number in 0..operations {
            let asked = self.ticks.now.fetch_add(1, Ordering::SeqCst);
            let known = self.ticks.known.load(Ordering::SeqCst);
            let what = match self.dice.roll(10) {
                0..5 => self.decide(number).await,
                5..7 => self.add(number).await,
                7 => self.repeat().await,
                8 => self.look().await,
                _ => self.read().await,
            };
            if let What::Decided { at, .. } | What::Added { at } = &what {
                self.ticks.known.fetch_max(at.last, Ordering::SeqCst);
            }
            let answered = self.ticks.now.fetch_add(1, Ordering::SeqCst);
            self.done.push(Done { asked, answered, known, what });
        }
        self.done
    }

    async fn decide(&mut self, number: usize) -> What {
        let key = self.dice.key();
        let of_key = query(&["decided"], &[&key]);
        let after = self.log.last(&of_key, 0).await.unwrap().map_or(0, |event| event.position);
        let asked = append(vec![event("decided", &[&key])]).unless(of_key, after);
        let asked = asked.answering(&format!("{}-{number}", self.name), "h");
        match self.log.append(asked.clone()).await {
            Ok(at) => {
                self.before = Some((asked, at));
                What::Decided { key, after, at }
            }
            Err(AppendError::Conflict { position }) => What::Conflict { key, after, position },
            Err(error) => panic!("{error:?}"),
        }
    }

    async fn add(&mut self, number: usize) -> What {
        let events = vec![event("added", &[&self.dice.key()]); number % 3 + 1];
        What::Added { at: self.log.append(append(events)).await.unwrap() }
    }

    async fn repeat(&mut self) -> What {
        let Some((asked, first)) = self.before.clone() else { return self.look().await };
        let again = self.log.append(asked).await.unwrap();
        What::Repeated { first, again }
    }

    async fn look(&mut self) -> What {
        let key = self.dice.key();
        let found = self.log.last(&query(&["decided"], &[&key]), 0).await.unwrap();
        What::Last { key, position: found.map(|event| event.position) }
    }

    async fn read(&mut self) -> What {
        let key = self.dice.key();
        let known = self.ticks.known.load(Ordering::SeqCst);
        let after = self.dice.roll(known + 1);
        let page = self.log.read(&query(&["decided"], &[&key]), after, 0, PAGE).await.unwrap();
        let positions = page.events.iter().map(|event| event.position).collect();
        What::Page { key, after, positions, scanned_to: page.scanned_to }
    }
}

pub async fn sixty_four_clients_get_the_answers_of_one_order<S: Store>() {
    many_clients::<S>(1).await;
}

pub async fn sixty_four_clients_of_two_processes_get_the_answers_of_one_order<S: Store>() {
    many_clients::<S>(2).await;
}

async fn many_clients<S: Store>(handles: usize) {
    let place = std::any::type_name::<S>().rsplit("::").next().unwrap();
    let what = format!("T11 operations on {place}, handles {handles}");
    let mut left = faults::count(&what, OPERATIONS.0, OPERATIONS.1);
    let mut seed = faults::seed();
    while left > 0 {
        let operations = left.min(BOOK_OPERATIONS);
        left -= operations;
        one_book::<S>(handles, operations, seed).await;
        seed = seed.wrapping_add(1);
    }
}

async fn one_book<S: Store>(handles: usize, operations: usize, seed: u64) {
    let store = S::new().await;
    let mut logs = Vec::new();
    for _ in 0..handles {
        logs.push(store.open().await);
    }
    let ticks = Arc::new(Ticks::default());
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let client = Client {
            log: Arc::clone(&logs[number % handles]),
            ticks: Arc::clone(&ticks),
            dice: Dice(seed ^ ((number as u64) << 32)),
            name: format!("client {number}"),
            done: Vec::new(),
            before: None,
        };
        clients.spawn(client.work(operations.div_ceil(CLIENTS)));
    }
    let done: Vec<Done> = clients.join_all().await.into_iter().flatten().collect();
    let events = everything(&*logs[0]).await;
    assert_gapless(&events);
    assert_real_time_is_the_order_of_positions(&done);
    assert_each_answer_is_that_of_its_position(&done, &events);
    assert_eq!(logs[0].head().await.unwrap().root, logs[handles - 1].head().await.unwrap().root);
}

/// If one append was answered before another was asked for, it stands before it.
fn assert_real_time_is_the_order_of_positions(done: &[Done]) {
    let appended = |done: &Done| match &done.what {
        What::Decided { at, .. } | What::Added { at } => Some(*at),
        What::Conflict { .. } | What::Repeated { .. } | What::Last { .. } | What::Page { .. } => {
            None
        }
    };
    let appends: Vec<(u64, u64, Appended)> =
        done.iter().filter_map(|one| Some((one.asked, one.answered, appended(one)?))).collect();
    assert!(appends.len() > done.len() / 4, "{} of {} appended", appends.len(), done.len());
    let mut by_answer = appends.clone();
    by_answer.sort_unstable_by_key(|(_, answered, _)| *answered);
    let mut by_question = appends;
    by_question.sort_unstable_by_key(|(asked, ..)| *asked);
    let (mut answers, mut newest) = (by_answer.into_iter().peekable(), 0);
    for (asked, _, at) in by_question {
        while let Some((.., before)) = answers.next_if(|(_, answered, _)| *answered < asked) {
            newest = newest.max(before.last);
        }
        assert!(at.first > newest, "{at:?} was asked for after {newest} was answered");
    }
}

fn assert_each_answer_is_that_of_its_position(done: &[Done], events: &[Stored]) {
    let record = Record::of(events);
    for one in done {
        match &one.what {
            What::Decided { key, after, at } => {
                assert_eq!(
                    record.between(key, *after, at.first - 1),
                    &[] as &[u64],
                    "{key} {at:?}"
                );
                assert!(record.between(key, at.first - 1, at.first) == [at.first]);
                assert!(!at.repeated());
            }
            What::Conflict { key, after, position } => {
                let since = record.between(key, *after, *position);
                assert_eq!(since.last(), Some(position), "{key}: a conflict with what is there");
            }
            What::Added { at } => assert!(at.last <= events.len() as u64 && !at.repeated()),
            What::Repeated { first, again } => {
                assert_eq!(
                    (first.first, first.last, true),
                    (again.first, again.last, again.repeated())
                );
            }
            What::Last { key, position } => {
                let position = position.unwrap_or(0);
                assert!(position == 0 || record.between(key, position - 1, position) == [position]);
                let missed = record.between(key, position, one.known);
                assert!(missed.is_empty(), "{key}: {missed:?} was known to somebody");
            }
            What::Page { key, after, positions, scanned_to } => {
                assert_eq!(record.between(key, *after, *scanned_to), positions, "{key}");
                let is_fresh = *scanned_to >= one.known || positions.len() == PAGE;
                assert!(is_fresh, "{scanned_to} is before {}", one.known);
            }
        }
    }
}

/// Where the events `decided` of each key stand.
struct Record(HashMap<String, Vec<u64>>);

impl Record {
    fn of(events: &[Stored]) -> Self {
        let mut keys: HashMap<String, Vec<u64>> = HashMap::new();
        for event in events {
            let envelope = Envelope::parse(&event.envelope).unwrap();
            if envelope.type_name == "decided" {
                keys.entry(envelope.tags[0].to_string()).or_default().push(event.position);
            }
        }
        Self(keys)
    }

    /// Positions in (after, until].
    fn between(&self, key: &str, after: u64, until: u64) -> &[u64] {
        let positions = self.0.get(key).map_or(&[][..], Vec::as_slice);
        let start = positions.partition_point(|at| *at <= after);
        let end = positions.partition_point(|at| *at <= until).max(start);
        &positions[start..end]
    }
}
