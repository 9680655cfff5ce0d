//! Products for tests: a service with an annual plan, as the software market sells it.

use daicho_events::product::{
    BillingPeriod, CancellationPolicy, PaymentMethod, PenaltyRule, ProductKind, PurchaseRules,
    ReductionPolicy,
};
use daicho_values::{Name, Quantity, Sample, TaxCategory};

use super::{FirstPlan, FirstTerms, ListProduct, PublishPlan};
use crate::testing::{day, yen};

/// Rules that allow most things.
pub(crate) fn rules() -> PurchaseRules {
    PurchaseRules {
        quantity_max: Some(Quantity::new(300).unwrap()),
        desired_start: true,
        licence_addition: true,
        licence_reduction: ReductionPolicy::WithoutRefund,
        cancellation: CancellationPolicy::UntilConfirmed,
        notice_days: 30,
        penalty: PenaltyRule::RemainingTerm,
        payment_methods: vec![PaymentMethod::Invoice, PaymentMethod::Card],
    }
}

/// The first plan of the suite.
pub(crate) fn annual() -> FirstPlan {
    FirstPlan {
        plan: Sample::sample(),
        from: day("2026-04-01"),
        price: yen(12_000),
        billing: BillingPeriod::Annual,
        term_months: Some(12),
        auto_renew: true,
        first_month_free: false,
    }
}

/// The suite: a service with one plan and terms.
pub(crate) fn suite() -> ListProduct {
    ListProduct {
        product: Sample::sample(),
        name: Name::sample(),
        kind: ProductKind::Service,
        tax: TaxCategory::Standard,
        rules: rules(),
        plans: vec![annual()],
        terms: Some(FirstTerms { version: Sample::sample(), sha256: Sample::sample() }),
    }
}

/// A price of the suite's annual plan from a later day.
pub(crate) fn dearer() -> PublishPlan {
    let plan = annual();
    PublishPlan {
        product: Sample::sample(),
        plan: plan.plan,
        from: day("2026-10-01"),
        price: yen(13_200),
        billing: plan.billing,
        term_months: plan.term_months,
        auto_renew: plan.auto_renew,
        first_month_free: plan.first_month_free,
    }
}
