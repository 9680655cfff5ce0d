//! Contracts for tests: one in force since 2026-05-11, and what may happen to it.

use daicho_events::contract::{ContractConcluded, ContractTerms};
use daicho_events::product::{BillingPeriod, PenaltyRule, ReductionPolicy};
use daicho_events::registration::{MemberMigrated, OrganisationRegistered};
use daicho_events::{Event, Recorded};
use daicho_values::{
    ContractId, Name, OrderId, OrganisationId, Period, PlanCode, ProductCode, Quantity, Sample,
    TaxCategory,
};

use crate::testing::{day, given, yen};

/// Billed monthly, open-ended, changed and ended at will.
pub(crate) fn terms() -> ContractTerms {
    ContractTerms {
        plan: PlanCode::new("monthly").unwrap(),
        billing: BillingPeriod::Monthly,
        term: None,
        auto_renew: false,
        first_month_free: false,
        licence_addition: true,
        licence_reduction: ReductionPolicy::WithoutRefund,
        notice_days: 0,
        penalty: PenaltyRule::Nothing,
    }
}

/// A term.
pub(crate) fn term(from: &str, to: &str) -> Option<Period> {
    Some(Period { from: day(from), to: day(to) })
}

/// Ten licences at 1,000 yen, from the day on which the tests' clock begins.
pub(crate) fn concluded() -> ContractConcluded {
    ContractConcluded {
        contract: ContractId::sample(),
        order: OrderId::sample(),
        member: Sample::sample(),
        organisation: OrganisationId::sample(),
        product: ProductCode::new("SUITE-01").unwrap(),
        name: Name::new("Business Suite").unwrap(),
        quantity: licences(10),
        unit_price: yen(1_000),
        tax: TaxCategory::Standard,
        starts_on: day("2026-05-11"),
        terms: terms(),
    }
}

/// The organisation of the contract.
pub(crate) fn organisation() -> OrganisationRegistered {
    OrganisationRegistered::sample()
}

/// The event as recorded, for the tests of folds.
pub(crate) fn recorded(event: impl Into<Event>) -> Recorded {
    given([crate::testing::event(event)]).recorded()[0].clone()
}

/// A member of an organisation.
pub(crate) fn member_of(organisation: OrganisationId) -> MemberMigrated {
    MemberMigrated { organisation, ..MemberMigrated::sample() }
}

/// A number of licences.
pub(crate) fn licences(number: i64) -> Quantity {
    Quantity::new(number).unwrap()
}
