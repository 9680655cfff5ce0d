//! Decisions, bills and lists agree on the term of a contract on every day (民法143条2項). The
//! contracts begin around the ends of February and of the months of thirty days.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::num::NonZeroU32;

use daicho_domain::billing::charges::charges;
use daicho_domain::contract::penalty::penalty;
use daicho_domain::state::{Contracts, Fold as _};
use daicho_events::contract::{ContractConcluded, ContractTerms};
use daicho_events::product::{BillingPeriod, PenaltyRule, ReductionPolicy};
use daicho_events::{Actor, Header, Position, Recorded};
use daicho_projections::Projection;
use daicho_projections::contracts::Contracts as ContractList;
use daicho_values::{Currency, Date, Login, Money, Period, Rounding, Sample, Term, Timestamp};

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn yen(amount: u32) -> Money {
    Money::parse(&amount.to_string(), Currency::Jpy).unwrap()
}

fn concluded(first: Period, billing: BillingPeriod) -> Recorded {
    let terms = ContractTerms {
        plan: Sample::sample(),
        billing,
        term: Some(first),
        auto_renew: true,
        first_month_free: false,
        licence_addition: true,
        licence_reduction: ReductionPolicy::WithRefund,
        notice_days: 0,
        penalty: PenaltyRule::RemainingTerm,
    };
    let starts_on = first.from;
    let event = ContractConcluded { starts_on, terms, unit_price: yen(1_000), ..Sample::sample() };
    let header = Header {
        position: Position(1),
        recorded_at: Timestamp::sample(),
        effective_on: starts_on,
        actor: Actor::System(Login::sample()),
        on_behalf_of: None,
        cause: None,
    };
    Recorded { header, event: event.into() }
}

/// The contract as decisions and bills see it.
fn decided(event: &Recorded) -> Contracts {
    let mut contracts = Contracts::default();
    contracts.apply(event);
    contracts
}

fn first_days() -> Vec<Date> {
    let from = ["2027-12-28", "2028-02-26", "2028-04-28", "2029-02-26", "2028-08-29"];
    from.iter().flat_map(|first| (0..6).map(|days| day(first).plus_days(days))).collect()
}

#[test]
fn decisions_bills_and_lists_give_the_same_term_on_every_day_r73() {
    for first in first_days() {
        for months in [1, 2, 3, 12, 36] {
            let term = Term::of_months(first, NonZeroU32::new(months).unwrap());
            let event = concluded(term.nth(0), BillingPeriod::Annual);
            let contracts = decided(&event);
            let contract = contracts.iter().next().unwrap();
            let row = ContractList::fold(&contract.concluded.contract, None, &event).unwrap();
            let mut on = first;
            while on < first.after_months(40) {
                let (known, shown) = (contract.term().unwrap(), ContractList::on_day(&row, on));
                assert_eq!(Some(known.holding(on)), shown.term, "{first}, {months} months: {on}");
                on = on.plus_days(13);
            }
        }
    }
}

#[test]
fn a_year_that_is_billed_is_the_term_of_that_day_r73() {
    for first in first_days() {
        let term = Term::of_months(first, NonZeroU32::new(12).unwrap());
        let event = concluded(term.nth(0), BillingPeriod::Annual);
        let contracts = decided(&event);
        let contract = contracts.iter().next().unwrap();
        for n in 0..5 {
            let year = term.nth(n);
            let billed = charges(contract, year.from.month(), Rounding::Floor).unwrap();
            let periods: Vec<Period> = billed.iter().map(|charge| charge.period).collect();
            assert_eq!(periods, [year], "{first}: year {n}");
        }
    }
}

#[test]
fn a_penalty_is_the_same_whatever_the_first_day_of_the_month_r76() {
    for first in first_days() {
        let term = Term::of_months(first, NonZeroU32::new(12).unwrap());
        let event = concluded(term.nth(0), BillingPeriod::Monthly);
        let contracts = decided(&event);
        let contract = contracts.iter().next().unwrap();
        let licences = contract.concluded.quantity;
        for (month, ends) in term.months(first).enumerate() {
            let left = u32::try_from(11 - month).unwrap();
            let owed = yen(1_000 * left).times(licences).unwrap();
            let owed = (left > 0).then_some(owed);
            let penalty = penalty(contract, ends.to, Rounding::Floor).unwrap();
            assert_eq!(penalty, owed, "{first}, ended with month {}", month + 1);
        }
    }
}
