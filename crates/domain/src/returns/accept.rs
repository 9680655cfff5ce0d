//! Takes goods back (返品), with the original order or without it at hand.

use std::collections::BTreeMap;

use daicho_events::access::Role;
use daicho_events::order::{GoodsReturned, OrderLine};
use daicho_events::{NewEvent, Query};
use daicho_values::{Date, MemberId, Money, OrderId, ProductCode, Quantity, Reference, ReturnId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::new::{NotNew, check_new};
use crate::frame::{Known, NotYours};
use crate::order::stage::StageRejection;
use crate::pricing::{LineRejection, Priced, check_count, price_given, quantity_within, rate_on};
use crate::reason::{self, ReasonRejection};
use crate::state::{Catalogue, Member, Members, Order, Orders};
use crate::{By, Command, Decision, Moment};

/// Takes goods back. With the order that sold them they come back at the prices as sold, those
/// sold first before the others; without it the caller gives the prices. The credit is a command
/// of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptReturn {
    /// The return's new id.
    pub goods_return: ReturnId,
    /// Who brings the goods back.
    pub member: MemberId,
    /// The order that sold them, where it is known.
    #[serde(default)]
    pub order: Option<OrderId>,
    /// What comes back.
    pub lines: Vec<ReturnedLine>,
    /// Why, at most 1,000 characters.
    pub reason: String,
    /// Its number in another system, once in a book.
    #[serde(default)]
    pub reference: Option<Reference>,
    /// The day of the return; today where it is left out.
    #[serde(default)]
    pub on: Option<Date>,
}

/// Goods that come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnedLine {
    /// The product.
    pub product: ProductCode,
    /// How many, from 1.
    pub quantity: i64,
    /// Price of one, before tax: only where there is no original order.
    #[serde(default)]
    pub unit_price: Option<Money>,
}

rejections! {
    /// Why goods are not taken back.
    pub enum AcceptReturnRejection {
        /// A return is recorded once it has happened.
        InTheFuture { on: Date, today: Date } = "return_in_the_future":
            "{on} has not come yet: record the return once it happened, by {today}",
        /// Goods are brought back only by the organisation that bought them.
        OrderOfAnother { order: OrderId } = "order_of_another_organisation":
            "order {order} is of another organisation: a member of that one brings its goods back",
        /// Only what was delivered comes back.
        NotFulfilled { order: OrderId } = "order_not_fulfilled":
            "order {order} is not delivered yet: cancel it, or record its delivery first",
        /// Nothing comes back before it was delivered.
        BeforeDelivery { order: OrderId, on: Date, fulfilled_on: Date }
            = "returned_before_delivery":
            "{on} is before order {order} was delivered: give {fulfilled_on} or a later day",
        /// With the original, its prices hold.
        PriceOfTheOrder { product: ProductCode } = "price_only_without_order":
            "`{product}` comes back at the price as sold: leave the price out, or the order",
        /// No more comes back than was sold.
        MoreThanSold { product: ProductCode, order: OrderId, left: u64 }
            = "returned_more_than_sold":
            "at most {left} of `{product}` of order {order} can still come back",
        shared {
            /// The id or the number is recorded already; comes first.
            NotNew(NotNew),
            /// The member is not known as a buyer (R9).
            Buyer(NotYours),
            /// No such order.
            Stage(StageRejection),
            /// A line is refused.
            Line(LineRejection),
            /// The reason is empty or too long.
            Reason(ReasonRejection),
        }
    }
}

known! {
    /// The shop, the member, the order, and the products where there is no order.
    pub struct AcceptReturnState { orders: Orders, catalogue: Catalogue, }
}

impl Decision for AcceptReturn {
    type State = AcceptReturnState;
    type Rejection = AcceptReturnRejection;

    fn query(&self, _: &Known<AcceptReturnState>) -> Query {
        let query = Orders::return_query(self.goods_return).or(Members::query(self.member));
        let reference = self.reference.as_ref().map(Orders::reference_query);
        let query = query.or(reference.unwrap_or_default());
        match self.order {
            Some(order) => query.or(Orders::query(order)),
            None => query.or(Catalogue::query(self.lines.iter().map(|line| &line.product))),
        }
    }

