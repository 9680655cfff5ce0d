//! Contracts (契約): concluded by confirmed orders, changed and ended on dates.

use daicho_values::{
    ContractId, Date, MemberId, Money, Name, OrderId, OrganisationId, Period, PlanCode,
    ProductCode, Quantity, TaxCategory,
};

use crate::product::{BillingPeriod, PenaltyRule, ReductionPolicy};

family! {
    /// Contracts and their licences.
    pub enum ContractEvent tags [] {
        /// Concluded (契約成立).
        Concluded(ContractConcluded) = "contract.concluded" 1,
        /// The service is open (開通).
        ServiceActivated(ServiceActivated) = "contract.service_activated" 1,
        /// Licences were added or became fewer (ライセンス追加・削減).
        QuantityChanged(QuantityChanged) = "contract.quantity_changed" 1,
        /// It will end on a day (解約).
        CancellationScheduled(CancellationScheduled) = "contract.cancellation_scheduled" 1,
        /// Ending it early costs this much (違約金).
        PenaltyAssessed(PenaltyAssessed) = "contract.penalty_assessed" 1,
    }
}

daicho_values::data! {
    /// What a contract's plan says, as it stood when the contract was concluded.
    pub struct ContractTerms {
        /// The plan.
        pub plan: PlanCode,
        /// How often it is billed.
        pub billing: BillingPeriod,
        /// First to last day of the term; `null`: open-ended.
        pub term: Option<Period>,
        /// Whether the term begins anew by itself.
        pub auto_renew: bool,
        /// Whether the first calendar month is free.
        pub first_month_free: bool,
        /// Whether licences may be added (R74).
        pub licence_addition: bool,
        /// How licences may become fewer (R75).
        pub licence_reduction: ReductionPolicy,
        /// Days of notice (R76).
        pub notice_days: u32,
        /// The penalty of ending early (R76).
        pub penalty: PenaltyRule,
    }
}

event! {
    /// A contract for one line of an order.
    pub struct ContractConcluded tags [contract, order, member, organisation] {
        /// Its id.
        pub contract: ContractId,
        /// The order.
        pub order: OrderId,
        /// Who ordered.
        pub member: MemberId,
        /// For whom.
        pub organisation: OrganisationId,
        /// The product.
        pub product: ProductCode,
        /// Its name as sold.
        pub name: Name,
        /// Licences.
        pub quantity: Quantity,
        /// Price of one, a billing period, before tax.
        pub unit_price: Money,
        /// The tax that it bears.
        pub tax: TaxCategory,
        /// First day.
        pub starts_on: Date,
        /// The plan's terms.
        pub terms: ContractTerms,
    }
}

event! {
    /// Open from a day.
    pub struct ServiceActivated tags [contract, organisation] {
        /// The contract.
        pub contract: ContractId,
        /// Whose it is.
        pub organisation: OrganisationId,
        /// The day.
        pub activated_on: Date,
    }
}

event! {
    /// Another number of licences from a day.
    pub struct QuantityChanged tags [contract, organisation] {
        /// The contract.
        pub contract: ContractId,
        /// Whose it is.
        pub organisation: OrganisationId,
        /// Licences before that day.
        pub before: Quantity,
        /// Licences from that day on.
        pub quantity: Quantity,
        /// The day.
        pub from: Date,
        /// Whether what is paid for fewer licences is given back (R75).
        pub refund: bool,
    }
}

event! {
    /// The last day stands.
    pub struct CancellationScheduled tags [contract, organisation] {
        /// The contract.
        pub contract: ContractId,
        /// Whose it is.
        pub organisation: OrganisationId,
        /// Its last day.
        pub ends_on: Date,
        /// Why.
        pub reason: String,
    }
}

event! {
    /// A penalty, billed with the month of the last day.
    pub struct PenaltyAssessed tags [contract, organisation] {
        /// The contract.
        pub contract: ContractId,
        /// Whose it is.
        pub organisation: OrganisationId,
        /// How much, before tax (a penalty is outside the tax's scope).
        pub amount: Money,
        /// The day as which it counts.
        pub assessed_on: Date,
    }
}
