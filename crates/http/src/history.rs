//! What happened to one thing, the oldest event first.

use axum::Json;
use axum::extract::Path;
use daicho_app::{HistoryLine, KnownAt, Position, Right};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ask::Asked;
use crate::authorise::Session;
use crate::endpoint::{BOOK, Endpoint};
use crate::problem::Problem;

/// Lines of a page by default.
const LIMIT: usize = 100;
/// Most lines of a page.
const LIMIT_MAX: usize = 1_000;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("history", &format!("{BOOK}/history/{{tag}}"), history)
            .needs(Right::Read)
            .says("lists", "What happened to one thing, named by its tag, `order:01J…`")
            .asks::<HistoryQuery>()
            .answers::<HistoryAnswer>(200, "The events, oldest first"),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HistoryQuery {
    /// Only events after this position: the `next` of the previous page.
    #[serde(default)]
    after: Position,
    /// Lines of the page, 1 to 1,000.
    #[serde(default = "limit")]
    #[schemars(range(min = 1, max = 1_000))]
    limit: usize,
}

fn limit() -> usize {
    LIMIT
}

#[derive(Serialize, JsonSchema)]
struct HistoryAnswer {
    /// For each event: who, what, when it was recorded, from when it takes effect, what caused it.
    #[schemars(with = "Vec<serde_json::Map<String, serde_json::Value>>")]
    lines: Vec<HistoryLine>,
    /// Give it as `after` to get the next page; absent: this is the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Position>,
}

async fn history(
    session: Session,
    Path((_, tag)): Path<(String, String)>,
    Asked(query): Asked<HistoryQuery>,
) -> Result<Json<HistoryAnswer>, Problem> {
    if !(1..=LIMIT_MAX).contains(&query.limit) {
        return Err(Problem::malformed(format!("a page has 1 to {LIMIT_MAX} lines")).at("limit"));
    }
    session.ledger.record().position_of(Some(KnownAt::Position(query.after))).await?;
    let privacy = session.privacy();
    let mut lines =
        session.ledger.history().page_about(&tag, query.after, query.limit + 1, privacy).await?;
    let more = lines.len() > query.limit;
    lines.truncate(query.limit);
    let next = lines.last().filter(|_| more).map(|line| line.position);
    Ok(Json(HistoryAnswer { lines, next }))
}
