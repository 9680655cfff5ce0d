//! Webhooks: addresses to which the service sends the events of a book.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use daicho_app::{
    MadeWebhook, Outcome, Parked, ParkedChoice, Right, WebhookChange, WebhookError, WebhookRequest,
    WebhookState,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ask;
use crate::authorise::Session;
use crate::endpoint::{BOOK, Endpoint, schema_of};
use crate::problem::Problem;
use crate::service::Service;

const CHAPTER: &str = "webhooks";

/// Every webhook of the book.
#[derive(Debug, Serialize, JsonSchema)]
struct Webhooks {
    webhooks: Vec<WebhookState>,
}

/// The messages of a webhook that could not be delivered.
#[derive(Debug, Serialize, JsonSchema)]
struct ParkedMessages {
    parked: Vec<Parked>,
}

/// The messages that a request applied to.
#[derive(Debug, Serialize, JsonSchema)]
struct Messages {
    messages: usize,
}

/// The request for a new secret.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Rotation {
    /// Seconds for which the previous secret signs as well, at most a week.
    #[schemars(range(max = 604_800))]
    overlap_seconds: u64,
}

impl Default for Rotation {
    fn default() -> Self {
        Self { overlap_seconds: 86_400 }
    }
}

/// The result of a test message.
#[derive(Debug, Serialize, JsonSchema)]
struct TestAnswer {
    /// Whether the receiver accepted it.
    delivered: bool,
    /// What was wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// How long that took.
    taken_ms: u64,
}

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let all = format!("{BOOK}/webhooks");
    let one = format!("{all}/{{webhook}}");
    let below = |path: &str| format!("{one}/{path}");
    let managed = |endpoint: Endpoint, summary: &str| {
        endpoint.needs(Right::ManageDeliveries).says(CHAPTER, summary)
    };
    vec![
        managed(Endpoint::get("webhooks", &all, list), "Every webhook, without its secret")
            .answers::<Webhooks>(200, "The webhooks"),
        managed(Endpoint::post("create_webhook", &all, create), "Creates a webhook")
            .body(schema_of::<WebhookRequest>())
            .answers::<MadeWebhook>(201, "The webhook; its secret is in this answer only"),
        managed(Endpoint::get("webhook", &one, show), "A webhook and its state")
            .answers::<WebhookState>(200, "The webhook"),
        managed(Endpoint::patch("change_webhook", &one, change), "Changes a webhook")
            .body(schema_of::<WebhookChange>())
            .answers::<WebhookState>(200, "The webhook"),
        managed(Endpoint::delete("delete_webhook", &one, delete), "Deletes a webhook")
            .answers_nothing("The webhook is deleted"),
        managed(
            Endpoint::post("rotate_webhook_secret", &below("rotate-secret"), rotate),
            "Gives a webhook a new secret; the old one also signs for a while",
        )
        .body(schema_of::<Rotation>())
        .answers::<MadeWebhook>(200, "The webhook; its secret is in this answer only"),
        managed(
            Endpoint::post("test_webhook", &below("test"), test),
            "Sends a test message, `daicho.test`, which is about no event",
        )
        .answers::<TestAnswer>(200, "The result"),
        managed(
            Endpoint::get("parked", &below("parked"), parked),
            "The messages that could not be delivered",
        )
        .answers::<ParkedMessages>(200, "The messages"),
        managed(
            Endpoint::post("resend_parked", &below("parked/resend"), resend),
            "Sends parked messages once more",
        )
        .body(schema_of::<ParkedChoice>())
        .answers::<Messages>(200, "The number of messages to be sent"),
        managed(
            Endpoint::post("drop_parked", &below("parked/drop"), drop_parked),
            "Drops parked messages; their events stay in the record",
        )
        .body(schema_of::<ParkedChoice>())
        .answers::<Messages>(200, "The number of messages dropped"),
    ]
}

type OfWebhook = Path<(String, String)>;

async fn list(session: Session) -> Result<Json<Webhooks>, Problem> {
    Ok(Json(Webhooks { webhooks: session.ledger.webhooks().all().await? }))
}

async fn create(
    State(service): State<Service>,
    session: Session,
    ask::Json(request): ask::Json<WebhookRequest>,
) -> Result<Response, Problem> {
    let private = service.settings.webhooks.private_addresses;
    let made = session.ledger.webhooks().create(&request, private).await?;
    let path = format!("/v1/books/{}/webhooks/{}", session.ledger.name(), request.name);
    Ok((StatusCode::CREATED, [(header::LOCATION, path)], Json(made)).into_response())
}

async fn show(session: Session, Path((_, name)): OfWebhook) -> Result<Json<WebhookState>, Problem> {
    Ok(Json(session.ledger.webhooks().find(&name).await?))
}

async fn change(
    State(service): State<Service>,
    session: Session,
    Path((_, name)): OfWebhook,
    ask::Optional(change): ask::Optional<WebhookChange>,
) -> Result<Json<WebhookState>, Problem> {
    let private = service.settings.webhooks.private_addresses;
    Ok(Json(session.ledger.webhooks().change(&name, &change, private).await?))
}

async fn delete(session: Session, Path((_, name)): OfWebhook) -> Result<StatusCode, Problem> {
    session.ledger.webhooks().delete(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn rotate(
    session: Session,
    Path((_, name)): OfWebhook,
    ask::Optional(Rotation { overlap_seconds }): ask::Optional<Rotation>,
) -> Result<Json<MadeWebhook>, Problem> {
    Ok(Json(session.ledger.webhooks().rotate_secret(&name, overlap_seconds).await?))
}

async fn test(
    State(service): State<Service>,
    session: Session,
    Path((_, name)): OfWebhook,
) -> Result<Json<TestAnswer>, Problem> {
    let tested = service.courier.test(&session.ledger, &name).await?;
    let taken_ms = u64::try_from(tested.taken.as_millis()).unwrap_or(u64::MAX);
    let (delivered, error) = match tested.outcome {
        Outcome::Delivered => (true, None),
        Outcome::Gone => (false, Some("410: the receiver is gone".to_owned())),
        Outcome::Failed { error, .. } => (false, Some(error)),
    };
    Ok(Json(TestAnswer { delivered, error, taken_ms }))
}

async fn parked(
    session: Session,
    Path((_, name)): OfWebhook,
) -> Result<Json<ParkedMessages>, Problem> {
    Ok(Json(ParkedMessages { parked: session.ledger.webhooks().parked().of(&name).await? }))
}

async fn resend(
    session: Session,
    Path((_, name)): OfWebhook,
    ask::Optional(choice): ask::Optional<ParkedChoice>,
) -> Result<Json<Messages>, Problem> {
    Ok(Json(Messages {
        messages: session.ledger.webhooks().parked().resend(&name, &choice).await?,
    }))
}

async fn drop_parked(
    session: Session,
    Path((_, name)): OfWebhook,
    ask::Optional(choice): ask::Optional<ParkedChoice>,
) -> Result<Json<Messages>, Problem> {
    Ok(Json(Messages {
        messages: session.ledger.webhooks().parked().discard(&name, &choice).await?,
    }))
}

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        let told = Self::told(error.blame(), error.code(), error.to_string());
        match error {
            WebhookError::Unknown(_) => told.refined(StatusCode::NOT_FOUND),
            WebhookError::Exists(_) | WebhookError::Busy(_) => told.refined(StatusCode::CONFLICT),
            WebhookError::Url(_) => told.at("url"),
            WebhookError::Refused(_) | WebhookError::Type(_) => told,
            WebhookError::Failure(failure) => failure.into(),
        }
    }
}
