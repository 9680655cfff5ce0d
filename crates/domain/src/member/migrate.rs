//! Brings a member over from another system (移行, R2), registered at once and without a mail.

use daicho_events::access::Role;
use daicho_events::member::{MemberMigrated, MemberRole};
use daicho_events::{NewEvent, Query};
use daicho_values::{MemberId, Name, OrganisationId, SealedText};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::frame::Known;
use crate::state::{MemberIdUsed, Members, OrganisationUnknown, Organisations};
use crate::{By, Command, Decision, Moment, Private};

/// Migrates a member. No mail address comes along, so none is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MigrateMember {
    /// The person, a new id.
    pub member: MemberId,
    /// For whom the person acts.
    pub organisation: OrganisationId,
    /// The name in the other system.
    pub name: SealedText,
    /// What the person may do (R36).
    pub role: MemberRole,
    /// The system that the member comes from.
    pub origin: Name,
}

rejections! {
    /// Why a member is not migrated.
    pub enum MigrateMemberRejection {
        shared {
            /// The organisation comes first.
            OrganisationUnknown(OrganisationUnknown),
            /// An id is one person's.
            MemberIdUsed(MemberIdUsed),
        }
    }
}

known! {
    /// The shop, the organisation, and whether the id is free.
    pub struct MigrateMemberState { organisations: Organisations, }
}

impl Decision for MigrateMember {
    type State = MigrateMemberState;
    type Rejection = MigrateMemberRejection;

    fn query(&self, _: &Known<MigrateMemberState>) -> Query {
        Organisations::query(self.organisation).or(Members::query(self.member))
    }

    fn decide(
        &self,
        known: &Known<MigrateMemberState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, MigrateMemberRejection> {
        known.organisations.known(self.organisation)?;
        known.members.unused(self.member)?;
        let migrated = MemberMigrated {
            member: self.member,
            organisation: self.organisation,
            name: self.name.clone(),
            role: self.role,
            origin: self.origin.clone(),
        };
        Ok(vec![NewEvent::on(known.shop.today(at), migrated)])
    }
}

impl Command for MigrateMember {
    const NAME: &'static str = "member.migrate";
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[Role::Integration];
    const NEW_IDS: &'static [&'static str] = &["member"];
    const PRIVATE: &'static [Private] = &[Private::contact("name", None)];
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;
    use daicho_values::Sample;

    use super::*;
    use crate::member::samples::{complete, member, organisation, register, request};
    use crate::testing::{Step, by, given, open_book};

    fn migrate() -> MigrateMember {
        MigrateMember {
            member: member(1),
            organisation: organisation(1),
            name: Sample::sample(),
            role: MemberRole::Administrator,
            origin: Name::new("ICT Business Mall").unwrap(),
        }
    }

    fn open() -> [Step; 2] {
        [open_book().into(), register().into()]
    }

    #[test]
    fn a_member_of_an_older_shop_comes_over_with_its_origin_r2() {
        let event = MemberMigrated {
            member: member(1),
            organisation: organisation(1),
            name: Sample::sample(),
            role: MemberRole::Administrator,
            origin: Name::new("ICT Business Mall").unwrap(),
        };
        given(open()).when(migrate()).then([event.into()]);
    }

    #[test]
    fn a_migrated_member_is_registered_at_once_r2() {
        let history = open().into_iter().chain([migrate().into()]);
        given(history).when(complete(1)).then_rejected("registration_already_complete");
    }

    #[test]
    fn a_member_acts_for_an_organisation_that_is_known() {
        given([open_book().into()]).when(migrate()).then_rejected("organisation_unknown");
    }

    #[test]
    fn an_id_is_one_persons() {
        let history = open().into_iter().chain([request(1).into()]);
        given(history).when(migrate()).then_rejected("member_id_used");
    }

    #[test]
    fn a_member_does_not_migrate_others() {
        let history = open().into_iter().chain([by(Actor::Member(member(2)))]);
        given(history).when(migrate()).then_rejected("staff_only");
    }

    #[test]
    fn a_shop_that_is_not_open_migrates_nobody() {
        given([]).when(migrate()).then_rejected("shop_not_open");
    }
}
