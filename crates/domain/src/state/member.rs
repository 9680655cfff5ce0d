//! The state of members and organisations.

use std::collections::{BTreeMap, BTreeSet};

use daicho_events::member::{
    EmailVerified, MainRegistrationCompleted, MemberEvent, MemberMigrated,
    MemberRegistrationRequested, MemberRole, VerificationLinkIssued,
};
use daicho_events::organisation::{OrganisationEvent, OrganisationRegistered};
use daicho_events::{Event, Query, Recorded};
use daicho_values::{
    CorporateNumber, MemberId, OrganisationId, PersonalIndex, Reference, Timestamp,
};

use super::Fold;
use crate::Rejection;

/// What is known of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// For whom the person acts.
    pub organisation: OrganisationId,
    /// What the person may do (R36).
    pub role: MemberRole,
    /// The index of the mail address; a migrated member has none.
    pub email: Option<PersonalIndex>,
    /// Whether a verification link was issued, and until when it works.
    pub link: Option<Option<Timestamp>>,
    /// Whether the mail address was verified.
    pub verified: bool,
    /// Whether the registration is complete: the member may buy (R9).
    pub registered: bool,
}

/// Nobody registered under this id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("member {0} is not known: `member.request_registration` registers a person")]
pub struct MemberUnknown(pub MemberId);

impl Rejection for MemberUnknown {
    fn code(&self) -> &'static str {
        "member_unknown"
    }
}

/// The id already belongs to somebody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("member {0} is already known: another person gets another id")]
pub struct MemberIdUsed(pub MemberId);

impl Rejection for MemberIdUsed {
    fn code(&self) -> &'static str {
        "member_id_used"
    }
}

/// No organisation has this id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("organisation {0} is not known: `organisation.register` registers it first")]
pub struct OrganisationUnknown(pub OrganisationId);

impl Rejection for OrganisationUnknown {
    fn code(&self) -> &'static str {
        "organisation_unknown"
    }
}

/// The members that a command asked about, and the mail addresses that they completed with.
#[derive(Debug, Default)]
pub struct Members {
    members: BTreeMap<MemberId, Member>,
    emails: BTreeMap<PersonalIndex, BTreeSet<MemberId>>,
}

impl Members {
    /// What must be read to know a member.
    pub fn query(member: MemberId) -> Query {
        Self::about(member.tag())
    }

    /// The member, if known.
    pub fn get(&self, member: MemberId) -> Option<&Member> {
        self.members.get(&member)
    }

    /// The member, who must be known.
    ///
    /// # Errors
    /// Nobody has this id.
    pub fn known(&self, member: MemberId) -> Result<&Member, MemberUnknown> {
        self.get(member).ok_or(MemberUnknown(member))
    }

    /// The id, which must be nobody's yet.
    ///
    /// # Errors
    /// It is somebody's.
    pub fn unused(&self, member: MemberId) -> Result<(), MemberIdUsed> {
        if self.get(member).is_some() { Err(MemberIdUsed(member)) } else { Ok(()) }
    }

    /// What must be read to know whether a mail address is taken: who asked to register with it,
    /// and, in the round after, which of them verified it. A verification carries no address.
    pub fn email_query(&self, email: &PersonalIndex) -> Query {
        let holders = self.emails.get(email).into_iter().flatten();
        holders.fold(Self::about(email.tag()), |query, holder| query.or(Self::query(*holder)))
    }

    /// Whether a member with this mail address has verified it. A request that was abandoned does
    /// not keep an address (R12).
    pub fn email_is_taken(&self, email: &PersonalIndex) -> bool {
        let holders = self.emails.get(email).into_iter().flatten();
        holders.filter_map(|id| self.members.get(id)).any(|member| member.verified)
    }

    fn change(&mut self, member: MemberId, change: impl FnOnce(&mut Member)) {
        self.members.get_mut(&member).map(change);
    }
}

impl Fold for Members {
    const READS: &'static [&'static [&'static str]] = &[&[
        MemberRegistrationRequested::STORED,
        VerificationLinkIssued::STORED,
        EmailVerified::STORED,
        MainRegistrationCompleted::STORED,
        MemberMigrated::STORED,
    ]];

    fn apply(&mut self, recorded: &Recorded) {
        let Event::Member(event) = &recorded.event else { return };
        match event {
            MemberEvent::RegistrationRequested(event) => {
                let member = Member {
                    organisation: event.organisation,
                    role: event.role,
                    email: Some(event.email_index.clone()),
                    link: None,
                    verified: false,
                    registered: false,
                };
                self.members.insert(event.member, member);
                self.emails.entry(event.email_index.clone()).or_default().insert(event.member);
            }
            MemberEvent::VerificationLinkIssued(event) => {
                self.change(event.member, |member| member.link = Some(event.expires_at));
            }
            MemberEvent::EmailVerified(event) => {
                self.change(event.member, |member| member.verified = true);
            }
            MemberEvent::MainRegistrationCompleted(event) => {
                self.change(event.member, |member| member.registered = true);
            }
            MemberEvent::Migrated(event) => {
                let member = Member {
                    organisation: event.organisation,
                    role: event.role,
                    email: None,
                    link: None,
                    verified: true,
                    registered: true,
                };
                self.members.insert(event.member, member);
            }
        }
    }
}

/// The organisations that a command asked about.
#[derive(Debug, Default)]
pub struct Organisations(BTreeMap<OrganisationId, OrganisationRegistered>);

impl Organisations {
    /// What must be read to know an organisation.
    pub fn query(organisation: OrganisationId) -> Query {
        Self::about(organisation.tag())
    }

    /// The organisation, if known.
    pub fn get(&self, organisation: OrganisationId) -> Option<&OrganisationRegistered> {
        self.0.get(&organisation)
    }

    /// The organisation, which must be known.
    ///
    /// # Errors
    /// None has this id.
    pub fn known(
        &self,
        organisation: OrganisationId,
    ) -> Result<&OrganisationRegistered, OrganisationUnknown> {
        self.get(organisation).ok_or(OrganisationUnknown(organisation))
    }

    /// Whether one has this corporate number.
    pub fn has_number(&self, number: &CorporateNumber) -> bool {
        self.0.values().any(|organisation| organisation.corporate_number.as_ref() == Some(number))
    }

    /// The one that another system calls so.
    pub fn by_reference(&self, reference: &Reference) -> Option<OrganisationId> {
        let found = self.0.values().find(|known| known.reference.as_ref() == Some(reference));
        found.map(|known| known.organisation)
    }
}

impl Fold for Organisations {
    const READS: &'static [&'static [&'static str]] = &[&[OrganisationRegistered::STORED]];

    fn apply(&mut self, recorded: &Recorded) {
        let Event::Organisation(event) = &recorded.event else { return };
        match event {
            OrganisationEvent::Registered(event) => {
                self.0.insert(event.organisation, event.clone());
            }
        }
    }
}