    fn decide(
        &self,
        known: &Known<AcceptReturnState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, AcceptReturnRejection> {
        check_new(&known.orders, self.goods_return, self.reference.as_ref())?;
        let member = known.members.registered(self.member)?;
        let today = known.shop.today(at);
        let on = self.on.unwrap_or(today);
        if on > today {
            return Err(AcceptReturnRejection::InTheFuture { on, today });
        }
        check_count(self.lines.len())?;
        let lines = match self.order {
            Some(order) => self.as_sold(self.original(order, known, member, on)?)?,
            None => self.as_given(known, on)?,
        };
        let priced = Priced::of(lines, on, &known.shop)?;
        reason::check(&self.reason)?;
        Ok(vec![NewEvent::on(on, self.event(member, priced))])
    }
}

impl AcceptReturn {
    fn original<'a>(
        &self,
        order: OrderId,
        known: &'a Known<AcceptReturnState>,
        member: &Member,
        on: Date,
    ) -> Result<&'a Order, AcceptReturnRejection> {
        let known = known.orders.get(order).ok_or(StageRejection::Unknown { order })?;
        if known.placed.organisation != member.organisation {
            return Err(AcceptReturnRejection::OrderOfAnother { order });
        }
        let fulfilled_on =
            known.fulfilled_on.ok_or(AcceptReturnRejection::NotFulfilled { order })?;
        if on < fulfilled_on {
            return Err(AcceptReturnRejection::BeforeDelivery { order, on, fulfilled_on });
        }
        Ok(known)
    }

    /// The lines at the prices of the order, numbered from 1.
    fn as_sold(&self, order: &Order) -> Result<Vec<OrderLine>, AcceptReturnRejection> {
        let mut came_back: BTreeMap<&ProductCode, u64> = BTreeMap::new();
        let mut lines: Vec<OrderLine> = Vec::new();
        for wanted in &self.lines {
            let product = &wanted.product;
            let quantity = quantity_within(product, wanted.quantity, None)?;
            if wanted.unit_price.is_some() {
                return Err(AcceptReturnRejection::PriceOfTheOrder { product: product.clone() });
            }
            let before = came_back.entry(product).or_insert(order.came_back(product));
            let left = order.sold(product).saturating_sub(*before);
            if u64::from(quantity.get()) > left {
                let (product, order) = (product.clone(), order.placed.order);
                return Err(AcceptReturnRejection::MoreThanSold { product, order, left });
            }
            for (sold, quantity) in first_sold(order, product, *before, quantity) {
                let line = u32::try_from(lines.len()).unwrap_or(u32::MAX).saturating_add(1);
                let amount = sold.unit_price.times(quantity).map_err(LineRejection::from)?;
                lines.push(OrderLine { line, quantity, amount, ..sold.clone() });
            }
            *before += u64::from(quantity.get());
        }
        Ok(lines)
    }

    /// The lines at the prices given, with the names and the tax of the catalogue.
    fn as_given(
        &self,
        known: &Known<AcceptReturnState>,
        on: Date,
    ) -> Result<Vec<OrderLine>, LineRejection> {
        let lines = self.lines.iter().zip(1..).map(|(wanted, line)| {
            let code = || wanted.product.clone();
            let quantity = quantity_within(&wanted.product, wanted.quantity, None)?;
            let unknown = || LineRejection::ProductUnknown { product: code() };
            let product = known.catalogue.get(&wanted.product).ok_or_else(unknown)?;
            let missing = || LineRejection::PriceMissing { product: code() };
            let unit_price = wanted.unit_price.ok_or_else(missing)?;
            let unit_price = price_given(&wanted.product, unit_price)?;
            Ok(OrderLine {
                line,
                product: code(),
                name: product.name.clone(),
                plan: None,
                quantity,
                unit_price,
                amount: unit_price.times(quantity)?,
                tax: product.tax,
                rate: rate_on(&known.shop, &wanted.product, product.tax, on)?,
            })
        });
        lines.collect()
    }

    fn event(&self, member: &Member, priced: Priced) -> GoodsReturned {
        GoodsReturned {
            goods_return: self.goods_return,
            order: self.order,
            member: self.member,
            organisation: member.organisation,
            lines: priced.lines,
            totals: priced.totals,
            reference: self.reference.clone(),
            reason: self.reason.clone(),
        }
    }
}

/// The lines that so many of a product come back from when `before` of them are back already:
/// those sold first come back first, so that every price is given back once.
fn first_sold<'a>(
    order: &'a Order,
    product: &ProductCode,
    before: u64,
    quantity: Quantity,
) -> Vec<(&'a OrderLine, Quantity)> {
    let (mut skip, mut wanted) = (before, u64::from(quantity.get()));
    let mut parts = Vec::new();
    for line in order.placed.lines.iter().filter(|line| line.product == *product) {
        let sold = u64::from(line.quantity.get());
        let skipped = skip.min(sold);
        let taken = wanted.min(sold - skipped);
        skip -= skipped;
        wanted -= taken;
        let part = i64::try_from(taken).ok().and_then(|taken| Quantity::new(taken).ok());
        parts.extend(part.map(|part| (line, part)));
    }
    assert_eq!(wanted, 0, "no more comes back than was sold");
    parts
}

