//! A person asks to become a member (会員登録申込), and a verification link is mailed.

use daicho_events::access::Role;
use daicho_events::member::{MemberRegistrationRequested, MemberRole, VerificationLinkIssued};
use daicho_events::{NewEvent, Query};
use daicho_values::{MemberId, OrganisationId, PersonalIndex, SealedText};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::frame::Known;
use crate::state::{MemberIdUsed, Members, OrganisationUnknown, Organisations};
use crate::{By, Command, Decision, Moment, Private};

/// Asks for membership, per person and not per company (R10). The link that is mailed holds for as
/// long as the shop's settings say (R14); who does not follow it asks again (R12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestRegistration {
    /// The person, a new id for every request.
    pub member: MemberId,
    /// For whom the person acts.
    pub organisation: OrganisationId,
    /// The person's name.
    pub name: SealedText,
    /// The mail address, to which the link goes.
    pub email: SealedText,
    /// Keyed index of the mail address, so that it is registered once.
    pub email_index: PersonalIndex,
    /// The phone number.
    #[serde(default)]
    pub phone: Option<SealedText>,
    /// What the person may do (R36).
    pub role: MemberRole,
}

rejections! {
    /// Why a registration is not taken.
    pub enum RequestRegistrationRejection {
        /// A verified address is one member's.
        EmailRegistered = "email_already_registered":
            "a member with this mail address is registered already: log in as that member, or \
             give another address",
        shared {
            /// The organisation comes first.
            OrganisationUnknown(OrganisationUnknown),
            /// An id is one person's.
            MemberIdUsed(MemberIdUsed),
        }
    }
}

known! {
    /// The shop, the organisation, and who asked to register with this mail address.
    pub struct RequestRegistrationState { organisations: Organisations, }
}

impl Decision for RequestRegistration {
    type State = RequestRegistrationState;
    type Rejection = RequestRegistrationRejection;

    fn query(&self, known: &Known<RequestRegistrationState>) -> Query {
        Organisations::query(self.organisation)
            .or(Members::query(self.member))
            .or(known.members.email_query(&self.email_index))
    }

    fn decide(
        &self,
        known: &Known<RequestRegistrationState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, RequestRegistrationRejection> {
        known.organisations.known(self.organisation)?;
        known.members.unused(self.member)?;
        if known.members.email_is_taken(&self.email_index) {
            return Err(RequestRegistrationRejection::EmailRegistered);
        }
        let today = known.shop.today(at);
        let minutes = known.shop.on(today).verification_minutes();
        let expires_at = minutes.map(|minutes| at.now.plus_minutes(minutes));
        let link = VerificationLinkIssued { member: self.member, expires_at };
        Ok(vec![NewEvent::on(today, self.event()), NewEvent::on(today, link)])
    }
}

impl RequestRegistration {
    fn event(&self) -> MemberRegistrationRequested {
        MemberRegistrationRequested {
            member: self.member,
            organisation: self.organisation,
            name: self.name.clone(),
            email: self.email.clone(),
            email_index: self.email_index.clone(),
            phone: self.phone.clone(),
            role: self.role,
        }
    }
}

impl Command for RequestRegistration {
    const NAME: &'static str = "member.request_registration";
    const BY: By<Self> = By::Anyone;
    const ROLES: &'static [Role] = &[Role::Integration];
    const NEW_IDS: &'static [&'static str] = &["member"];
    const PRIVATE: &'static [Private] = &[
        Private::contact("name", None),
        Private::contact("email", Some("email_index")),
        Private::contact("phone", None),
    ];
}

#[cfg(test)]
mod tests {
    use daicho_values::Sample;

    use super::*;
    use crate::member::samples::{email, member, organisation, register, request, verify};
    use crate::shop::OpenBook;
    use crate::testing::{Step, at, given, open_book};

    fn open() -> [Step; 2] {
        [open_book().into(), register().into()]
    }

    #[test]
    fn a_request_is_recorded_and_its_link_holds_for_thirty_minutes_r14() {
        let requested = MemberRegistrationRequested {
            member: member(1),
            organisation: organisation(1),
            name: Sample::sample(),
            email: Sample::sample(),
            email_index: email("a"),
            phone: Some(Sample::sample()),
            role: MemberRole::General,
        };
        let expires_at = Some("2026-05-11T01:30:00Z".parse().unwrap());
        let link = VerificationLinkIssued { member: member(1), expires_at };
        let phone = Some(SealedText::sample());
        let command = RequestRegistration { phone, role: MemberRole::General, ..request(1) };
        given(open()).when(command).then([requested.into(), link.into()]);
    }

    #[test]
    fn a_shop_may_have_links_without_end_r11() {
        let book = OpenBook { verification_minutes: None, ..open_book() };
        let events = given([book.into(), register().into()]).when(request(1)).events();
        let link = VerificationLinkIssued { member: member(1), expires_at: None };
        assert_eq!(events.last().map(|new| new.event.clone()), Some(link.into()));
    }

    #[test]
    fn many_people_of_one_company_register_r10() {
        let history = open().into_iter().chain([request(1).into(), verify(1).into()]);
        let colleague = RequestRegistration { email_index: email("b"), ..request(2) };
        given(history)
            .when(colleague)
            .then_types(["member.registration_requested", "member.verification_link_issued"]);
    }

    #[test]
    fn a_person_acts_for_an_organisation_that_is_known_r10() {
        given([open_book().into()]).when(request(1)).then_rejected("organisation_unknown");
    }

    #[test]
    fn a_mail_address_is_registered_once() {
        let history = open().into_iter().chain([request(1).into(), verify(1).into()]);
        given(history).when(request(2)).then_rejected("email_already_registered");
    }

    #[test]
    fn an_abandoned_request_does_not_keep_the_address_r12() {
        let history = open().into_iter().chain([request(1).into(), at("2026-05-11T11:00")]);
        given(history)
            .when(request(2))
            .then_types(["member.registration_requested", "member.verification_link_issued"]);
    }

    #[test]
    fn an_id_is_one_persons() {
        let history = open().into_iter().chain([request(1).into()]);
        let other = RequestRegistration { email_index: email("b"), ..request(1) };
        given(history).when(other).then_rejected("member_id_used");
    }

    #[test]
    fn a_shop_that_is_not_open_takes_no_requests() {
        given([]).when(request(1)).then_rejected("shop_not_open");
    }
}
