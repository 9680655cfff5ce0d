//! What a contract costs in a month: pure arithmetic on days and licences.
//!
//! Nothing is charged before [`Contract::charged_from`] (R86) nor after [`Contract::last_day`].
//! Every part of a price is quantity × unit price × share, rounded to the minor unit as the shop
//! rounds; a whole price is not rounded here. Several changes of one day count as one.
//!
//! - **Monthly.** The licences of the first charged day pay for the charged days of the month:
//!   days ÷ days of the month, the whole price for the whole month. Licences added later in the
//!   month pay from their day on, by days. Licences taken off are given back by days where the
//!   contract refunds (R75); otherwise they are paid to the end of the month, and licences added
//!   again within it are not paid twice.
//! - **Annual.** The same with the contract's year instead of the month, in advance: charged in
//!   the month of the first charged day and of each anniversary that the contract reaches, in
//!   twelfths. Licences added pay for the months of the year that have not ended, the begun one
//!   whole; licences given back return the months that have not begun. The last year of a term that
//!   lapses is as many twelfths as it has begun months; a cancellation gives nothing back.
//! - **Once.** In the month of the first charged day; licences added, in the month of their day.

use daicho_events::product::BillingPeriod;
use daicho_values::{
    Date, MONTHS_A_YEAR, Money, MoneyError, Month, Period, Quantity, Rounding, Term,
};

use crate::state::Contract;

/// A part of what a contract costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The days that it pays for, or gives back; it begins in the month that it is billed with.
    pub period: Period,
    /// How many licences.
    pub quantity: Quantity,
    /// Before tax; below zero: given back.
    pub amount: Money,
    /// The day whose tax rate it bears: that on which it began to be owed.
    pub rated_on: Date,
}

/// What a contract costs in a month, in order of days. Parts that come to nothing are left out.
///
/// # Errors
/// Amounts beyond the limits.
pub fn charges(
    contract: &Contract,
    month: Month,
    rounding: Rounding,
) -> Result<Vec<Charge>, MoneyError> {
    let mut charges = Vec::new();
    for cycle in cycles(contract, month) {
        for part in cycle.parts(contract).into_iter().filter(|part| part.day.month() == month) {
            let charge = cycle.charge(part, contract.concluded.unit_price, rounding)?;
            charges.extend(charge.filter(|charge| !charge.amount.is_zero()));
        }
    }
    let of_month = |charge: &Charge| charge.period.from.month() == month;
    assert!(charges.iter().all(of_month), "a charge is billed with the month that it begins in");
    Ok(charges)
}

/// The days that one price of a licence pays for.
#[derive(Debug, Clone, Copy)]
struct Cycle {
    billing: BillingPeriod,
    span: Period,
}

/// Licences that begin to be charged on a day, or are given back from it on.
#[derive(Debug, Clone, Copy)]
struct Part {
    day: Date,
    quantity: Quantity,
    kind: PartKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PartKind {
    Charged,
    GivenBack,
}

fn cycles(contract: &Contract, month: Month) -> Vec<Cycle> {
    let (first, last) = (contract.charged_from(), contract.last_day());
    let billing = contract.terms().billing;
    let spans: Vec<Period> = match billing {
        BillingPeriod::Monthly => {
            let to = last.into_iter().chain([month.last()]).min();
            to.and_then(|to| Period::new(first.max(month.first()), to)).into_iter().collect()
        }
        BillingPeriod::Annual => years(contract, first, month),
        BillingPeriod::Once => {
            Period::new(first, last.unwrap_or(first.max(month.last()))).into_iter().collect()
        }
    };
    assert!(spans.iter().all(|span| span.from >= first), "nothing is charged before it begins");
    spans.into_iter().map(|span| Cycle { billing, span }).collect()
}

/// The contract's years that touch a month: two where the anniversary is within it.
fn years(contract: &Contract, first: Date, month: Month) -> Vec<Period> {
    let years = Term::of_months(first, MONTHS_A_YEAR);
    let (earlier, later) = (years.holding(month.first()), years.holding(month.last()));
    let charged = |year: Period| {
        let to = contract.lapses_on().into_iter().chain([year.to]).min()?;
        let reached = contract.last_day().is_none_or(|last| year.from <= last);
        Period::new(year.from, to).filter(|_| reached)
    };
    assert!(
        later == earlier || later.from == earlier.to.next(),
        "a month touches two years at most"
    );
    let later = (later != earlier).then_some(later);
    [earlier].into_iter().chain(later).filter_map(charged).collect()
}

impl Cycle {
    fn parts(self, contract: &Contract) -> Vec<Part> {
        let first = contract.licences_on(self.span.from);
        let part = |day, number: u32, kind| {
            let quantity = Quantity::new(i64::from(number)).ok();
            quantity.map(|quantity| Part { day, quantity, kind })
        };
        let mut parts = vec![part(self.span.from, first.get(), PartKind::Charged)];
        let (mut held, mut paid) = (first.get(), first.get());
        let is_within = |day: Date| self.span.from < day && day <= self.span.to;
        let in_force = |day: Date| contract.last_day().is_none_or(|last| day <= last);
        let steps = contract.steps().iter();
        for step in steps.filter(|step| is_within(step.from) && in_force(step.from)) {
            let quantity = step.quantity.get();
            if quantity > paid {
                parts.push(part(step.from, quantity - paid, PartKind::Charged));
                paid = quantity;
            } else if quantity < held && step.refund {
                parts.push(part(step.from, held - quantity, PartKind::GivenBack));
                paid -= held - quantity;
            }
            held = quantity;
            assert!(paid >= held, "every licence held is paid for");
        }
        parts.into_iter().flatten().collect()
    }

