//! Events as a stream that is filled by a task of its own. The task reads only slightly ahead of
//! the caller, and ends with the connection, the caller's access, or the service.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use daicho_app::{EventText, Failure, FollowRequest, Ledger, Position};
use futures_util::stream::unfold;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tracing::Instrument as _;

use crate::authorise::Session;
use crate::cloud_event;
use crate::problem::Problem;
use crate::service::Service;

/// The media type of JSON texts, one per line.
pub(super) const NDJSON: &str = "application/x-ndjson";
/// Chunks that wait for the caller to take them.
const CHUNKS_AHEAD: usize = 2;
/// Events that are read at a time.
const PAGE_EVENTS: usize = 256;

/// Where a task writes what a caller reads.
pub(super) struct Writer {
    pub(super) service: Service,
    pub(super) ledger: Arc<Ledger>,
    chunks: mpsc::Sender<Bytes>,
    _room: OwnedSemaphorePermit,
}

impl Writer {
    /// Sends a chunk, if it is not empty; `false`: the caller is gone or the service ends.
    pub(super) async fn send(&self, chunk: String) -> bool {
        if chunk.is_empty() {
            return true;
        }
        tokio::select! {
            sent = self.chunks.send(chunk.into()) => sent.is_ok(),
            () = self.service.stopped() => false,
        }
    }

    /// Returns when the stream is to end.
    pub(super) async fn ended(&self) {
        tokio::select! {
            () = self.chunks.closed() => {}
            () = self.service.stopped() => {}
        }
    }

    /// The JSON text of an event.
    pub(super) fn json(&self, event: &EventText) -> Result<String, Failure> {
        cloud_event::to_json(event, &self.ledger.name().to_string(), &self.service.base_url)
    }

    pub(super) fn count(&self, events: usize) {
        self.service.measures.streamed.inc_by(events as u64);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.service.measures.streams.dec();
    }
}

/// Answers with what `write` sends, until it returns.
pub(super) fn respond<F>(
    service: Service,
    session: Session,
    kind: &'static str,
    write: impl FnOnce(Writer) -> F,
) -> Result<Response, Problem>
where
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let Ok(room) = Arc::clone(&service.streams).try_acquire_owned() else {
        let detail = "too many streams are open: try again, or read pages";
        return Err(Problem::busy("too_many_streams", detail));
    };
    let (chunks, taken) = mpsc::channel(CHUNKS_AHEAD);
    service.measures.streams.inc();
    let ledger = Arc::clone(&session.ledger);
    let writing = write(Writer { service: service.clone(), ledger, chunks, _room: room });
    let task = async move {
        tokio::select! {
            written = writing => if let Err(failure) = written {
                tracing::error!(%failure, "a stream of events ended early");
            },
            () = session.ended(&service) => {
                tracing::info!("a stream of events ended because its key or sign-in did");
            }
        }
    };
    tokio::spawn(task.in_current_span());
    let body = unfold(taken, |mut taken| async move {
        taken.recv().await.map(|chunk| (Ok::<_, std::convert::Infallible>(chunk), taken))
    });
    Ok(([(header::CONTENT_TYPE, kind)], Body::from_stream(body)).into_response())
}

/// One event per line. The last line, and one after each stretch without a match, says how far the
/// record was searched.
pub(super) fn ndjson(
    service: Service,
    session: Session,
    request: FollowRequest,
    follow: bool,
) -> Result<Response, Problem> {
    respond(service, session, NDJSON, move |writer| async move {
        if follow { write_live(&writer, request).await } else { write_all(&writer, request).await }
    })
}

async fn write_all(writer: &Writer, request: FollowRequest) -> Result<(), Failure> {
    let until = Position(writer.ledger.record().position_of(None).await?);
    let mut after = request.after;
    while after < until {
        let page = writer
            .ledger
            .history()
            .events(&request.types, &request.tags, after, PAGE_EVENTS)
            .await?;
        after = page.scanned_to;
        let events = page.events.iter().filter(|event| event.position <= until);
        if !writer.send(lines(writer, events)?).await {
            return Ok(());
        }
    }
    writer.send(scanned(until)).await;
    Ok(())
}

async fn write_live(writer: &Writer, request: FollowRequest) -> Result<(), Failure> {
    let mut follower = writer.ledger.following().start(&request).await?;
    loop {
        let stretch = tokio::select! {
            stretch = follower.next() => stretch?,
            () = writer.ended() => return Ok(()),
        };
        let mut chunk = lines(writer, stretch.events.iter())?;
        if stretch.events.last().is_none_or(|event| event.position < stretch.scanned_to) {
            chunk.push_str(&scanned(stretch.scanned_to));
        }
        if !writer.send(chunk).await {
            return Ok(());
        }
    }
}

fn lines<'a>(
    writer: &Writer,
    events: impl Iterator<Item = &'a EventText>,
) -> Result<String, Failure> {
    let (mut text, mut count) = (String::new(), 0);
    for event in events {
        text.push_str(&writer.json(event)?);
        text.push('\n');
        count += 1;
    }
    writer.count(count);
    Ok(text)
}

fn scanned(position: Position) -> String {
    format!("{}\n", json!({ "scanned_to": position }))
}
