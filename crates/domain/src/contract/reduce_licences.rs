//! Takes licences off a contract from a day on (ライセンス削減, R75).

use daicho_events::access::Role;
use daicho_events::contract::QuantityChanged;
use daicho_events::product::ReductionPolicy;
use daicho_events::{NewEvent, Query};
use daicho_values::{ContractId, Date, Quantity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::{self, ChangeRejection};
use crate::frame::Known;
use crate::state::{Billed, ContractUnknown, Contracts};
use crate::{By, Command, Decision, Moment};

/// Takes licences off from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReduceLicences {
    /// The contract.
    pub contract: ContractId,
    /// How many fewer, 1 or more.
    pub reduce: i64,
    /// The first day without them.
    pub from: Date,
}

rejections! {
    /// Why licences do not become fewer.
    pub enum ReduceLicencesRejection {
        /// Reducing means fewer; comes first.
        QuantityBelowOne { reduce: i64 } = "quantity_below_one":
            "{reduce} licences cannot be taken off: give 1 or more",
        /// The contract's own terms decide (R75).
        NotAllowed { contract: ContractId } = "licence_reduction_not_allowed":
            "the terms of contract {contract} do not let licences become fewer: cancel it",
        /// One licence remains; comes last.
        BelowOne { before: Quantity, reduce: i64 } = "licences_below_one":
            "of {before} licences {reduce} cannot be taken off: keep one, or cancel the contract",
        shared {
            /// The contract is not known; before its terms are asked.
            Unknown(ContractUnknown),
            /// Not on that day; after its terms are asked.
            Change(ChangeRejection),
        }
    }
}

known! {
    /// The contract, what is billed of it, and whose it is.
    pub struct ReduceLicencesState { contracts: Contracts, billed: Billed, }
}

impl Decision for ReduceLicences {
    type State = ReduceLicencesState;
    type Rejection = ReduceLicencesRejection;

    fn query(&self, known: &Known<ReduceLicencesState>) -> Query {
        change::query(self.contract, &known.contracts)
    }

    fn decide(
        &self,
        known: &Known<ReduceLicencesState>,
        _at: &Moment,
    ) -> Result<Vec<NewEvent>, ReduceLicencesRejection> {
        let reduce = self.reduce;
        if reduce < 1 {
            return Err(ReduceLicencesRejection::QuantityBelowOne { reduce });
        }
        let contract = known.contracts.get(self.contract)?;
        let refund = match contract.terms().licence_reduction {
            ReductionPolicy::WithRefund => true,
            ReductionPolicy::WithoutRefund => false,
            ReductionPolicy::NotAllowed => {
                return Err(ReduceLicencesRejection::NotAllowed { contract: self.contract });
            }
        };
        change::check(contract, self.from, &known.billed)?;
        let before = contract.licences_on(self.from);
        let quantity = Quantity::new(i64::from(before.get()).saturating_sub(reduce))
            .map_err(|_| ReduceLicencesRejection::BelowOne { before, reduce })?;
        let changed = QuantityChanged {
            contract: self.contract,
            organisation: contract.concluded.organisation,
            before,
            quantity,
            from: self.from,
            refund,
        };
        Ok(vec![NewEvent::on(self.from, changed)])
    }
}

impl Command for ReduceLicences {
    const NAME: &'static str = "contract.reduce_licences";
    const BY: By<Self> = By::Administrator(|command, known: &Known<ReduceLicencesState>| {
        known.contracts.owner(command.contract)
    });
    const ROLES: &'static [Role] = &[Role::Integration];
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;
    use daicho_events::contract::{ContractConcluded, ContractTerms};
    use daicho_values::Sample;
    use ulid::Ulid;

    use super::*;
    use crate::billing::IssueInvoice;
    use crate::contract::fixtures::{concluded, given, licences, member_of, organisation, terms};
    use crate::contract::{AddLicences, Cancel};
    use crate::testing::{at, by, day, event};

    fn reduce(reduce: i64, from: &str) -> ReduceLicences {
        ReduceLicences { contract: ContractId::sample(), reduce, from: day(from) }
    }

    fn contract(licence_reduction: ReductionPolicy) -> ContractConcluded {
        ContractConcluded { terms: ContractTerms { licence_reduction, ..terms() }, ..concluded() }
    }

    #[test]
    fn the_terms_say_whether_fewer_licences_are_refunded_r75() {
        for (policy, refund) in
            [(ReductionPolicy::WithRefund, true), (ReductionPolicy::WithoutRefund, false)]
        {
            let changed = QuantityChanged {
                contract: ContractId::sample(),
                organisation: Sample::sample(),
                before: licences(10),
                quantity: licences(1),
                from: day("2026-06-15"),
                refund,
            };
            let events = given([event(contract(policy))]).when(reduce(9, "2026-06-15")).events();
            assert_eq!(events, [NewEvent::on(day("2026-06-15"), changed)]);
        }
    }

    #[test]
    fn reducing_by_none_is_refused() {
        for number in [0, -1] {
            given([]).when(reduce(number, "2026-06-15")).then_rejected("quantity_below_one");
        }
    }

    #[test]
    fn members_change_the_contracts_of_their_own_organisation_r73() {
        let history = |organisation| {
            let member = member_of(organisation);
            [event(concluded()), by(Actor::Member(member.member)), event(member)]
        };
        given(history(Sample::sample()))
            .when(reduce(1, "2026-06-15"))
            .then_types(["contract.quantity_changed"]);
        given(history(Ulid(9).into()))
            .when(reduce(1, "2026-06-15"))
            .then_rejected("not_of_the_organisation");
    }

    #[test]
    fn an_unknown_contract_is_refused() {
        given([]).when(reduce(1, "2026-06-15")).then_rejected("contract_unknown");
    }

    #[test]
    fn terms_without_reduction_are_kept_r75() {
        given([event(contract(ReductionPolicy::NotAllowed))])
            .when(reduce(1, "2026-06-15"))
            .then_rejected("licence_reduction_not_allowed");
    }

    #[test]
    fn one_licence_remains() {
        for number in [10, i64::MAX] {
            given([event(concluded())])
                .when(reduce(number, "2026-06-15"))
                .then_rejected("licences_below_one");
        }
    }

    #[test]
    fn licences_do_not_become_fewer_before_the_first_day() {
        given([event(concluded())])
            .when(reduce(1, "2026-05-10"))
            .then_rejected("change_before_start");
    }

    #[test]
    fn licences_do_not_become_fewer_after_the_last_day() {
        let cancel = Cancel {
            contract: ContractId::sample(),
            ends_on: day("2026-06-14"),
            reason: "moved".to_owned(),
        };
        given([event(concluded()), cancel.into()])
            .when(reduce(1, "2026-06-15"))
            .then_rejected("change_after_end");
    }

    #[test]
    fn changes_follow_each_other_in_time() {
        let add = AddLicences { contract: Sample::sample(), add: 1, from: day("2026-07-01") };
        given([event(concluded()), add.into()])
            .when(reduce(1, "2026-06-15"))
            .then_rejected("earlier_than_last_change");
    }

    #[test]
    fn what_is_billed_is_not_changed_any_more() {
        let billed = IssueInvoice {
            month: day("2026-05-01").month(),
            organisation: Sample::sample(),
            issued_on: None,
        };
        given([event(organisation()), event(concluded()), at("2026-06-10T10:00"), billed.into()])
            .when(reduce(1, "2026-05-31"))
            .then_rejected("month_already_billed");
    }
}
