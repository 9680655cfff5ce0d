//! What a million events cost: run it optimised, with `--ignored --nocapture`.

use std::time::{Duration, Instant};

use super::*;

const SIZE: u64 = 4_096;
const BLOCKS: u64 = 256 + 16 + 3;
/// Bytes an event with five keys may take in the key index, filters and all.
const INDEX_BYTES_PER_EVENT_MAX: i64 = 50;

/// Five keys: a request of its own, an order of five events, a member, a contract, a product.
fn block(index: u64) -> SealBlock {
    let mut numbers = Numbers(index);
    let first = index * SIZE + 1;
    let event = |position: u64| {
        let type_name = format!("type.{}", numbers.below(12));
        let keys = vec![
            format!("request:{position:026}"),
            format!("order:{:026}", position / 5),
            format!("member:{:026}", numbers.below(20_000)),
            format!("contract:{:026}", numbers.below(50_000)),
            format!("product:{:026}", numbers.below(200)),
        ];
        seal_event(&type_name, keys, Sha256::digest(position.to_be_bytes()).into())
    };
    let events = (first..first + SIZE).map(event).collect();
    SealBlock { first, events, packed: vec![7; 79 * 4_096] }
}

fn middle(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() - 1])
}

async fn lookups(derived: &Derived, name: &str, key: impl Fn(u64) -> String) {
    let mut times = Vec::new();
    let mut found = 0;
    for number in 0..2_000 {
        let item = item(&[], &[&key(number)]);
        let start = Instant::now();
        found += derived.candidates(&item, 0, u64::MAX, usize::MAX).await.unwrap().len();
        times.push(start.elapsed());
    }
    let (half, longest) = middle(times);
    println!("lookup of {name}: {} events, p50 {half:?}, longest {longest:?}", found / 2_000);
}

async fn bytes_per_event(path: &Path, sql: &'static str) -> i64 {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let bytes: i64 = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
    pool.close().await;
    bytes * 10 / i64::try_from(BLOCKS * SIZE).unwrap()
}

#[tokio::test]
#[ignore = "measures for half a minute"]
async fn a_million_events_are_sealed_indexed_and_looked_up() {
    let book = Book::new(0, 1);
    let path = book.path();
    let derived = book.open_for(BOOK, PACKER, 4_096, &book, Pauses::default()).await.unwrap();
    let mut times = Vec::new();
    for index in 0..BLOCKS {
        let block = block(index);
        let start = Instant::now();
        derived.seal(block).await.unwrap();
        times.push(start.elapsed());
    }
    let total: Duration = times.iter().sum();
    let (half, longest) = middle(times);
    let blocks = u32::try_from(BLOCKS).unwrap();
    println!("seal of a block: mean {:?}, p50 {half:?}, longest {longest:?}", total / blocks);
    let order = |number: u64| format!("order:{:026}", (number * 7_919) % 220_000 + 1);
    lookups(&derived, "an order, cold", order).await;
    lookups(&derived, "an order, warm", |number| order(number % 50)).await;
    lookups(&derived, "a member", |number| format!("member:{number:026}")).await;
    lookups(&derived, "a product", |number| format!("product:{:026}", number % 200)).await;
    lookups(&derived, "an absent order", |number| format!("order:absent:{number}")).await;
    derived.close().await;
    let start = Instant::now();
    let derived = book.open_for(BOOK, PACKER, 4_096, &Last, Pauses::default()).await.unwrap();
    assert_eq!(derived.sealed_to(), BLOCKS * SIZE);
    println!("open: {:?}", start.elapsed());
    let start = Instant::now();
    for index in 0..16 {
        assert_eq!(derived.check_block(&block(index)).await.unwrap(), Ok(()));
    }
    println!("check of the first 16 blocks: {:?}", start.elapsed());
    let pages = bytes_per_event(&path, "SELECT sum(length(data)) FROM page").await;
    let index = "SELECT (SELECT sum(length(data)) FROM page)
        + sum(length(filter) + length(directory)) FROM run";
    let index = bytes_per_event(&path, index).await;
    println!("tenths of a byte an event: pages {pages}, with filters {index}");
    assert!(index <= INDEX_BYTES_PER_EVENT_MAX * 10, "the index takes {index} tenths of a byte");
}

/// A record that ends with the last block.
struct Last;

#[async_trait]
impl RecordProbe for Last {
    async fn leaf(&self, position: u64) -> Result<Option<[u8; 32]>, StorageError> {
        Ok(Some(Sha256::digest(position.to_be_bytes()).into()))
    }
}
