//! The catalogue (商品): products, dated plans and prices, purchase rules, terms of service.

use daicho_values::{
    Date, Money, Name, PlanCode, ProductCode, Quantity, Sha256, TaxCategory, TermsVersion,
};

family! {
    /// The catalogue.
    pub enum ProductEvent tags [] {
        /// A product is offered.
        Listed(ProductListed) = "product.listed" 1,
        /// It has another name from now on (名称変更, R4); old orders keep the old one.
        Renamed(ProductRenamed) = "product.renamed" 1,
        /// A plan, or a new price of a plan, from a day.
        PlanPublished(PlanPublished) = "product.plan_published" 1,
        /// What buyers may do.
        PurchaseRulesSet(PurchaseRulesSet) = "product.purchase_rules_set" 1,
        /// A version of the terms and specification (約款・仕様書, R8).
        TermsPublished(TermsPublished) = "product.terms_published" 1,
        /// It is not offered any more.
        Retired(ProductRetired) = "product.retired" 1,
    }
}

daicho_values::data! {
    /// What kind of thing is sold.
    pub enum ProductKind {
        /// A service: confirming an order of it concludes a contract.
        Service,
        /// Goods: delivered once.
        Goods,
    }
}

event! {
    /// A product is offered.
    pub struct ProductListed tags [product] {
        /// Its code.
        pub product: ProductCode,
        /// Its name.
        pub name: Name,
        /// Service or goods.
        pub kind: ProductKind,
        /// The tax that it bears.
        pub tax: TaxCategory,
    }
}

event! {
    /// Another name.
    pub struct ProductRenamed tags [product] {
        /// Its code.
        pub product: ProductCode,
        /// The new name.
        pub name: Name,
    }
}

daicho_values::data! {
    /// How often a plan is billed.
    pub enum BillingPeriod {
        /// Every month.
        Monthly,
        /// Every year, in advance.
        Annual,
        /// Once.
        Once,
    }
}

event! {
    /// A plan with its price from a day; the latest day that is not after an order's counts.
    pub struct PlanPublished tags [product] {
        /// The product.
        pub product: ProductCode,
        /// The plan.
        pub plan: PlanCode,
        /// First day of the price.
        pub from: Date,
        /// Price of one, a billing period, before tax.
        pub price: Money,
        /// How often it is billed.
        pub billing: BillingPeriod,
        /// Months of a term; `null`: open-ended.
        pub term_months: Option<u32>,
        /// Whether a term that ends begins anew by itself (R73).
        pub auto_renew: bool,
        /// Whether the first calendar month is free (R86).
        pub first_month_free: bool,
    }
}

daicho_values::data! {
    /// How licences may become fewer (R75).
    pub enum ReductionPolicy {
        /// Without refund of what is paid.
        WithoutRefund,
        /// With refund.
        WithRefund,
        /// Not at all.
        NotAllowed,
    }
}

daicho_values::data! {
    /// Until when an order may be cancelled (R66).
    pub enum CancellationPolicy {
        /// Until the order is confirmed (契約確定).
        UntilConfirmed,
        /// Until the delivery date is fixed (納期確定).
        UntilDeliveryFixed,
        /// Not at all once placed.
        NotAllowed,
    }
}

daicho_values::data! {
    /// What ending a contract within its term costs (違約金, R76).
    pub enum PenaltyRule {
        /// Nothing.
        Nothing,
        /// The price of the term's remaining months.
        RemainingTerm,
    }
}

daicho_values::data! {
    /// How a customer pays (R80–R84).
    pub enum PaymentMethod {
        /// Bank transfer on invoice (請求書払い).
        Invoice,
        /// Account transfer (口座振替).
        DirectDebit,
        /// Card.
        Card,
    }
}

daicho_values::data! {
    /// A product's purchase rules.
    pub struct PurchaseRules {
        /// Largest quantity of one order line (R57); `null`: no limit.
        pub quantity_max: Option<Quantity>,
        /// Whether the buyer may wish for a first day (開始希望日, R56).
        pub desired_start: bool,
        /// Whether licences may be added on a running contract (R74).
        pub licence_addition: bool,
        /// How licences may become fewer (R75).
        pub licence_reduction: ReductionPolicy,
        /// Until when an order may be cancelled (R66).
        pub cancellation: CancellationPolicy,
        /// Days of notice before a contract ends (R76).
        pub notice_days: u32,
        /// The penalty of ending it early (R76).
        pub penalty: PenaltyRule,
        /// The payment methods (R83).
        pub payment_methods: Vec<PaymentMethod>,
    }
}

event! {
    /// The purchase rules replace those before them.
    pub struct PurchaseRulesSet tags [product] {
        /// The product.
        pub product: ProductCode,
        /// The rules.
        pub rules: PurchaseRules,
    }
}

event! {
    /// A version of the terms that every later order must accept (R63).
    pub struct TermsPublished tags [product] {
        /// The product.
        pub product: ProductCode,
        /// The version.
        pub version: TermsVersion,
        /// SHA-256 of the document.
        pub sha256: Sha256,
    }
}

event! {
    /// Not offered from a day on.
    pub struct ProductRetired tags [product] {
        /// The product.
        pub product: ProductCode,
        /// First day on which it cannot be bought.
        pub from: Date,
    }
}