    fn charge(
        self,
        part: Part,
        unit_price: Money,
        rounding: Rounding,
    ) -> Result<Option<Charge>, MoneyError> {
        let (numerator, denominator) = self.share(part);
        if numerator == 0 {
            return Ok(None);
        }
        let whole = unit_price.times(part.quantity)?;
        let amount = if numerator == denominator {
            whole
        } else {
            whole.share(numerator, denominator, rounding)?
        };
        let (amount, rated_on) = match part.kind {
            PartKind::Charged => (amount, part.day),
            PartKind::GivenBack => (amount.negated(), self.span.from),
        };
        let period = Period { from: part.day, to: self.paid_to(part.day) };
        assert!(period.from <= period.to, "what is paid for has not ended before it begins");
        Ok(Some(Charge { period, quantity: part.quantity, amount, rated_on }))
    }

    /// What is paid once pays for no days beyond its own.
    fn paid_to(self, day: Date) -> Date {
        match self.billing {
            BillingPeriod::Monthly | BillingPeriod::Annual => self.span.to,
            BillingPeriod::Once => day,
        }
    }

    /// The share of a price, as numerator and denominator.
    fn share(self, part: Part) -> (u32, u32) {
        let (numerator, denominator) = match self.billing {
            BillingPeriod::Monthly => {
                let whole = part.day.month().period().days();
                (Period { from: part.day, to: self.span.to }.days(), whole)
            }
            BillingPeriod::Annual => {
                let months = self.span.from.whole_months_until(self.span.to) + 1;
                let ended = self.span.from.whole_months_until(part.day);
                let kept = match part.kind {
                    PartKind::Charged => ended,
                    PartKind::GivenBack => {
                        ended + u32::from(self.span.from.after_months(ended) < part.day)
                    }
                };
                (months.saturating_sub(kept), MONTHS_A_YEAR.get())
            }
            BillingPeriod::Once => (u32::from(part.kind == PartKind::Charged), 1),
        };
        assert!(denominator > 0 && numerator <= denominator, "a share is at most the whole");
        (numerator, denominator)
    }
}

#[cfg(test)]
mod tests {
    use daicho_events::Event;
    use daicho_events::contract::{ContractConcluded, ContractTerms, QuantityChanged};
    use daicho_values::Sample;

    use super::*;
    use crate::contract::fixtures::{concluded, licences, recorded, term, terms};
    use crate::state::{Contracts, Fold};
    use crate::testing::{day, yen};

    /// A contract of ten licences at 1,000 yen from 2026-05-11, changed on days.
    fn contract(terms: ContractTerms, changes: &[(&str, i64, bool)]) -> Contract {
        let mut contracts = Contracts::default();
        let concluded = ContractConcluded { terms, ..concluded() };
        contracts.apply(&recorded(Event::from(concluded.clone())));
        for (from, quantity, refund) in changes {
            contracts.apply(&recorded(Event::from(QuantityChanged {
                contract: concluded.contract,
                organisation: concluded.organisation,
                before: Quantity::sample(),
                quantity: licences(*quantity),
                from: day(from),
                refund: *refund,
            })));
        }
        contracts.get(concluded.contract).unwrap().clone()
    }

