//! Ourselves: a book with its writer, its sealer and its replay blocks, as durable as it always is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use daicho_store::{Append, BLOCK_EVENTS, Blocks as _, Book, Log as _, Stored};
use tokio::sync::Barrier;

use crate::digest::RecordDigest;
use crate::error::BenchError;
use crate::measure::{Latencies, Rate};

use super::place::Place;
use super::workload::Workload;

/// Events read at once when a book is read back.
const READ_EVENTS: usize = 10_000;

/// What a workload came to.
pub(crate) struct Appended {
    /// From the first call to the last answer.
    pub(crate) rate: Rate,
    /// One entry an append.
    pub(crate) latencies: Latencies,
    /// From the last answer until everything that fills a block was sealed and the book closed.
    pub(crate) closing: Duration,
    /// What the book holds, read back.
    pub(crate) digest: RecordDigest,
    /// Its rows, for what is measured beside it.
    pub(crate) rows: Vec<Stored>,
}

/// Has `callers` callers append a workload to a new book, each waiting for its answer.
pub(crate) async fn run(
    place: &Place,
    workload: Workload,
    callers: usize,
) -> Result<Appended, BenchError> {
    let expected = workload.digest();
    let book = Arc::new(place.create().await?);
    let (took, latencies) = call(&book, share(workload.appends, callers)).await?;
    let closing = Instant::now();
    let book = Arc::into_inner(book);
    let book = book.ok_or_else(|| BenchError::Wrong("a caller still holds the book".into()))?;
    book.close().await;
    let closing = closing.elapsed();
    let rows = read_back(place).await?;
    let digest = RecordDigest::of(
        rows.iter().map(|row| daicho_store::NewEvent::hash_data(&row.data)).collect(),
    );
    expected.expect(&digest, "the book")?;
    Ok(Appended { rate: Rate { events: digest.events, took }, latencies, closing, digest, rows })
}

/// Deals the appends to the callers, one after the other.
pub(crate) fn share(appends: Vec<Append>, callers: usize) -> Vec<Vec<Append>> {
    let callers = callers.max(1);
    let mut shares: Vec<Vec<Append>> = (0..callers).map(|_| Vec::new()).collect();
    let mut appends = appends.into_iter();
    while appends.len() > 0 {
        shares.iter_mut().zip(&mut appends).for_each(|(share, append)| share.push(append));
    }
    shares
}

/// Has each caller append its share, one after the other; the time from the first to the last.
pub(crate) async fn call(
    book: &Arc<Book>,
    shares: Vec<Vec<Append>>,
) -> Result<(Duration, Latencies), BenchError> {
    let barrier = Arc::new(Barrier::new(shares.len() + 1));
    let mut callers = Vec::with_capacity(shares.len());
    for share in shares {
        let (book, barrier) = (Arc::clone(book), Arc::clone(&barrier));
        callers.push(tokio::spawn(async move {
            let mut latencies = Vec::with_capacity(share.len());
            barrier.wait().await;
            for append in share {
                let called = Instant::now();
                book.append(append).await?;
                latencies.push(called.elapsed());
            }
            Ok::<_, BenchError>(latencies)
        }));
    }
    barrier.wait().await;
    let started = Instant::now();
    let mut latencies = Vec::new();
    for caller in callers {
        latencies.extend(caller.await??);
    }
    Ok((started.elapsed(), latencies.into()))
}

/// Every row of the record, and the proof that positions have no gap and full blocks are sealed.
async fn read_back(place: &Place) -> Result<Vec<Stored>, BenchError> {
    let book = place.open().await?;
    let head = book.head().await?.position;
    let mut rows: Vec<Stored> = Vec::new();
    while (rows.len() as u64) < head {
        let page = book.scan(rows.len() as u64, head, READ_EVENTS).await?;
        if page.is_empty() {
            return Err(BenchError::Wrong(format!("the record ends at {} of {head}", rows.len())));
        }
        rows.extend(page);
    }
    let gapless = rows.iter().zip(1..).all(|(row, position)| row.position == position);
    let full = head - head % u64::from(BLOCK_EVENTS);
    if !gapless || book.sealed_to() != full {
        return Err(BenchError::Wrong(format!("{head} events, sealed to {}", book.sealed_to())));
    }
    book.close().await;
    Ok(rows)
}
