//! Who acts: a member of a customer, a person of the staff, or a program.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use daicho_values::{Login, MemberId, Sample};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

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
