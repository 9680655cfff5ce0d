//! The purchase rules of a product, also where none are set yet.

use daicho_events::product::{
    CancellationPolicy, PaymentMethod, PenaltyRule, PurchaseRules, ReductionPolicy,
};

use crate::state::Product;

/// A product's purchase rules. Where none are set, nothing is forbidden that only a rule forbids,
/// and nothing is promised that only a rule promises (a desired start, a refund).
pub fn rules_of(product: &Product) -> PurchaseRules {
    product.rules.clone().unwrap_or_else(|| PurchaseRules {
        quantity_max: None,
        desired_start: false,
        licence_addition: true,
        licence_reduction: ReductionPolicy::WithoutRefund,
        cancellation: CancellationPolicy::UntilConfirmed,
        notice_days: 0,
        penalty: PenaltyRule::Nothing,
        payment_methods: vec![
            PaymentMethod::Invoice,
            PaymentMethod::DirectDebit,
            PaymentMethod::Card,
        ],
    })
}
