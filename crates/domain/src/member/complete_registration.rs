//! Staff complete a registration after verification (本登録, R13); only then may the member buy (R9).

use daicho_events::access::Role;
use daicho_events::member::MainRegistrationCompleted;
use daicho_events::{NewEvent, Query};
use daicho_values::MemberId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::frame::Known;
use crate::state::{MemberUnknown, Members};
use crate::{By, Command, Decision, Moment};

/// Completes the registration of a verified member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteRegistration {
    /// The person.
    pub member: MemberId,
}

rejections! {
    /// Why a registration is not completed.
    pub enum CompleteRegistrationRejection {
        /// Verification comes before main registration (R13).
        NotVerified { member: MemberId } = "member_not_verified":
            "member {member} has not verified the mail address: the person follows the link first",
        /// A registration is completed once.
        AlreadyComplete { member: MemberId } = "registration_already_complete":
            "the registration of member {member} is complete already: there is nothing more to do \
             here",
        shared {
            /// The request comes first.
            MemberUnknown(MemberUnknown),
        }
    }
}

impl Decision for CompleteRegistration {
    type State = ();
    type Rejection = CompleteRegistrationRejection;

    fn query(&self, _: &Known<()>) -> Query {
        Members::query(self.member)
    }

    fn decide(
        &self,
        known: &Known<()>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, CompleteRegistrationRejection> {
        let member = known.members.known(self.member)?;
        if !member.verified {
            return Err(CompleteRegistrationRejection::NotVerified { member: self.member });
        }
        if member.registered {
            return Err(CompleteRegistrationRejection::AlreadyComplete { member: self.member });
        }
        let completed = MainRegistrationCompleted { member: self.member };
        Ok(vec![NewEvent::on(known.shop.today(at), completed)])
    }
}

impl Command for CompleteRegistration {
    const NAME: &'static str = "member.complete_registration";
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[Role::Integration];
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;
    use daicho_values::{Login, Sample};

    use super::*;
    use crate::member::samples::{
        book_without_main_registration, complete, member, register, request, verify,
    };
    use crate::testing::{Step, by, given, open_book};

    fn verified() -> [Step; 4] {
        [open_book().into(), register().into(), request(1).into(), verify(1).into()]
    }

    #[test]
    fn staff_complete_the_registration_of_a_verified_member_r13() {
        let event = MainRegistrationCompleted { member: member(1) };
        given(verified()).when(complete(1)).then([event.into()]);
    }

    #[test]
    fn a_program_of_the_shop_may_complete_it_too_r13() {
        let history = verified().into_iter().chain([by(Actor::System(Login::sample()))]);
        given(history).when(complete(1)).then_types(["member.main_registration_completed"]);
    }

    #[test]
    fn a_member_does_not_admit_himself_r13() {
        let history = verified().into_iter().chain([by(Actor::Member(member(1)))]);
        given(history).when(complete(1)).then_rejected("staff_only");
    }

    #[test]
    fn verification_comes_first_r13() {
        let history = verified().into_iter().take(3);
        given(history).when(complete(1)).then_rejected("member_not_verified");
    }

    #[test]
    fn a_registration_is_completed_once() {
        let history = verified().into_iter().chain([complete(1).into()]);
        given(history).when(complete(1)).then_rejected("registration_already_complete");
    }

    #[test]
    fn what_verification_completed_is_complete_r11() {
        let book = book_without_main_registration();
        let history = [book.into(), register().into(), request(1).into(), verify(1).into()];
        given(history).when(complete(1)).then_rejected("registration_already_complete");
    }

    #[test]
    fn nobody_is_registered_without_a_request() {
        given([open_book().into()]).when(complete(1)).then_rejected("member_unknown");
    }

    #[test]
    fn a_shop_that_is_not_open_completes_nothing() {
        given([]).when(complete(1)).then_rejected("shop_not_open");
    }
}
