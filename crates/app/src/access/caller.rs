//! Who calls, and what that one may do.

use daicho_domain::access::{Right, covers, includes, may};
use daicho_events::Actor;
use daicho_events::access::Role;
use daicho_values::{KeyId, Scope};

/// Who calls, and what that one may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who acts.
    pub actor: Actor,
    /// What it may do at most.
    pub role: Role,
    /// What it is narrowed to within its role; empty: all that the role may.
    pub scopes: Vec<Scope>,
    /// The key it came with.
    pub key: Option<KeyId>,
}

impl Caller {
    /// Whether it has a right.
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        let in_scope = || self.scopes.iter().any(|scope| covers(scope, right));
        may(self.role, right) && (self.scopes.is_empty() || in_scope())
    }

    /// Whether a key of these scopes is this caller's to make and to end: who is narrowed has no
    /// say over one that may more.
    #[must_use]
    pub fn may_manage(&self, scopes: &[Scope]) -> bool {
        let held = |narrow: &Scope| self.scopes.iter().any(|wide| includes(wide, narrow));
        let narrowed = !scopes.is_empty() && scopes.iter().all(held);
        self.may(Right::ManageKeys) && (self.scopes.is_empty() || narrowed)
    }
}
