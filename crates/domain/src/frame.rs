//! The frame of every decision: what all of them know, whether the book is open, and who may
//! act. It asks in one place, so that no command can forget it and the rule is the same everywhere.

mod known;

use daicho_events::member::MemberRole;
use daicho_events::{Actor, NewEvent, Query};
use daicho_values::{MemberId, OrganisationId};

use crate::state::{Member, Members, Shop, ShopNotOpen};
use crate::{By, Command, Moment, Rejection};

pub use known::Known;

rejections! {
    /// Why a command is not this caller's to give, in the order in which it is asked.
    pub enum NotYours {
        /// A customer asked for what the shop's staff and programs do (R65).
        StaffOnly { command: &'static str } = "staff_only":
            "`{command}` is for the shop's staff and programs: ask the shop to do it",
        /// A member acts only in their own name.
        ActsForAnother { actor: MemberId, member: MemberId } = "member_acts_for_another":
            "member {actor} cannot act in the name of member {member}: log in as {member}",
        /// Nobody acts before registration is complete (R9).
        NotRegistered { member: MemberId } = "member_not_registered":
            "member {member} is not registered: complete the registration first",
        /// A member asked for something of another organisation.
        Outsider { member: MemberId } = "not_of_the_organisation":
            "member {member} acts for another organisation: a member of the one that owns it may",
        /// A general user cannot bind the organisation (R36).
        RoleMayNotOrder { member: MemberId } = "role_may_not_order":
            "member {member} is a general user: an administrator of the organisation may do this",
    }
}

/// Why a command is refused: by the frame, or by a rule of its own.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused<R: Rejection> {
    /// The book has no settings yet.
    #[error(transparent)]
    NotOpen(#[from] ShopNotOpen),
    /// It is not this caller's to give.
    #[error(transparent)]
    NotYours(#[from] NotYours),
    /// A rule of the command's own.
    #[error(transparent)]
    Own(R),
}

impl<R: Rejection> Rejection for Refused<R> {
    fn code(&self) -> &'static str {
        match self {
            Self::NotOpen(inner) => inner.code(),
            Self::NotYours(inner) => inner.code(),
            Self::Own(inner) => inner.code(),
        }
    }
}

/// All that must be known: the shop, the member who acts, and what the command asks for itself.
pub fn query<C: Command>(command: &C, known: &Known<C::State>, actor: &Actor) -> Query {
    let query = Shop::query();
    let query = match (actor, C::BY) {
        (Actor::Member(member), By::Named(_) | By::Member(_) | By::Administrator(_)) => {
            query.or(Members::query(*member))
        }
        (Actor::Member(_) | Actor::Staff(_) | Actor::System(_), _) => query,
    };
    query.or(command.query(known))
}

/// Asks whether the book is open and who may act; then the command's own rules.
///
/// # Errors
/// The first broken rule: the caller's right, the open book, the member's right, the command's own.
pub fn decide<C: Command>(
    command: &C,
    known: &Known<C::State>,
    at: &Moment,
) -> Result<Vec<NewEvent>, Refused<C::Rejection>> {
    if let (Actor::Member(_), By::Staff) = (&at.actor, C::BY) {
        return Err(NotYours::StaffOnly { command: C::NAME }.into());
    }
    if C::OPEN_BOOK {
        known.shop.opened()?;
    }
    if let Actor::Member(member) = at.actor {
        may(command, known, member)?;
    }
    command.decide(known, at).map_err(Refused::Own)
}

/// Whether a member may give a command.
fn may<C: Command>(command: &C, known: &Known<C::State>, actor: MemberId) -> Result<(), NotYours> {
    let acts_for = |organisation: Option<OrganisationId>| match organisation {
        Some(organisation) => known.members.acts_for(actor, organisation).map(Some),
        // There is no such thing; the command's own rule says so.
        None => Ok(None),
    };
    match C::BY {
        By::Anyone | By::Staff => Ok(()),
        By::Named(named) => {
            let member = named(command);
            if member != actor {
                return Err(NotYours::ActsForAnother { actor, member });
            }
            known.members.registered(actor).map(drop)
        }
        By::Member(whose) => acts_for(whose(command, known)).map(drop),
        By::Administrator(whose) => match acts_for(whose(command, known))? {
            Some(Member { role: MemberRole::General, .. }) => {
                Err(NotYours::RoleMayNotOrder { member: actor })
            }
            Some(Member { role: MemberRole::Administrator, .. }) | None => Ok(()),
        },
    }
}

impl Members {
    /// The member, who must be registered: nobody buys, sells or changes a thing before (R9).
    ///
    /// # Errors
    /// The registration is not complete.
    pub fn registered(&self, member: MemberId) -> Result<&Member, NotYours> {
        let known = self.get(member).filter(|known| known.registered);
        known.ok_or(NotYours::NotRegistered { member })
    }

    fn acts_for(
        &self,
        member: MemberId,
        organisation: OrganisationId,
    ) -> Result<&Member, NotYours> {
        match self.get(member) {
            Some(known) if known.organisation == organisation => self.registered(member),
            Some(_) | None => Err(NotYours::Outsider { member }),
        }
    }
}
