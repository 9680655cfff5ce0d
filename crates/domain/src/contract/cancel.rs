//! Ends a contract on a day (解約), with its penalty (違約金) in the same append.

use daicho_events::access::Role;
use daicho_events::contract::{CancellationScheduled, PenaltyAssessed};
use daicho_events::{NewEvent, Query};
use daicho_values::{ContractId, Date, MoneyError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::penalty::penalty;
use crate::frame::Known;
use crate::reason::{self, ReasonRejection};
use crate::state::{Contract, ContractUnknown, Contracts};
use crate::{By, Command, Decision, Moment};

/// Schedules the contract's last day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// The contract.
    pub contract: ContractId,
    /// Its last day.
    pub ends_on: Date,
    /// Why.
    pub reason: String,
}

rejections! {
    /// Why a contract is not cancelled.
    pub enum CancelRejection {
        /// A contract ends once.
        AlreadyScheduled { contract: ContractId, ends_on: Date } = "cancellation_already_scheduled":
            "contract {contract} already ends on {ends_on}: a contract is cancelled once",
        /// What has lapsed cannot be ended.
        Ended { contract: ContractId, last_day: Date } = "contract_ended":
            "contract {contract} ended on {last_day}: there is nothing left to cancel",
        /// Not before it begins.
        EndBeforeStart { ends_on: Date, starts_on: Date } = "end_before_start":
            "{ends_on} is before the contract's first day: give {starts_on} or a later day",
        /// Not after its term, which ends by itself (R73).
        EndAfterTerm { ends_on: Date, last_day: Date } = "end_after_term":
            "the term ends by itself on {last_day}: give that day or an earlier one, not {ends_on}",
        /// The terms ask for notice (R76).
        NoticeTooShort { notice_days: u32, first: Date } = "notice_too_short":
            "the terms ask for {notice_days} days of notice: the first possible day is {first}",
        shared {
            /// The reason says nothing, or too much; comes first.
            Reason(ReasonRejection),
            /// The contract is not known; comes third.
            Unknown(ContractUnknown),
            /// The penalty is beyond the limits.
            Money(MoneyError),
        }
    }
}

known! {
    /// The contract, whose it is, and the shop's day and rounding.
    pub struct CancelState { contracts: Contracts, }
}

impl Decision for Cancel {
    type State = CancelState;
    type Rejection = CancelRejection;

    fn query(&self, _: &Known<CancelState>) -> Query {
        Contracts::query(self.contract)
    }

    fn decide(
        &self,
        known: &Known<CancelState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, CancelRejection> {
        reason::check(&self.reason)?;
        let contract = known.contracts.get(self.contract)?;
        let today = known.shop.today(at);
        let rounding = known.shop.on(today).rounding();
        self.check(contract, today)?;
        let organisation = contract.concluded.organisation;
        let scheduled = CancellationScheduled {
            contract: self.contract,
            organisation,
            ends_on: self.ends_on,
            reason: self.reason.clone(),
        };
        let mut events = vec![NewEvent::on(today, scheduled)];
        if let Some(amount) = penalty(contract, self.ends_on, rounding)? {
            assert!(!amount.is_negative(), "a penalty is owed by the customer");
            let assessed = PenaltyAssessed {
                contract: self.contract,
                organisation,
                amount,
                assessed_on: self.ends_on,
            };
            events.push(NewEvent::on(self.ends_on, assessed));
        }
        Ok(events)
    }
}

impl Cancel {
    fn check(&self, contract: &Contract, today: Date) -> Result<(), CancelRejection> {
        let (id, ends_on) = (self.contract, self.ends_on);
        if let Some(ends_on) = contract.ends_on {
            return Err(CancelRejection::AlreadyScheduled { contract: id, ends_on });
        }
        let last_day = contract.last_day();
        if let Some(last_day) = last_day.filter(|last| *last < today) {
            return Err(CancelRejection::Ended { contract: id, last_day });
        }
        let starts_on = contract.concluded.starts_on;
        if ends_on < starts_on {
            return Err(CancelRejection::EndBeforeStart { ends_on, starts_on });
        }
        if let Some(last_day) = last_day.filter(|last| *last < ends_on) {
            return Err(CancelRejection::EndAfterTerm { ends_on, last_day });
        }
        let notice_days = contract.terms().notice_days;
        let first = today.plus_days(notice_days);
        if ends_on < first {
            return Err(CancelRejection::NoticeTooShort { notice_days, first });
        }
        Ok(())
    }
}

impl Command for Cancel {
    const NAME: &'static str = "contract.cancel";
    const BY: By<Self> = By::Administrator(|command, known: &Known<CancelState>| {
        known.contracts.owner(command.contract)
    });
    const ROLES: &'static [Role] = &[Role::Integration];
}

#[cfg(test)]
mod tests {
    use daicho_events::contract::{ContractConcluded, ContractTerms};
    use daicho_events::member::{MemberMigrated, MemberRole};
    use daicho_events::product::PenaltyRule;
    use daicho_events::{Actor, Event};
    use daicho_values::Sample;
    use ulid::Ulid;

