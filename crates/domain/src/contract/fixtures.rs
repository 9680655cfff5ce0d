//! Contracts for tests: one that runs since 2026-05-11, and what may happen to it.

use daicho_events::contract::{ContractConcluded, ContractTerms};
use daicho_events::member::{MemberMigrated, MemberRegistrationRequested};
use daicho_events::organisation::OrganisationRegistered;
use daicho_events::product::{BillingPeriod, PenaltyRule, ReductionPolicy};
use daicho_events::{Event, Recorded};
use daicho_values::{
    ContractId, Name, OrderId, OrganisationId, Period, PlanCode, ProductCode, Quantity, Sample,
    TaxCategory,
};

use crate::testing::{self, History, Step, day, open_book, yen};

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
    testing::given([testing::event(event)]).recorded()[0].clone()
}

/// The history of an open book.
pub(crate) fn given(steps: impl IntoIterator<Item = Step>) -> History {
    testing::given([open_book().into()].into_iter().chain(steps))
}

/// A member of an organisation.
pub(crate) fn member_of(organisation: OrganisationId) -> MemberMigrated {
    MemberMigrated { organisation, ..MemberMigrated::sample() }
}

/// A person who asked to become a member of the contract's organisation, and is not one yet.
pub(crate) fn applicant() -> MemberRegistrationRequested {
    let organisation = OrganisationId::sample();
    MemberRegistrationRequested { organisation, ..MemberRegistrationRequested::sample() }
}

/// A number of licences.
pub(crate) fn licences(number: i64) -> Quantity {
    Quantity::new(number).unwrap()
}