impl Command for AcceptReturn {
    const NAME: &'static str = "return.accept";
    const FORMER_NAMES: &'static [&'static str] = &["order.take_back"];
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[Role::Fulfilment, Role::Integration];
    const NEW_IDS: &'static [&'static str] = &["goods_return"];
}

#[cfg(test)]
mod tests {
    use daicho_events::order::{OrderEvent, OrderPlaced};
    use daicho_events::{Actor, Event};
    use daicho_values::Sample;

    use super::*;
    use crate::order::fixtures::{
        MAIL, TEA, accepted, administrator, applicant, code, fulfilled, name, order_id,
        order_placed, organisation, placed, shop, stranger, wanted,
    };
    use crate::testing::{History, Step, by, day, event, given, yen};

    fn line(product: &str, quantity: i64, unit_price: Option<i64>) -> ReturnedLine {
        ReturnedLine { product: code(product), quantity, unit_price: unit_price.map(yen) }
    }

    fn back(lines: Vec<ReturnedLine>) -> AcceptReturn {
        AcceptReturn {
            goods_return: ReturnId::sample(),
            member: administrator(),
            order: Some(order_id()),
            lines,
            reason: "damaged".to_owned(),
            reference: None,
            on: None,
        }
    }

    fn second(lines: Vec<ReturnedLine>) -> AcceptReturn {
        let goods_return = "01J0000000000000000000000R".parse().unwrap();
        AcceptReturn { goods_return, ..back(lines) }
    }

    fn without_order(lines: Vec<ReturnedLine>) -> AcceptReturn {
        AcceptReturn { order: None, ..back(lines) }
    }

    /// Two teas at 500 yen, a service, and three teas more at 450.
    fn two_prices() -> OrderPlaced {
        let teas = wanted(TEA, None, 2);
        let mail = wanted(MAIL, Some("monthly"), 1);
        let mut order = order_placed(&[teas, mail, wanted(TEA, None, 3)]);
        order.lines[2].unit_price = yen(450);
        order
    }

    fn delivered(more: impl IntoIterator<Item = Step>) -> Vec<Step> {
        let order = event(two_prices());
        let steps = [order, accepted("2026-05-01"), fulfilled("2026-05-08")];
        shop(steps.into_iter().chain(more))
    }

    #[track_caller]
    fn returned(history: History, command: AcceptReturn) -> (Date, GoodsReturned) {
        let events = history.when(command).events();
        let [NewEvent { event: Event::Order(OrderEvent::GoodsReturned(event)), effective_on }] =
            events.as_slice()
        else {
            panic!("one return: {events:?}")
        };
        (*effective_on, event.clone())
    }

    fn parts(event: &GoodsReturned) -> Vec<(u32, u32, Money)> {
        event.lines.iter().map(|line| (line.line, line.quantity.get(), line.amount)).collect()
    }

    #[test]
    fn goods_come_back_at_the_prices_as_sold_those_sold_first_before_the_others_r100() {
        let (on, event) = returned(given(delivered([])), back(vec![line(TEA, 4, None)]));
        assert_eq!((on, event.organisation), (day("2026-05-11"), organisation()));
        assert_eq!(parts(&event), [(1, 2, yen(1_000)), (2, 2, yen(900))]);
        assert_eq!((event.totals.net, event.totals.tax), (yen(1_900), yen(152)));
    }

    #[test]
    fn a_second_return_goes_on_where_the_first_ended() {
        let history = given(delivered([back(vec![line(TEA, 3, None)]).into()]));
        let (_, event) = returned(history, second(vec![line(TEA, 2, None)]));
        assert_eq!(parts(&event), [(1, 2, yen(900))]);
    }

    #[test]
    fn no_more_comes_back_than_was_sold_over_all_returns_and_lines() {
        let once = back(vec![line(TEA, 6, None)]);
        given(delivered([])).when(once).then_rejected("returned_more_than_sold");
        let lines = back(vec![line(TEA, 3, None), line(TEA, 3, None)]);
        given(delivered([])).when(lines).then_rejected("returned_more_than_sold");
        let history = delivered([back(vec![line(TEA, 3, None)]).into()]);
        let again = second(vec![line(TEA, 3, None)]);
        given(history).when(again).then_rejected("returned_more_than_sold");
    }

    #[test]
    fn a_product_that_the_order_did_not_sell_does_not_come_back_by_it() {
        let other = back(vec![line("paper", 1, None)]);
        given(delivered([])).when(other).then_rejected("returned_more_than_sold");
    }