    /// Days, licences and amount of each charge of a month.
    fn of(contract: &Contract, month: &str) -> Vec<String> {
        let charges = charges(contract, month.parse().unwrap(), Rounding::Floor).unwrap();
        let line = |charge: Charge| {
            let Period { from, to } = charge.period;
            format!("{from} {to} {} {}", charge.quantity, charge.amount.amount())
        };
        charges.into_iter().map(line).collect()
    }

    fn annual() -> ContractTerms {
        ContractTerms { billing: BillingPeriod::Annual, ..terms() }
    }

    #[test]
    fn the_month_of_the_start_is_charged_by_days_and_later_months_whole() {
        let contract = contract(terms(), &[]);
        assert_eq!(of(&contract, "2026-04"), [""; 0]);
        // 21 of 31 days.
        assert_eq!(of(&contract, "2026-05"), ["2026-05-11 2026-05-31 10 6774"]);
        assert_eq!(of(&contract, "2026-06"), ["2026-06-01 2026-06-30 10 10000"]);
    }

    #[test]
    fn the_month_of_the_end_is_charged_to_its_last_day() {
        let mut contract = contract(terms(), &[("2026-07-01", 20, false)]);
        contract.ends_on = Some(day("2026-06-15"));
        assert_eq!(of(&contract, "2026-06"), ["2026-06-01 2026-06-15 10 5000"]);
        assert_eq!(of(&contract, "2026-07"), [""; 0]);
    }

    #[test]
    fn a_term_that_lapsed_is_not_charged_after_its_last_day_r73() {
        let year = term("2026-05-11", "2027-05-10");
        let lapsing = contract(ContractTerms { term: year, ..terms() }, &[]);
        assert_eq!(of(&lapsing, "2027-05"), ["2027-05-01 2027-05-10 10 3225"]);
        assert_eq!(of(&lapsing, "2027-06"), [""; 0]);
        let renewed = contract(ContractTerms { term: year, auto_renew: true, ..terms() }, &[]);
        assert_eq!(of(&renewed, "2027-06"), ["2027-06-01 2027-06-30 10 10000"]);
    }

    #[test]
    fn the_first_calendar_month_may_be_free_r86() {
        let terms = ContractTerms { first_month_free: true, ..terms() };
        let contract = contract(terms, &[("2026-05-20", 12, false)]);
        assert_eq!(of(&contract, "2026-05"), [""; 0]);
        assert_eq!(of(&contract, "2026-06"), ["2026-06-01 2026-06-30 12 12000"]);
    }

    #[test]
    fn licences_added_within_a_month_are_charged_from_their_day_r74() {
        let contract = contract(terms(), &[("2026-06-16", 13, false)]);
        assert_eq!(
            of(&contract, "2026-06"),
            ["2026-06-01 2026-06-30 10 10000", "2026-06-16 2026-06-30 3 1500"]
        );
        assert_eq!(of(&contract, "2026-07"), ["2026-07-01 2026-07-31 13 13000"]);
    }

    #[test]
    fn fewer_licences_without_refund_count_from_the_next_month_r75() {
        let contract = contract(terms(), &[("2026-06-16", 4, false)]);
        assert_eq!(of(&contract, "2026-06"), ["2026-06-01 2026-06-30 10 10000"]);
        assert_eq!(of(&contract, "2026-07"), ["2026-07-01 2026-07-31 4 4000"]);
    }

    #[test]
    fn licences_taken_off_and_added_again_within_a_month_are_paid_once_r75() {
        let contract = contract(terms(), &[("2026-06-10", 4, false), ("2026-06-16", 12, false)]);
        assert_eq!(
            of(&contract, "2026-06"),
            ["2026-06-01 2026-06-30 10 10000", "2026-06-16 2026-06-30 2 1000"]
        );
    }

    #[test]
    fn several_changes_of_one_day_count_as_one() {
        // Without this rule eight licences that nobody had overnight would be paid for.
        let kept = contract(terms(), &[("2026-06-16", 18, false), ("2026-06-16", 4, false)]);
        assert_eq!(of(&kept, "2026-06"), ["2026-06-01 2026-06-30 10 10000"]);
        let refunded = contract(terms(), &[("2026-06-16", 2, true), ("2026-06-16", 4, false)]);
        assert_eq!(
            of(&refunded, "2026-06"),
            ["2026-06-01 2026-06-30 10 10000", "2026-06-16 2026-06-30 6 -3000"]
        );
    }

