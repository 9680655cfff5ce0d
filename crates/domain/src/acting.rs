//! Who acts: the shop's staff, or a member for the own organisation. Every command that is not
//! open to all asks here, so that the rule reads the same everywhere.

use daicho_events::{Actor, Query};
use daicho_values::{MemberId, OrganisationId};

use crate::state::{Member, Members};
use crate::{Moment, Rejection};

/// The events that say for which organisation a member acts.
const MEMBERSHIP_TYPES: [&str; 2] = ["member.registration_requested", "member.migrated"];

/// A customer asked for what the shop's staff and programs do (R65).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{command}` is for the shop's staff and programs: ask the shop to do it")]
pub struct StaffOnly {
    command: &'static str,
}

impl Rejection for StaffOnly {
    fn code(&self) -> &'static str {
        "staff_only"
    }
}

/// Lets the shop's staff and programs through.
///
/// # Errors
/// A member asks.
pub fn staff_only(at: &Moment, command: &'static str) -> Result<(), StaffOnly> {
    match at.actor {
        Actor::Staff(_) | Actor::System(_) => Ok(()),
        Actor::Member(_) => Err(StaffOnly { command }),
    }
}

rejections! {
    /// Why a member is not taken as a buyer.
    pub enum BuyerRejection {
        /// A member acts in the own name only.
        ActsForAnother { actor: MemberId, member: MemberId } = "member_acts_for_another":
            "member {actor} cannot act in the name of member {member}: log in as {member}",
        /// No order without registration (R9).
        NotRegistered { member: MemberId } = "member_not_registered":
            "member {member} is not registered: complete the registration first",
    }
}

/// The registered member in whose name a command buys, sells or returns (R9).
///
/// # Errors
/// Another member asks, or the registration is not complete.
pub fn buyer<'a>(
    members: &'a Members,
    member: MemberId,
    at: &Moment,
) -> Result<&'a Member, BuyerRejection> {
    if let Actor::Member(actor) = at.actor
        && actor != member
    {
        return Err(BuyerRejection::ActsForAnother { actor, member });
    }
    let known = members.get(member).filter(|known| known.registered);
    known.ok_or(BuyerRejection::NotRegistered { member })
}

/// A member asked for something of another organisation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("member {member} acts for another organisation: a member of the one that owns it may")]
pub struct Outsider {
    member: MemberId,
}

impl Rejection for Outsider {
    fn code(&self) -> &'static str {
        "not_of_the_organisation"
    }
}

/// What must be read to know who acts for an organisation.
pub fn members_of(organisation: OrganisationId) -> Query {
    Query::default().and_types(&MEMBERSHIP_TYPES, organisation.tag())
}

/// Lets staff, programs and the organisation's own members through.
///
/// # Errors
/// A member of another organisation asks.
pub fn acts_for(
    organisation: OrganisationId,
    members: &Members,
    at: &Moment,
) -> Result<(), Outsider> {
    match at.actor {
        Actor::Staff(_) | Actor::System(_) => Ok(()),
        Actor::Member(member) => {
            let own = members.get(member).is_some_and(|known| known.organisation == organisation);
            if own { Ok(()) } else { Err(Outsider { member }) }
        }
    }
}
