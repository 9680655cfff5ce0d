//! Creates a key of the API.

use daicho_events::access::{KeyCreated, Role};
use daicho_events::{Actor, NewEvent, Query};
use daicho_values::{Date, KeyId, Name, Scope, Sha256};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Right, covers, may};
use crate::frame::Known;
use crate::state::Keys;
use crate::{By, COMMANDS, Command, CommandRow, Decision, Moment, Private};

/// Creates a key. Its secret is shown once, to its creator; the record has only the hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// The new key.
    pub key: KeyId,
    /// What it is for.
    pub name: Name,
    /// The actor of what is done with it.
    pub actor: Actor,
    /// What it may do at most.
    pub role: Role,
    /// What it is narrowed to within its role; empty: all that the role may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<Scope>,
    /// SHA-256 of its secret.
    pub secret_sha256: Sha256,
    /// The last day on which it is valid; left out: until it is revoked.
    #[serde(default)]
    pub expires_on: Option<Date>,
}

rejections! {
    /// Why a key is not created.
    pub enum CreateKeyRejection {
        /// An id names one key.
        IdUsed { key: KeyId } = "key_id_used":
            "key {key} is already there: ask again, with another id",
        /// A member signs in; a key is a program's or a person's of the shop.
        ForMember { actor: Actor } = "key_for_member":
            "a key of {actor}: keys are for staff:<log-in> and system:<name>; a program that acts \
             for a member says so with each request",
        /// A key that is never valid is a mistake.
        Expired { expires_on: Date, today: Date } = "key_expires_in_the_past":
            "the key would end on {expires_on}, and today is {today}: give a day to come, or none",
        /// A key that may do nothing is a mistake, such as one with a misspelt command name.
        EmptyScope { scope: Scope, role: Role } = "scope_leaves_nothing":
            "the scope `{scope}` leaves the role {role} nothing: name what that role may do, or \
             leave it out",
    }
}

known! {
    /// The shop, for its days, and whether the id is free.
    pub struct CreateKeyState { keys: Keys, }
}

impl Decision for CreateKey {
    type State = CreateKeyState;
    type Rejection = CreateKeyRejection;

    fn query(&self, _: &Known<CreateKeyState>) -> Query {
        Keys::query(self.key)
    }

    /// A book that is not open has keys too: the caller who opens it may use one.
    fn decide(
        &self,
        known: &Known<CreateKeyState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, CreateKeyRejection> {
        if known.keys.get(self.key).is_some() {
            return Err(CreateKeyRejection::IdUsed { key: self.key });
        }
        if matches!(self.actor, Actor::Member(_)) {
            return Err(CreateKeyRejection::ForMember { actor: self.actor.clone() });
        }
        let today = known.shop.today(at);
        if let Some(expires_on) = self.expires_on.filter(|last| *last < today) {
            return Err(CreateKeyRejection::Expired { expires_on, today });
        }
        if let Some(scope) = self.scopes.iter().find(|scope| leaves_nothing(scope, self.role)) {
            return Err(CreateKeyRejection::EmptyScope { scope: scope.clone(), role: self.role });
        }
        let created = KeyCreated {
            key: self.key,
            name: self.name.clone(),
            actor: self.actor.clone(),
            role: self.role,
            scopes: self.scopes.clone(),
            secret_sha256: self.secret_sha256.clone(),
            expires_on: self.expires_on,
        };
        Ok(vec![NewEvent::on(today, created)])
    }
}

/// Whether a role that is narrowed to this scope may do nothing at all.
fn leaves_nothing(scope: &Scope, role: Role) -> bool {
    let mut rights = Right::PLAIN.into_iter().chain(COMMANDS.iter().map(CommandRow::right));
    !rights.any(|right| covers(scope, right) && may(role, right))
}

impl Command for CreateKey {
    const NAME: &'static str = "access.create_key";
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[];
    const NEEDS: Option<Right> = Some(Right::ManageKeys);
    const OPEN_BOOK: bool = false;
    const NEW_IDS: &'static [&'static str] = &["key"];
    const PRIVATE: &'static [Private] = &[Private::Secret { field: "secret_sha256", key: "key" }];
}

#[cfg(test)]
mod tests {
    use daicho_values::Sample;

    use super::*;
    use crate::testing::{by, day, given, open_book};

    fn create() -> CreateKey {
        CreateKey {
            key: Sample::sample(),
            name: Sample::sample(),
            actor: "system:crm".parse().unwrap(),
            role: Role::Integration,
            scopes: vec![Sample::sample()],
            secret_sha256: Sample::sample(),
            expires_on: Some(day("2026-05-11")),
        }
    }

    #[test]
    fn a_key_is_made_with_its_hash_and_opens_until_the_end_of_its_last_day() {
        let outcome = given([open_book().into()]).when(create());
        let created = KeyCreated {
            key: Sample::sample(),
            name: Sample::sample(),
            actor: "system:crm".parse().unwrap(),
            role: Role::Integration,
            scopes: vec![Sample::sample()],
            secret_sha256: Sample::sample(),
            expires_on: Some(day("2026-05-11")),
        };
        assert_eq!(outcome.events(), [NewEvent::on(day("2026-05-11"), created)]);
    }

    #[test]
    fn a_book_that_is_not_open_has_keys_too() {
        given([]).when(create()).then_types(["access.key_created"]);
    }

    #[test]
    fn a_key_is_made_once() {
        given([create().into()]).when(create()).then_rejected("key_id_used");
    }

    #[test]
    fn a_member_has_no_key() {
        let for_member = CreateKey { actor: Actor::Member(Sample::sample()), ..create() };
        given([]).when(for_member).then_rejected("key_for_member");
    }

    #[test]
    fn a_key_that_never_opens_is_not_made() {
        let ended = CreateKey { expires_on: Some(day("2026-05-10")), ..create() };
        given([open_book().into()]).when(ended).then_rejected("key_expires_in_the_past");
    }

    #[test]
    fn a_scope_that_leaves_the_role_nothing_is_refused() {
        for (role, scope) in [(Role::Auditor, "run"), (Role::Operator, "run:orders")] {
            let scopes = vec![scope.parse().unwrap()];
            let empty = CreateKey { role, scopes, ..create() };
            given([open_book().into()]).when(empty).then_rejected("scope_leaves_nothing");
        }
        let former = CreateKey { scopes: vec!["run:order.take_back".parse().unwrap()], ..create() };
        given([open_book().into()]).when(former).then_types(["access.key_created"]);
    }

    #[test]
    fn a_member_makes_no_key() {
        let history = [open_book().into(), by(Actor::Member(Sample::sample()))];
        given(history).when(create()).then_rejected("staff_only");
    }
}
