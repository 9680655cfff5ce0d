//! Lists a product: its name, its purchase rules, its first plans and terms, each as an event.

use std::collections::BTreeSet;

use daicho_events::access::Role;
use daicho_events::product::{
    BillingPeriod, PlanPublished, ProductKind, ProductListed, PurchaseRules, PurchaseRulesSet,
    TermsPublished,
};
use daicho_events::{NewEvent, Query};
use daicho_values::{Date, Money, Name, PlanCode, ProductCode, Sha256, TaxCategory, TermsVersion};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::plan::{self, PlanRefused};
use super::set_rules::{RulesRefused, check_rules};
use crate::frame::Known;
use crate::state::{Catalogue, ShopNotOpen};
use crate::{By, Command, Decision, Moment};

/// Lists a product that buyers may order from today on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListProduct {
    /// Its code, for ever.
    pub product: ProductCode,
    /// Its name; `product.rename` changes it.
    pub name: Name,
    /// Service or goods.
    pub kind: ProductKind,
    /// The tax that it bears.
    pub tax: TaxCategory,
    /// What buyers may do.
    pub rules: PurchaseRules,
    /// Its first plans; `product.publish_plan` adds more.
    #[serde(default)]
    pub plans: Vec<FirstPlan>,
    /// Its first terms and specification (約款・仕様書, R8); `null`: none to accept.
    #[serde(default)]
    pub terms: Option<FirstTerms>,
}

/// A plan that a product is listed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstPlan {
    /// The plan.
    pub plan: PlanCode,
    /// First day of the price; a past day, where the product was sold before it was recorded.
    pub from: Date,
    /// Price of one, a billing period, before tax.
    pub price: Money,
    /// How often it is billed.
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

/// The terms that a product is listed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstTerms {
    /// The version.
    pub version: TermsVersion,
    /// SHA-256 of the document.
    pub sha256: Sha256,
}

rejections! {
    /// Why a product is not listed.
    pub enum ListProductRejection {
        /// A code names one product for ever.
        AlreadyListed { product: ProductCode, name: Name } = "product_already_listed":
            "product `{product}` is already listed as `{name}`: rename it, or give the new \
             product another code",
        /// A day has one price of a plan.
        PlanTwice { plan: PlanCode, from: Date } = "plan_twice":
            "plan `{plan}` is given twice from {from}: a plan has one price a day, leave out one",
        shared {
            /// The shop comes first.
            ShopNotOpen(ShopNotOpen),
            /// A plan breaks a rule.
            Plan(PlanRefused),
            /// The purchase rules cannot be kept.
            Rules(RulesRefused),
        }
    }
}

known! {
    /// The shop, and the product if there is one.
    pub struct ListProductState { catalogue: Catalogue, }
}

impl Decision for ListProduct {
    type State = ListProductState;
    type Rejection = ListProductRejection;

    fn query(&self, _: &Known<ListProductState>) -> Query {
        Catalogue::query([&self.product])
    }

