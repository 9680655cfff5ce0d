//! The one loop that serves every command: read, fold, ask again, decide, append, and on a conflict
//! all of it once more.

use daicho_domain::frame::{self, Known};
use daicho_domain::{Command, QUERY_ROUNDS_MAX};
use daicho_events::{Actor, Header, NewEvent, Position, Query, Recorded};
use daicho_store::{Append, AppendError, Appended, Condition, Log, Request};
use daicho_values::Timestamp;

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
    /// On whose behalf: what that one may not do, nobody does in that name.
    pub on_behalf_of: Option<Actor>,
    /// The event that caused this.
    pub cause: Option<Position>,
    /// Names the request, so that it has one effect and one answer for ever.
    pub request: Option<RequestKey>,
    /// What must still be the last word about a thing, for a caller that insists.
    pub expects: Option<Expectation>,
}

/// The last position about a thing that a caller knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// The thing, `order:01J…`.
    pub tag: String,
    /// The last position recorded about it; 0: there is none.
    pub position: Position,
}

impl Context {
    /// Somebody acts, for no recorded reason, without a request id.
    pub fn of(actor: Actor) -> Self {
        Self { actor, on_behalf_of: None, cause: None, request: None, expects: None }
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

impl Context {
    /// Whose rights the rules of the domain ask about.
    fn person(&self) -> &Actor {
        self.on_behalf_of.as_ref().unwrap_or(&self.actor)
    }

    /// What must not change under a decision besides what it knows.
    fn expected(&self) -> Query {
        let tag = |expected: &Expectation| Query::about(expected.tag.as_str().into());
        self.expects.as_ref().map(tag).unwrap_or_default()
    }
}

impl RequestKey {
    fn named(&self) -> Request {
        Request { id: self.id.clone(), hash: self.hash.clone() }
    }
}

/// What a decision knows, and what it asked to know it.
struct Knowledge<S> {
    known: Known<S>,
    query: Query,
}

impl Ledger {
    /// Decides a command and records what comes of it.
    ///
    /// It is decided on what this process knows: whatever another process has recorded since, the
    /// append finds. Only a rejection asks the record for its newest head first.
    ///
    /// # Errors
    /// A broken rule (the caller can mend it), a conflict (try again), or a failure (ours).
    pub async fn execute<C>(&self, command: &C, context: &Context) -> Result<Executed, ExecuteError>
    where
        C: Command,
        C::State: Send,
    {
        let mut head = self.known_head();
        for _ in 0..CONFLICTS_MAX {
            let Knowledge { known, query } = self.know(command, context.person(), head).await?;
            let moment = self.edge().moment(context.person().clone());
            let decided = match self.unexpected(context, head).await? {
                Some(changed) => Err(changed),
                None => frame::decide(command, &known, &moment).map_err(ExecuteError::rejected),
            };
            let events = match decided {
                Ok(events) => events,
                Err(refusal) => {
                    if let Some(answer) = self.answered(context.request.as_ref()).await? {
                        return Ok(answer);
                    }
                    let newest = self.log().head().await.map_err(Failure::from)?.position;
                    if newest == head {
                        return Err(refusal);
                    }
                    head = newest;
                    continue;
                }
            };
            let query = query.or(context.expected());
            let append = Append {
                events: events.iter().map(|new| translate::to_store(new, context)).collect(),
                condition: Some(Condition { query: translate::query(&query), after: head }),
                request: context.request.as_ref().map(RequestKey::named),
            };
            match self.log().append(append).await {
                Ok(at) => return Ok(self.executed(at, events, context).await?),
                Err(AppendError::Conflict { position }) => {
                    head = self.known_head().max(position);
                }
                Err(AppendError::RequestReused { id, position }) => {
                    return Err(ExecuteError::RequestReused { id, position });
                }
                Err(error) => return Err(Failure::Append(error).into()),
            }
        }
        Err(ExecuteError::Conflict(CONFLICTS_MAX))
    }

    /// What to say where something else than the caller knows was the last word at `head`.
    async fn unexpected(
        &self,
        context: &Context,
        head: u64,
    ) -> Result<Option<ExecuteError>, Failure> {
        let Some(Expectation { tag, position }) = &context.expects else { return Ok(None) };
        let query = translate::query(&context.expected());
        // Of an empty book there is nothing to read: 0 would mean its newest head.
        let last = if head == 0 { None } else { self.log().last(&query, head).await? };
        let at = last.map_or(0, |last| last.position);
        let changed = || ExecuteError::Changed { tag: tag.clone(), expected: position.0, at };
        Ok((at != position.0).then(changed))
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
        match self.log().answered(&request.named()).await {
            Ok(Some(at)) => Ok(Some(self.recorded(at).await?)),
            Ok(None) => Ok(None),
            Err(AppendError::RequestReused { id, position }) => {
                Err(ExecuteError::RequestReused { id, position })
            }
            Err(AppendError::Refused(reason)) => Err(ExecuteError::malformed(reason)),
            Err(error) => Err(Failure::Append(error).into()),
        }
    }

    /// The answer to an append: what was decided, unless the request had been recorded before.
    async fn executed(
        &self,
        at: Appended,
        decided: Vec<NewEvent>,
        context: &Context,
    ) -> Result<Executed, Failure> {
        let Some(recorded_at_us) = at.recorded_at_us else { return self.recorded(at).await };
        let events = (at.first..).zip(decided).map(|(position, new)| Recorded {
            header: Header {
                position: Position(position),
                recorded_at: Timestamp::from_microseconds(recorded_at_us),
                effective_on: new.effective_on,
                actor: context.actor.clone(),
                on_behalf_of: context.on_behalf_of.clone(),
                cause: context.cause,
            },
            event: new.event,
        });
        let (first, last) = (Position(at.first), Position(at.last));
        Ok(Executed { first, last, repeated: false, events: events.collect() })
    }

    /// What stands in the log of a request that had been recorded before.
    async fn recorded(&self, at: Appended) -> Result<Executed, Failure> {
        let everything = daicho_store::Query::everything();
        let limit = usize::try_from(at.last - at.first + 1).unwrap_or(usize::MAX);
        let page = self.log().read(&everything, at.first - 1, at.last, limit).await?;
        let events = page.events.iter().map(translate::from_store).collect::<Result<_, _>>()?;
        let (first, last) = (Position(at.first), Position(at.last));
        Ok(Executed { first, last, repeated: true, events })
    }

    /// The newest position that this process knows of.
    fn known_head(&self) -> u64 {
        self.log().known_head()
    }

    async fn know<C>(
        &self,
        command: &C,
        actor: &Actor,
        head: u64,
    ) -> Result<Knowledge<C::State>, Failure>
    where
        C: Command,
        C::State: Send,
    {
        let mut query = frame::query(command, &Known::default(), actor);
        for _ in 0..QUERY_ROUNDS_MAX {
            let mut known = Known::<C::State>::default();
            for event in self.matching(&query, head).await? {
                known.apply(&event);
            }
            let next = frame::query(command, &known, actor);
            if next == query {
                return Ok(Knowledge { known, query });
            }
            query = next;
        }
        Err(Failure::Limit(format!(
            "what this command must know still grows after {QUERY_ROUNDS_MAX} rounds"
        )))
    }
}
