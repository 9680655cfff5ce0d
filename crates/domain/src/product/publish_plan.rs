//! Publishes a plan, or a new price of a plan, from a day; an order takes the price of its own day.

use std::collections::BTreeSet;

use daicho_events::access::Role;
use daicho_events::product::{BillingPeriod, PlanPublished};
use daicho_events::{NewEvent, Query};
use daicho_values::{Date, Money, PlanCode, ProductCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::plan::{self, PlanRefused};
use crate::frame::Known;
use crate::state::{Catalogue, Product, ProductNotListed, ShopNotOpen};
use crate::{By, Command, Decision, Moment};

/// Publishes a plan of a listed product. A plan that is there gets a new price and new conditions
/// from that day; given again for the same day, the later publication holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishPlan {
    /// The product.
    pub product: ProductCode,
    /// The plan, a new one or one of the product's.
    pub plan: PlanCode,
    /// First day of the price.
    pub from: Date,
    /// Price of one, a billing period, before tax.
    pub price: Money,
    /// How often it is billed; a plan keeps it.
    pub billing: BillingPeriod,
    /// Months of a term; `null`: open-ended.
    #[serde(default)]
    pub term_months: Option<u32>,
    /// Whether a term that ends is renewed by itself (R73).
    #[serde(default)]
    pub auto_renew: bool,
    /// Whether the first calendar month is free (R86).
    #[serde(default)]
    pub first_month_free: bool,
}

rejections! {
    /// Why a plan is not published.
    pub enum PublishPlanRejection {
        /// A plan is one billing period: running contracts are billed by it.
        BillingChanged { plan: PlanCode } = "plan_billing_changed":
            "plan `{plan}` is billed by another period: a plan keeps its period, publish a plan \
             of another code",
        shared {
            /// The shop comes first.
            ShopNotOpen(ShopNotOpen),
            /// The product comes first.
            ProductNotListed(ProductNotListed),
            /// The plan breaks a rule.
            Plan(PlanRefused),
        }
    }
}

known! {
    /// The shop, and the product with its plans.
    pub struct PublishPlanState { catalogue: Catalogue, }
}

impl Decision for PublishPlan {
    type State = PublishPlanState;
    type Rejection = PublishPlanRejection;

    fn query(&self, _: &Known<PublishPlanState>) -> Query {
        Catalogue::query([&self.product])
    }

    fn decide(
        &self,
        known: &Known<PublishPlanState>,
        _at: &Moment,
    ) -> Result<Vec<NewEvent>, PublishPlanRejection> {
        let currency = known.shop.opened()?.currency;
        let product = known.catalogue.listed(&self.product)?;
        let published = self.event();
        plan::check(&published, product.kind, currency)?;
        if self.changes_billing_of(product) {
            return Err(PublishPlanRejection::BillingChanged { plan: self.plan.clone() });
        }
        plan::check_count(self.plans_after(product))?;
        Ok(vec![NewEvent::on(self.from, published)])
    }
}

impl PublishPlan {
    fn changes_billing_of(&self, product: &Product) -> bool {
        product.plans.iter().any(|plan| plan.plan == self.plan && plan.billing != self.billing)
    }

    fn plans_after(&self, product: &Product) -> usize {
        let mut plans: BTreeSet<_> = product.plans.iter().map(|plan| &plan.plan).collect();
        plans.insert(&self.plan);
        plans.len()
    }

    fn event(&self) -> PlanPublished {
        PlanPublished {
            product: self.product.clone(),
            plan: self.plan.clone(),
            from: self.from,
            price: self.price,
            billing: self.billing,
            term_months: self.term_months,
            auto_renew: self.auto_renew,
            first_month_free: self.first_month_free,
        }
    }
}

impl Command for PublishPlan {
    const NAME: &'static str = "product.publish_plan";
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[];
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;
    use daicho_values::Sample;

    use super::*;
    use crate::product::samples::{annual, dearer, suite};
    use crate::product::{FirstPlan, ListProduct, PLANS_MAX};
    use crate::testing::{Step, by, day, given, open_book, yen};

    fn listed() -> [Step; 2] {
        [open_book().into(), suite().into()]
    }

    #[test]
    fn a_new_price_counts_from_its_own_day_r4() {
        let events = given(listed()).when(dearer()).events();
        let published = PlanPublished {
            product: Sample::sample(),
            plan: Sample::sample(),
            from: day("2026-10-01"),
            price: yen(13_200),
            billing: BillingPeriod::Annual,
            term_months: Some(12),
            auto_renew: true,
            first_month_free: false,
        };
        assert_eq!(events, [NewEvent::on(day("2026-10-01"), published)]);
    }

    #[test]
    fn a_new_plan_may_be_billed_by_another_period() {
        let plan = PlanCode::new("monthly").unwrap();
        let monthly = PublishPlan { plan, billing: BillingPeriod::Monthly, ..dearer() };
        given(listed()).when(monthly).then_types(["product.plan_published"]);
    }

    #[test]
    fn a_plan_keeps_its_billing_period() {
        let monthly = PublishPlan { billing: BillingPeriod::Monthly, ..dearer() };
        given(listed()).when(monthly).then_rejected("plan_billing_changed");
    }

    #[test]
    fn a_plan_keeps_the_rules_of_plans() {
        let negative = PublishPlan { price: yen(-1), ..dearer() };
        given(listed()).when(negative).then_rejected("price_negative");
        let once = PublishPlan { billing: BillingPeriod::Once, ..dearer() };
        given(listed()).when(once).then_rejected("service_billed_once");
    }

    #[test]
    fn a_product_at_the_limit_of_plans_takes_new_prices_only() {
        let code = |n| PlanCode::new(&format!("plan-{n}")).unwrap();
        let full = |plan: PublishPlan| {
            let plans = (0..PLANS_MAX).map(|n| FirstPlan { plan: code(n), ..annual() }).collect();
            given([open_book().into(), ListProduct { plans, ..suite() }.into()]).when(plan)
        };
        full(PublishPlan { plan: code(0), ..dearer() }).then_types(["product.plan_published"]);
        full(PublishPlan { plan: code(PLANS_MAX), ..dearer() }).then_rejected("too_many_plans");
    }

    #[test]
    fn a_plan_of_no_product_is_refused() {
        given([open_book().into()]).when(dearer()).then_rejected("product_not_listed");
    }

    #[test]
    fn a_shop_that_is_not_open_publishes_no_plan() {
        given([]).when(dearer()).then_rejected("shop_not_open");
    }

    #[test]
    fn a_member_does_not_publish_plans() {
        let history = listed().into_iter().chain([by(Actor::Member(Sample::sample()))]);
        given(history).when(dearer()).then_rejected("staff_only");
    }
}
