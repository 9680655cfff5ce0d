//! Consumers that follow while others write, and begin anew again and again.

use std::sync::Arc;
use std::time::Duration;

use daicho_store::{
    Book, ConsumeError, Consumer, Envelope, FollowedPage, Query, ReadError, State, StateError,
    StateName, Stored, Subscription,
};

/// Type of the last event, at which those who follow end.
pub const END: &str = "end";
/// Events of a page.
const PAGE: usize = 5;
/// Pages of the longest life.
const PAGES_MAX: u64 = 6;
const AGAIN: Duration = Duration::from_millis(10);

/// The same numbers in every run: SplitMix64 (Steele, Lea, Flood 2014).
fn draw(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// What a consumer knows beyond its own death.
#[derive(Debug, Default)]
struct Known {
    /// Its last acknowledgement that was answered.
    acknowledged: u64,
    /// The end of what it ever saw.
    seen: u64,
}

/// Follows up to the event [`END`], in lives of a random length: everything in order, and again
/// only what was not acknowledged. How many events it saw, and in how many lives.
pub async fn follow_in_lives<F>(
    open: impl Fn() -> F,
    state: Arc<dyn State>,
    name: &str,
    mut seed: u64,
) -> (u64, usize)
where
    F: Future<Output = Option<Arc<Book>>>,
{
    let name = StateName::new(name).unwrap();
    let (mut known, mut lives) = (Known::default(), 0);
    loop {
        let Some(book) = open().await else {
            tokio::time::sleep(AGAIN).await;
            continue;
        };
        let subscription = Subscription::new(Arc::clone(&book), Query::everything(), 0, PAGE);
        let begun = Consumer::open(subscription, Arc::clone(&state), name.clone()).await;
        let ended = match begun {
            Ok(mut consumer) => {
                lives += 1;
                live(&mut consumer, &mut known, &mut seed).await
            }
            Err(error) => {
                assert_is_of_the_storage(&error);
                false
            }
        };
        Arc::into_inner(book).unwrap().close().await;
        if ended {
            return (known.seen, lives);
        }
    }
}

/// One life; whether it came to the end.
async fn live(consumer: &mut Consumer<Arc<Book>>, known: &mut Known, seed: &mut u64) -> bool {
    let mut next = consumer.acknowledged() + 1;
    let may_be = known.acknowledged..=known.seen;
    assert!(may_be.contains(&consumer.acknowledged()), "{next} {known:?}");
    for _ in 0..1 + draw(seed) % PAGES_MAX {
        let page = page_of(consumer).await;
        assert_eq!(page.after + 1, next, "pages join");
        for event in &page.events {
            assert_eq!(event.position, next);
            next += 1;
        }
        known.seen = known.seen.max(page.scanned_to);
        let ended = page.events.last().is_some_and(is_end);
        if ended || !draw(seed).is_multiple_of(3) {
            match consumer.acknowledge(page.scanned_to).await {
                Ok(()) => known.acknowledged = page.scanned_to,
                Err(error) => assert_is_of_the_storage(&error),
            }
        }
        if ended {
            return true;
        }
    }
    false
}

async fn page_of(consumer: &mut Consumer<Arc<Book>>) -> FollowedPage {
    loop {
        match consumer.next().await {
            Ok(page) => return page,
            Err(ReadError::Storage(_)) => tokio::time::sleep(AGAIN).await,
            Err(error) => panic!("{error}"),
        }
    }
}

fn is_end(event: &Stored) -> bool {
    Envelope::parse(&event.envelope).unwrap().type_name == END
}

fn assert_is_of_the_storage(error: &ConsumeError) {
    let of_the_storage = matches!(
        error,
        ConsumeError::State(StateError::Storage(_)) | ConsumeError::Read(ReadError::Storage(_))
    );
    assert!(of_the_storage, "{error}");
}
