//! An event with what the ledger says of it: position, times, actor, cause.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use daicho_values::{Date, Login, MemberId, Sample, Timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::Event;

/// A position in a book: 1, 2, 3 …, no gap, no duplicate. 0 stands before the first event.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Position(#[schemars(range(max = 9_223_372_036_854_775_807_u64))] pub u64);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Sample for Position {
    fn sample() -> Self {
        Self(1)
    }
}

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A member of a customer's organisation.
    Member(MemberId),
    /// A person of the shop's staff, by log-in name.
    Staff(Login),
    /// A program: an import, a billing run.
    System(Login),
}

/// A text names nobody who can act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an actor: write member:<id>, staff:<log-in> or system:<name>")]
pub struct ActorError(String);

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(member) => write!(f, "member:{member}"),
            Self::Staff(login) => write!(f, "staff:{login}"),
            Self::System(name) => write!(f, "system:{name}"),
        }
    }
}

impl FromStr for Actor {
    type Err = ActorError;
    fn from_str(text: &str) -> Result<Self, ActorError> {
        let actor = || match text.split_once(':')? {
            ("member", id) => id.parse().ok().map(Self::Member),
            ("staff", login) => Login::new(login).ok().map(Self::Staff),
            ("system", name) => Login::new(name).ok().map(Self::System),
            _ => None,
        };
        actor().ok_or_else(|| ActorError(text.to_owned()))
    }
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Actor {
    fn schema_name() -> Cow<'static, str> {
        "Actor".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^(member|staff|system):.+$" })
    }
}

impl Sample for Actor {
    fn sample() -> Self {
        Self::System(Login::sample())
    }
}

/// What the ledger says of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Where it stands.
    pub position: Position,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The business day from which it counts.
    pub effective_on: Date,
    /// Who acted.
    pub actor: Actor,
    /// On whose behalf.
    pub on_behalf_of: Option<Actor>,
    /// The event that caused it.
    pub cause: Option<Position>,
}

/// An event and its header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded<E = Event> {
    /// The ledger's part.
    pub header: Header,
    /// The domain's part.
    pub event: E,
}

/// An event that a decision wants recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// What happened.
    pub event: Event,
    /// The business day from which it counts.
    pub effective_on: Date,
}

impl NewEvent {
    /// Counts from this day.
    pub fn on(day: Date, event: impl Into<Event>) -> Self {
        Self { event: event.into(), effective_on: day }
    }
}
