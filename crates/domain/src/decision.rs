//! The shape of every command: what it must know, what it may do, and who gives it.

use daicho_events::access::Role;
use daicho_events::{NewEvent, Query};
use daicho_values::{MemberId, OrganisationId};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::access::Right;
use crate::frame::Known;
use crate::state::Folds;
use crate::{Moment, Private, Rejection};

/// How often a decision may ask again as more is known.
pub const QUERY_ROUNDS_MAX: usize = 4;

/// What a command must know, and what it may do. Pure: the same inputs give the same answer.
///
/// The frame ([`crate::frame`]) knows the shop and who acts, folds what is read, and asks whether
/// the book is open and who may act. This trait has only what is each command's own.
pub trait Decision: Sized {
    /// What is known besides: a struct of shared folds, made by `known!`, or `()`.
    type State: Folds;
    /// The rules that may be broken.
    type Rejection: Rejection;

    /// What must be known besides. Asked again as more is known, at one frozen head, at most
    /// [`QUERY_ROUNDS_MAX`] times; the state then holds all that the last query names.
    fn query(&self, known: &Known<Self::State>) -> Query;

    /// The rules, cheapest first, one line each; then what happens.
    ///
    /// # Errors
    /// The first broken rule.
    fn decide(
        &self,
        known: &Known<Self::State>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, Self::Rejection>;
}

/// A decision that callers may ask for by name.
pub trait Command:
    Decision + Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static
{
    /// Stable name, `family.verb`, e.g. `order.place`.
    const NAME: &'static str;
    /// Names that it had in earlier releases; they are understood for ever.
    const FORMER_NAMES: &'static [&'static str] = &[];
    /// Who gives it.
    const BY: By<Self>;
    /// The roles of the service that may give it, besides the operator, who may give every command.
    const ROLES: &'static [Role];
    /// The right of the service that it needs instead of the right to give it by name.
    const NEEDS: Option<Right> = None;
    /// Whether it needs an open book.
    const OPEN_BOOK: bool = true;
    /// Fields that the edge fills with a new id where the caller leaves them out.
    const NEW_IDS: &'static [&'static str] = &[];
    /// Fields that the edge seals or makes before the command exists.
    const PRIVATE: &'static [Private] = &[];
}

/// Who gives a command. The shop's staff and its programs may give every one.
pub enum By<C: Decision> {
    /// Anybody, known or not.
    Anyone,
    /// Nobody but staff and programs (R65).
    Staff,
    /// The member whom the command names, once registered (R9).
    Named(fn(&C) -> MemberId),
    /// A registered member of the organisation that the thing belongs to; `None`: no such thing.
    Member(fn(&C, &Known<C::State>) -> Option<OrganisationId>),
    /// Such a member who may also order (R36): the command binds the organisation.
    Administrator(fn(&C, &Known<C::State>) -> Option<OrganisationId>),
}

/// Declares what a command must know besides the shop and its members: a struct of shared folds,
/// each applied to every event.
macro_rules! known {
    ($(#[$meta:meta])* pub struct $name:ident { $($field:ident: $fold:ty,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Default)]
        pub struct $name { $($field: $fold,)+ }

        impl $crate::state::Folds for $name {
            fn apply(&mut self, event: &daicho_events::Recorded) {
                $($crate::state::Fold::apply(&mut self.$field, event);)+
            }
        }
    };
}
