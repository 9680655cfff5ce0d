//! The same work without HTTP: callers in this process, on the same book.

use std::sync::Arc;
use std::time::{Duration, Instant};

use daicho_app::{Books, ClockAndEntropy, CommandRequest, Ledger, Position};
use serde_json::json;

use super::served::{BOOK, Daicho};
use crate::error::BenchError;
use crate::measure::{Latencies, Rate};

/// Events of a page.
const PAGE: usize = 100;

/// What so many callers did in their time.
pub(super) struct Done {
    /// Commands or pages.
    pub(super) rate: Rate,
    pub(super) latencies: Latencies,
}

/// What was done in process.
pub(super) struct Inside {
    /// Organisations registered.
    pub(super) commands: Done,
    /// Pages of events read, from anywhere in the record.
    pub(super) pages: Done,
}

/// Where the record ends.
pub(super) async fn head(daicho: &Daicho) -> Result<u64, BenchError> {
    let ledger = open(daicho).await?;
    let head = ledger.proof().checkpoint().await?.position.0;
    ledger.close().await;
    Ok(head)
}

/// Commands by so many callers for so long, then pages.
pub(super) async fn run(
    daicho: &Daicho,
    callers: usize,
    seconds: u64,
) -> Result<Inside, BenchError> {
    let ledger = Arc::new(open(daicho).await?);
    let commands = call(&ledger, callers, seconds, register).await?;
    let head = ledger.proof().checkpoint().await?.position.0.max(1);
    let page = move |ledger: Arc<Ledger>, caller: usize, call: u64| async move {
        let after = (caller as u64 * 7_919 + call * 104_729) % head;
        ledger.history().events(&[], &[], Position(after), PAGE).await?;
        Ok(())
    };
    let pages = call(&ledger, callers, seconds, page).await?;
    let ledger = Arc::into_inner(ledger);
    let ledger = ledger.ok_or_else(|| BenchError::Wrong("a caller still holds the book".into()))?;
    ledger.close().await;
    Ok(Inside { commands, pages })
}

async fn open(daicho: &Daicho) -> Result<Ledger, BenchError> {
    let books = match &daicho.database {
        Some(url) => Books::in_database(url)?,
        None => Books::in_folder(daicho.folder.join("books")),
    };
    Ok(books.open(&BOOK.parse()?, ClockAndEntropy::system()).await?)
}

async fn register(ledger: Arc<Ledger>, caller: usize, call: u64) -> Result<(), BenchError> {
    let name = format!("inside-{caller}-{call}");
    let request: CommandRequest = serde_json::from_value(json!({
        "request": name, "actor": "system:load", "command": "organisation.register",
        "data": {
            "organisation": id(caller, call), "name": format!("Organisation {name}"),
            "country": "Japan", "reference": name,
        },
    }))?;
    ledger.commands().run(request).await?;
    Ok(())
}

/// An id of its own for each call.
fn id(caller: usize, call: u64) -> String {
    format!("01K{caller:05}{call:018}")
}

async fn call<F, Work>(
    ledger: &Arc<Ledger>,
    callers: usize,
    seconds: u64,
    work: F,
) -> Result<Done, BenchError>
where
    F: Fn(Arc<Ledger>, usize, u64) -> Work + Copy + Send + 'static,
    Work: Future<Output = Result<(), BenchError>> + Send,
{
    let started = Instant::now();
    let end = started + Duration::from_secs(seconds);
    let mut tasks = Vec::new();
    for caller in 0..callers {
        let ledger = Arc::clone(ledger);
        tasks.push(tokio::spawn(async move {
            let mut latencies = Vec::new();
            while Instant::now() < end {
                let called = Instant::now();
                work(Arc::clone(&ledger), caller, latencies.len() as u64).await?;
                latencies.push(called.elapsed());
            }
            Ok::<_, BenchError>(latencies)
        }));
    }
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    let rate = Rate { events: latencies.len() as u64, took: started.elapsed() };
    Ok(Done { rate, latencies: latencies.into() })
}
