//! Who calls, and what the caller may do.

use daicho_domain::access::{Right, covers, includes, may};
use daicho_events::Actor;
use daicho_events::access::Role;
use daicho_values::{KeyId, Scope};

/// Who calls, and what the caller may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who acts.
    pub actor: Actor,
    /// Its role: what it may do at most.
    pub role: Role,
    /// The scopes to which it is restricted within its role; empty: all that the role may do.
    pub scopes: Vec<Scope>,
    /// The key with which it authenticated.
    pub key: Option<KeyId>,
}

impl Caller {
    /// Whether it has a right.
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        let in_scope = || self.scopes.iter().any(|scope| covers(scope, right));
        may(self.role, right) && (self.scopes.is_empty() || in_scope())
    }

    /// Whether this caller may create and revoke a key of these scopes: a caller restricted to
    /// scopes has no say over a key that may do more.
    #[must_use]
    pub fn may_manage(&self, scopes: &[Scope]) -> bool {
        let held = |narrow: &Scope| self.scopes.iter().any(|wide| includes(wide, narrow));
        let narrowed = !scopes.is_empty() && scopes.iter().all(held);
        self.may(Right::ManageKeys) && (self.scopes.is_empty() || narrowed)
    }
}