    #[test]
    fn without_the_order_goods_come_back_at_the_price_given_under_the_name_of_the_catalogue() {
        let command = AcceptReturn {
            on: Some(day("2026-05-07")),
            reference: Some(Reference::sample()),
            ..without_order(vec![line(TEA, 2, Some(480))])
        };
        let (on, event) = returned(given(shop([])), command);
        assert_eq!(
            (on, event.order, event.reference),
            (day("2026-05-07"), None, Some(Reference::sample()))
        );
        assert_eq!((event.lines[0].name.clone(), event.lines[0].rate.0), (name("Tea"), 800));
        assert_eq!(event.totals.gross, yen(1_036));
    }

    #[test]
    fn with_the_order_no_price_is_given() {
        let priced = back(vec![line(TEA, 1, Some(480))]);
        given(delivered([])).when(priced).then_rejected("price_only_without_order");
    }

    #[test]
    fn without_the_order_a_price_is_given_that_is_not_below_zero() {
        let silent = without_order(vec![line(TEA, 1, None)]);
        given(shop([])).when(silent).then_rejected("price_missing");
        let negative = without_order(vec![line(TEA, 1, Some(-1))]);
        given(shop([])).when(negative).then_rejected("price_below_zero");
    }

    #[test]
    fn without_the_order_the_product_is_in_the_catalogue() {
        let unknown = without_order(vec![line("nothing", 1, Some(1))]);
        given(shop([])).when(unknown).then_rejected("product_unknown");
    }

    #[test]
    fn a_return_of_nothing_is_refused() {
        given(delivered([])).when(back(Vec::new())).then_rejected("no_lines");
        let none = back(vec![line(TEA, 0, None)]);
        given(delivered([])).when(none).then_rejected("quantity_below_one");
    }

    #[test]
    fn a_day_that_has_not_come_is_refused() {
        let on = Some(day("2026-05-12"));
        let command = AcceptReturn { on, ..back(vec![line(TEA, 1, None)]) };
        given(delivered([])).when(command).then_rejected("return_in_the_future");
    }

    #[test]
    fn a_day_before_the_delivery_is_refused() {
        let on = |on| AcceptReturn { on: Some(day(on)), ..back(vec![line(TEA, 1, None)]) };
        given(delivered([])).when(on("2026-05-07")).then_rejected("returned_before_delivery");
        given(delivered([])).when(on("2026-05-08")).then_types(["order.goods_returned"]);
    }

    #[test]
    fn an_order_that_was_never_placed_gives_nothing_back() {
        let command = back(vec![line(TEA, 1, None)]);
        given(shop([])).when(command).then_rejected("order_unknown");
    }

    #[test]
    fn an_order_that_is_not_delivered_gives_nothing_back() {
        let history = placed([accepted("2026-05-11")]);
        given(history).when(back(vec![line(TEA, 1, None)])).then_rejected("order_not_fulfilled");
    }

    #[test]
    fn an_order_of_another_organisation_gives_nothing_back() {
        let command = AcceptReturn { member: stranger(), ..back(vec![line(TEA, 1, None)]) };
        given(delivered([])).when(command).then_rejected("order_of_another_organisation");
    }

    #[test]
    fn who_is_not_registered_brings_nothing_back_r9() {
        let command = AcceptReturn { member: applicant(), ..back(vec![line(TEA, 1, None)]) };
        given(delivered([])).when(command).then_rejected("member_not_registered");
    }

    #[test]
    fn a_customer_records_no_return_r65() {
        let history = delivered([by(Actor::Member(administrator()))]);
        given(history).when(back(vec![line(TEA, 1, None)])).then_rejected("staff_only");
    }

    #[test]
    fn a_book_that_is_not_open_takes_nothing_back() {
        given([]).when(back(vec![line(TEA, 1, None)])).then_rejected("shop_not_open");
    }

    #[test]
    fn an_id_names_one_return() {
        let command = || back(vec![line(TEA, 1, None)]);
        let history = delivered([command().into()]);
        given(history).when(command()).then_rejected("return_already_recorded");
    }

    #[test]
    fn a_number_of_another_system_stands_once() {
        let reference = Some(Reference::sample());
        let first = AcceptReturn { reference: reference.clone(), ..back(vec![line(TEA, 1, None)]) };
        let again = AcceptReturn { reference, ..second(vec![line(TEA, 1, None)]) };
        let history = delivered([first.into()]);
        given(history).when(again).then_rejected("reference_already_recorded");
    }

    #[test]
    fn goods_come_back_with_a_reason() {
        let silent = AcceptReturn { reason: String::new(), ..back(vec![line(TEA, 1, None)]) };
        given(delivered([])).when(silent).then_rejected("reason_missing");
    }
}
