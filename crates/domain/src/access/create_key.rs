//! Makes a key of the API.

use daicho_events::access::{KeyCreated, Role};
use daicho_events::{Actor, NewEvent, Query, Recorded};
use daicho_values::{Date, KeyId, Name, Scope, Sha256};

use crate::acting::{StaffOnly, staff_only};
use crate::state::{Keys, Shop};
use crate::{Decision, Moment};

/// Makes a key, whose secret only its maker has seen.
///
/// No command that is given by name: the secret behind the hash is the ledger's to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateKey {
    /// The new key.
    pub key: KeyId,
    /// What it is for.
    pub name: Name,
    /// Who acts where it is used.
    pub actor: Actor,
    /// What it may do at most.
    pub role: Role,
    /// What it is narrowed to within its role; empty: all that the role may.
    pub scopes: Vec<Scope>,
    /// SHA-256 of its secret.
    pub secret_sha256: Sha256,
    /// The last day on which it opens.
    pub expires_on: Option<Date>,
}

rejections! {
    /// Why a key is not made.
    pub enum CreateKeyRejection {
        /// One id, one key.
        IdUsed { key: KeyId } = "key_id_used":
            "key {key} is already there: ask again, with another id",
        /// A member signs in; a key is a program's or a person's of the shop.
        ForMember { actor: Actor } = "key_for_member":
            "a key of {actor}: keys are for staff:<log-in> and system:<name>; a program that acts \
             for a member says so with each request",
        /// A key that never opens is a mistake.
        Expired { expires_on: Date, today: Date } = "key_expires_in_the_past":
            "the key would end on {expires_on}, and today is {today}: give a day to come, or none",
        shared {
            /// Members do not say who may do what.
            StaffOnly(StaffOnly),
        }
    }
}

known! {
    /// The shop, for its days, and whether the id is free.
    pub struct Known { shop: Shop, keys: Keys, }
}

impl Decision for CreateKey {
    type State = Known;
    type Rejection = CreateKeyRejection;

    fn query(&self, _: &Known) -> Query {
        Shop::query().or(Keys::query(self.key))
    }

    fn evolve(known: &mut Known, event: &Recorded) {
        known.apply(event);
    }

    /// A book that is not open has keys too: whoever opens it may come with one.
    fn decide(&self, known: &Known, at: &Moment) -> Result<Vec<NewEvent>, CreateKeyRejection> {
        staff_only(at, "access.create_key")?;
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
    fn a_member_makes_no_key() {
        let history = [open_book().into(), by(Actor::Member(Sample::sample()))];
        given(history).when(create()).then_rejected("staff_only");
    }
}
