//! What staff do with an order: accept it, fix its delivery, confirm it, deliver it.

use daicho_domain::billing::InvoiceOrder;
use daicho_domain::order::{AcceptOrder, CancelOrder, ConfirmOrder, FixDelivery, FulfilOrder};
use daicho_events::contract::ContractEvent;
use daicho_events::order::OrderEvent;
use daicho_events::{Actor, Event};
use daicho_values::{Date, OrderId, ProductCode};

use crate::SimulateError;
use crate::agenda::{CustomerPlace, Step};
use crate::days::{at, hour};
use crate::world::World;

/// Of a thousand accepted orders, those that staff cancel; that the customer tries to cancel.
const CANCELLED_PER_MILLE: u32 = 30;
const TRIED_PER_MILLE: u32 = 10;
/// Of a thousand fixed deliveries, those that are fixed once more.
const FIXED_AGAIN_PER_MILLE: u32 = 30;
/// Of a thousand deliveries of goods: invoiced at once; come back in part or whole.
const INVOICED_AT_ONCE_PER_MILLE: u32 = 80;
const RETURNED_PER_MILLE: u32 = 60;

/// An order on its way.
#[derive(Debug, Clone)]
pub(crate) struct Sale {
    pub(crate) order: OrderId,
    pub(crate) customer: CustomerPlace,
    /// The goods of its first line of goods.
    pub(crate) goods: Option<Goods>,
    /// The business day it is counted on.
    pub(crate) accepted_on: Date,
    /// The day of delivery.
    pub(crate) delivery_on: Date,
}

/// Goods of an order.
#[derive(Debug, Clone)]
pub(crate) struct Goods {
    pub(crate) product: ProductCode,
    pub(crate) sold: i64,
}

impl World<'_> {
    /// The customer cancels at once; some products do not allow that.
    pub(crate) async fn regret(&mut self, sale: Sale) -> Result<(), SimulateError> {
        let Some(customer) = self.customer(sale.customer) else { return Ok(()) };
        let actor = Actor::Member(customer.administrator);
        let cancel = CancelOrder { order: sale.order, reason: "数量の誤り".to_owned() };
        match self.may(actor, &cancel, &["cancellation_not_allowed"]).await? {
            Some(_) => Ok(()),
            None => self.enter_acceptance(sale),
        }
    }

    /// Enters the acceptance for the morning of the next open day.
    pub(crate) fn enter_acceptance(&mut self, sale: Sale) -> Result<(), SimulateError> {
        let morning = self.office_morning(self.today(), 1)?;
        self.agenda.enter(morning, Step::Accept(sale));
        Ok(())
    }

    /// Staff accept an order; it is counted on the business day of its arrival (R55).
    pub(crate) async fn accept(&mut self, mut sale: Sale) -> Result<(), SimulateError> {
        let events = self.must(Self::staff("ueda")?, &AcceptOrder { order: sale.order }).await?;
        for recorded in &events {
            if let Event::Order(OrderEvent::Accepted(accepted)) = &recorded.event {
                sale.accepted_on = accepted.accepted_on;
            }
        }
        let fate = self.chance.below(1_000);
        let order = sale.order;
        if fate < CANCELLED_PER_MILLE {
            let cancel = CancelOrder { order, reason: "在庫切れのため".to_owned() };
            let refusals = ["cancellation_not_allowed"];
            if self.may(Self::staff("ueda")?, &cancel, &refusals).await?.is_some() {
                return Ok(());
            }
        } else if fate < CANCELLED_PER_MILLE + TRIED_PER_MILLE
            && let Some(customer) = self.customer(sale.customer)
        {
            let actor = Actor::Member(customer.administrator);
            let cancel = CancelOrder { order, reason: "発注の重複".to_owned() };
            let refusals = ["cancellation_through_staff", "cancellation_not_allowed"];
            self.may(actor, &cancel, &refusals).await?;
        }
        let soon = self.in_minutes(30, 240);
        self.agenda.enter(soon, Step::FixDelivery(sale));
        Ok(())
    }

    /// Staff fix the day of delivery, a few open days ahead.
    pub(crate) async fn fix_delivery(&mut self, mut sale: Sale) -> Result<(), SimulateError> {
        let from = self.today().max(sale.accepted_on);
        let times = 1 + u32::from(self.chance.per_mille(FIXED_AGAIN_PER_MILLE));
        for _ in 0..times {
            let days = self.chance.between(2, 8);
            sale.delivery_on = Date(self.calendar.add_business_days(from.0, days)?);
            let fix = FixDelivery { order: sale.order, delivery_on: sale.delivery_on };
            self.must(Self::staff("endo")?, &fix).await?;
        }
        let soon = self.in_minutes(20, 300);
        self.agenda.enter(soon, Step::Confirm(sale));
        Ok(())
    }

    /// Staff confirm an order: its services become contracts.
    pub(crate) async fn confirm(&mut self, sale: Sale) -> Result<(), SimulateError> {
        let confirm = ConfirmOrder { order: sale.order };
        let events = self.must(Self::staff("endo")?, &confirm).await?;
        for recorded in &events {
            if let Event::Contract(ContractEvent::Concluded(concluded)) = &recorded.event {
                self.conclude(sale.customer, concluded);
            }
        }
        let afternoon = at(sale.delivery_on, hour(13) + self.chance.below(hour(4)));
        self.agenda.enter(afternoon, Step::Fulfil(sale));
        Ok(())
    }

    /// An order is delivered; its goods are invoiced with the month, or at once.
    pub(crate) async fn fulfil(&mut self, sale: Sale) -> Result<(), SimulateError> {
        let fulfilled_on = self.today();
        let fulfil = FulfilOrder { order: sale.order, fulfilled_on };
        self.must(Self::staff("endo")?, &fulfil).await?;
        if sale.goods.is_none() {
            return Ok(());
        }
        if self.chance.per_mille(INVOICED_AT_ONCE_PER_MILLE) {
            let invoice = InvoiceOrder { order: sale.order };
            let events = self.must(Self::staff("ogawa")?, &invoice).await?;
            self.enter_payments(sale.customer, &events);
        } else if let Some(customer) = self.customers.get_mut(sale.customer) {
            let month = fulfilled_on.month();
            if !customer.goods_months.contains(&month) {
                customer.goods_months.push(month);
            }
        }
        if self.chance.per_mille(RETURNED_PER_MILLE) {
            let later = self.in_days(3, 25);
            self.agenda.enter(later, Step::Return(sale));
        }
        Ok(())
    }
}
