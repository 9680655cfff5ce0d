//! Who may do what in a book: the keys of the API. Each change of rights is an event, so that it
//! can be asked at any time who could have done a thing.

use std::fmt;
use std::str::FromStr;

use daicho_values::{Date, KeyId, Name, Scope, Sha256};

use crate::Actor;

/// The tag that every change of rights carries.
pub const ACCESS: &str = "access";

family! {
    /// Changes of rights.
    pub enum AccessEvent tags [ACCESS] {
        /// A key was made.
        KeyCreated(KeyCreated) = "access.key_created" 2 from { 1: KeyCreatedV1 },
        /// A key was ended, for ever.
        KeyRevoked(KeyRevoked) = "access.key_revoked" 1,
    }
}

daicho_values::data! {
    /// What the holder of a key is there for.
    pub enum Role {
        /// Runs the shop: everything.
        Operator,
        /// Takes orders to their end (出荷・提供).
        Fulfilment,
        /// Bills and books payments (請求・入金).
        Billing,
        /// Reads, and changes nothing (監査).
        Auditor,
        /// A system of the shop's that sends customers' commands and follows events.
        Integration,
    }
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] =
        [Self::Operator, Self::Fulfilment, Self::Billing, Self::Auditor, Self::Integration];

    /// Its name, as stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Fulfilment => "fulfilment",
            Self::Billing => "billing",
            Self::Auditor => "auditor",
            Self::Integration => "integration",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text is not a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a role: operator, fulfilment, billing, auditor and integration are")]
pub struct RoleError(String);

impl FromStr for Role {
    type Err = RoleError;
    fn from_str(text: &str) -> Result<Self, RoleError> {
        let role = Self::ALL.into_iter().find(|role| role.name() == text);
        role.ok_or_else(|| RoleError(text.to_owned()))
    }
}

event! {
    /// A key opens the book to whoever holds its secret, which stands nowhere in the record.
    pub struct KeyCreated tags [key] {
        /// The key.
        pub key: KeyId,
        /// What it is for, in the words of who made it.
        pub name: Name,
        /// Who acts where the key is used.
        pub actor: Actor,
        /// What it may do at most.
        pub role: Role,
        /// What it is narrowed to within its role; empty: all that the role may.
        pub scopes: Vec<Scope>,
        /// SHA-256 of the secret.
        pub secret_sha256: Sha256,
        /// The last day on which it opens, in the shop's time zone; `null`: until it is revoked.
        pub expires_on: Option<Date>,
    }
}

event! {
    /// Version 1 knew roles only.
    pub struct KeyCreatedV1 tags [key] {
        /// The key.
        pub key: KeyId,
        /// What it is for, in the words of who made it.
        pub name: Name,
        /// Who acts where the key is used.
        pub actor: Actor,
        /// What it may do.
        pub role: Role,
        /// SHA-256 of the secret.
        pub secret_sha256: Sha256,
        /// The last day on which it opens, in the shop's time zone; `null`: until it is revoked.
        pub expires_on: Option<Date>,
    }
}

impl From<KeyCreatedV1> for KeyCreated {
    fn from(old: KeyCreatedV1) -> Self {
        let KeyCreatedV1 { key, name, actor, role, secret_sha256, expires_on } = old;
        Self { key, name, actor, role, scopes: Vec::new(), secret_sha256, expires_on }
    }
}

event! {
    /// The key opens nothing any more.
    pub struct KeyRevoked tags [key] {
        /// The key.
        pub key: KeyId,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_read_by_the_name_under_which_it_is_stored() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(role));
            assert_eq!(serde_json::to_string(&role).unwrap(), format!("\"{role}\""));
        }
        assert!("king".parse::<Role>().unwrap_err().to_string().contains("auditor"));
    }
}
