//! Records a return that another system completed (移行, R2): the goods and the credit at once.

use std::collections::BTreeMap;

use daicho_events::access::Role;
use daicho_events::billing::CreditIssued;
use daicho_events::order::GoodsReturned;
use daicho_events::{NewEvent, Query};
use daicho_values::{Date, MemberId, OrderId, ProductCode, Reference, ReturnId, TaxCategory};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::new::{NotNew, check_new};
use crate::billing::Series;
use crate::billing::invoice::{line_of, return_document_required};
use crate::frame::{Known, NotYours};
use crate::order::sold::{SoldLine, as_sold};
use crate::order::stage::StageRejection;
use crate::pricing::{LineRejection, Priced};
use crate::reason::{self, ReasonRejection};
use crate::state::{Member, Members, Order, Orders};
use crate::{By, Command, Decision, Moment};

/// Records a completed return as it was, with quantities above zero and prices as given. The
/// credit takes the next place of the invoice series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportReturn {
    /// The return's new id.
    pub goods_return: ReturnId,
    /// Who brought the goods back.
    pub member: MemberId,
    /// Its number in the other system, once in a book.
    pub reference: Reference,
    /// The day of the return, not after today.
    pub returned_on: Date,
    /// The order that sold the goods, where it is known.
    #[serde(default)]
    pub original: Option<OrderId>,
    /// What came back.
    pub lines: Vec<SoldLine>,
    /// The tax that every line bears.
    pub tax: TaxCategory,
    /// Why, at most 1,000 characters.
    pub reason: String,
}

rejections! {
    /// Why a return is not recorded.
    pub enum ImportReturnRejection {
        /// A return is recorded once it has happened.
        InTheFuture { returned_on: Date, today: Date } = "return_in_the_future":
            "{returned_on} has not come yet: record the return once it happened, by {today}",
        /// Goods are brought back only by the organisation that bought them.
        OrderOfAnother { order: OrderId } = "order_of_another_organisation":
            "order {order} is of another organisation: leave the order out, or correct the member",
        /// No more comes back than was sold.
        MoreThanSold { product: ProductCode, order: OrderId, left: u64 }
            = "returned_more_than_sold":
            "at most {left} of `{product}` of order {order} can still come back: leave the order \
             out where the source does not know it",
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
    /// The shop, the member, the order, whether id and number are new, and the series of invoices.
    pub struct ImportReturnState { orders: Orders, series: Series, }
}

impl Decision for ImportReturn {
    type State = ImportReturnState;
    type Rejection = ImportReturnRejection;

    fn query(&self, _: &Known<ImportReturnState>) -> Query {
        let query = Orders::return_query(self.goods_return)
            .or(Orders::reference_query(&self.reference))
            .or(Members::query(self.member))
            .or(Series::query());
        query.or(self.original.map(Orders::query).unwrap_or_default())
    }

    fn decide(
        &self,
        known: &Known<ImportReturnState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, ImportReturnRejection> {
        check_new(&known.orders, self.goods_return, Some(&self.reference))?;
        let member = known.members.registered(self.member)?;
        let (returned_on, today) = (self.returned_on, known.shop.today(at));
        if returned_on > today {
            return Err(ImportReturnRejection::InTheFuture { returned_on, today });
        }
        let priced = as_sold(&self.lines, self.tax, returned_on, &known.shop)?;
        let original = self.original(&priced, member, known)?;
        reason::check(&self.reason)?;
        let credit = self.credit(&priced, member, original, known);
        Ok(vec![
            NewEvent::on(returned_on, self.returned(priced, member)),
            NewEvent::on(returned_on, credit),
        ])
    }
}

impl ImportReturn {
    /// The order that sold the goods, if one is named: of the same organisation, and with as many
    /// of each product left.
    fn original<'a>(
        &self,
        priced: &Priced,
        member: &Member,
        known: &'a Known<ImportReturnState>,
    ) -> Result<Option<&'a Order>, ImportReturnRejection> {
        let Some(order) = self.original else { return Ok(None) };
        let known = known.orders.get(order).ok_or(StageRejection::Unknown { order })?;
        if known.placed.organisation != member.organisation {
            return Err(ImportReturnRejection::OrderOfAnother { order });
        }
        let mut back: BTreeMap<&ProductCode, u64> = BTreeMap::new();
        for line in &priced.lines {
            *back.entry(&line.product).or_default() += u64::from(line.quantity.get());
        }
        for (product, quantity) in back {
            let left = known.sold(product).saturating_sub(known.came_back(product));
            if quantity > left {
                let product = product.clone();
                return Err(ImportReturnRejection::MoreThanSold { product, order, left });
            }
        }
        Ok(Some(known))
    }

    fn returned(&self, priced: Priced, member: &Member) -> GoodsReturned {
        GoodsReturned {
            goods_return: self.goods_return,
            order: self.original,
            member: self.member,
            organisation: member.organisation,
            lines: priced.lines,
            totals: priced.totals,
            reference: Some(self.reference.clone()),
            reason: self.reason.clone(),
        }
    }

    fn credit(
        &self,
        priced: &Priced,
        member: &Member,
        original: Option<&Order>,
        known: &Known<ImportReturnState>,
    ) -> CreditIssued {
        let mut series = known.series;
        let prefix = known.shop.on(self.returned_on).invoice_prefix();
        let (credit, sequence) = series.next(&prefix);
        CreditIssued {
            credit,
            sequence,
            organisation: member.organisation,
            goods_return: Some(self.goods_return),
            invoice: original.and_then(|order| order.invoice.clone()),
            lines: priced.lines.iter().map(|line| line_of(line, self.original)).collect(),
            totals: priced.totals.clone(),
            issued_on: self.returned_on,
            document_required: return_document_required(priced.totals.gross),
        }
    }
}

