//! Orders (注文) from placing to delivery, cancellation and return (返品).

use daicho_values::{
    Date, MemberId, Money, Name, OrderId, OrganisationId, PlanCode, ProductCode, Quantity, QuoteId,
    Reference, ReturnId, SalesRepCode, Sha256, TaxCategory, TaxRate, TermsVersion, Totals,
};

use crate::product::PaymentMethod;

family! {
    /// Orders and returns.
    pub enum OrderEvent tags [] {
        /// Placed by a customer (注文).
        Placed(OrderPlaced) = "order.placed" 1,
        /// Taken by the shop (注文受付).
        Accepted(OrderAccepted) = "order.accepted" 1,
        /// Its delivery date stands (納期確定).
        DeliveryDateFixed(DeliveryDateFixed) = "order.delivery_date_fixed" 1,
        /// Binding (契約確定).
        Confirmed(OrderConfirmed) = "order.confirmed" 1,
        /// Delivered or opened (出荷・開通).
        Fulfilled(OrderFulfilled) = "order.fulfilled" 1,
        /// Cancelled.
        Cancelled(OrderCancelled) = "order.cancelled" 1,
        /// Goods came back (返品).
        GoodsReturned(GoodsReturned) = "order.goods_returned" 1,
    }
}

daicho_values::data! {
    /// A line: a product as sold, with the name and price of that day.
    pub struct OrderLine {
        /// Number within the document, from 1.
        pub line: u32,
        /// The product.
        pub product: ProductCode,
        /// Its name as sold (R4).
        pub name: Name,
        /// The plan, for a service or a price of the catalogue.
        pub plan: Option<PlanCode>,
        /// How many.
        pub quantity: Quantity,
        /// Price of one, before tax.
        pub unit_price: Money,
        /// Quantity × unit price.
        pub amount: Money,
        /// The tax that it bears.
        pub tax: TaxCategory,
        /// The rate of that tax on the day.
        pub rate: TaxRate,
    }
}

daicho_values::data! {
    /// A version of a product's terms that the customer accepted (約款同意, R63).
    pub struct AcceptedTerms {
        /// The product.
        pub product: ProductCode,
        /// The version.
        pub version: TermsVersion,
        /// SHA-256 of what was shown.
        pub sha256: Sha256,
    }
}

event! {
    /// An order as the customer placed it.
    pub struct OrderPlaced tags [order, member, organisation, quote, reference] {
        /// Its id.
        pub order: OrderId,
        /// Who ordered.
        pub member: MemberId,
        /// For whom.
        pub organisation: OrganisationId,
        /// The quote that it takes up.
        pub quote: Option<QuoteId>,
        /// What is ordered.
        pub lines: Vec<OrderLine>,
        /// Sums and tax.
        pub totals: Totals,
        /// How it will be paid.
        pub payment_method: PaymentMethod,
        /// The terms accepted.
        pub terms: Vec<AcceptedTerms>,
        /// The salesperson's code (R58).
        pub sales_rep: Option<SalesRepCode>,
        /// The first day wished for (開始希望日, R56).
        pub desired_start: Option<Date>,
        /// Its number in another system.
        pub reference: Option<Reference>,
        /// Where the goods go, as the source writes it.
        pub destination: Option<Name>,
    }
}

event! {
    /// Taken by the shop.
    pub struct OrderAccepted tags [order] {
        /// The order.
        pub order: OrderId,
        /// The business day as which it counts after the cut-off (R55).
        pub accepted_on: Date,
    }
}

event! {
    /// The delivery date, or the first day of the service.
    pub struct DeliveryDateFixed tags [order] {
        /// The order.
        pub order: OrderId,
        /// The day.
        pub delivery_on: Date,
    }
}

event! {
    /// Binding: contracts are concluded in the same append.
    pub struct OrderConfirmed tags [order] {
        /// The order.
        pub order: OrderId,
    }
}

event! {
    /// Delivered or opened as a whole.
    pub struct OrderFulfilled tags [order] {
        /// The order.
        pub order: OrderId,
        /// The day.
        pub fulfilled_on: Date,
    }
}

event! {
    /// Cancelled.
    pub struct OrderCancelled tags [order] {
        /// The order.
        pub order: OrderId,
        /// Why.
        pub reason: String,
    }
}

event! {
    /// Goods came back, with the original order or without it at hand.
    pub struct GoodsReturned tags [goods_return, order, member, organisation, reference] {
        /// Its id.
        pub goods_return: ReturnId,
        /// The order by which the goods were sold, where it is known.
        pub order: Option<OrderId>,
        /// Who brought them back.
        pub member: MemberId,
        /// For whom.
        pub organisation: OrganisationId,
        /// What came back, at the prices as sold.
        pub lines: Vec<OrderLine>,
        /// Sums and tax, positive.
        pub totals: Totals,
        /// Its number in another system.
        pub reference: Option<Reference>,
        /// Why.
        pub reason: String,
    }
}
