//! What customers buy: they ask for quotes, take them up or not, and place orders.

use std::collections::BTreeSet;

use daicho_domain::order::{AcceptedVersion, PlaceOrder};
use daicho_domain::pricing::WantedLine;
use daicho_domain::quote::{IssueQuote, WithdrawQuote};
use daicho_events::order::OrderEvent;
use daicho_events::product::{PaymentMethod, ProductKind};
use daicho_events::{Actor, Event};
use daicho_values::{Date, ProductCode, QuoteId, SalesRepCode, TermsVersion};

use crate::SimulateError;
use crate::agenda::{CustomerPlace, Step};
use crate::catalogue::Product;
use crate::fulfilment::{Goods, Sale};
use crate::opening::QUOTE_DAYS;
use crate::world::World;

/// Of a thousand visits, those that ask for a quote first.
const QUOTE_PER_MILLE: u32 = 550;
/// Of a thousand quotes: lapse unused, are ordered too late, are withdrawn; the others are used.
const LAPSE_PER_MILLE: u32 = 160;
const TOO_LATE_PER_MILLE: u32 = 20;
const WITHDRAWN_PER_MILLE: u32 = 120;
/// Of a thousand orders, those placed by a member who may not; with too many of a product; with
/// terms that are not the latest.
const WRONG_ROLE_PER_MILLE: u32 = 60;
const TOO_MANY_PER_MILLE: u32 = 15;
const OLD_TERMS_PER_MILLE: u32 = 15;
/// Of a thousand orders of services only, those with a desired start; of all, those through a
/// salesperson.
const DESIRED_START_PER_MILLE: u32 = 400;
const SALES_REP_PER_MILLE: u32 = 200;
/// Of a thousand orders, those that the customer cancels at once.
const REGRET_PER_MILLE: u32 = 45;
/// Lines of a basket.
const LINES_MAX: u32 = 4;
/// Beyond every limit that a product has.
const TOO_MANY: i64 = 5_000;

/// What a customer may order again and again in small numbers.
const LICENCES: [i64; 10] = [1, 2, 3, 5, 5, 8, 10, 15, 20, 40];
const PIECES: [i64; 8] = [1, 1, 2, 3, 4, 5, 10, 20];

/// What a customer looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Services,
    Goods,
    Both,
}