impl Command for ImportReturn {
    const NAME: &'static str = "return.import";
    const FORMER_NAMES: &'static [&'static str] = &["order.record_return"];
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[Role::Fulfilment, Role::Integration];
    const NEW_IDS: &'static [&'static str] = &["goods_return"];
}

#[cfg(test)]
mod tests {
    use daicho_events::billing::BillingEvent;
    use daicho_events::order::OrderEvent;
    use daicho_events::{Actor, Event};
    use daicho_values::Sample;

    use super::*;
    use crate::order::RecordSale;
    use crate::order::fixtures::{administrator, applicant, code, name, order_id, shop, stranger};
    use crate::testing::{History, Step, by, day, given, yen};

    fn line(product: &str, quantity: i64, unit_price: i64) -> SoldLine {
        let (product, name) = (code(product), name("WHITE HANGING HEART"));
        SoldLine { product, name, quantity, unit_price: yen(unit_price) }
    }

    fn back(lines: Vec<SoldLine>) -> ImportReturn {
        ImportReturn {
            goods_return: ReturnId::sample(),
            member: administrator(),
            reference: Reference::new("C536379").unwrap(),
            returned_on: day("2010-12-02"),
            original: None,
            lines,
            tax: TaxCategory::OutOfScope,
            reason: "cancelled in the source".to_owned(),
        }
    }

    fn back_of_order(lines: Vec<SoldLine>) -> ImportReturn {
        ImportReturn { original: Some(order_id()), ..back(lines) }
    }

    fn second(lines: Vec<SoldLine>) -> ImportReturn {
        ImportReturn {
            goods_return: "01J0000000000000000000000R".parse().unwrap(),
            reference: Reference::new("C536380").unwrap(),
            ..back(lines)
        }
    }

    /// A sale of six, twice three, under invoice R00000001.
    fn sold(more: impl IntoIterator<Item = Step>) -> Vec<Step> {
        let sale = RecordSale {
            order: order_id(),
            member: administrator(),
            reference: Reference::sample(),
            sold_on: day("2010-12-01"),
            destination: None,
            lines: vec![line("85123A", 3, 255), line("85123A", 3, 255)],
            tax: TaxCategory::OutOfScope,
        };
        shop([sale.into()].into_iter().chain(more))
    }

    #[track_caller]
    fn recorded(history: History, command: ImportReturn) -> (GoodsReturned, CreditIssued) {
        let events = history.when(command).events();
        let [first, second] = events.as_slice() else { panic!("two events: {events:?}") };
        let (
            Event::Order(OrderEvent::GoodsReturned(returned)),
            Event::Billing(BillingEvent::CreditIssued(credit)),
        ) = (&first.event, &second.event)
        else {
            panic!("a return and its credit: {events:?}")
        };
        assert_eq!((first.effective_on, second.effective_on), (credit.issued_on, credit.issued_on));
        (returned.clone(), credit.clone())
    }

    #[test]
    fn a_return_is_recorded_with_its_credit_in_the_series_of_the_invoices_r2() {
        let command = back_of_order(vec![line("85123A", 2, 255)]);
        let (returned, credit) = recorded(given(sold([])), command);
        assert_eq!(returned.order, Some(order_id()));
        assert_eq!(returned.reference, Some(Reference::new("C536379").unwrap()));
        assert_eq!((returned.lines.len(), returned.totals.gross), (1, yen(510)));
        assert_eq!((credit.credit.as_str(), credit.sequence.0), ("R00000002", 2));
        assert_eq!(credit.invoice.unwrap().as_str(), "R00000001");
        assert_eq!(
            (credit.goods_return, credit.totals),
            (Some(ReturnId::sample()), returned.totals)
        );
        assert_eq!(credit.issued_on, day("2010-12-02"));
    }

