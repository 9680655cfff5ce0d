//! What stands around a command: who asks, why, under which request id, and what came of it.

use daicho_events::{Actor, Position, Query, Recorded};
use daicho_store::Request;

use super::secret::KeySecret;

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
    /// From `Decisions::request_key`.
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
    /// A secret that was made for it: nothing else has it, and no later answer shows it again.
    pub secret: Option<KeySecret>,
}

impl Context {
    /// Whose rights the rules of the domain ask about.
    pub(super) fn person(&self) -> &Actor {
        self.on_behalf_of.as_ref().unwrap_or(&self.actor)
    }

    /// What must not change under a decision besides what it knows.
    pub(super) fn expected(&self) -> Query {
        let tag = |expected: &Expectation| Query::about(expected.tag.as_str().into());
        self.expects.as_ref().map(tag).unwrap_or_default()
    }
}

impl Executed {
    /// The identity of this kind that its events are about, such as the id that was made.
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
