//! The derived state against the naive answer, over many shapes of book and query.

use proptest::prelude::*;

use super::super::tiles::{self, Hash};
use super::*;

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.unwrap().block_on(future)
}

/// What is asked: any of the items with any range and limit.
#[derive(Debug, Clone)]
struct Question {
    item: HashedItem,
    after: u64,
    until: u64,
    limit: usize,
}

fn question() -> impl Strategy<Value = Question> {
    let tag = prop_oneof![
        Just("shop:all".to_owned()),
        Just("audit:rare".to_owned()),
        (0_u64..45).prop_map(|number| format!("member:{number}")),
        (0_u64..4).prop_map(|number| format!("product:{number}")),
        (0_u64..200).prop_map(|number| format!("order:{number}")),
        (0_u64..600).prop_map(|number| format!("request:{number}")),
    ];
    let types = proptest::sample::subsequence(
        vec!["order.placed", "order.shipped", "invoice.issued", "point.used", "never.seen"],
        0..3,
    );
    let limit = prop_oneof![0_usize..5, Just(100), Just(usize::MAX)];
    (proptest::collection::vec(tag, 0..4), types, 0_u64..600, 0_u64..600, limit).prop_map(
        |(tags, types, after, until, limit)| {
            let types = types.into_iter().map(str::to_owned).collect();
            Question { item: QueryItem { types, tags }.into(), after, until, limit }
        },
    )
}

async fn assert_answers(derived: &Derived, book: &Book, question: &Question) {
    let Question { item, after, until, limit } = question;
    let sealed = (*until).min(derived.sealed_to());
    let mut first = book.naive(item, *after, sealed);
    first.truncate(*limit);
    let found = derived.candidates(item, *after, *until, *limit).await.unwrap();
    assert_eq!(found, first, "{question:?}");
    let mut last = book.naive(item, 0, sealed);
    last.reverse();
    last.truncate(*limit);
    let found = derived.last_candidates(item, *until, *limit).await.unwrap();
    assert_eq!(found, last, "last of {question:?}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn candidates_are_what_a_walk_over_the_record_finds(
        blocks in 0_u64..70, seed in any::<u64>(),
        questions in proptest::collection::vec(question(), 40),
    ) {
        run(async {
            let book = Book::new(blocks, seed);
            let derived = book.open().await;
            book.seal(&derived, 0..blocks).await;
            for question in &questions {
                assert_answers(&derived, &book, question).await;
            }
            let reopened = book.open().await;
            assert_eq!(reopened.sealed_to(), blocks * u64::from(BLOCK));
            for question in &questions {
                assert_answers(&reopened, &book, question).await;
            }
        });
    }
}

/// RFC 6962, 2.1: the root of a perfect subtree.
fn naive_root(leaves: &[Hash]) -> Hash {
    let [one] = leaves else {
        let (left, right) = leaves.split_at(leaves.len() / 2);
        let node = [&[1_u8][..], &naive_root(left), &naive_root(right)].concat();
        return Sha256::digest(node).into();
    };
    *one
}

#[tokio::test]
async fn a_book_merged_to_the_top_level_is_still_right() {
    // Given 310 sealed blocks: one run of 256, three of 16, six of one
    let book = Book::new(310, 42);
    let derived = book.open().await;
    book.seal(&derived, 0..310).await;
    let levels: Vec<u8> = derived.snapshot().runs.iter().map(|run| run.level).collect();
    assert_eq!(levels, [2, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
    // Then every lookup is right, here and after opening it again
    assert_finds_all(&derived, &book, 2_480).await;
    let reopened = book.open().await;
    assert_finds_all(&reopened, &book, 2_480).await;
    // and the tiles are the subtrees of the RFC
    let leaves: Vec<Hash> = book.events.iter().map(|event| event.leaf).collect();
    for (index, chunk) in (0_u64..).zip(leaves.chunks(256)) {
        let tile = reopened.tile(0, index).await.unwrap().unwrap();
        assert_eq!(tiles::decode(&tile).unwrap(), chunk);
    }
    let roots: Vec<Hash> = leaves.chunks_exact(256).map(naive_root).collect();
    let tile = reopened.tile(1, 0).await.unwrap().unwrap();
    assert_eq!(tiles::decode(&tile).unwrap(), roots);
    assert_eq!(reopened.tile(2, 0).await.unwrap(), None);
    // and the replay blocks are those that were handed in
    for index in 0..310 {
        assert_eq!(reopened.block(index).await.unwrap(), Some(packed(index)));
    }
    assert_eq!(reopened.block(310).await.unwrap(), None);
}

#[tokio::test]
async fn keys_over_many_pages_are_found_from_both_ends() {
    // Given blocks of 4,096 events that all carry one key, and one event in a thousand another
    let size = 4_096_u64;
    let book = Book::new(0, 1);
    let derived = book.open_for(BOOK, PACKER, 4_096, &book, Pauses::default());
    let derived = derived.await.unwrap();
    for index in 0..17 {
        let event = |position: u64| {
            let type_name = if position.is_multiple_of(2) { "even" } else { "odd" };
            let keys = match position % 1_000 {
                0 => vec!["shop:all".to_owned(), "thousand:all".to_owned()],
                _ => vec!["shop:all".to_owned()],
            };
            seal_event(type_name, keys, [0; 32])
        };
        let first = index * size + 1;
        let events = (first..first + size).map(event).collect();
        derived.seal(SealBlock { first, events, packed: Vec::new() }).await.unwrap();
    }
    let sealed = 17 * size;
    let run = &derived.snapshot().runs[0];
    assert_eq!((run.level, run.directory.len() > 32), (1, true), "the key fills many pages");
    // Then its postings come whole, and from either end
    let common = item(&[], &["shop:all"]);
    let all = derived.candidates(&common, 0, sealed, usize::MAX).await.unwrap();
    assert!(all.into_iter().eq(1..=sealed));
    let last = derived.last_candidates(&common, 60_000, 30_000).await.unwrap();
    assert!(last.into_iter().eq((30_001..=60_000).rev()));
    let even = derived.candidates(&item(&["even"], &["shop:all"]), 50_001, sealed, 3).await;
    assert_eq!(even.unwrap(), [50_002, 50_004, 50_006]);
    let both = item(&[], &["shop:all", "thousand:all"]);
    let both = derived.candidates(&both, 1_500, sealed, usize::MAX).await.unwrap();
    assert!(both.into_iter().eq((2_000..=sealed).step_by(1_000)));
    let odd = derived.candidates(&item(&["odd"], &["thousand:all"]), 0, sealed, 1).await;
    assert_eq!(odd.unwrap(), [0_u64; 0]);
}
