//! Consumers: batches of events for several workers, each event at least once.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use daicho_app::{
    Batch, BatchRequest, ConsumerError, ConsumerRequest, ConsumerState, Position, Right, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::ask;
use crate::authorise::Session;
use crate::cloud_event::{self, CloudEvent};
use crate::endpoint::{BOOK, Endpoint, schema_of};
use crate::problem::Problem;
use crate::service::Service;

const CHAPTER: &str = "consumers";

/// Every consumer of the book.
#[derive(Debug, Serialize, JsonSchema)]
struct Consumers {
    consumers: Vec<ConsumerState>,
}

/// Events for one worker.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "describes what `written` writes")]
struct BatchAnswer {
    /// The batch's id, to acknowledge it with.
    batch: String,
    /// Until when the batch belongs to the worker.
    expires_at: Timestamp,
    /// The events, in order.
    events: Vec<CloudEvent<'static>>,
    /// Positions of those that were handed out before and not acknowledged.
    repeated: Vec<Position>,
}

/// The part of a batch that is done.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Acknowledgement {
    /// The events of the batch up to this position; left out: all of them.
    #[serde(default)]
    up_to: Option<Position>,
}

/// The result of an acknowledgement.
#[derive(Debug, Serialize, JsonSchema)]
struct Acknowledged {
    /// Number of events that it marked as done.
    acknowledged: usize,
}

/// More time for a batch.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Extension {
    /// Time from now, 100 to 3,600,000 milliseconds.
    #[schemars(range(min = 100, max = 3_600_000))]
    lease_ms: u64,
}

/// How long a batch belongs to the worker.
#[derive(Debug, Serialize, JsonSchema)]
struct Extended {
    expires_at: Timestamp,
}

/// The position after which a consumer continues.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Seek {
    /// Continue after this position: moving back repeats events, moving forward skips some.
    position: Position,
}

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let all = format!("{BOOK}/consumers");
    let one = format!("{all}/{{consumer}}");
    let batches = format!("{one}/batches");
    let batch = |deed: &str| format!("{batches}/{{batch}}/{deed}");
    vec![
        Endpoint::get("consumers", &all, list)
            .needs(Right::Read)
            .says(CHAPTER, "Every consumer, its position and the batches that workers hold")
            .answers::<Consumers>(200, "The consumers"),
        Endpoint::post("create_consumer", &all, create)
            .needs(Right::ManageDeliveries)
            .says(CHAPTER, "Creates a consumer; repeating it changes nothing")
            .body(schema_of::<ConsumerRequest>())
            .answers::<ConsumerState>(201, "The consumer"),
        Endpoint::get("consumer", &one, show)
            .needs(Right::Read)
            .says(CHAPTER, "A consumer, its position and the batches that workers hold")
            .answers::<ConsumerState>(200, "The consumer"),
        Endpoint::delete("delete_consumer", &one, delete)
            .needs(Right::ManageDeliveries)
            .says(CHAPTER, "Deletes a consumer; workers holding a batch get an error")
            .answers_nothing("The consumer is deleted"),
        Endpoint::post("seek_consumer", &format!("{one}/seek"), seek)
            .needs(Right::ManageDeliveries)
            .says(CHAPTER, "Moves a consumer to a position; workers holding a batch get an error")
            .body(schema_of::<Seek>())
            .answers::<ConsumerState>(200, "The consumer"),
        Endpoint::post("take_batch", &batches, take)
            .needs(Right::FollowEvents)
            .says(CHAPTER, "Hands out events to a worker, for a limited time")
            .body(schema_of::<BatchRequest>())
            .answers::<BatchAnswer>(200, "The events")
            .answers_nothing("There is nothing to hand out"),
        Endpoint::post("acknowledge_batch", &batch("acknowledge"), acknowledge)
            .needs(Right::FollowEvents)
            .says(CHAPTER, "Acknowledges a batch, or the first part of it")
            .body(schema_of::<Acknowledgement>())
            .answers::<Acknowledged>(200, "The acknowledgement"),
        Endpoint::post("extend_batch", &batch("extend"), extend)
            .needs(Right::FollowEvents)
            .says(CHAPTER, "Asks for more time for a batch")
            .body(schema_of::<Extension>())
            .answers::<Extended>(200, "The batch belongs to the worker until then"),
        Endpoint::post("release_batch", &batch("release"), release)
            .needs(Right::FollowEvents)
            .says(CHAPTER, "Returns a batch: its events can be handed out again at once")
            .answers_nothing("The batch is returned"),
    ]
}

