//! Whole lives, small ones: the same seed is the same record, time stays in its bounds, everything
//! promised happens, and what was recorded verifies.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use daicho_app::{Books, Ledger, Unwatched};
use daicho_simulator::{Options, SimulateError, Summary, clock_and_entropy, simulate};
use daicho_values::Timestamp;
use tempfile::TempDir;

/// 2026-04-01 in Tokyo, at noon.
const UNTIL: &str = "2026-04-01T03:00:00.000000Z";

fn options(events: u64, seed: u64) -> Options {
    Options { events, seed, until: UNTIL.parse().unwrap() }
}

async fn live(options: &Options) -> (TempDir, Ledger, Result<Summary, SimulateError>) {
    let folder = tempfile::tempdir().unwrap();
    let simulated = clock_and_entropy(options.seed);
    let books = Books::in_folder(folder.path());
    let ledger =
        books.create(&"shop".parse().unwrap(), simulated.clock_and_entropy.clone()).await.unwrap();
    let outcome = simulate(&ledger, &simulated, options, &Unwatched).await;
    (folder, ledger, outcome)
}

async fn checkpoint(options: &Options) -> String {
    let (_folder, ledger, outcome) = live(options).await;
    outcome.unwrap();
    ledger.proof().checkpoint().await.unwrap().to_string()
}

#[tokio::test]
async fn the_same_seed_is_the_same_record_and_another_seed_another() {
    let first = checkpoint(&options(400, 7)).await;
    assert_eq!(first, checkpoint(&options(400, 7)).await);
    assert_ne!(first, checkpoint(&options(400, 8)).await);
}

#[tokio::test]
async fn a_life_of_any_size_covers_about_three_years_and_ends_before_its_limit() {
    let limit: Timestamp = UNTIL.parse().unwrap();
    for events in [300, 1_500] {
        let (_folder, ledger, outcome) = live(&options(events, 3)).await;
        let summary = outcome.unwrap();
        assert!(summary.events >= events && summary.events < events + 60, "{summary:?}");
        assert_eq!(summary.from.to_string(), "2023-03-31");
        assert!(summary.to.to_string().as_str() >= "2026-01-15", "{summary:?}");
        assert!(ledger.clock_and_entropy().now() <= limit, "{}", ledger.clock_and_entropy().now());
    }
}

#[tokio::test]
async fn no_command_is_refused_unexpectedly_whatever_the_seed() {
    for seed in 1..=5 {
        let (_folder, _ledger, outcome) = live(&options(900, seed)).await;
        if let Err(error) = outcome {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            panic!("seed {seed}: {error}: {source:?}");
        }
    }
}

#[tokio::test]
async fn everything_that_a_life_promises_happens_and_the_record_verifies() {
    let (_folder, ledger, outcome) = live(&options(1_500, 11)).await;
    let summary = outcome.unwrap();
    let promised = [
        "billing.credit_issued",
        "billing.invoice_issued",
        "billing.month_closed",
        "billing.payment_received",
        "contract.cancellation_scheduled",
        "contract.concluded",
        "contract.penalty_assessed",
        "contract.quantity_changed",
        "contract.service_activated",
        "member.email_verified",
        "member.main_registration_completed",
        "member.migrated",
        "member.registration_requested",
        "member.verification_link_issued",
        "order.accepted",
        "order.cancelled",
        "order.confirmed",
        "order.delivery_date_fixed",
        "order.fulfilled",
        "order.goods_returned",
        "order.placed",
        "organisation.registered",
        "product.listed",
        "product.plan_published",
        "product.purchase_rules_set",
        "product.renamed",
        "product.retired",
        "product.terms_published",
        "quote.converted",
        "quote.issued",
        "quote.withdrawn",
        "shop.billing_calendar_set",
        "shop.business_calendar_revised",
        "shop.configured",
        "shop.cutoff_policy_set",
        "shop.issuer_registration_set",
        "shop.tax_rate_table_revised",
    ];
    let happened: Vec<&str> = summary.by_type.keys().copied().collect();
    assert_eq!(happened, promised, "{summary:#?}");
    let verified = ledger.proof().verify(None, &Unwatched).await.unwrap();
    assert_eq!(verified.checkpoint.position.0, summary.events);
}

#[tokio::test]
async fn a_book_with_a_past_takes_no_life() {
    let options = options(20, 1);
    let (_folder, ledger, outcome) = live(&options).await;
    outcome.unwrap();
    let again = simulate(&ledger, &clock_and_entropy(1), &options, &Unwatched).await;
    assert!(matches!(again, Err(SimulateError::NotEmpty { .. })), "{again:?}");
}

#[tokio::test]
async fn a_refusal_that_the_life_did_not_mean_names_command_code_and_time() {
    // Given a span before the shop's tax table begins, October 2019.
    let until = "2012-04-01T03:00:00.000000Z".parse().unwrap();
    let (_folder, _ledger, outcome) = live(&Options { until, ..options(300, 1) }).await;
    let error = outcome.unwrap_err();
    let SimulateError::Unexpected { command, code, at, .. } = &error else { panic!("{error}") };
    assert!(["quote.issue", "order.place"].contains(command), "{error}");
    assert_eq!(*code, "tax_rate_missing");
    assert!(error.to_string().contains(&at.to_string()), "{error}");
}

/// A measurement, not a test: `cargo test --release -p daicho-simulator -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "a measurement: it prints how fast a life is"]
async fn twenty_thousand_events_are_measured() {
    let begun = std::time::Instant::now();
    let (_folder, ledger, outcome) = live(&options(20_000, 1)).await;
    let (summary, lived) = (outcome.unwrap(), begun.elapsed());
    let verified = ledger.proof().verify(None, &Unwatched).await.unwrap();
    println!("{summary:#?}\n{lived:?}, verified in {:?}", begun.elapsed() - lived);
    println!("{}", verified.checkpoint);
}
