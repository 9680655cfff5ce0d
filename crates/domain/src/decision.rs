//! The shape of every command: what it must know, how that is folded, and the rules.

use daicho_events::{Actor, NewEvent, Query, Recorded};
use daicho_values::Timestamp;
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use ulid::Ulid;

use crate::Rejection;

/// How often a decision may ask again as more is known.
pub const QUERY_ROUNDS_MAX: usize = 4;

/// One command: what it must know, and what it may do. Pure: the same inputs give the same answer.
pub trait Decision {
    /// What is known: a struct of shared folds, made by `known!`.
    type State: Default;
    /// The rules that may be broken.
    type Rejection: Rejection;

    /// What must be known. Asked again as more is known, at one frozen head, at most
    /// [`QUERY_ROUNDS_MAX`] times; the state then holds all that the last query names.
    fn query(&self, known: &Self::State) -> Query;

    /// Folds one event in. Cannot fail: it already happened.
    fn evolve(state: &mut Self::State, event: &Recorded);

    /// The rules, cheapest first, one line each; then what happens.
    ///
    /// # Errors
    /// The first broken rule.
    fn decide(&self, state: &Self::State, at: &Moment) -> Result<Vec<NewEvent>, Self::Rejection>;
}

/// A decision that the outside may ask for by name.
pub trait Command:
    Decision + Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static
{
    /// Stable name, `family.verb`, e.g. `order.place`.
    const NAME: &'static str;
    /// Fields that the edge fills with a new id where the caller leaves them out.
    const NEW_IDS: &'static [&'static str] = &[];
    /// Fields that the edge seals before the command is made.
    const PERSONAL: Option<Personal> = None;
}

/// Which fields of a command are personal. The caller writes plain text there; `app` replaces it by
/// the sealed value before the command exists.
#[derive(Debug, Clone, Copy)]
pub struct Personal {
    /// The field with the person's id.
    pub person: &'static str,
    /// The kind of the person's tag, `member`.
    pub kind: &'static str,
    /// The class of key, `contact`.
    pub class: &'static str,
    /// The personal fields.
    pub fields: &'static [PersonalField],
}

/// One personal field.
#[derive(Debug, Clone, Copy)]
pub struct PersonalField {
    /// Its name.
    pub name: &'static str,
    /// The field that takes the keyed index of its normalised text, where uniqueness is asked.
    pub index: Option<&'static str>,
}

/// When, by whom, and with which randomness a decision is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// The node's clock.
    pub now: Timestamp,
    /// Whose rights count: who acts, or on whose behalf.
    pub actor: Actor,
    /// 80 random bits for ids made inside the decision.
    pub entropy: u128,
}

impl Moment {
    /// The `n`-th id of this decision: a ULID of this moment.
    pub fn id<T: From<Ulid>>(&self, n: u32) -> T {
        let milliseconds = self.now.as_microseconds().max(0).unsigned_abs() / 1_000;
        Ulid::from_parts(milliseconds, self.entropy.wrapping_add(u128::from(n))).into()
    }
}

/// Declares what a command must know: a struct of shared folds, each applied to every event.
macro_rules! known {
    ($(#[$meta:meta])* pub struct $name:ident { $($field:ident: $fold:ty,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Default)]
        pub struct $name { $($field: $fold,)+ }

        impl $name {
            fn apply(&mut self, event: &daicho_events::Recorded) {
                $($crate::state::Fold::apply(&mut self.$field, event);)+
            }
        }
    };
}
