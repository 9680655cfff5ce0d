//! Brings a member over from another system (移行, R2), registered at once and without a mail.

use daicho_events::registration::{MemberMigrated, MemberRole};
use daicho_events::{NewEvent, Query, Recorded};
use daicho_values::{MemberId, Name, OrganisationId, SealedText};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::acting::{StaffOnly, staff_only};
use crate::state::{MemberIdUsed, Members, OrganisationUnknown, Organisations, Shop, ShopNotOpen};
use crate::{Command, Decision, Moment, Personal, PersonalField};

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
            /// A member does not admit others.
            StaffOnly(StaffOnly),
            /// The shop comes first.
            ShopNotOpen(ShopNotOpen),
            /// The organisation comes first.
            OrganisationUnknown(OrganisationUnknown),
            /// An id is one person's.
            MemberIdUsed(MemberIdUsed),
        }
    }
}

known! {
    /// The shop, the organisation, and whether the id is free.
    pub struct Known { shop: Shop, organisations: Organisations, members: Members, }
}

impl Decision for MigrateMember {
    type State = Known;
    type Rejection = MigrateMemberRejection;

    fn query(&self, _: &Known) -> Query {
        Shop::query()
            .and_types(&["organisation.registered"], self.organisation.tag())
            .and(self.member.tag())
    }

    fn evolve(known: &mut Known, event: &Recorded) {
        known.apply(event);
    }

    fn decide(&self, known: &Known, at: &Moment) -> Result<Vec<NewEvent>, MigrateMemberRejection> {
        staff_only(at, Self::NAME)?;
        known.shop.settings()?;
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
    const NEW_IDS: &'static [&'static str] = &["member"];
    const PERSONAL: Option<Personal> = Some(Personal {
        person: "member",
        kind: "member",
        class: "contact",
        fields: &[PersonalField { name: "name", index: None }],
    });
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;
    use daicho_values::Sample;

    use super::*;
    use crate::registration::samples::{complete, member, organisation, register, request};
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
    fn r2_a_member_of_an_older_shop_comes_over_with_its_origin() {
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
    fn r2_a_migrated_member_is_registered_at_once() {
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