async fn list(session: Session) -> Result<Json<Consumers>, Problem> {
    Ok(Json(Consumers { consumers: session.ledger.consumers().all().await? }))
}

async fn create(
    session: Session,
    ask::Json(request): ask::Json<ConsumerRequest>,
) -> Result<Response, Problem> {
    let state = session.ledger.consumers().create(&request).await?;
    let path = format!("/v1/books/{}/consumers/{}", session.ledger.name(), state.name);
    Ok((StatusCode::CREATED, [(header::LOCATION, path)], Json(state)).into_response())
}

async fn show(
    session: Session,
    Path((_, name)): Path<(String, String)>,
) -> Result<Json<ConsumerState>, Problem> {
    Ok(Json(session.ledger.consumers().find(&name).await?))
}

async fn delete(
    session: Session,
    Path((_, name)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    session.ledger.consumers().delete(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn seek(
    session: Session,
    Path((_, name)): Path<(String, String)>,
    ask::Json(Seek { position }): ask::Json<Seek>,
) -> Result<Json<ConsumerState>, Problem> {
    session.ledger.consumers().seek(&name, position).await?;
    Ok(Json(session.ledger.consumers().find(&name).await?))
}

/// The wait ends early if the service stops, so that no caller is left waiting.
async fn take(
    State(service): State<Service>,
    session: Session,
    Path((_, name)): Path<(String, String)>,
    ask::Json(request): ask::Json<BatchRequest>,
) -> Result<Response, Problem> {
    let taken = tokio::select! {
        taken = session.ledger.consumers().batches().take(&name, &request) => taken?,
        () = service.stopped() => None,
    };
    match taken {
        Some(batch) => written(&batch, &session, &service),
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

fn written(batch: &Batch, session: &Session, service: &Service) -> Result<Response, Problem> {
    let book = session.ledger.name().to_string();
    let texts = batch.events.iter().map(|(event, _)| event);
    let events = texts.map(|event| cloud_event::to_json(event, &book, &service.base_url));
    let events = events.collect::<Result<Vec<_>, _>>()?.join(",");
    let repeated = batch.events.iter().filter(|(_, before)| *before > 0);
    let repeated: Vec<Position> = repeated.map(|(event, _)| event.position).collect();
    let body = format!(
        "{{\"batch\":{},\"expires_at\":{},\"events\":[{events}],\"repeated\":{}}}",
        json!(batch.batch),
        json!(batch.expires_at),
        json!(repeated),
    );
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

type OfBatch = Path<(String, String, String)>;

async fn acknowledge(
    session: Session,
    Path((_, name, batch)): OfBatch,
    ask::Optional(asked): ask::Optional<Acknowledgement>,
) -> Result<Json<Acknowledged>, Problem> {
    let acknowledged =
        session.ledger.consumers().batches().acknowledge(&name, &batch, asked.up_to).await?;
    Ok(Json(Acknowledged { acknowledged }))
}

async fn extend(
    session: Session,
    Path((_, name, batch)): OfBatch,
    ask::Json(Extension { lease_ms }): ask::Json<Extension>,
) -> Result<Json<Extended>, Problem> {
    let expires_at = session.ledger.consumers().batches().extend(&name, &batch, lease_ms).await?;
    Ok(Json(Extended { expires_at }))
}

async fn release(session: Session, Path((_, name, batch)): OfBatch) -> Result<StatusCode, Problem> {
    session.ledger.consumers().batches().release(&name, &batch).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<ConsumerError> for Problem {
    fn from(error: ConsumerError) -> Self {
        let told = Self::told(error.blame(), error.code(), error.to_string());
        match error {
            ConsumerError::Unknown(_) => told.refined(StatusCode::NOT_FOUND),
            ConsumerError::Differs { .. }
            | ConsumerError::LeaseEnded { .. }
            | ConsumerError::Busy(_) => told.refined(StatusCode::CONFLICT),
            ConsumerError::Refused(_) => told,
            ConsumerError::Failure(failure) => failure.into(),
        }
    }
}
