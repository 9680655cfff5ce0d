//! The one loop that serves every command: read, fold, ask again, decide, append, and on a conflict
//! all of it once more.

use daicho_domain::{Decision, QUERY_ROUNDS_MAX};
use daicho_events::{Actor, Position, Query, Recorded};
use daicho_store::{Append, AppendError, Condition, Log, Request};

use crate::error::{ExecuteError, Failure};
use crate::ledger::Ledger;
use crate::translate;

/// Events that one decision may read.
pub const DECISION_EVENTS_MAX: usize = 100_000;
/// How often a decision is taken again after a conflict.
pub const CONFLICTS_MAX: u32 = 64;

/// Who asks, why, and under which request id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Who acts.
    pub actor: Actor,
    /// The event that caused this.
    pub cause: Option<Position>,
    /// Names the request, so that it has one effect and one answer for ever.
    pub request: Option<RequestKey>,
}

impl Context {
    /// Somebody acts, for no recorded reason, without a request id.
    pub fn of(actor: Actor) -> Self {
        Self { actor, cause: None, request: None }
    }
}

/// A request id and the keyed hash of what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// The caller's id.
    pub id: String,
    /// From [`Ledger::request_key`].
    pub hash: String,
}

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// Position of its first event.
    pub first: Position,
    /// Position of its last event.
    pub last: Position,
    /// It had been recorded before: this is the first answer again.
    pub repeated: bool,
    /// Its events.
    pub events: Vec<Recorded>,
}

/// What a decision knows, and how it knows it.
struct Knowledge<S> {
    state: S,
    query: Query,
    head: u64,
}

impl Ledger {
    /// Decides a command and records what comes of it.
    ///
    /// # Errors
    /// A broken rule (the caller can mend it), a conflict (try again), or a failure (ours).
    pub async fn execute<D>(&self, command: &D, context: &Context) -> Result<Executed, ExecuteError>
    where
        D: Decision + Sync,
        D::State: Send,
    {
        if let Some(answer) = self.answered(context.request.as_ref()).await? {
            return Ok(answer);
        }
        for _ in 0..CONFLICTS_MAX {
            let known = self.know(command).await?;
            let moment = self.edge().moment(context.actor.clone());
            let events = command
                .decide(&known.state, &moment)
                .map_err(|rejection| ExecuteError::Rejected(Box::new(rejection)))?;
            let append = Append {
                events: events.iter().map(|new| translate::to_store(new, context)).collect(),
                condition: Some(Condition {
                    query: translate::query(&known.query),
                    after: known.head,
                }),
                request: context
                    .request
                    .as_ref()
                    .map(|request| Request { id: request.id.clone(), hash: request.hash.clone() }),
            };
            match self.log().append(append).await {
                Ok(at) => return Ok(self.executed(at.first, at.last, at.repeated).await?),
                Err(AppendError::Conflict { .. }) => {}
                Err(AppendError::RequestReused { id, position }) => {
                    return Err(ExecuteError::RequestReused { id, position });
                }
                Err(error) => return Err(Failure::Append(error).into()),
            }
        }
        Err(ExecuteError::Conflict(CONFLICTS_MAX))
    }

    /// The keyed hash of a plain request under its id.
    ///
    /// # Errors
    /// The vault failed.
    pub async fn request_key(&self, id: &str, plain: &[u8]) -> Result<RequestKey, Failure> {
        Ok(RequestKey { id: id.to_owned(), hash: self.vault().request_hash(plain).await? })
    }

    /// The first answer to a request that was recorded before.
    pub(crate) async fn answered(
        &self,
        request: Option<&RequestKey>,
    ) -> Result<Option<Executed>, ExecuteError> {
        let Some(request) = request else { return Ok(None) };
        let named = Request { id: request.id.clone(), hash: request.hash.clone() };
        match self.log().answered(&named).await {
            Ok(Some(at)) => Ok(Some(self.executed(at.first, at.last, true).await?)),
            Ok(None) => Ok(None),
            Err(AppendError::RequestReused { id, position }) => {
                Err(ExecuteError::RequestReused { id, position })
            }
            Err(AppendError::Refused(reason)) => Err(ExecuteError::Malformed(reason)),
            Err(error) => Err(Failure::Append(error).into()),
        }
    }

    async fn executed(&self, first: u64, last: u64, repeated: bool) -> Result<Executed, Failure> {
        let everything = daicho_store::Query::everything();
        let limit = usize::try_from(last - first + 1).unwrap_or(usize::MAX);
        let page = self.log().read(&everything, first - 1, last, limit).await?;
        let events = page.events.iter().map(translate::from_store).collect::<Result<_, _>>()?;
        Ok(Executed { first: Position(first), last: Position(last), repeated, events })
    }

    async fn know<D>(&self, command: &D) -> Result<Knowledge<D::State>, Failure>
    where
        D: Decision + Sync,
        D::State: Send,
    {
        let head = self.log().head().await?.position;
        let mut query = command.query(&D::State::default());
        for _ in 0..QUERY_ROUNDS_MAX {
            let mut state = D::State::default();
            for event in self.matching(&query, head).await? {
                D::evolve(&mut state, &event);
            }
            let next = command.query(&state);
            if next == query {
                return Ok(Knowledge { state, query, head });
            }
            query = next;
        }
        Err(Failure::Limit(format!(
            "what this command must know still grows after {QUERY_ROUNDS_MAX} rounds"
        )))
    }
}