impl World<'_> {
    /// A customer asks for a quote, or orders at once.
    pub(crate) async fn visit(&mut self, place: CustomerPlace) -> Result<(), SimulateError> {
        let lines = self.basket();
        if lines.is_empty() {
            return Ok(());
        }
        if self.is_last_evening() || self.chance.per_mille(QUOTE_PER_MILLE) {
            self.ask_for_quote(place, lines).await
        } else {
            self.order(place, None, lines).await
        }
    }

    fn is_last_evening(&self) -> bool {
        self.today() >= self.pace.last
    }

    async fn ask_for_quote(
        &mut self,
        place: CustomerPlace,
        lines: Vec<WantedLine>,
    ) -> Result<(), SimulateError> {
        let Some(customer) = self.customer(place) else { return Ok(()) };
        let member = customer.colleague.unwrap_or(customer.administrator);
        let quote: QuoteId = self.ledger.clock_and_entropy().id();
        self.must(Actor::Member(member), &IssueQuote { quote, member, lines }).await?;
        let fate = self.chance.below(1_000);
        let lapses = LAPSE_PER_MILLE;
        let too_late = lapses + TOO_LATE_PER_MILLE;
        let withdrawn = too_late + WITHDRAWN_PER_MILLE;
        if fate < lapses {
            return Ok(());
        }
        let (when, step) = if fate < too_late {
            (self.in_days(QUOTE_DAYS + 1, QUOTE_DAYS + 20), Step::TakeUp(place, quote))
        } else if fate < withdrawn {
            (self.in_days(1, 20), Step::Withdraw(place, quote))
        } else if self.chance.per_mille(300) {
            (self.in_minutes(10, 120), Step::TakeUp(place, quote))
        } else {
            (self.in_days(1, QUOTE_DAYS - 8), Step::TakeUp(place, quote))
        };
        self.agenda.enter(when, step);
        Ok(())
    }

    /// A quote is taken back, by the customer or by the shop.
    pub(crate) async fn withdraw(
        &mut self,
        place: CustomerPlace,
        quote: QuoteId,
    ) -> Result<(), SimulateError> {
        let Some(customer) = self.customer(place) else { return Ok(()) };
        let member = Actor::Member(customer.administrator);
        let (actor, reason) = match self.chance.below(2) {
            0 => (member, "予算の都合による"),
            _ => (Self::staff("ueda")?, "条件の見直しによる再見積"),
        };
        self.must(actor, &WithdrawQuote { quote, reason: reason.to_owned() }).await.map(drop)
    }

    /// A quote becomes an order. The customer sees all the terms at checkout.
    pub(crate) async fn take_up(
        &mut self,
        place: CustomerPlace,
        quote: QuoteId,
    ) -> Result<(), SimulateError> {
        self.order(place, Some(quote), Vec::new()).await
    }

    async fn order(
        &mut self,
        place: CustomerPlace,
        quote: Option<QuoteId>,
        mut lines: Vec<WantedLine>,
    ) -> Result<(), SimulateError> {
        let today = self.today();
        let Some(customer) = self.customer(place) else { return Ok(()) };
        let (administrator, colleague) = (customer.administrator, customer.colleague);
        let wished = customer.method;
        let mistaken = colleague.filter(|_| self.chance.per_mille(WRONG_ROLE_PER_MILLE));
        let member = mistaken.unwrap_or(administrator);
        if let Some(line) = lines.first_mut()
            && self.chance.per_mille(TOO_MANY_PER_MILLE)
        {
            line.quantity = TOO_MANY;
        }
        let of_services = !lines.is_empty()
            && lines.iter().all(|line| self.kind_of(&line.product) == Some(ProductKind::Service));
        let desired = of_services && self.chance.per_mille(DESIRED_START_PER_MILLE);
        let place_order = PlaceOrder {
            order: self.ledger.clock_and_entropy().id(),
            member,
            quote,
            payment_method: self.method_for(&lines, wished),
            lines,
            terms: self.terms()?,
            sales_rep: self.sales_rep()?,
            desired_start: desired.then(|| today.plus_days(self.chance.between(3, 45))),
        };
        let refusals = [
            "role_may_not_order",
            "quantity_over_limit",
            "terms_not_accepted",
            "product_retired",
            "quote_lapsed",
        ];
        let placed = self.may(Actor::Member(member), &place_order, &refusals).await?;
        if let Some(sale) = placed.and_then(|events| self.sale_of(place, &events)) {
            self.enter_sale(sale)?;
        }
        Ok(())
    }

    /// Enters what follows an order: a regret within the hour, or the staff's next morning.
    fn enter_sale(&mut self, sale: Sale) -> Result<(), SimulateError> {
        if self.chance.per_mille(REGRET_PER_MILLE) {
            let soon = self.in_minutes(2, 60);
            self.agenda.enter(soon, Step::Regret(sale));
            return Ok(());
        }
        self.enter_acceptance(sale)
    }

    fn sale_of(&self, customer: CustomerPlace, events: &[daicho_events::Recorded]) -> Option<Sale> {
        let placed = events.iter().find_map(|recorded| {
            let Event::Order(OrderEvent::Placed(placed)) = &recorded.event else { return None };
            Some(placed)
        })?;
        let goods = placed
            .lines
            .iter()
            .find(|line| self.kind_of(&line.product) == Some(ProductKind::Goods));
        let goods = goods.map(|line| Goods {
            product: line.product.clone(),
            sold: i64::from(line.quantity.get()),
        });
        let day = recorded_day(events)?;
        Some(Sale { order: placed.order, customer, goods, accepted_on: day, delivery_on: day })
    }

    /// Some products that are sold today, each once.
    fn basket(&mut self) -> Vec<WantedLine> {
        let today = self.today();
        let wish = match self.chance.below(100) {
            0..=44 => Wish::Services,
            45..=84 => Wish::Goods,
            _ => Wish::Both,
        };
        let sold = |product: &Product| {
            let wanted = match product.kind {
                ProductKind::Service => wish != Wish::Goods,
                ProductKind::Goods => wish != Wish::Services,
            };
            wanted && product.is_sold_on(today)
        };
        let sold: Vec<usize> = self
            .products
            .iter()
            .enumerate()
            .filter(|(_, product)| sold(product))
            .map(|(place, _)| place)
            .collect();
        let mut places = BTreeSet::new();
        for _ in 0..self.chance.between(1, LINES_MAX) {
            places.extend(self.chance.pick(&sold));
        }
        places.into_iter().filter_map(|place| self.wanted(place)).collect()
    }

    fn wanted(&mut self, place: usize) -> Option<WantedLine> {
        let product = self.products.get(place)?;
        let plan = self.chance.place(product.plans.len());
        let plan = plan.and_then(|plan| product.plans.get(plan)).cloned();
        let quantity = match product.kind {
            ProductKind::Service => self.chance.pick(&LICENCES),
            ProductKind::Goods => self.chance.pick(&PIECES),
        };
        let quantity = quantity.unwrap_or(1);
        Some(WantedLine { product: product.code.clone(), plan, quantity })
    }

    pub(crate) fn product(&self, code: &ProductCode) -> Option<&Product> {
        self.products.iter().find(|product| product.code == *code)
    }

    fn kind_of(&self, code: &ProductCode) -> Option<ProductKind> {
        self.product(code).map(|product| product.kind)
    }

    /// The method that the customer wishes, where every product is sold by it. Of a quote the
    /// products are not at hand: an invoice pays everything.
    fn method_for(&self, lines: &[WantedLine], wished: PaymentMethod) -> PaymentMethod {
        let offered = |line: &WantedLine| {
            let product = self.product(&line.product);
            product.is_some_and(|known| known.rules.payment_methods.contains(&wished))
        };
        if !lines.is_empty() && lines.iter().all(offered) { wished } else { PaymentMethod::Invoice }
    }

    /// The latest terms of everything; by mistake a version that was never in force.
    fn terms(&mut self) -> Result<Vec<AcceptedVersion>, SimulateError> {
        let is_old = self.chance.per_mille(OLD_TERMS_PER_MILLE);
        let old = TermsVersion::new("draft")?;
        let with_terms = self.products.iter().filter_map(|product| {
            let version = product.terms.as_ref()?;
            let version = if is_old { old.clone() } else { version.clone() };
            Some(AcceptedVersion { product: product.code.clone(), version })
        });
        Ok(with_terms.collect())
    }

    fn sales_rep(&mut self) -> Result<Option<SalesRepCode>, SimulateError> {
        if !self.chance.per_mille(SALES_REP_PER_MILLE) {
            return Ok(None);
        }
        let code = format!("S-{:04}", 1_001 + self.chance.below(12));
        Ok(Some(SalesRepCode::new(&code)?))
    }
}

/// The day from which the first of some events counts.
fn recorded_day(events: &[daicho_events::Recorded]) -> Option<Date> {
    events.first().map(|recorded| recorded.header.effective_on)
}