    use super::*;
    use crate::contract::fixtures::{applicant, concluded, member_of, term, terms};
    use crate::testing::{Step, at, by, day, event, given, open_book, yen};

    fn cancel(ends_on: &str) -> Cancel {
        Cancel { contract: ContractId::sample(), ends_on: day(ends_on), reason: "moved".to_owned() }
    }

    fn scheduled(ends_on: &str) -> Event {
        CancellationScheduled {
            contract: ContractId::sample(),
            organisation: Sample::sample(),
            ends_on: day(ends_on),
            reason: "moved".to_owned(),
        }
        .into()
    }

    fn contract(terms: ContractTerms) -> [Step; 2] {
        [open_book().into(), event(ContractConcluded { terms, ..concluded() })]
    }

    fn year() -> ContractTerms {
        ContractTerms { term: term("2026-05-11", "2027-05-10"), ..terms() }
    }

    #[test]
    fn a_contract_ends_on_the_day_given_r76() {
        given(contract(terms())).when(cancel("2026-05-11")).then([scheduled("2026-05-11")]);
    }

    #[test]
    fn the_penalty_stands_beside_the_cancellation_and_counts_on_the_last_day_r76() {
        let terms = ContractTerms { penalty: PenaltyRule::RemainingTerm, ..year() };
        let assessed = PenaltyAssessed {
            contract: ContractId::sample(),
            organisation: Sample::sample(),
            amount: yen(110_000),
            assessed_on: day("2026-06-10"),
        };
        let events = given(contract(terms)).when(cancel("2026-06-10")).events();
        let expected = [
            NewEvent { event: scheduled("2026-06-10"), effective_on: day("2026-05-11") },
            NewEvent::on(day("2026-06-10"), assessed),
        ];
        assert_eq!(events, expected);
    }

    #[test]
    fn who_only_asked_for_registration_ends_no_contract_r9() {
        let asked = applicant();
        let actor = by(Actor::Member(asked.member));
        let history = contract(terms()).into_iter().chain([event(asked), actor]);
        given(history).when(cancel("2026-06-10")).then_rejected("member_not_registered");
    }

    #[test]
    fn a_general_user_ends_no_contract_r36() {
        let member = MemberMigrated { role: MemberRole::General, ..member_of(Sample::sample()) };
        let actor = by(Actor::Member(member.member));
        let history = contract(terms()).into_iter().chain([event(member), actor]);
        given(history).when(cancel("2026-06-10")).then_rejected("role_may_not_order");
    }

    #[test]
    fn members_end_the_contracts_of_their_own_organisation_r73() {
        let history = |organisation| {
            let member = member_of(organisation);
            let actor = by(Actor::Member(member.member));
            contract(terms()).into_iter().chain([event(member), actor])
        };
        given(history(Sample::sample())).when(cancel("2026-06-10")).then([scheduled("2026-06-10")]);
        given(history(Ulid(9).into()))
            .when(cancel("2026-06-10"))
            .then_rejected("not_of_the_organisation");
    }

    #[test]
    fn a_cancellation_has_a_reason() {
        let cancel = Cancel { reason: " ".to_owned(), ..cancel("2026-06-10") };
        given(contract(terms())).when(cancel).then_rejected("reason_missing");
    }

    #[test]
    fn a_contract_needs_an_open_book() {
        given([]).when(cancel("2026-06-10")).then_rejected("shop_not_open");
    }

    #[test]
    fn an_unknown_contract_is_refused() {
        given([open_book().into()]).when(cancel("2026-06-10")).then_rejected("contract_unknown");
    }

    #[test]
    fn a_contract_is_cancelled_once() {
        let [book, contract] = contract(terms());
        given([book, contract, cancel("2026-06-10").into()])
            .when(cancel("2026-07-10"))
            .then_rejected("cancellation_already_scheduled");
    }

    #[test]
    fn a_lapsed_contract_is_not_cancelled_r73() {
        let [book, contract] = contract(year());
        given([book, contract, at("2027-05-11T00:00")])
            .when(cancel("2027-05-11"))
            .then_rejected("contract_ended");
    }

    #[test]
    fn a_contract_does_not_end_before_it_begins() {
        given(contract(terms())).when(cancel("2026-05-10")).then_rejected("end_before_start");
    }

    #[test]
    fn a_contract_does_not_end_after_the_term_that_ends_by_itself_r73() {
        given(contract(year())).when(cancel("2027-05-11")).then_rejected("end_after_term");
    }

    #[test]
    fn notice_is_kept_to_the_day_r76() {
        let terms = || ContractTerms { notice_days: 30, ..terms() };
        given(contract(terms())).when(cancel("2026-06-10")).then([scheduled("2026-06-10")]);
        given(contract(terms())).when(cancel("2026-06-09")).then_rejected("notice_too_short");
    }

    #[test]
    fn a_notice_that_is_too_short_names_the_first_possible_day_r76() {
        let rejection =
            CancelRejection::NoticeTooShort { notice_days: 30, first: day("2026-06-10") };
        assert!(rejection.to_string().ends_with("the first possible day is 2026-06-10"));
    }
}
