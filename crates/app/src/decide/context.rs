//! The context of a command: who asks, why, under which request id, and the result.

use daicho_events::{Actor, Position, Query, Recorded};
use daicho_store::Request;

use super::secret::KeySecret;

/// Who asks, why, and under which request id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Who acts.
    pub actor: Actor,
    /// On whose behalf: a command that this one has no right to give is refused.
    pub on_behalf_of: Option<Actor>,
    /// The event that caused this.
    pub cause: Option<Position>,
    /// Identifies the request, so that it has only one effect and one answer, however often it is
    /// sent.
    pub request: Option<RequestKey>,
    /// The last position about a thing that the caller knows, if the command is to be refused when
    /// there is a newer one.
    pub expects: Option<Expectation>,
}

/// The last position about a thing that a caller knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// The thing, `order:01J…`.
    pub tag: String,
    /// The last position recorded about it; 0 if there is none.
    pub position: Position,
}

impl Context {
    /// An actor alone, without a recorded cause and without a request id.
    pub fn of(actor: Actor) -> Self {
        Self { actor, on_behalf_of: None, cause: None, request: None, expects: None }
    }
}

/// A request id and the keyed hash of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// The caller's id.
    pub id: String,
    /// From `Decisions::request_key`.
    pub hash: String,
}

/// The result of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// Position of its first event.
    pub first: Position,
    /// Position of its last event.
    pub last: Position,
    /// Whether it had been recorded before: then this repeats the first answer.
    pub repeated: bool,
    /// Its events.
    pub events: Vec<Recorded>,
    /// A secret that was generated for it: it is stored nowhere, and no later answer shows it
    /// again.
    pub secret: Option<KeySecret>,
}

impl Context {
    /// The actor whose rights the rules of the domain check.
    pub(super) fn person(&self) -> &Actor {
        self.on_behalf_of.as_ref().unwrap_or(&self.actor)
    }

    /// What must not change while a decision is taken, besides what the decision has read.
    pub(super) fn expected(&self) -> Query {
        let tag = |expected: &Expectation| Query::about(expected.tag.as_str().into());
        self.expects.as_ref().map(tag).unwrap_or_default()
    }
}

impl Executed {
    /// The identity of this kind that its events are about, such as an id that was generated.
    pub fn identity(&self, kind: &str) -> Option<String> {
        let tags = self.events.iter().flat_map(|recorded| recorded.event.tags());
        let mut identities = tags.filter_map(|tag| {
            tag.as_str().split_once(':').filter(|(of, _)| *of == kind).map(|(_, id)| id.to_owned())
        });
        identities.next()
    }
}

impl RequestKey {
    pub(super) fn named(&self) -> Request {
        Request { id: self.id.clone(), hash: self.hash.clone() }
    }
}
