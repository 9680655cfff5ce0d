//! What ending a contract within its term costs (違約金, R76): pure arithmetic.

use std::num::NonZeroU32;

use daicho_events::product::{BillingPeriod, PenaltyRule};
use daicho_values::{Date, MONTHS_A_YEAR, Money, MoneyError, Rounding, Term};

use crate::state::Contract;

/// The penalty of ending a contract on a day, before tax; `None` where nothing is to be paid.
///
/// Of a plan billed monthly: price × licences on the last day × months of the term, counted from
/// its first day, that begin after the last day. Of a plan billed yearly: a twelfth of that price a
/// month, rounded once as `rounding` says; months that the year's charge has paid in advance, which
/// is not given back, are not paid again. A plan billed once is paid already.
///
/// # Errors
/// An amount beyond the limits.
pub fn penalty(
    contract: &Contract,
    ends_on: Date,
    rounding: Rounding,
) -> Result<Option<Money>, MoneyError> {
    let terms = contract.terms();
    let term = match terms.penalty {
        PenaltyRule::Nothing => return Ok(None),
        PenaltyRule::RemainingTerm => contract.term(),
    };
    let (months_a_price, paid_to) = match terms.billing {
        BillingPeriod::Monthly => (NonZeroU32::MIN, ends_on),
        BillingPeriod::Annual => (MONTHS_A_YEAR, year_end(contract, ends_on)),
        BillingPeriod::Once => return Ok(None),
    };
    let Some(term) = term else { return Ok(None) };
    let begin_later = term.months(ends_on).filter(|month| month.from > paid_to);
    let remaining = u32::try_from(begin_later.count()).unwrap_or(u32::MAX);
    let price = contract.concluded.unit_price.times(contract.licences_on(ends_on))?;
    let penalty = price.share(remaining, months_a_price.get(), rounding)?;
    Ok((!penalty.is_zero()).then_some(penalty))
}

/// The last day of the charged year that holds a day; the day itself where none has begun.
fn year_end(contract: &Contract, day: Date) -> Date {
    let first = contract.charged_from();
    if day < first {
        return day;
    }
    Term::of_months(first, MONTHS_A_YEAR).end_of(day)
}

#[cfg(test)]
mod tests {
    use daicho_events::contract::{ContractConcluded, ContractTerms};

    use super::*;
    use crate::contract::fixtures::{concluded, term, terms};
    use crate::testing::{day, yen};

    fn of(terms: ContractTerms, ends_on: &str) -> Option<Money> {
        let terms = ContractTerms { penalty: PenaltyRule::RemainingTerm, ..terms };
        let contract = Contract::from(&ContractConcluded { terms, ..concluded() });
        penalty(&contract, day(ends_on), Rounding::Floor).unwrap()
    }

    fn monthly() -> ContractTerms {
        ContractTerms { term: term("2026-05-11", "2027-05-10"), ..terms() }
    }

    fn three_years() -> ContractTerms {
        let term = term("2026-05-11", "2029-05-10");
        ContractTerms { term, billing: BillingPeriod::Annual, ..terms() }
    }

    #[test]
    fn a_monthly_plan_costs_the_whole_months_that_remain_r76() {
        // Ten licences at 1,000 yen.
        assert_eq!(of(monthly(), "2026-06-10"), Some(yen(110_000)));
        assert_eq!(of(monthly(), "2026-06-11"), Some(yen(100_000)));
        assert_eq!(of(monthly(), "2027-04-10"), Some(yen(10_000)));
        assert_eq!(of(monthly(), "2027-04-11"), None);
        assert_eq!(of(monthly(), "2027-05-10"), None);
    }

    #[test]
    fn months_are_counted_from_the_first_day_of_the_term_whatever_it_is_r76() {
        // Twelve months, ended with the first: eleven remain.
        for (first_to_last, ends_on) in [
            (("2026-01-15", "2027-01-14"), "2026-02-14"),
            (("2026-01-31", "2027-01-30"), "2026-02-28"),
        ] {
            let term = term(first_to_last.0, first_to_last.1);
            assert_eq!(of(ContractTerms { term, ..terms() }, ends_on), Some(yen(110_000)));
        }
    }

    #[test]
    fn a_renewed_term_counts_like_the_first_r76() {
        let terms = ContractTerms { auto_renew: true, ..monthly() };
        assert_eq!(of(terms, "2027-06-10"), Some(yen(110_000)));
    }

    #[test]
    fn an_annual_plan_costs_twelfths_and_never_again_what_is_paid_in_advance_r76() {
        // Ended in its first year, of which nothing is given back: two years of 10,000 yen remain.
        assert_eq!(of(three_years(), "2026-12-31"), Some(yen(20_000)));
        assert_eq!(of(three_years(), "2027-05-11"), Some(yen(10_000)));
        assert_eq!(of(three_years(), "2028-05-11"), None);
    }

    #[test]
    fn a_twelfth_is_rounded_once_as_the_shop_rounds_r76() {
        let terms = ContractTerms { term: term("2026-05-11", "2027-12-10"), ..three_years() };
        // 10,000 × 7 ÷ 12 = 5,833.33
        assert_eq!(of(terms, "2027-01-01"), Some(yen(5_833)));
    }

    #[test]
    fn an_open_end_and_a_plan_paid_once_cost_nothing() {
        assert_eq!(of(terms(), "2026-06-10"), None);
        let once = ContractTerms { billing: BillingPeriod::Once, ..monthly() };
        assert_eq!(of(once, "2026-06-10"), None);
        let contract = Contract::from(&ContractConcluded { terms: monthly(), ..concluded() });
        assert_eq!(penalty(&contract, day("2026-06-10"), Rounding::Floor), Ok(None));
    }
}
