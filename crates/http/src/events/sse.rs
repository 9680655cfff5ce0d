//! Server-Sent Events: a live stream, resumed after the `id` seen last.

use std::fmt::Write as _;
use std::time::Duration;

use axum::response::Response;
use daicho_app::{EventStretch, Failure, FollowRequest};

use super::stream::{Writer, respond};
use crate::authorise::Session;
use crate::problem::Problem;
use crate::service::Service;

/// The media type of an event source.
pub(super) const EVENT_STREAM: &str = "text/event-stream";
/// Time without an event after which a comment shows that the stream is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Milliseconds after which an event source that lost its connection reconnects.
const RETRY_MS: u32 = 1_000;

pub(super) fn live(
    service: Service,
    session: Session,
    request: FollowRequest,
) -> Result<Response, Problem> {
    respond(
        service,
        session,
        EVENT_STREAM,
        move |writer| async move { write(&writer, &request).await },
    )
}

async fn write(writer: &Writer, request: &FollowRequest) -> Result<(), Failure> {
    let mut follower = writer.ledger.following().start(request).await?;
    if !writer.send(format!("retry: {RETRY_MS}\n\n")).await {
        return Ok(());
    }
    loop {
        let chunk = tokio::select! {
            stretch = follower.next() => chunk(writer, &stretch?)?,
            () = tokio::time::sleep(HEARTBEAT) => ":\n\n".to_owned(),
            () = writer.ended() => return Ok(()),
        };
        if !writer.send(chunk).await {
            return Ok(());
        }
    }
}

/// The events of a stretch. An `id` without an event after the last one says how far the record was
/// searched; an event source stores it without reporting an event.
fn chunk(writer: &Writer, stretch: &EventStretch) -> Result<String, Failure> {
    let mut text = String::new();
    for event in &stretch.events {
        // Writing to a text cannot fail.
        let _ = write!(text, "id: {}\ndata: {}\n\n", event.position, writer.json(event)?);
    }
    writer.count(stretch.events.len());
    if stretch.events.last().is_none_or(|event| event.position < stretch.scanned_to) {
        let _ = write!(text, "id: {}\n\n", stretch.scanned_to);
    }
    Ok(text)
}
