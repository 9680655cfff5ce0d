//! Consumers on both databases: workers are killed while events arrive, one of two servers goes
//! away, and bad requests are refused.

#![allow(unreachable_pub, missing_docs, dead_code, reason = "a test crate has no public surface")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use daicho_app::{
    BatchRequest, Books, ClockAndEntropy, ConsumerError, ConsumerRequest, Context, Currency,
    Ledger, Position, Preset, preset,
};
use daicho_test_servers::faults::{count, seed};
use daicho_test_servers::shared;
use fastrand::Rng;
use serde_json::json;
use support::{book_name, name, run, staff};

const PRODUCTS: usize = 40;
const WORKERS: usize = 3;
/// The tests wait at most this long for the end.
const PATIENCE: Duration = Duration::from_secs(240);

async fn in_folder(folder: &std::path::Path) -> (Books, Ledger) {
    opened(Books::in_folder(folder)).await
}

async fn in_database() -> (Books, Ledger) {
    opened(Books::in_database(&shared().fresh_database().await).unwrap()).await
}

async fn opened(books: Books) -> (Books, Ledger) {
    let ledger = books.create(&book_name(), ClockAndEntropy::system()).await.unwrap();
    let shop = preset(Preset::SoftwareMarket, name("Market"), Currency::Jpy).unwrap();
    ledger.decisions().execute(&shop, &Context::of(staff())).await.unwrap();
    (books, ledger)
}

fn asked(consumer: &str, ordered_by: Option<&str>) -> ConsumerRequest {
    ConsumerRequest {
        name: consumer.to_owned(),
        ordered_by: ordered_by.map(str::to_owned),
        types: vec!["product.renamed".to_owned()],
        tags: Vec::new(),
        after: Position(0),
    }
}

fn batch(events: u32, lease_ms: u64, wait_ms: u64) -> BatchRequest {
    BatchRequest { worker: "w".to_owned(), events, lease_ms, wait_ms }
}

async fn list_product(ledger: &Ledger, product: usize) {
    let data = json!({
        "product": format!("p-{product}"), "name": "Tea", "kind": "goods", "tax": "reduced",
        "rules": {
            "quantity_max": 10, "desired_start": false, "licence_addition": false,
            "licence_reduction": "not_allowed", "cancellation": "until_confirmed",
            "notice_days": 0, "penalty": "nothing", "payment_methods": ["invoice"],
        },
        "plans": [], "terms": null,
    });
    let listed = run(ledger, "staff:sato", "product.list", data).await;
    listed.unwrap_or_else(|error| panic!("{error}"));
}

async fn rename(ledger: &Ledger, product: usize, number: usize) {
    let data = json!({ "product": format!("p-{product}"), "name": format!("Tea {number}") });
    run(ledger, "staff:sato", "product.rename", data).await.unwrap();
}

/// What the workers of a test have handled, in the order of handling.
#[derive(Default)]
struct Handled {
    positions: BTreeSet<u64>,
    of_product: BTreeMap<String, Vec<u64>>,
    repeats: usize,
}

impl Handled {
    /// Takes in one more event: within its product, none before it may be missing.
    fn add(&mut self, position: u64, product: &str) {
        let before = self.of_product.entry(product.to_owned()).or_default();
        if !self.positions.insert(position) {
            self.repeats += 1;
            return;
        }
        assert!(before.last().is_none_or(|last| *last < position), "{position} after {before:?}");
        before.push(position);
    }
}

/// One worker: it takes, handles and acknowledges batches, and is killed now and then in the middle
/// of it.
async fn work(
    servers: Arc<[Ledger]>,
    gone: Arc<Mutex<bool>>,
    handled: Arc<Mutex<Handled>>,
    seed: u64,
) {
    let mut chance = Rng::with_seed(seed);
    loop {
        let server = if *gone.lock().unwrap() { 0 } else { chance.usize(..2) };
        let events = chance.u32(1..=30);
        let Ok(Some(taken)) =
            servers[server].consumers().batches().take("crm", &batch(events, 400, 100)).await
        else {
            continue;
        };
        let dies_after = (chance.u8(..5) == 0).then(|| chance.usize(..taken.events.len()));
        for (at, (event, _)) in taken.events.iter().enumerate() {
            if dies_after == Some(at) {
                break;
            }
            let data: serde_json::Value = serde_json::from_str(event.data.get()).unwrap();
            let product = data["product"].as_str().unwrap().to_owned();
            handled.lock().unwrap().add(event.position.0, &product);
        }
        if dies_after.is_none() {
            // The lease may have ended: then another worker has the events.
            let _ =
                servers[server].consumers().batches().acknowledge("crm", &taken.batch, None).await;
        }
    }
}

