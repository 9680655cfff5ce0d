//! What every decision knows: the shop, its members, and what the command asks for itself.

use std::ops::Deref;

use daicho_events::Recorded;

use crate::state::{Fold as _, Folds, Members, Shop};

/// What a decision knows: the shop, the members that were asked about, and what it asks for itself.
#[derive(Debug, Default)]
pub struct Known<S> {
    /// The shop.
    pub shop: Shop,
    /// The member who acts, and those whom the command asks about.
    pub members: Members,
    own: S,
}

impl<S> Deref for Known<S> {
    type Target = S;
    fn deref(&self) -> &S {
        &self.own
    }
}

impl<S: Folds> Known<S> {
    /// Folds one event in. Cannot fail: it already happened.
    pub fn apply(&mut self, event: &Recorded) {
        self.shop.apply(event);
        self.members.apply(event);
        self.own.apply(event);
    }
}
