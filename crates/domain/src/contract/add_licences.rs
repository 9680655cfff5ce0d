//! Adds licences to a contract from a day on (ライセンス追加, R74).

use daicho_events::access::Role;
use daicho_events::contract::QuantityChanged;
use daicho_events::{NewEvent, Query};
use daicho_values::{ContractId, Date, QUANTITY_MAX, Quantity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::{self, ChangeRejection};
use crate::frame::Known;
use crate::state::{Billed, ContractUnknown, Contracts};
use crate::{By, Command, Decision, Moment};

/// Adds licences from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddLicences {
    /// The contract.
    pub contract: ContractId,
    /// How many more, 1 or more.
    pub add: i64,
    /// The first day with them.
    pub from: Date,
}

rejections! {
    /// Why licences are not added.
    pub enum AddLicencesRejection {
        /// Adding means more; comes first.
        QuantityBelowOne { add: i64 } = "quantity_below_one":
            "{add} licences cannot be added: give 1 or more",
        /// The contract's own terms decide (R74).
        NotAllowed { contract: ContractId } = "licence_addition_not_allowed":
            "the terms of contract {contract} do not let licences be added: place a new order",
        /// Together they stay within the largest quantity; comes last.
        TooMany { before: Quantity, add: i64 } = "quantity_too_large":
            "{before} licences and {add} more are beyond {QUANTITY_MAX}: add fewer",
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
    pub struct AddLicencesState { contracts: Contracts, billed: Billed, }
}

impl Decision for AddLicences {
    type State = AddLicencesState;
    type Rejection = AddLicencesRejection;

    fn query(&self, known: &Known<AddLicencesState>) -> Query {
        change::query(self.contract, &known.contracts)
    }

    fn decide(
        &self,
        known: &Known<AddLicencesState>,
        _at: &Moment,
    ) -> Result<Vec<NewEvent>, AddLicencesRejection> {
        let add = self.add;
        if add < 1 {
            return Err(AddLicencesRejection::QuantityBelowOne { add });
        }
        let contract = known.contracts.get(self.contract)?;
        if !contract.terms().licence_addition {
            return Err(AddLicencesRejection::NotAllowed { contract: self.contract });
        }
        change::check(contract, self.from, &known.billed)?;
        let before = contract.licences_on(self.from);
        let quantity = Quantity::new(add.saturating_add(i64::from(before.get())))
            .map_err(|_| AddLicencesRejection::TooMany { before, add })?;
        let changed = QuantityChanged {
            contract: self.contract,
            organisation: contract.concluded.organisation,
            before,
            quantity,
            from: self.from,
            refund: false,
        };
        Ok(vec![NewEvent::on(self.from, changed)])
    }
}

impl Command for AddLicences {
    const NAME: &'static str = "contract.add_licences";
    const BY: By<Self> = By::Administrator(|command, known: &Known<AddLicencesState>| {
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
    use crate::contract::fixtures::{
        concluded, given, licences, member_of, organisation, term, terms,
    };
    use crate::testing::{at, by, day, event};

    fn add(add: i64, from: &str) -> AddLicences {
        AddLicences { contract: ContractId::sample(), add, from: day(from) }
    }

    fn changed(before: i64, quantity: i64, from: &str) -> QuantityChanged {
        QuantityChanged {
            contract: ContractId::sample(),
            organisation: Sample::sample(),
            before: licences(before),
            quantity: licences(quantity),
            from: day(from),
            refund: false,
        }
    }

    #[test]
    fn licences_are_added_from_a_day_on_r74() {
        let expected = changed(10, 13, "2026-06-15");
        let events = given([event(concluded())]).when(add(3, "2026-06-15")).events();
        assert_eq!(events, [NewEvent::on(day("2026-06-15"), expected)]);
    }

    #[test]
    fn licences_are_added_to_those_of_the_last_change_even_on_its_day() {
        given([event(concluded()), add(3, "2026-06-15").into()])
            .when(add(2, "2026-06-15"))
            .then([changed(13, 15, "2026-06-15").into()]);
    }

    #[test]
    fn adding_none_or_fewer_is_refused() {
        for number in [0, -1, i64::MIN] {
            given([]).when(add(number, "2026-06-15")).then_rejected("quantity_below_one");
        }
    }

    #[test]
    fn members_change_the_contracts_of_their_own_organisation_r73() {
        let history = |organisation| {
            let member = member_of(organisation);
            [event(concluded()), by(Actor::Member(member.member)), event(member)]
        };
        given(history(Sample::sample()))
            .when(add(1, "2026-06-15"))
            .then_types(["contract.quantity_changed"]);
        given(history(Ulid(9).into()))
            .when(add(1, "2026-06-15"))
            .then_rejected("not_of_the_organisation");
    }

    #[test]
    fn an_unknown_contract_is_refused() {
        given([]).when(add(1, "2026-06-15")).then_rejected("contract_unknown");
    }

    #[test]
    fn terms_without_addition_are_kept_r74() {
        let terms = ContractTerms { licence_addition: false, ..terms() };
        given([event(ContractConcluded { terms, ..concluded() })])
            .when(add(1, "2026-06-15"))
            .then_rejected("licence_addition_not_allowed");
    }

    #[test]
    fn licences_are_not_added_before_the_first_day() {
        given([event(concluded())]).when(add(1, "2026-05-10")).then_rejected("change_before_start");
    }

    #[test]
    fn licences_are_not_added_after_the_term_lapsed() {
        let terms = ContractTerms { term: term("2026-05-11", "2027-05-10"), ..terms() };
        given([event(ContractConcluded { terms, ..concluded() })])
            .when(add(1, "2027-05-11"))
            .then_rejected("change_after_end");
    }

    #[test]
    fn changes_follow_each_other_in_time() {
        given([event(concluded()), add(1, "2026-06-15").into()])
            .when(add(1, "2026-06-14"))
            .then_rejected("earlier_than_last_change");
    }

    #[test]
    fn what_is_billed_is_not_changed_any_more() {
        let billed = IssueInvoice {
            month: day("2026-05-01").month(),
            organisation: Sample::sample(),
            issued_on: None,
        };
        let history = || {
            [
                event(organisation()),
                event(concluded()),
                at("2026-06-10T10:00"),
                billed.clone().into(),
            ]
        };
        given(history()).when(add(1, "2026-05-31")).then_rejected("month_already_billed");
        given(history()).when(add(1, "2026-06-01")).then_types(["contract.quantity_changed"]);
    }

    #[test]
    fn more_licences_than_a_quantity_are_refused() {
        for number in [i64::from(QUANTITY_MAX), i64::MAX] {
            given([event(concluded())])
                .when(add(number, "2026-06-15"))
                .then_rejected("quantity_too_large");
        }
    }
}