    #[test]
    fn fewer_licences_with_refund_are_given_back_by_days_r75() {
        let contract = contract(terms(), &[("2026-06-16", 4, true)]);
        assert_eq!(
            of(&contract, "2026-06"),
            ["2026-06-01 2026-06-30 10 10000", "2026-06-16 2026-06-30 6 -3000"]
        );
    }

    #[test]
    fn an_annual_plan_is_charged_in_advance_on_each_anniversary() {
        let contract = contract(annual(), &[]);
        assert_eq!(of(&contract, "2026-05"), ["2026-05-11 2027-05-10 10 10000"]);
        assert_eq!(of(&contract, "2026-06"), [""; 0]);
        assert_eq!(of(&contract, "2027-05"), ["2027-05-11 2028-05-10 10 10000"]);
    }

    #[test]
    fn an_annual_plan_that_ended_before_the_anniversary_is_not_charged_again() {
        let mut contract = contract(annual(), &[]);
        contract.ends_on = Some(day("2027-05-10"));
        assert_eq!(of(&contract, "2027-05"), [""; 0]);
    }

    #[test]
    fn an_annual_plan_with_a_free_first_month_begins_its_years_after_it_r86() {
        let contract = contract(ContractTerms { first_month_free: true, ..annual() }, &[]);
        assert_eq!(of(&contract, "2026-05"), [""; 0]);
        assert_eq!(of(&contract, "2026-06"), ["2026-06-01 2027-05-31 10 10000"]);
    }

    #[test]
    fn licences_added_within_a_year_pay_for_its_remaining_months_r74() {
        // The sixth month of the year, 11 October to 10 November, has begun: seven remain.
        let contract = contract(annual(), &[("2026-10-20", 12, false)]);
        assert_eq!(of(&contract, "2026-10"), ["2026-10-20 2027-05-10 2 1166"]);
        assert_eq!(of(&contract, "2027-05"), ["2027-05-11 2028-05-10 12 12000"]);
    }

    #[test]
    fn licences_added_just_before_an_anniversary_pay_for_both_years_r74() {
        let contract = contract(annual(), &[("2027-05-10", 12, false)]);
        assert_eq!(
            of(&contract, "2027-05"),
            ["2027-05-10 2027-05-10 2 166", "2027-05-11 2028-05-10 12 12000"]
        );
    }

    #[test]
    fn licences_given_back_within_a_year_return_the_months_not_begun_r75() {
        let begun = contract(annual(), &[("2026-10-20", 4, true)]);
        assert_eq!(of(&begun, "2026-10"), ["2026-10-20 2027-05-10 6 -3000"]);
        let not_begun = contract(annual(), &[("2026-10-11", 4, true)]);
        assert_eq!(of(&not_begun, "2026-10"), ["2026-10-11 2027-05-10 6 -3500"]);
    }

    #[test]
    fn the_last_year_of_a_lapsing_term_is_as_many_twelfths_as_it_has_months_r73() {
        let terms = ContractTerms { term: term("2026-05-11", "2027-11-10"), ..annual() };
        let contract = contract(terms, &[]);
        assert_eq!(of(&contract, "2027-05"), ["2027-05-11 2027-11-10 10 5000"]);
    }

    #[test]
    fn a_plan_paid_once_is_charged_once_and_for_each_licence_added() {
        let terms = ContractTerms { billing: BillingPeriod::Once, ..terms() };
        let contract = contract(terms, &[("2026-08-20", 12, false), ("2026-09-20", 1, true)]);
        assert_eq!(of(&contract, "2026-05"), ["2026-05-11 2026-05-11 10 10000"]);
        assert_eq!(of(&contract, "2026-06"), [""; 0]);
        assert_eq!(of(&contract, "2026-08"), ["2026-08-20 2026-08-20 2 2000"]);
        assert_eq!(of(&contract, "2026-09"), [""; 0]);
    }

    #[test]
    fn what_is_given_back_bears_the_rate_at_which_it_was_charged() {
        let contract = contract(annual(), &[("2026-10-20", 4, true)]);
        let charges = charges(&contract, "2026-10".parse().unwrap(), Rounding::Floor).unwrap();
        assert_eq!(charges[0].rated_on, day("2026-05-11"));
    }

    #[test]
    fn a_price_of_nothing_makes_no_charge() {
        let mut contract = contract(terms(), &[]);
        contract.concluded.unit_price = yen(0);
        assert_eq!(of(&contract, "2026-06"), [""; 0]);
    }
}
