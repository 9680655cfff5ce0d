//! The state of products: names, plans with dated prices, rules, terms.

use std::collections::{BTreeMap, BTreeSet};

use daicho_events::product::{
    CancellationPolicy, PaymentMethod, PenaltyRule, PlanPublished, ProductEvent, ProductKind,
    PurchaseRules, ReductionPolicy, TermsPublished,
};
use daicho_events::{Event, Query, Recorded};
use daicho_values::{Date, Name, PlanCode, ProductCode, TaxCategory, TermsVersion};

use super::{Dated, Fold};
use crate::Rejection;

/// The products that a command asked about.
#[derive(Debug, Default)]
pub struct Catalogue(BTreeMap<ProductCode, Product>);

/// What is known of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its name now.
    pub name: Name,
    /// Service or goods.
    pub kind: ProductKind,
    /// The tax that it bears.
    pub tax: TaxCategory,
    /// The plans and prices published, in order of recording.
    pub plans: Vec<PlanPublished>,
    rules: Dated<PurchaseRules>,
    /// The latest terms.
    pub terms: Option<TermsPublished>,
    /// Every version of the terms: a version is one document for ever.
    pub terms_versions: BTreeSet<TermsVersion>,
    /// First day on which it cannot be bought.
    pub retired_from: Option<Date>,
}

/// A product is not in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("product `{0}` is not listed: `product.list` lists it first")]
pub struct ProductNotListed(pub ProductCode);

impl Rejection for ProductNotListed {
    fn code(&self) -> &'static str {
        "product_not_listed"
    }
}

/// A plan at its price of a day.
pub type Plan = PlanPublished;

impl Catalogue {
    /// What must be read to know these products.
    pub fn query<'a>(products: impl IntoIterator<Item = &'a ProductCode>) -> Query {
        Query::any(products.into_iter().map(|product| Self::about(product.tag())))
    }

    /// The product, if it is listed.
    pub fn get(&self, product: &ProductCode) -> Option<&Product> {
        self.0.get(product)
    }

    /// The product, which must be listed.
    ///
    /// # Errors
    /// It is not listed.
    pub fn listed(&self, product: &ProductCode) -> Result<&Product, ProductNotListed> {
        self.get(product).ok_or_else(|| ProductNotListed(product.clone()))
    }
}

impl Product {
    /// The plan at the price that holds on a day: the latest published one that has begun.
    pub fn plan_on(&self, plan: &PlanCode, day: Date) -> Option<&Plan> {
        // Of two with the same first day the one recorded later holds: `max_by_key` takes the last.
        self.plans.iter().filter(|p| p.plan == *plan && p.from <= day).max_by_key(|p| p.from)
    }

    /// What buyers may do on a day, by the rules that hold on it; before the first ones those.
    pub fn rules_on(&self, day: Date) -> PurchaseRules {
        self.rules.on(day).cloned().unwrap_or_else(rules_unset)
    }

    /// Whether it cannot be bought any more on a day.
    pub fn is_retired_on(&self, day: Date) -> bool {
        self.retired_from.is_some_and(|from| from <= day)
    }
}

impl Fold for Catalogue {
    const READS: &'static [&'static [&'static str]] = &[ProductEvent::STORED];

    fn apply(&mut self, recorded: &Recorded) {
        let Event::Product(event) = &recorded.event else { return };
        let on = recorded.header.effective_on;
        match event {
            ProductEvent::Listed(event) => {
                let mut rules = Dated::default();
                rules.set(on, rules_unset());
                let product = Product {
                    name: event.name.clone(),
                    kind: event.kind,
                    tax: event.tax,
                    plans: Vec::new(),
                    rules,
                    terms: None,
                    terms_versions: BTreeSet::new(),
                    retired_from: None,
                };
                self.0.insert(event.product.clone(), product);
            }
            ProductEvent::Renamed(event) => {
                self.change(&event.product, |product| product.name = event.name.clone());
            }
            ProductEvent::PlanPublished(event) => {
                self.change(&event.product, |product| product.plans.push(event.clone()));
            }
            ProductEvent::PurchaseRulesSet(event) => {
                self.change(&event.product, |product| product.rules.set(on, event.rules.clone()));
            }
            ProductEvent::TermsPublished(event) => {
                self.change(&event.product, |product| {
                    product.terms_versions.insert(event.version.clone());
                    product.terms = Some(event.clone());
                });
            }
            ProductEvent::Retired(event) => {
                self.change(&event.product, |product| product.retired_from = Some(event.from));
            }
        }
    }
}

/// The rules of a product for which none are set: nothing is forbidden that only a rule forbids,
/// and nothing is promised that only a rule promises (a desired start, a refund).
fn rules_unset() -> PurchaseRules {
    PurchaseRules {
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
    }
}

impl Catalogue {
    fn change(&mut self, product: &ProductCode, change: impl FnOnce(&mut Product)) {
        self.0.get_mut(product).map(change);
    }
}
