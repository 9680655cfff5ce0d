//! Billing (請求): invoices and credits in series without gaps, months closed, payments received.

use daicho_values::{
    ContractId, Date, InvoiceNumber, IssuerNumber, Money, Month, Name, OrderId, OrganisationId,
    PaymentId, Period, ProductCode, Quantity, ReturnId, Tag, Tagged, TaxCategory, TaxRate, Totals,
};

/// The tag of the one series that invoices and credits number themselves by.
pub const INVOICE_SERIES: &str = "series:invoice";

family! {
    /// Invoices, credits and payments.
    pub enum BillingEvent tags [] {
        /// An invoice is fixed (請求確定).
        InvoiceIssued(InvoiceIssued) = "billing.invoice_issued" 1,
        /// A qualified return invoice, or a credit (適格返還請求書).
        CreditIssued(CreditIssued) = "billing.credit_issued" 1,
        /// Every invoice of the month stands.
        MonthClosed(MonthClosed) = "billing.month_closed" 1,
        /// Money came in (入金).
        PaymentReceived(PaymentReceived) = "billing.payment_received" 1,
    }
}

/// A place in the series: 1, 2, 3 … without a gap over invoices and credits.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct SeriesNumber(pub u64);

impl Tagged for SeriesNumber {
    fn tags(&self, tags: &mut Vec<Tag>) {
        tags.push(Tag::from(INVOICE_SERIES));
    }
}

impl daicho_values::Sample for SeriesNumber {
    fn sample() -> Self {
        Self(1)
    }
}

daicho_values::data! {
    /// What a line of an invoice is for.
    pub struct InvoiceLine {
        /// Number within the invoice, from 1.
        pub line: u32,
        /// As printed: the product's name as sold.
        pub description: Name,
        /// The product; `null` for a penalty.
        pub product: Option<ProductCode>,
        /// The order, for goods.
        pub order: Option<OrderId>,
        /// The contract, for a service.
        pub contract: Option<ContractId>,
        /// The days that it pays for, for a service.
        pub period: Option<Period>,
        /// How many.
        pub quantity: Quantity,
        /// Price of one, before tax.
        pub unit_price: Money,
        /// Before tax.
        pub amount: Money,
        /// The tax that it bears.
        pub tax: TaxCategory,
        /// The rate of that tax.
        pub rate: TaxRate,
    }
}

daicho_values::data! {
    /// Where an invoice can be paid (R95).
    pub enum PayableAt {
        /// With barcode: banks and convenience stores.
        BanksAndStores,
        /// Without barcode: banks only.
        BanksOnly,
    }
}

event! {
    /// An invoice with its tax, rounded once per rate.
    pub struct InvoiceIssued tags [invoice, sequence, organisation, order, month] {
        /// Its number.
        pub invoice: InvoiceNumber,
        /// Its place in the series.
        pub sequence: SeriesNumber,
        /// Who pays.
        pub organisation: OrganisationId,
        /// The one order that it bills; `null` for a month's invoice.
        pub order: Option<OrderId>,
        /// The month that it bills; `null` for an order's invoice.
        pub month: Option<Month>,
        /// Its lines.
        pub lines: Vec<InvoiceLine>,
        /// Sums and tax.
        pub totals: Totals,
        /// Day of issue.
        pub issued_on: Date,
        /// Last day of payment (R85).
        pub due_on: Date,
        /// Where it can be paid.
        pub payable_at: PayableAt,
        /// The issuer's registration number.
        pub issuer: Option<IssuerNumber>,
    }
}

event! {
    /// Money given back, or owed less.
    pub struct CreditIssued tags [credit, sequence, organisation, goods_return, invoice] {
        /// Its number.
        pub credit: InvoiceNumber,
        /// Its place in the series.
        pub sequence: SeriesNumber,
        /// Who is credited.
        pub organisation: OrganisationId,
        /// The return that it answers.
        pub goods_return: Option<ReturnId>,
        /// The invoice that it reduces, where it is known.
        pub invoice: Option<InvoiceNumber>,
        /// What is credited.
        pub lines: Vec<InvoiceLine>,
        /// Sums and tax, positive.
        pub totals: Totals,
        /// Day of issue.
        pub issued_on: Date,
        /// Whether the law asks for the document (10,000 yen with tax, or more).
        pub document_required: bool,
    }
}

event! {
    /// The month is billed.
    pub struct MonthClosed tags [month] {
        /// The month.
        pub month: Month,
        /// How many invoices it has.
        pub invoices: u32,
        /// Their sum with tax.
        pub gross: Money,
    }
}

daicho_values::data! {
    /// By which way money came in.
    pub enum PaymentChannel {
        /// Bank transfer (銀行振込).
        BankTransfer,
        /// Convenience store (コンビニ).
        ConvenienceStore,
        /// Account transfer (口座振替).
        DirectDebit,
        /// Card.
        Card,
    }
}

daicho_values::data! {
    /// A part of a payment, and the invoice that it settles (消込).
    pub struct Allocation {
        /// The invoice.
        pub invoice: InvoiceNumber,
        /// How much of it.
        pub amount: Money,
    }
}

impl Tagged for Allocation {
    fn tags(&self, tags: &mut Vec<Tag>) {
        self.invoice.tags(tags);
    }
}

event! {
    /// A payment and what it settles.
    pub struct PaymentReceived tags [payment, organisation, allocations] {
        /// Its id.
        pub payment: PaymentId,
        /// Who paid.
        pub organisation: OrganisationId,
        /// How much.
        pub amount: Money,
        /// The day on which it came in.
        pub received_on: Date,
        /// By which way.
        pub channel: PaymentChannel,
        /// What it settles; the rest, if any, stands to the customer's credit.
        pub allocations: Vec<Allocation>,
    }
}