/// Every product is renamed this many times, all products at once.
async fn arrive(writer: Ledger, rounds: usize) {
    let writer = Arc::new(writer);
    let writes: Vec<_> = (0..PRODUCTS)
        .map(|product| {
            let writer = Arc::clone(&writer);
            tokio::spawn(async move {
                for round in 0..rounds {
                    rename(&writer, product, round).await;
                }
            })
        })
        .collect();
    for write in writes {
        write.await.unwrap();
    }
}

/// Events arrive while three workers of two servers are killed at random, and one server goes away.
async fn nothing_is_lost(books: Books, writer: Ledger, events: usize) {
    let seed = seed();
    let request = asked("crm", Some("product"));
    writer.consumers().create(&request).await.unwrap();
    let servers: Arc<[Ledger]> = Arc::new([
        books.open(&book_name(), ClockAndEntropy::system()).await.unwrap(),
        books.open(&book_name(), ClockAndEntropy::system()).await.unwrap(),
    ]);
    let (gone, handled) = (Arc::new(Mutex::new(false)), Arc::new(Mutex::new(Handled::default())));
    let worker = |number: usize| {
        let (servers, gone, handled) = (servers.clone(), gone.clone(), handled.clone());
        tokio::spawn(work(servers, gone, handled, seed.wrapping_add(number as u64)))
    };
    let mut workers: Vec<_> = (0..WORKERS).map(worker).collect();
    for product in 0..PRODUCTS {
        list_product(&writer, product).await;
    }
    let rounds = events / PRODUCTS;
    let arrived = arrive(writer, rounds);
    let mut chance = Rng::with_seed(seed);
    let mut killed = 0;
    let mut arrived = std::pin::pin!(arrived);
    let mut all_here = false;
    let ending = async {
        loop {
            tokio::select! {
                () = &mut arrived, if !all_here => all_here = true,
                () = tokio::time::sleep(Duration::from_millis(chance.u64(20..100))) => {}
            }
            if handled.lock().unwrap().positions.len() * 2 > rounds * PRODUCTS {
                *gone.lock().unwrap() = true;
            }
            let state = servers[0].consumers().find("crm").await.unwrap();
            if all_here && state.behind_by == 0 && state.batches.is_empty() {
                return;
            }
            if workers.iter().any(|worker| worker.is_finished()) {
                panic!("a worker failed one of its checks");
            }
            let victim = chance.usize(..WORKERS);
            workers[victim].abort();
            killed += 1;
            workers[victim] = worker(WORKERS + killed);
        }
    };
    tokio::time::timeout(PATIENCE, ending).await.unwrap();
    workers.iter().for_each(|worker| worker.abort());
    let handled = handled.lock().unwrap();
    eprintln!("consumers: seed {seed}, {killed} workers killed, {} repeats", handled.repeats);
    assert_eq!(handled.positions.len(), rounds * PRODUCTS, "each event, none skipped");
    assert!(killed > 3, "only {killed} workers were killed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_are_killed_handle_every_event_in_order_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let (books, ledger) = in_folder(folder.path()).await;
    nothing_is_lost(books, ledger, count("events", 1_600, 20_000)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_are_killed_handle_every_event_in_order_on_postgres() {
    let (books, ledger) = in_database().await;
    nothing_is_lost(books, ledger, count("events", 1_600, 20_000)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_workers_go_on_at_once_within_their_lanes_and_one_without() {
    let folder = tempfile::tempdir().unwrap();
    let (_, ledger) = in_folder(folder.path()).await;
    for product in 0..2 {
        list_product(&ledger, product).await;
    }
    for round in 0..2 {
        for product in 0..2 {
            rename(&ledger, product, round).await;
        }
    }
    ledger.consumers().create(&asked("lanes", Some("product"))).await.unwrap();
    let take = async |name: &str| {
        ledger.consumers().batches().take(name, &batch(1, 60_000, 0)).await.unwrap()
    };
    let first = take("lanes").await.unwrap();
    let second = take("lanes").await.unwrap();
    let positions = |batch: &daicho_app::Batch| batch.events[0].0.position.0;
    assert_eq!(positions(&second), positions(&first) + 1);
    assert!(take("lanes").await.is_none(), "both products are handed out");
    ledger.consumers().batches().acknowledge("lanes", &second.batch, None).await.unwrap();
    assert_eq!(positions(&take("lanes").await.unwrap()), positions(&second) + 2);
    let state = ledger.consumers().find("lanes").await.unwrap();
    assert_eq!((state.batches.len(), state.done_ahead), (2, 1));
    ledger.consumers().create(&asked("one", None)).await.unwrap();
    let only = take("one").await.unwrap();
    assert!(take("one").await.is_none(), "all events keep one order");
    ledger.consumers().batches().acknowledge("one", &only.batch, None).await.unwrap();
    assert_eq!(positions(&take("one").await.unwrap()), positions(&only) + 1);
    ledger.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_extended_released_and_taken_back_and_a_worker_that_waits_is_woken() {
    let folder = tempfile::tempdir().unwrap();
    let (_, ledger) = in_folder(folder.path()).await;
    list_product(&ledger, 0).await;
    rename(&ledger, 0, 1).await;
    ledger.consumers().create(&asked("crm", None)).await.unwrap();
    let taken =
        ledger.consumers().batches().take("crm", &batch(9, 60_000, 0)).await.unwrap().unwrap();
    let later = ledger.consumers().batches().extend("crm", &taken.batch, 120_000).await.unwrap();
    assert!(later > taken.expires_at);
    ledger.consumers().batches().release("crm", &taken.batch).await.unwrap();
    let again = ledger.consumers().batches().take("crm", &batch(9, 100, 0)).await.unwrap().unwrap();
    assert_eq!(again.events[0].1, 1, "it was handed out once before");
    let ended =
        ledger.consumers().batches().acknowledge("crm", &taken.batch, None).await.unwrap_err();
    assert_eq!(ended.code(), "lease_ended");
    // Its time has ended, but nobody else has its events: acknowledging it still counts.
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(
        ledger.consumers().batches().acknowledge("crm", &again.batch, None).await.unwrap(),
        1
    );
    let request = batch(9, 60_000, 20_000);
    let waits = ledger.consumers().batches().take("crm", &request);
    let (woken, ()) = tokio::join!(waits, async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        rename(&ledger, 0, 2).await;
    });
    let woken = woken.unwrap().unwrap();
    ledger.consumers().seek("crm", Position(0)).await.unwrap();
    assert_eq!(
        ledger
            .consumers()
            .batches()
            .acknowledge("crm", &woken.batch, None)
            .await
            .unwrap_err()
            .code(),
        "lease_ended"
    );
    let all =
        ledger.consumers().batches().take("crm", &batch(9, 60_000, 0)).await.unwrap().unwrap();
    assert_eq!(all.events.len(), 2);
    ledger.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_consumer_cannot_be_is_refused_with_the_rule() {
    let folder = tempfile::tempdir().unwrap();
    let (_, ledger) = in_folder(folder.path()).await;
    let crm = asked("crm", Some("product"));
    ledger.consumers().create(&crm).await.unwrap();
    assert_eq!(ledger.consumers().create(&crm).await.unwrap().name, "crm");
    for (request, code) in [
        (asked("crm", Some("order")), "consumer_differs"),
        (ConsumerRequest { types: Vec::new(), ..crm.clone() }, "consumer_differs"),
        (ConsumerRequest { name: "C R M".to_owned(), ..crm.clone() }, "refused"),
        (ConsumerRequest { types: vec!["order.eaten".to_owned()], ..asked("x", None) }, "refused"),
        (ConsumerRequest { after: Position(9_999), ..asked("x", None) }, "failure"),
        (asked("x", Some("order:1")), "refused"),
    ] {
        assert_eq!(
            ledger.consumers().create(&request).await.unwrap_err().code(),
            code,
            "{request:?}"
        );
    }
    for request in
        [batch(0, 1_000, 0), batch(257, 1_000, 0), batch(1, 1, 0), batch(1, 1_000, 60_000)]
    {
        let refused = ledger.consumers().batches().take("crm", &request).await.unwrap_err();
        assert!(matches!(refused, ConsumerError::Refused(_)), "{refused}");
    }
    let unknown =
        ledger.consumers().batches().take("nobody", &batch(1, 1_000, 0)).await.unwrap_err();
    assert_eq!(unknown.code(), "consumer_unknown");
    assert_eq!(ledger.consumers().all().await.unwrap().len(), 1);
    ledger.consumers().delete("crm").await.unwrap();
    assert_eq!(ledger.consumers().delete("crm").await.unwrap_err().code(), "consumer_unknown");
    ledger.close().await;
}
