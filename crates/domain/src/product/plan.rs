//! The rules that every plan keeps, whether listed with its product or published later.

use daicho_events::product::{BillingPeriod, PlanPublished, ProductKind};
use daicho_values::{Currency, Money, PlanCode};

/// Plans that a product may have.
pub const PLANS_MAX: usize = 100;
/// Months of the longest term: a hundred years.
pub const TERM_MONTHS_MAX: u32 = 1_200;

/// Months of an annual plan's billing period.
const MONTHS_A_YEAR: u32 = 12;

rejections! {
    /// Why a plan is refused.
    pub enum PlanRefused {
        /// A product's plans stay few enough to be read whole.
        TooMany { count: usize } = "too_many_plans":
            "{count} plans are too many: a product has at most {PLANS_MAX}, list another product",
        /// One shop, one currency.
        Currency { plan: PlanCode, price: Money, currency: Currency } = "mixed_currencies":
            "plan `{plan}` costs {price}, but the shop's currency is {currency}: give the price \
             in {currency}",
        /// A price is paid by the buyer.
        PriceNegative { plan: PlanCode, price: Money } = "price_negative":
            "plan `{plan}` costs {price}: a price is zero or more, a discount is a lower price",
        /// Goods are delivered and billed once.
        GoodsBilledByPeriod { plan: PlanCode } = "goods_billed_by_period":
            "plan `{plan}` bills goods by the period: goods are billed `once`, only a service by \
             the month or year",
        /// A service runs, and is billed as it runs.
        ServiceBilledOnce { plan: PlanCode } = "service_billed_once":
            "plan `{plan}` bills a service once: a service is billed `monthly` or `annual`, only \
             goods `once`",
        /// A term has an end that a contract can reach.
        TermOutsideLimits { plan: PlanCode, months: u32 } = "term_outside_limits":
            "plan `{plan}` has a term of {months} months: a term has 1 to {TERM_MONTHS_MAX} \
             months, leave it out for none",
        /// What is billed for a year runs for a year.
        TermNotWholeYears { plan: PlanCode, months: u32 } = "term_not_whole_years":
            "plan `{plan}` is billed by the year for a term of {months} months: give whole years, \
             or bill it monthly",
    }
}

/// The rules of a plan by itself.
pub(super) fn check(
    plan: &PlanPublished,
    kind: ProductKind,
    currency: Currency,
) -> Result<(), PlanRefused> {
    let (code, price) = (|| plan.plan.clone(), plan.price);
    if price.currency() != currency {
        return Err(PlanRefused::Currency { plan: code(), price, currency });
    }
    if price.is_negative() {
        return Err(PlanRefused::PriceNegative { plan: code(), price });
    }
    match (kind, plan.billing) {
        (ProductKind::Goods, BillingPeriod::Once)
        | (ProductKind::Service, BillingPeriod::Monthly | BillingPeriod::Annual) => {}
        (ProductKind::Goods, BillingPeriod::Monthly | BillingPeriod::Annual) => {
            return Err(PlanRefused::GoodsBilledByPeriod { plan: code() });
        }
        (ProductKind::Service, BillingPeriod::Once) => {
            return Err(PlanRefused::ServiceBilledOnce { plan: code() });
        }
    }
    let Some(months) = plan.term_months else { return Ok(()) };
    if !(1..=TERM_MONTHS_MAX).contains(&months) {
        return Err(PlanRefused::TermOutsideLimits { plan: code(), months });
    }
    if plan.billing == BillingPeriod::Annual && !months.is_multiple_of(MONTHS_A_YEAR) {
        return Err(PlanRefused::TermNotWholeYears { plan: code(), months });
    }
    Ok(())
}

/// The limit on a product's plans.
pub(super) fn check_count(count: usize) -> Result<(), PlanRefused> {
    if count > PLANS_MAX { Err(PlanRefused::TooMany { count }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use daicho_values::Sample;

    use super::*;
    use crate::Rejection;
    use crate::testing::yen;

    fn code_of(plan: &PlanPublished, kind: ProductKind) -> Option<&'static str> {
        check(plan, kind, Currency::Jpy).err().map(|refused| refused.code())
    }

    fn annual() -> PlanPublished {
        let billing = BillingPeriod::Annual;
        PlanPublished { billing, term_months: Some(12), ..Sample::sample() }
    }

    fn service(plan: PlanPublished) -> Option<&'static str> {
        code_of(&plan, ProductKind::Service)
    }

    #[test]
    fn a_price_is_in_the_currency_of_the_shop_and_not_below_zero() {
        let pound = Money::parse("1", Currency::Gbp).unwrap();
        assert_eq!(service(PlanPublished { price: pound, ..annual() }), Some("mixed_currencies"));
        assert_eq!(service(PlanPublished { price: yen(-1), ..annual() }), Some("price_negative"));
        assert_eq!(service(PlanPublished { price: yen(0), ..annual() }), None);
    }

    #[test]
    fn goods_are_billed_once_and_services_by_the_period() {
        let goods = |plan: PlanPublished| code_of(&plan, ProductKind::Goods);
        let once = || PlanPublished { billing: BillingPeriod::Once, ..annual() };
        let monthly = || PlanPublished { billing: BillingPeriod::Monthly, ..annual() };
        assert_eq!(service(once()), Some("service_billed_once"));
        assert_eq!(goods(annual()), Some("goods_billed_by_period"));
        assert_eq!(goods(monthly()), Some("goods_billed_by_period"));
        assert_eq!([goods(once()), service(monthly()), service(annual())], [None; 3]);
    }

    #[test]
    fn a_term_has_at_least_a_month_and_at_most_a_hundred_years() {
        let of = |months| {
            let (billing, term_months) = (BillingPeriod::Monthly, Some(months));
            service(PlanPublished { billing, term_months, ..annual() })
        };
        assert_eq!([of(0), of(TERM_MONTHS_MAX + 1)], [Some("term_outside_limits"); 2]);
        assert_eq!([of(1), of(TERM_MONTHS_MAX)], [None; 2]);
        assert_eq!(service(PlanPublished { term_months: None, ..annual() }), None);
    }

    #[test]
    fn what_is_billed_for_a_year_runs_for_whole_years_r34() {
        let of = |months| service(PlanPublished { term_months: Some(months), ..annual() });
        assert_eq!([of(18), of(24)], [Some("term_not_whole_years"), None]);
    }
}
