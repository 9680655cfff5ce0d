//! Revokes a key of the API.

use daicho_events::access::{KeyRevoked, Role};
use daicho_events::{NewEvent, Query};
use daicho_values::KeyId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Right;
use crate::frame::Known;
use crate::state::Keys;
use crate::{By, Command, Decision, Moment};

/// Revokes a key at once, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeKey {
    /// The key.
    pub key: KeyId,
}

rejections! {
    /// Why a key is not revoked.
    pub enum RevokeKeyRejection {
        /// Only an existing key is revoked.
        Unknown { key: KeyId } = "key_unknown": "no key {key} in this book: check the id",
        /// A key is revoked once.
        AlreadyRevoked { key: KeyId } = "key_already_revoked":
            "key {key} is already revoked: nothing is left to do",
    }
}

known! {
    /// The key, and the shop, for its days.
    pub struct RevokeKeyState { keys: Keys, }
}

impl Decision for RevokeKey {
    type State = RevokeKeyState;
    type Rejection = RevokeKeyRejection;

    fn query(&self, _: &Known<RevokeKeyState>) -> Query {
        Keys::query(self.key)
    }

    fn decide(
        &self,
        known: &Known<RevokeKeyState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, RevokeKeyRejection> {
        let unknown = RevokeKeyRejection::Unknown { key: self.key };
        let key = known.keys.get(self.key).ok_or(unknown)?;
        if key.revoked_at.is_some() {
            return Err(RevokeKeyRejection::AlreadyRevoked { key: self.key });
        }
        Ok(vec![NewEvent::on(known.shop.today(at), KeyRevoked { key: self.key })])
    }
}

impl Command for RevokeKey {
    const NAME: &'static str = "access.revoke_key";
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[];
    const NEEDS: Option<Right> = Some(Right::ManageKeys);
    const OPEN_BOOK: bool = false;
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;
    use daicho_events::access::KeyCreated;
    use daicho_values::Sample;

    use super::*;
    use crate::testing::{by, event, given};

    fn revoke() -> RevokeKey {
        RevokeKey { key: Sample::sample() }
    }

    #[test]
    fn a_key_is_ended_once() {
        let created = || event(KeyCreated::sample());
        given([created()]).when(revoke()).then([KeyRevoked { key: Sample::sample() }.into()]);
        given([created(), revoke().into()]).when(revoke()).then_rejected("key_already_revoked");
    }

    #[test]
    fn a_key_that_was_never_made_is_not_ended() {
        given([]).when(revoke()).then_rejected("key_unknown");
    }

    #[test]
    fn a_member_ends_no_key() {
        let history = [event(KeyCreated::sample()), by(Actor::Member(Sample::sample()))];
        given(history).when(revoke()).then_rejected("staff_only");
    }
}
