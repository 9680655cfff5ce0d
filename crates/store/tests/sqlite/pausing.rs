//! The sealer and the merge held at each of their steps: nothing is missed meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use daicho_store::{AppendError, Blocks as _, Book, Log, Pauses};
use tokio::sync::watch;

use crate::book::{Folder, close, extend};
use crate::support::{With, one, query};

/// Steps of the sealer itself, before the derived state's own.
const SEALER: [&str; 4] = ["sealer:taken", "sealer:packed", "sealer:sealed", "sealer:evicted"];
/// Events after which every step was passed, a merge of sixteen runs of eight among them.
const EVENTS: u64 = 8 * 20;

/// Holds whoever comes to one place until it is opened.
#[derive(Clone)]
struct Barrier {
    place: &'static str,
    reached: Arc<AtomicBool>,
    open: watch::Sender<bool>,
}

impl Barrier {
    fn at(place: &'static str) -> Self {
        let (open, _) = watch::channel(false);
        Self { place, reached: Arc::default(), open }
    }

    fn pauses(&self) -> Pauses {
        let barrier = self.clone();
        Pauses::new(move |place| {
            let barrier = barrier.clone();
            Box::pin(async move {
                if place == barrier.place {
                    barrier.reached.store(true, Ordering::SeqCst);
                    let mut open = barrier.open.subscribe();
                    open.wait_for(|open| *open).await.unwrap();
                }
            })
        })
    }
}

/// Everything that was appended is found, by tag, by condition, by request.
async fn assert_nothing_missed(book: &Book, events: u64, place: &str) {
    let all = book.read(&query(&["a"], &["every:1"]), 0, 0, 1_000).await.unwrap().events;
    let positions: Vec<u64> = all.iter().map(|event| event.position).collect();
    assert_eq!(positions, (1..=events).collect::<Vec<_>>(), "held at {place}");
    let sample = (1..=events).filter(|at| at % 5 == 0 || *at + 10 > events);
    for position in sample {
        let tag = query(&[], &[&format!("t:{position}")]);
        let last = book.last(&tag, 0).await.unwrap().map(|event| event.position);
        assert_eq!(last, Some(position), "held at {place}");
        let conflict = book.append(one("b", &[]).unless(tag, 0)).await;
        assert!(
            matches!(conflict, Err(AppendError::Conflict { position: found }) if found == position),
            "held at {place}: {conflict:?}"
        );
        let again = book.append(one("b", &[]).answering(&format!("r{position}"), "h")).await;
        assert_eq!(again.unwrap().first, position, "held at {place}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_missed_wherever_the_sealer_or_the_merge_is_held() {
    for place in SEALER.into_iter().chain(Pauses::NAMES) {
        let folder = Folder::new().await;
        let barrier = Barrier::at(place);
        let book = folder.open_with(barrier.pauses()).await;
        // Up to the bound of the tail the appends go on although the sealer stands.
        let mut events = 0;
        while events < EVENTS && !barrier.reached.load(Ordering::SeqCst) {
            extend(&*book, 5).await;
            events += 5;
        }
        for _ in 0..4 {
            assert_nothing_missed(&book, events, place).await;
            extend(&*book, 9).await;
            events += 9;
        }
        barrier.open.send_replace(true);
        extend(&*book, 9).await;
        assert_nothing_missed(&book, events + 9, place).await;
        close(book).await;
        let book = folder.open().await;
        assert_eq!(book.sealed_to(), (events + 9) / 8 * 8);
        book.verify_derived(|_| ()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lookup_held_after_its_choice_of_runs_finds_what_was_sealed_and_merged_meanwhile() {
    let folder = Folder::new().await;
    let barrier = Barrier::at(Pauses::LOOKUP);
    let book = folder.open_with(barrier.pauses()).await;
    for _ in 0..3 {
        // Without request ids, appends ask no sealed state.
        for _ in 0..8 * 6 {
            book.append(one("a", &["every:1"])).await.unwrap();
        }
    }
    let reading = tokio::spawn({
        let book = Arc::clone(&book);
        async move { book.read(&query(&[], &["every:1"]), 0, 0, 1_000).await.unwrap() }
    });
    while !barrier.reached.load(Ordering::SeqCst) {
        book.append(one("a", &["every:1"])).await.unwrap();
    }
    for _ in 0..8 * 20 {
        book.append(one("a", &["every:1"])).await.unwrap();
    }
    barrier.open.send_replace(true);
    let page = reading.await.unwrap();
    let positions: Vec<u64> = page.events.iter().map(|event| event.position).collect();
    assert_eq!(positions, (1..=page.scanned_to).collect::<Vec<_>>());
    assert!(page.scanned_to >= 8 * 18);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_wait_for_a_sealer_that_is_sixteen_blocks_behind() {
    let folder = Folder::new().await;
    let barrier = Barrier::at("sealer:packed");
    let book = folder.open_with(barrier.pauses()).await;
    extend(&*book, 8 * 16).await;
    let waiting = tokio::spawn({
        let book = Arc::clone(&book);
        async move { book.append(one("a", &[])).await }
    });
    for _ in 0..100 {
        tokio::task::yield_now().await;
        book.head().await.unwrap();
    }
    assert_eq!(book.head().await.unwrap().position, 8 * 16, "the tail is bounded");
    barrier.open.send_replace(true);
    assert_eq!(waiting.await.unwrap().unwrap().first, 8 * 16 + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sealed_between_the_look_of_a_caller_and_its_turn_still_counts() {
    let folder = Folder::new().await;
    let barrier = Barrier::at("append:looked");
    let (held, free) = (folder.open_with(barrier.pauses()).await, folder.open().await);
    let unless = one("b", &[]).unless(query(&[], &["t:2"]), 0);
    let repeat = one("a", &[]).answering("r3", "h");
    let holds = one("b", &[]).unless(query(&[], &["t:0"]), 0).answering("r0", "h");
    let waiting = [unless, repeat, holds].map(|append| {
        let book = Arc::clone(&held);
        tokio::spawn(async move { book.append(append).await })
    });
    while !barrier.reached.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    // The other process writes and seals; this one learns of it and lets go of its tail.
    extend(&*free, 60).await;
    close(free).await;
    let page = held.read(&query(&["a"], &["every:1"]), 0, 0, 100).await.unwrap();
    assert_eq!((page.events.len(), held.sealed_to()), (60, 56));
    barrier.open.send_replace(true);
    let [unless, repeat, holds] = waiting;
    let conflict = unless.await.unwrap();
    assert!(matches!(conflict, Err(AppendError::Conflict { position: 2 })), "{conflict:?}");
    let again = repeat.await.unwrap().unwrap();
    assert_eq!((again.first, again.repeated()), (3, true));
    assert_eq!(holds.await.unwrap().unwrap().first, 61);
}
