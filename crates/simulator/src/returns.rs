//! Goods that come back, and the credits for them.

use daicho_domain::billing::CreditReturn;
use daicho_domain::returns::{AcceptReturn, ReturnedLine};
use daicho_events::Event;
use daicho_events::billing::BillingEvent;
use daicho_values::ReturnId;

use crate::SimulateError;
use crate::agenda::Step;
use crate::fulfilment::Sale;
use crate::world::World;

/// Of a thousand returns, those whose order is not at hand; of more than was sold.
const WITHOUT_ORDER_PER_MILLE: u32 = 100;
const MORE_THAN_SOLD_PER_MILLE: u32 = 40;

impl World<'_> {
    /// Goods of an order come back, one piece or more.
    pub(crate) async fn accept_return(&mut self, sale: Sale) -> Result<(), SimulateError> {
        let Some(goods) = sale.goods.clone() else { return Ok(()) };
        let Some(customer) = self.customer(sale.customer) else { return Ok(()) };
        let member = customer.administrator;
        let price = self.product(&goods.product).map_or(0, |product| product.price());
        let goods_return: ReturnId = self.ledger.clock_and_entropy().id();
        let has_order = !self.chance.per_mille(WITHOUT_ORDER_PER_MILLE);
        let sold = u32::try_from(goods.sold).unwrap_or(1);
        let mut quantity = i64::from(self.chance.between(1, sold));
        if self.chance.per_mille(MORE_THAN_SOLD_PER_MILLE) {
            quantity += goods.sold;
        }
        let line = ReturnedLine {
            product: goods.product,
            quantity,
            unit_price: if has_order { None } else { Some(Self::yen(price)?) },
        };
        let accept = AcceptReturn {
            goods_return,
            member,
            order: has_order.then_some(sale.order),
            lines: vec![line],
            reason: "初期不良".to_owned(),
            reference: None,
            on: None,
        };
        let actor = Self::staff("endo")?;
        if self.may(actor, &accept, &["returned_more_than_sold"]).await?.is_some() {
            let morning = self.office_morning(self.today(), 1)?;
            self.agenda.enter(morning, Step::Credit(goods_return));
        }
        Ok(())
    }

    /// Staff credit a return; what it takes off an invoice need not be paid.
    pub(crate) async fn credit(&mut self, goods_return: ReturnId) -> Result<(), SimulateError> {
        let events = self.must(Self::staff("ogawa")?, &CreditReturn { goods_return }).await?;
        for recorded in &events {
            if let Event::Billing(BillingEvent::CreditIssued(credit)) = &recorded.event
                && let Some(invoice) = &credit.invoice
            {
                let gross = credit.totals.gross.minor_units();
                *self.credited.entry(invoice.clone()).or_default() += gross;
            }
        }
        Ok(())
    }
}