    #[test]
    fn without_the_order_a_return_reduces_no_invoice_in_particular() {
        let (returned, credit) = recorded(given(shop([])), back(vec![line("85123A", 9, 255)]));
        assert_eq!((returned.order, credit.invoice), (None, None));
        assert_eq!(credit.lines[0].order, None);
    }

    #[test]
    fn the_document_is_required_from_ten_thousand_yen_on_r100() {
        let required = |price| {
            recorded(given(shop([])), back(vec![line("85123A", 1, price)])).1.document_required
        };
        assert_eq!((required(9_999), required(10_000)), (false, true));
    }

    #[test]
    fn no_more_comes_back_than_the_order_sold_over_all_returns_and_lines() {
        let seven = back_of_order(vec![line("85123A", 3, 255), line("85123A", 4, 255)]);
        given(sold([])).when(seven).then_rejected("returned_more_than_sold");
        let four = || vec![line("85123A", 4, 255)];
        let history = sold([back_of_order(four()).into()]);
        let again = ImportReturn { original: Some(order_id()), ..second(four()) };
        given(history).when(again).then_rejected("returned_more_than_sold");
    }

    #[test]
    fn an_order_that_was_never_placed_gives_nothing_back() {
        let command = back_of_order(vec![line("85123A", 1, 255)]);
        given(shop([])).when(command).then_rejected("order_unknown");
    }

    #[test]
    fn an_order_of_another_organisation_gives_nothing_back() {
        let command = back_of_order(vec![line("85123A", 1, 255)]);
        let command = ImportReturn { member: stranger(), ..command };
        given(sold([])).when(command).then_rejected("order_of_another_organisation");
    }

    #[test]
    fn a_customer_records_no_return() {
        let actor = by(Actor::Member(administrator()));
        let command = back(vec![line("85123A", 1, 1)]);
        given(shop([actor])).when(command).then_rejected("staff_only");
    }

    #[test]
    fn a_book_that_is_not_open_records_no_return() {
        given([]).when(back(vec![line("85123A", 1, 1)])).then_rejected("shop_not_open");
    }

    #[test]
    fn an_id_names_one_return() {
        let first = back(vec![line("85123A", 1, 1)]);
        let goods_return = ReturnId::sample();
        let again = ImportReturn { goods_return, ..second(vec![line("85123A", 1, 1)]) };
        given(shop([first.into()])).when(again).then_rejected("return_already_recorded");
    }

    #[test]
    fn a_number_of_another_system_stands_once_over_sales_and_returns() {
        let first = back(vec![line("85123A", 1, 1)]);
        let again =
            ImportReturn { reference: first.reference.clone(), ..second(first.lines.clone()) };
        given(shop([first.into()])).when(again).then_rejected("reference_already_recorded");
        let of_the_sale =
            ImportReturn { reference: Reference::sample(), ..back(vec![line("85123A", 1, 1)]) };
        given(sold([])).when(of_the_sale).then_rejected("reference_already_recorded");
    }

    #[test]
    fn who_is_not_registered_brings_nothing_back_r9() {
        let command = ImportReturn { member: applicant(), ..back(vec![line("85123A", 1, 1)]) };
        given(shop([])).when(command).then_rejected("member_not_registered");
    }

    #[test]
    fn a_day_that_has_not_come_is_refused() {
        let returned_on = day("2026-05-12");
        let command = ImportReturn { returned_on, ..back(vec![line("85123A", 1, 1)]) };
        given(shop([])).when(command).then_rejected("return_in_the_future");
    }

    #[test]
    fn quantities_and_prices_are_not_below_zero() {
        let none = back(vec![line("85123A", -1, 1)]);
        given(shop([])).when(none).then_rejected("quantity_below_one");
        let negative = back(vec![line("85123A", 1, -1)]);
        given(shop([])).when(negative).then_rejected("price_below_zero");
    }

    #[test]
    fn a_return_of_nothing_is_refused() {
        given(shop([])).when(back(Vec::new())).then_rejected("no_lines");
    }

    #[test]
    fn a_return_is_recorded_with_its_reason() {
        let silent = ImportReturn { reason: String::new(), ..back(vec![line("85123A", 1, 1)]) };
        given(shop([])).when(silent).then_rejected("reason_missing");
    }
}