    fn decide(
        &self,
        known: &Known<ListProductState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, ListProductRejection> {
        let currency = known.shop.opened()?.currency;
        if let Some(listed) = known.catalogue.get(&self.product) {
            let (product, name) = (self.product.clone(), listed.name.clone());
            return Err(ListProductRejection::AlreadyListed { product, name });
        }
        check_rules(&self.rules)?;
        plan::check_count(self.plans.len())?;
        let plans: Vec<PlanPublished> =
            self.plans.iter().map(|plan| plan.of(&self.product)).collect();
        plans.iter().try_for_each(|plan| plan::check(plan, self.kind, currency))?;
        let mut begun = BTreeSet::new();
        if let Some(twice) = self.plans.iter().find(|plan| !begun.insert((&plan.plan, plan.from))) {
            let (plan, from) = (twice.plan.clone(), twice.from);
            return Err(ListProductRejection::PlanTwice { plan, from });
        }
        Ok(self.events(plans, known.shop.today(at)))
    }
}

impl ListProduct {
    fn events(&self, plans: Vec<PlanPublished>, today: Date) -> Vec<NewEvent> {
        let product = || self.product.clone();
        let listed = ProductListed {
            product: product(),
            name: self.name.clone(),
            kind: self.kind,
            tax: self.tax,
        };
        let rules = PurchaseRulesSet { product: product(), rules: self.rules.clone() };
        let mut events = vec![NewEvent::on(today, listed), NewEvent::on(today, rules)];
        events.extend(plans.into_iter().map(|plan| NewEvent::on(plan.from, plan)));
        events.extend(self.terms.clone().map(|FirstTerms { version, sha256 }| {
            NewEvent::on(today, TermsPublished { product: product(), version, sha256 })
        }));
        events
    }
}

impl FirstPlan {
    fn of(&self, product: &ProductCode) -> PlanPublished {
        PlanPublished {
            product: product.clone(),
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

impl Command for ListProduct {
    const NAME: &'static str = "product.list";
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[];
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;
    use daicho_values::{Currency, Sample};

    use super::*;
    use crate::product::PLANS_MAX;
    use crate::product::samples::{annual, rules, suite};
    use crate::testing::{by, day, given, open_book, yen};

    #[test]
    fn a_product_is_listed_with_its_rules_plans_and_terms_r8() {
        let (today, product) = (day("2026-05-11"), ProductCode::sample());
        let listed = ProductListed {
            product: product.clone(),
            name: Name::sample(),
            kind: ProductKind::Service,
            tax: TaxCategory::Standard,
        };
        let terms = TermsPublished {
            product: product.clone(),
            version: Sample::sample(),
            sha256: Sample::sample(),
        };
        let events = given([open_book().into()]).when(suite()).events();
        assert_eq!(
            events,
            [
                NewEvent::on(today, listed),
                NewEvent::on(today, PurchaseRulesSet { product: product.clone(), rules: rules() }),
                NewEvent::on(day("2026-04-01"), annual().of(&product)),
                NewEvent::on(today, terms),
            ]
        );
    }

    #[test]
    fn a_product_may_be_listed_before_its_plans_and_terms_are_known() {
        let bare = ListProduct { plans: Vec::new(), terms: None, ..suite() };
        let outcome = given([open_book().into()]).when(bare);
        outcome.then_types(["product.listed", "product.purchase_rules_set"]);
    }

    #[test]
    fn a_code_names_one_product_for_ever_r4() {
        let history = [open_book().into(), suite().into()];
        given(history).when(suite()).then_rejected("product_already_listed");
    }

    #[test]
    fn a_shop_that_is_not_open_lists_nothing() {
        given([]).when(suite()).then_rejected("shop_not_open");
    }

    #[test]
    fn a_member_does_not_list_products() {
        let history = [open_book().into(), by(Actor::Member(Sample::sample()))];
        given(history).when(suite()).then_rejected("staff_only");
    }

    #[track_caller]
    fn refused(plans: Vec<FirstPlan>, code: &str) {
        let product = ListProduct { plans, ..suite() };
        given([open_book().into()]).when(product).then_rejected(code);
    }

    #[test]
    fn every_plan_keeps_the_rules_of_plans() {
        let pound = Money::parse("1", Currency::Gbp).unwrap();
        refused(vec![annual(), FirstPlan { price: pound, ..annual() }], "mixed_currencies");
        refused(vec![FirstPlan { price: yen(-1), ..annual() }], "price_negative");
    }

    #[test]
    fn a_plan_has_one_price_a_day() {
        refused(vec![annual(), FirstPlan { price: yen(1), ..annual() }], "plan_twice");
        let later = FirstPlan { from: day("2026-10-01"), ..annual() };
        let product = ListProduct { plans: vec![annual(), later], terms: None, ..suite() };
        let events = given([open_book().into()]).when(product).events();
        assert_eq!(events.len(), 4);
    }

    #[test]
    fn a_product_has_a_limit_of_plans() {
        let plans = |count: usize| {
            let code = |n| PlanCode::new(&format!("plan-{n}")).unwrap();
            (0..count).map(|n| FirstPlan { plan: code(n), ..annual() }).collect::<Vec<_>>()
        };
        refused(plans(PLANS_MAX + 1), "too_many_plans");
        let most = ListProduct { plans: plans(PLANS_MAX), ..suite() };
        assert_eq!(given([open_book().into()]).when(most).events().len(), PLANS_MAX + 3);
    }

    #[test]
    fn a_product_that_nobody_can_pay_for_is_not_listed_r83() {
        let rules = PurchaseRules { payment_methods: Vec::new(), ..rules() };
        let product = ListProduct { rules, ..suite() };
        given([open_book().into()]).when(product).then_rejected("payment_method_missing");
    }
}
