//! Commands about the catalogue (商品): products, dated plans and prices, purchase rules, terms.

mod list;
mod plan;
mod publish_plan;
mod publish_terms;
mod rename;
mod retire;
mod set_rules;

#[cfg(test)]
pub(crate) mod samples;

pub use list::{FirstPlan, FirstTerms, ListProduct, ListProductRejection};
pub use plan::{PLANS_MAX, PlanRefused, TERM_MONTHS_MAX};
pub use publish_plan::{PublishPlan, PublishPlanRejection};
pub use publish_terms::{PublishTerms, PublishTermsRejection};
pub use rename::{RenameProduct, RenameProductRejection};
pub use retire::{RetireProduct, RetireProductRejection};
pub use set_rules::{RulesRefused, SetRules, SetRulesRejection};
