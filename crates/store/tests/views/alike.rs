//! Both databases hold the same rows in the same order: every page, every cursor, every digest.

use daicho_store::views::*;
use proptest::strategy::{Strategy as _, ValueTree as _};
use sha2::{Digest, Sha256};

use crate::strategies::{any_request, any_rows, runner};
use crate::support::*;

const CASES: usize = 24;
/// Rows of one step of a scan: several steps for most views.
const SCAN_ROWS: u32 = 7;

async fn fill(views: &impl Views, rows: &[ViewRow]) {
    let shadow = views.begin_rebuild(&orders(), &beginning()).await.unwrap();
    let (loaded, later) = rows.split_at(rows.len() / 2);
    views.load(&shadow, loaded.to_vec(), 1).await.unwrap();
    views.swap(shadow, &point(1)).await.unwrap();
    views.write("orders", &point(1), upserts(later.to_vec()), &point(2)).await.unwrap();
}

/// SHA-256 over all rows, read as a comparison of a view with its rebuild reads them.
async fn digest(views: &impl Views) -> String {
    let (mut digest, mut after) = (Sha256::new(), None::<String>);
    loop {
        let rows = views.scan("orders", after.as_deref(), SCAN_ROWS).await.unwrap();
        for row in &rows {
            let cells = format!("{:?}{:?}", row.columns, row.next_change);
            for part in [row.key.as_bytes(), &row.row, cells.as_bytes()] {
                digest.update((part.len() as u64).to_be_bytes());
                digest.update(part);
            }
        }
        let Some(last) = rows.last() else { break };
        after = Some(last.key.clone());
    }
    hex::encode(digest.finalize())
}

async fn assert_alike(one: &impl Views, other: &impl Views, mut request: PageRequest) {
    loop {
        let page = one.page("orders", &request).await.unwrap();
        assert_eq!(page, other.page("orders", &request).await.unwrap(), "{request:?}");
        match page.next {
            Some(next) => request.after = Some(next),
            None => break,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_databases_give_the_same_pages_cursors_and_digests() {
    let (_sqlite, one) = fixture::<Sqlite>().await;
    let (_postgres, other) = fixture::<Postgres>().await;
    let mut runner = runner();
    let strategy = (any_rows(), proptest::collection::vec(any_request(), 1..8));
    let mut digests = std::collections::BTreeSet::new();
    for _ in 0..CASES {
        let (rows, requests) = strategy.new_tree(&mut runner).unwrap().current();
        fill(&one, &rows).await;
        fill(&other, &rows).await;
        assert_eq!(one.list().await.unwrap(), other.list().await.unwrap());
        let expected = digest(&one).await;
        assert_eq!(expected, digest(&other).await, "{rows:?}");
        digests.insert(expected);
        for request in requests {
            assert_alike(&one, &other, request).await;
        }
        for on in ["2026-12-01", "2026-12-31"] {
            let due = one.due("orders", on, 5).await.unwrap();
            assert_eq!(due, other.due("orders", on, 5).await.unwrap());
        }
    }
    assert!(digests.len() > CASES / 2, "the digest sees the rows");
}
