//! Sets what buyers of a product may do from a day on: what was ordered before keeps its rules.

use std::collections::BTreeSet;

use daicho_events::access::Role;
use daicho_events::product::{PaymentMethod, PurchaseRules, PurchaseRulesSet};
use daicho_events::{NewEvent, Query};
use daicho_values::{Date, ProductCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::frame::Known;
use crate::shop::{FirstDayRefused, check_first_day, closed_months_query};
use crate::state::{Catalogue, ClosedMonths, ProductNotListed};
use crate::{By, Command, Decision, Moment};

/// Replaces the purchase rules of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRules {
    /// The product.
    pub product: ProductCode,
    /// The rules, all of them.
    pub rules: PurchaseRules,
    /// The first day on which they hold, after the last closed month; left out, today.
    #[serde(default)]
    pub from: Option<Date>,
}

rejections! {
    /// Why purchase rules are refused.
    pub enum RulesRefused {
        /// What cannot be paid for cannot be bought (R83).
        PaymentMethodMissing = "payment_method_missing":
            "the rules name no payment method, so that nobody could buy: name at least one",
        /// No payment method is named twice.
        PaymentMethodTwice { method: PaymentMethod } = "payment_method_twice":
            "the rules name the payment method {method:?} twice: name it once",
    }
}

rejections! {
    /// Why purchase rules are not set.
    pub enum SetRulesRejection {
        shared {
            /// The product comes first.
            ProductNotListed(ProductNotListed),
            /// The rules cannot be kept.
            Rules(RulesRefused),
            /// The day is not one from which something may be set.
            FirstDay(FirstDayRefused),
        }
    }
}

known! {
    /// The product, and which months are closed.
    pub struct SetRulesState { catalogue: Catalogue, closed: ClosedMonths, }
}

impl Decision for SetRules {
    type State = SetRulesState;
    type Rejection = SetRulesRejection;

    fn query(&self, _: &Known<SetRulesState>) -> Query {
        Catalogue::query([&self.product]).or(closed_months_query(self.from))
    }

    fn decide(
        &self,
        known: &Known<SetRulesState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, SetRulesRejection> {
        known.catalogue.listed(&self.product)?;
        check_rules(&self.rules)?;
        let from = check_first_day(self.from, known.shop.today(at), &known.closed)?;
        let set = PurchaseRulesSet { product: self.product.clone(), rules: self.rules.clone() };
        Ok(vec![NewEvent::on(from, set)])
    }
}

impl Command for SetRules {
    const NAME: &'static str = "product.set_rules";
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[];
}

/// The rules of every set of rules, listed with its product or set later.
pub(super) fn check_rules(rules: &PurchaseRules) -> Result<(), RulesRefused> {
    if rules.payment_methods.is_empty() {
        return Err(RulesRefused::PaymentMethodMissing);
    }
    let mut named = BTreeSet::new();
    match rules.payment_methods.iter().find(|method| !named.insert(**method)) {
        Some(method) => Err(RulesRefused::PaymentMethodTwice { method: *method }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;
    use daicho_events::billing::MonthClosed;
    use daicho_events::product::ReductionPolicy;
    use daicho_values::Sample;

    use super::*;
    use crate::product::samples::{rules, suite};
    use crate::testing::{Step, by, day, event, given, open_book, yen};

    fn set(rules: PurchaseRules) -> SetRules {
        SetRules { product: Sample::sample(), rules, from: None }
    }

    fn listed() -> [Step; 2] {
        [open_book().into(), suite().into()]
    }

    #[test]
    fn new_rules_replace_the_old_ones_r75() {
        let strict = PurchaseRules { licence_reduction: ReductionPolicy::NotAllowed, ..rules() };
        let event = PurchaseRulesSet { product: Sample::sample(), rules: strict.clone() };
        given(listed()).when(set(strict)).then([event.into()]);
    }

    #[test]
    fn a_product_can_be_paid_for_in_some_way_r83() {
        let unpayable = PurchaseRules { payment_methods: Vec::new(), ..rules() };
        given(listed()).when(set(unpayable)).then_rejected("payment_method_missing");
    }

    #[test]
    fn a_payment_method_is_named_once() {
        let methods = vec![PaymentMethod::Card, PaymentMethod::Invoice, PaymentMethod::Card];
        let twice = PurchaseRules { payment_methods: methods, ..rules() };
        given(listed()).when(set(twice)).then_rejected("payment_method_twice");
    }

    #[test]
    fn rules_hold_from_the_day_given_and_not_within_a_closed_month() {
        let closed = MonthClosed { month: "2026-04".parse().unwrap(), invoices: 0, gross: yen(0) };
        let history = || given(listed().into_iter().chain([event(closed.clone())]));
        let from = |text| SetRules { from: Some(day(text)), ..set(rules()) };
        let later = history().when(from("2026-06-01")).events();
        assert_eq!(later[0].effective_on, day("2026-06-01"));
        let earlier = history().when(from("2026-05-01")).events();
        assert_eq!(earlier[0].effective_on, day("2026-05-01"));
        history().when(from("2026-04-30")).then_rejected("from_in_closed_month");
    }

    #[test]
    fn rules_of_no_product_are_refused() {
        given([open_book().into()]).when(set(rules())).then_rejected("product_not_listed");
    }

    #[test]
    fn a_shop_that_is_not_open_sets_no_rules() {
        given([]).when(set(rules())).then_rejected("shop_not_open");
    }

    #[test]
    fn a_member_does_not_set_rules() {
        let history = listed().into_iter().chain([by(Actor::Member(Sample::sample()))]);
        given(history).when(set(rules())).then_rejected("staff_only");
    }
}
