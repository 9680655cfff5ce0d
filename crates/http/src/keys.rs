//! API keys of a book: created, listed, revoked. The secret of a key is shown once.

use axum::Json;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use daicho_app::{CommandRequest, KeyId, KeyRequest, KeyState, Right, Scope};
use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::{Recorded, recorded};
use crate::ask;
use crate::authorise::Session;
use crate::endpoint::{BOOK, Endpoint, schema_of};
use crate::problem::Problem;

const CHAPTER: &str = "keys";

/// A new key.
#[derive(Debug, Serialize, JsonSchema)]
struct MadeKey {
    /// The key's id.
    key: String,
    /// Shown only once: `null` if the request was answered before.
    secret: Option<String>,
    /// Position of the event that records it.
    position: u64,
}

/// The keys of a book.
#[derive(Debug, Serialize, JsonSchema)]
struct Keys {
    #[schemars(with = "Vec<serde_json::Map<String, serde_json::Value>>")]
    keys: Vec<KeyState>,
}

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let keys = format!("{BOOK}/keys");
    vec![
        Endpoint::get("keys", &keys, list)
            .needs(Right::ManageKeys)
            .says(CHAPTER, "Every key ever created, without its secret")
            .answers::<Keys>(200, "The keys"),
        Endpoint::post("access_create_key", &keys, create)
            .needs(Right::ManageKeys)
            .says(CHAPTER, "Creates a key; its secret is in this answer only")
            .body(schema_of::<KeyRequest>())
            .answers::<MadeKey>(201, "The key"),
        Endpoint::post("access_revoke_key", &format!("{keys}/{{key}}/revoke"), revoke)
            .needs(Right::ManageKeys)
            .says(CHAPTER, "Revokes a key at once and permanently")
            .answers::<Recorded>(200, "Recorded"),
    ]
}

/// Refuses a caller with scopes that wants to manage a key with scopes beyond its own.
fn require_say(session: &Session, scopes: &[Scope]) -> Result<(), Problem> {
    if session.caller.may_manage(scopes) {
        return Ok(());
    }
    let detail = "a scoped key can create and revoke only keys whose scopes are a subset of its \
                  own: use a key, or a sign-in, without scopes";
    Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail))
}

async fn list(session: Session) -> Result<Json<Keys>, Problem> {
    Ok(Json(Keys { keys: session.ledger.keys().all().await? }))
}

async fn create(
    session: Session,
    headers: HeaderMap,
    ask::Json(request): ask::Json<KeyRequest>,
) -> Result<Response, Problem> {
    require_say(&session, &request.scopes).map_err(|problem| problem.at("scopes"))?;
    let request = session.request(&headers, |actor| CommandRequest::create_key(&request, actor))?;
    let executed = session.ledger.commands().run(request).await?;
    let key = executed.identity(KeyId::TAG).unwrap_or_default();
    let secret = executed.secret.map(|secret| secret.to_string());
    let made = MadeKey { key, secret, position: executed.first.0 };
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

async fn revoke(
    session: Session,
    headers: HeaderMap,
    Path((_, key)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let key = key.parse::<KeyId>().map_err(|error| Problem::not_found(error.to_string()))?;
    if let Some(known) = session.ledger.keys().find(key).await? {
        require_say(&session, &known.scopes)?;
    }
    let request = session.request(&headers, |actor| CommandRequest::revoke_key(key, actor))?;
    let executed = session.ledger.commands().run(request).await?;
    Ok(recorded(&executed, KeyId::TAG, None))
}
