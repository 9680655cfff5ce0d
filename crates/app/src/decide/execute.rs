//! The one loop that serves every command: it reads, folds, asks for more, decides and appends, and
//! after a conflict it begins again.

use std::sync::Arc;

use daicho_domain::frame::{self, Known};
use daicho_domain::{Command, QUERY_ROUNDS_MAX};
use daicho_events::{Actor, Header, NewEvent, Position, Query, Recorded};
use daicho_store::vault::Vault;
use daicho_store::{Append, AppendError, Appended, Book, Condition, Log};
use daicho_values::Timestamp;

use super::context::{Context, Executed, Expectation, RequestKey};
use super::translate;
use crate::clock_and_entropy::ClockAndEntropy;
use crate::error::{ExecuteError, Failure};
use crate::record::Record;
use crate::storage::Storage;

/// How often a decision is repeated after a conflict.
pub const CONFLICTS_MAX: u32 = 64;

/// What a decision knows, and the query that it asked for this.
struct Knowledge<S> {
    known: Known<S>,
    query: Query,
}

/// Decides commands on the basis of the record and records the resulting events.
pub struct Decisions {
    log: Arc<Book>,
    vault: Arc<dyn Vault>,
    record: Arc<Record>,
    clock_and_entropy: ClockAndEntropy,
}

impl Decisions {
    pub(crate) fn of(storage: &Storage, record: &Arc<Record>) -> Self {
        Self {
            log: Arc::clone(&storage.log),
            vault: Arc::clone(&storage.vault),
            record: Arc::clone(record),
            clock_and_entropy: storage.clock_and_entropy.clone(),
        }
    }

    /// Decides a command and records the resulting events.
    ///
    /// The decision is based on what this process knows: the append detects whatever another
    /// process has recorded since. Only before a rejection is the record asked for its newest head.
    ///
    /// # Errors
    /// A broken rule (the caller can correct the request), a conflict (try again), or a failure
    /// (ours).
    pub async fn execute<C>(&self, command: &C, context: &Context) -> Result<Executed, ExecuteError>
    where
        C: Command,
        C::State: Send,
    {
        let mut head = self.known_head();
        for _ in 0..CONFLICTS_MAX {
            let Knowledge { known, query } = self.know(command, context.person(), head).await?;
            let moment = self.clock_and_entropy.moment(context.person().clone());
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
                    let newest = self.log.head().await.map_err(Failure::from)?.position;
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
            match self.log.append(append).await {
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

    /// The conflict to report if the last position about a thing at `head` is not the one that the
    /// caller knows.
    async fn unexpected(
        &self,
        context: &Context,
        head: u64,
    ) -> Result<Option<ExecuteError>, Failure> {
        let Some(Expectation { tag, position }) = &context.expects else { return Ok(None) };
        let query = translate::query(&context.expected());
        // An empty book has nothing to read, and 0 would mean its newest head.
        let last = if head == 0 { None } else { self.log.last(&query, head).await? };
        let at = last.map_or(0, |last| last.position);
        let changed = || ExecuteError::Changed { tag: tag.clone(), expected: position.0, at };
        Ok((at != position.0).then(changed))
    }

    /// The keyed hash of a plain request under its id.
    ///
    /// # Errors
    /// The vault failed.
    pub async fn request_key(&self, id: &str, plain: &[u8]) -> Result<RequestKey, Failure> {
        Ok(RequestKey { id: id.to_owned(), hash: self.vault.request_hash(plain).await? })
    }

    /// The first answer to a request that was recorded before.
    pub(crate) async fn answered(
        &self,
        request: Option<&RequestKey>,
    ) -> Result<Option<Executed>, ExecuteError> {
        let Some(request) = request else { return Ok(None) };
        match self.log.answered(&request.named()).await {
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
        Ok(Executed { first, last, repeated: false, events: events.collect(), secret: None })
    }

    /// The recorded events of a request that had been recorded before.
    async fn recorded(&self, at: Appended) -> Result<Executed, Failure> {
        let everything = daicho_store::Query::everything();
        let limit = usize::try_from(at.last - at.first + 1).unwrap_or(usize::MAX);
        let page = self.log.read(&everything, at.first - 1, at.last, limit).await?;
        let events = page.events.iter().map(translate::from_store).collect::<Result<_, _>>()?;
        let (first, last) = (Position(at.first), Position(at.last));
        Ok(Executed { first, last, repeated: true, events, secret: None })
    }

    /// The newest position that this process knows of.
    fn known_head(&self) -> u64 {
        self.log.known_head()
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
            for event in self.record.matching(&query, head).await? {
                known.apply(&event);
            }
            let next = frame::query(command, &known, actor);
            if next == query {
                return Ok(Knowledge { known, query });
            }
            query = next;
        }
        Err(Failure::Unsettled { rounds: QUERY_ROUNDS_MAX })
    }
}
