//! How a peer is measured: writers that wait for their answers, then one replay that decodes all.

use std::future::Future;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use daicho_events::Event;
use serde::Serialize;
use tokio::sync::Barrier;

use crate::arguments::Arguments;
use crate::error::PeerError;
use crate::facts::{Fact, digest};

/// A peer, ready to be written to.
pub(crate) trait Store: Send + Sync + 'static {
    /// What it is and how durable.
    fn about(&self) -> About;

    /// One append of these facts, whole or not at all, durable when it answers.
    fn append(
        &self,
        writer: usize,
        facts: Vec<Fact>,
    ) -> impl Future<Output = Result<(), PeerError>> + Send;

    /// Everything that was appended, decoded.
    fn replay(&self) -> impl Future<Output = Result<Vec<Event>, PeerError>> + Send;
}

/// What a peer is.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct About {
    /// Crates, versions and the way in.
    pub(crate) who: String,
    /// The database below.
    pub(crate) storage: String,
    /// What a commit waits for.
    pub(crate) durability: String,
}

/// The line that is printed.
#[derive(Debug, Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    about: &'a About,
    /// `append` or `replay`.
    work: &'a str,
    checked: bool,
    writers: usize,
    batch: usize,
    events: usize,
    seconds: f64,
    p50_us: f64,
    p99_us: f64,
    longest_us: f64,
    /// The digest of what was read back.
    result: &'a str,
}

/// Appends and replays; prints a line for each. A result that is not what was appended is an error.
pub(crate) async fn run<S: Store>(
    store: S,
    arguments: &Arguments,
    facts: Vec<Fact>,
) -> Result<(), PeerError> {
    let &Arguments { writers, batch, checked, .. } = arguments;
    let (about, events) = (store.about(), facts.len());
    let expected = digest(facts.iter().map(|fact| fact.data.as_str()));
    let store = Arc::new(store);
    let (took, mut calls) = append(&store, deal(facts, writers.max(1), batch.max(1))).await?;
    calls.sort_unstable();
    let started = Instant::now();
    let replayed = store.replay().await?;
    let replay = started.elapsed();
    let texts: Vec<String> = replayed.iter().map(Event::to_json).collect();
    let result = digest(texts.iter().map(String::as_str));
    if texts.len() != events || result != expected {
        let found = texts.len();
        let what = format!("{found} events {result} were read back of {events} {expected}");
        return Err(PeerError::Peer(what));
    }
    for (work, took, calls) in [("append", took, &*calls), ("replay", replay, &[])] {
        let line = Line {
            about: &about,
            work,
            checked,
            writers,
            batch,
            events,
            seconds: took.as_secs_f64(),
            p50_us: percentile(calls, 50),
            p99_us: percentile(calls, 99),
            longest_us: percentile(calls, 100),
            result: &result,
        };
        writeln!(std::io::stdout(), "{}", serde_json::to_string(&line)?)?;
    }
    Ok(())
}

/// Deals the appends to the writers, one after the other.
fn deal(facts: Vec<Fact>, writers: usize, batch: usize) -> Vec<Vec<Vec<Fact>>> {
    let mut shares: Vec<Vec<Vec<Fact>>> = (0..writers).map(|_| Vec::new()).collect();
    let mut facts = facts.into_iter();
    while facts.len() > 0 {
        for share in &mut shares {
            let append: Vec<Fact> = facts.by_ref().take(batch).collect();
            if !append.is_empty() {
                share.push(append);
            }
        }
    }
    shares
}

async fn append<S: Store>(
    store: &Arc<S>,
    shares: Vec<Vec<Vec<Fact>>>,
) -> Result<(Duration, Vec<Duration>), PeerError> {
    let barrier = Arc::new(Barrier::new(shares.len() + 1));
    let mut writers = Vec::with_capacity(shares.len());
    for (writer, share) in shares.into_iter().enumerate() {
        let (store, barrier) = (Arc::clone(store), Arc::clone(&barrier));
        writers.push(tokio::spawn(async move {
            let mut calls = Vec::with_capacity(share.len());
            barrier.wait().await;
            for facts in share {
                let called = Instant::now();
                store.append(writer, facts).await?;
                calls.push(called.elapsed());
            }
            Ok::<_, PeerError>(calls)
        }));
    }
    barrier.wait().await;
    let started = Instant::now();
    let mut calls = Vec::new();
    for writer in writers {
        calls.extend(writer.await.map_err(PeerError::of)??);
    }
    Ok((started.elapsed(), calls))
}

/// Microseconds that `per_cent` of the sorted calls stay within; zero without a call.
fn percentile(calls: &[Duration], per_cent: usize) -> f64 {
    let rank = (calls.len() * per_cent).div_ceil(100).max(1);
    calls.get(rank - 1).map_or(0.0, |call| call.as_secs_f64() * 1e6)
}

/// The version of a crate in this package's lock.
pub(crate) fn version(of: &str) -> &'static str {
    let (_, after) = include_str!("../Cargo.lock")
        .split_once(&format!("name = \"{of}\"\nversion = \""))
        .unwrap_or_default();
    after.split('"').next().unwrap_or_default()
}
