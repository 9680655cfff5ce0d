//! A person follows the link of the verification mail in time (本人確認, R14).

use daicho_events::access::Role;
use daicho_events::member::{EmailVerified, MainRegistrationCompleted};
use daicho_events::{NewEvent, Query};
use daicho_values::{MemberId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::frame::Known;
use crate::state::{MemberUnknown, Members};
use crate::{By, Command, Decision, Moment};

/// Verifies the mail address of a member. Where the shop has no main registration, the member is
/// registered at once (R11); elsewhere staff complete the registration (R13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyMember {
    /// The person to whom the link was mailed.
    pub member: MemberId,
}

rejections! {
    /// Why a member is not verified.
    pub enum VerifyMemberRejection {
        /// An address is verified once.
        AlreadyVerified { member: MemberId } = "member_already_verified":
            "member {member} is verified already: there is nothing more to do here",
        /// Without a link nothing was proved.
        LinkMissing { member: MemberId } = "verification_link_missing":
            "no verification link was mailed to member {member}: register again, or ask the shop",
        /// R14: 30 minutes in the software market; at the minute itself the link has expired.
        LinkExpired { expired_at: Timestamp } = "verification_link_expired":
            "the verification link expired at {expired_at}: register again, or ask the shop",
        /// Two people asked with one address; the first to verify it has it.
        EmailRegistered = "email_already_registered":
            "a member with this mail address is registered already: log in as that member, or \
             give another address",
        shared {
            /// The request comes first.
            MemberUnknown(MemberUnknown),
        }
    }
}

impl Decision for VerifyMember {
    type State = ();
    type Rejection = VerifyMemberRejection;

    /// Three rounds: the member, who asked with the same address, which of them verified it.
    fn query(&self, known: &Known<()>) -> Query {
        let query = Members::query(self.member);
        let email = known.members.get(self.member).and_then(|member| member.email.as_ref());
        email.into_iter().fold(query, |query, email| query.or(known.members.email_query(email)))
    }

    fn decide(
        &self,
        known: &Known<()>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, VerifyMemberRejection> {
        use VerifyMemberRejection as Rejected;
        let member = known.members.known(self.member)?;
        if member.verified {
            return Err(Rejected::AlreadyVerified { member: self.member });
        }
        let expires_at = member.link.ok_or(Rejected::LinkMissing { member: self.member })?;
        if let Some(expired_at) = expires_at.filter(|expires_at| at.now >= *expires_at) {
            return Err(Rejected::LinkExpired { expired_at });
        }
        if member.email.as_ref().is_some_and(|email| known.members.email_is_taken(email)) {
            return Err(Rejected::EmailRegistered);
        }
        let today = known.shop.today(at);
        let mut events = vec![NewEvent::on(today, EmailVerified { member: self.member })];
        if !known.shop.on(today).main_registration() {
            events.push(NewEvent::on(today, MainRegistrationCompleted { member: self.member }));
        }
        Ok(events)
    }
}

impl Command for VerifyMember {
    const NAME: &'static str = "member.verify";
    const BY: By<Self> = By::Anyone;
    const ROLES: &'static [Role] = &[Role::Integration];
}

#[cfg(test)]
mod tests {
    use daicho_events::member::MemberRegistrationRequested;
    use daicho_values::Sample;

    use super::*;
    use crate::member::samples::{
        book_without_main_registration, email, member, organisation, register, request, verify,
    };
    use crate::shop::OpenBook;
    use crate::testing::{Step, at, event, given, open_book};

    fn requested() -> [Step; 3] {
        [open_book().into(), register().into(), request(1).into()]
    }

    #[test]
    fn a_verified_member_still_waits_for_the_main_registration_r13() {
        let event = EmailVerified { member: member(1) };
        given(requested()).when(verify(1)).then([event.into()]);
    }

    #[test]
    fn without_main_registration_verifying_completes_the_registration_r11() {
        let book = book_without_main_registration();
        let history = [book.into(), register().into(), request(1).into()];
        given(history).when(verify(1)).then([
            EmailVerified { member: member(1) }.into(),
            MainRegistrationCompleted { member: member(1) }.into(),
        ]);
    }

    #[test]
    fn a_link_works_until_its_thirtieth_minute_r14() {
        let in_time = given(requested().into_iter().chain([at("2026-05-11T10:29")]));
        in_time.when(verify(1)).then_types(["member.email_verified"]);
        let late = given(requested().into_iter().chain([at("2026-05-11T10:30")]));
        late.when(verify(1)).then_rejected("verification_link_expired");
    }

    #[test]
    fn a_link_without_end_works_a_year_later_r11() {
        let book = OpenBook { verification_minutes: None, ..open_book() };
        let history = [book.into(), register().into(), request(1).into(), at("2027-05-11T10:00")];
        given(history).when(verify(1)).then_types(["member.email_verified"]);
    }

    #[test]
    fn a_member_verifies_once() {
        let history = requested().into_iter().chain([verify(1).into()]);
        given(history).when(verify(1)).then_rejected("member_already_verified");
    }

    #[test]
    fn without_a_link_nothing_is_proved_r14() {
        let request = MemberRegistrationRequested {
            member: member(1),
            organisation: organisation(1),
            name: Sample::sample(),
            email: Sample::sample(),
            email_index: email("a"),
            phone: None,
            role: Sample::sample(),
        };
        let history = [open_book().into(), event(request)];
        given(history).when(verify(1)).then_rejected("verification_link_missing");
    }

    #[test]
    fn of_two_requests_with_one_address_the_first_to_verify_has_it_r12() {
        let history = requested().into_iter().chain([request(2).into(), verify(2).into()]);
        given(history).when(verify(1)).then_rejected("email_already_registered");
    }

    #[test]
    fn nobody_verifies_without_a_request() {
        given([open_book().into()]).when(verify(1)).then_rejected("member_unknown");
    }

    #[test]
    fn a_shop_that_is_not_open_verifies_nobody() {
        given([]).when(verify(1)).then_rejected("shop_not_open");
    }
}
