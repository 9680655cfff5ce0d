//! Records a sale that another system completed (移行, R2): order, delivery and invoice at once.

use daicho_events::access::Role;
use daicho_events::billing::InvoiceIssued;
use daicho_events::order::{OrderAccepted, OrderFulfilled, OrderPlaced};
use daicho_events::product::PaymentMethod;
use daicho_events::{NewEvent, Query};
use daicho_values::calendar::CalendarError;
use daicho_values::{Date, MemberId, Name, OrderId, Reference, TaxCategory};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sold::{SoldLine, as_sold};
use crate::billing::Series;
use crate::billing::invoice::{line_of, payable_at};
use crate::frame::{Known, NotYours};
use crate::pricing::{LineRejection, Priced};
use crate::state::{Member, Members, Orders};
use crate::{By, Command, Decision, Moment};

/// Records a completed sale as it was: names, prices and lines as given, also where they repeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordSale {
    /// The order's new id.
    pub order: OrderId,
    /// Who bought.
    pub member: MemberId,
    /// Its number in the other system, once in a book.
    pub reference: Reference,
    /// The day of the sale, not after today.
    pub sold_on: Date,
    /// Where the goods went, as the source writes it.
    #[serde(default)]
    pub destination: Option<Name>,
    /// What was sold.
    pub lines: Vec<SoldLine>,
    /// The tax that every line bears.
    pub tax: TaxCategory,
}

rejections! {
    /// Why a sale is not recorded.
    pub enum RecordSaleRejection {
        /// An id names one order.
        AlreadyPlaced { order: OrderId } = "order_already_placed":
            "order {order} is already placed: another sale needs a new id",
        /// A number of another system is recorded once in a book.
        ReferenceRecorded { reference: Reference } = "reference_already_recorded":
            "`{reference}` is already recorded in this book: give the number of this sale",
        /// A sale is recorded once it has happened.
        InTheFuture { sold_on: Date, today: Date } = "sold_in_the_future":
            "{sold_on} has not come yet: record the sale once it happened, by {today}",
        shared {
            /// The member is not known as a buyer (R9).
            Buyer(NotYours),
            /// A line is refused.
            Line(LineRejection),
            /// The calendar does not cover the day.
            Calendar(CalendarError),
        }
    }
}

known! {
    /// The shop, the member, whether id and number are new, and the series of invoices.
    pub struct RecordSaleState { orders: Orders, series: Series, }
}

impl Decision for RecordSale {
    type State = RecordSaleState;
    type Rejection = RecordSaleRejection;

    fn query(&self, _: &Known<RecordSaleState>) -> Query {
        Orders::query(self.order)
            .or(Orders::reference_query(&self.reference))
            .or(Members::query(self.member))
            .or(Series::query())
    }

    fn decide(
        &self,
        known: &Known<RecordSaleState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, RecordSaleRejection> {
        if known.orders.get(self.order).is_some() {
            return Err(RecordSaleRejection::AlreadyPlaced { order: self.order });
        }
        if known.orders.has_reference(&self.reference) {
            let reference = self.reference.clone();
            return Err(RecordSaleRejection::ReferenceRecorded { reference });
        }
        let member = known.members.registered(self.member)?;
        let (sold_on, today) = (self.sold_on, known.shop.today(at));
        if sold_on > today {
            return Err(RecordSaleRejection::InTheFuture { sold_on, today });
        }
        let priced = as_sold(&self.lines, self.tax, sold_on, &known.shop)?;
        let invoice = self.invoice(&priced, member, known)?;
        let order = self.order;
        Ok(vec![
            NewEvent::on(sold_on, self.placed(priced, member)),
            NewEvent::on(sold_on, OrderAccepted { order, accepted_on: sold_on }),
            NewEvent::on(sold_on, OrderFulfilled { order, fulfilled_on: sold_on }),
            NewEvent::on(sold_on, invoice),
        ])
    }
}

impl RecordSale {
    fn placed(&self, priced: Priced, member: &Member) -> OrderPlaced {
        OrderPlaced {
            order: self.order,
            member: self.member,
            organisation: member.organisation,
            quote: None,
            lines: priced.lines,
            totals: priced.totals,
            payment_method: PaymentMethod::Invoice,
            terms: Vec::new(),
            sales_rep: None,
            desired_start: None,
            reference: Some(self.reference.clone()),
            destination: self.destination.clone(),
        }
    }

    fn invoice(
        &self,
        priced: &Priced,
        member: &Member,
        known: &Known<RecordSaleState>,
    ) -> Result<InvoiceIssued, RecordSaleRejection> {
        let that_day = known.shop.on(self.sold_on);
        let mut series = known.series;
        let (invoice, sequence) = series.next(&that_day.invoice_prefix());
        Ok(InvoiceIssued {
            invoice,
            sequence,
            organisation: member.organisation,
            order: Some(self.order),
            month: None,
            lines: priced.lines.iter().map(|line| line_of(line, Some(self.order))).collect(),
            totals: priced.totals.clone(),
            issued_on: self.sold_on,
            due_on: known.shop.due_on(self.sold_on)?,
            payable_at: payable_at(priced.totals.gross, that_day.barcode_below()),
            issuer: that_day.issuer(),
        })
    }
}

impl Command for RecordSale {
    const NAME: &'static str = "order.record_sale";
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[Role::Fulfilment, Role::Integration];
    const NEW_IDS: &'static [&'static str] = &["order"];
}

#[cfg(test)]
mod tests {
    use daicho_events::billing::{BillingEvent, INVOICE_SERIES, PayableAt};
    use daicho_events::order::OrderEvent;
    use daicho_events::shop::ShopConfigured;
    use daicho_events::{Actor, Event, Reach};
    use daicho_values::{Login, OrganisationId, Sample, Tag};

    use super::*;
    use crate::order::fixtures::{
        administrator, applicant, code, name, order_id, organisation, shop,
    };
    use crate::testing::{History, by, day, event, given, yen};

    fn line(product: &str, quantity: i64, unit_price: i64) -> SoldLine {
        let (product, name) = (code(product), name("WHITE HANGING HEART"));
        SoldLine { product, name, quantity, unit_price: yen(unit_price) }
    }

    fn sale(lines: Vec<SoldLine>) -> RecordSale {
        RecordSale {
            order: order_id(),
            member: administrator(),
            reference: Reference::sample(),
            sold_on: day("2010-12-01"),
            destination: Some(name("United Kingdom")),
            lines,
            tax: TaxCategory::OutOfScope,
        }
    }

    fn another(lines: Vec<SoldLine>) -> RecordSale {
        RecordSale {
            order: "01J0000000000000000000000Z".parse().unwrap(),
            reference: Reference::new("536366").unwrap(),
            ..sale(lines)
        }
    }

    #[track_caller]
    fn recorded(history: History, command: RecordSale) -> (OrderPlaced, InvoiceIssued) {
        let mut events = history.when(command).events().into_iter().map(|new| new.event);
        let (first, last) = (events.next(), events.next_back());
        let (
            Some(Event::Order(OrderEvent::Placed(placed))),
            Some(Event::Billing(BillingEvent::InvoiceIssued(invoice))),
        ) = (first, last)
        else {
            panic!("an order first and an invoice last")
        };
        (placed, invoice)
    }

    #[test]
    fn a_sale_is_an_order_its_delivery_and_its_invoice_all_on_its_day_r2() {
        let events = given(shop([])).when(sale(vec![line("85123A", 6, 255)])).events();
        assert!(events.iter().all(|new| new.effective_on == day("2010-12-01")));
        let types: Vec<&str> = events.iter().map(|new| new.event.event_type().name).collect();
        let expected =
            ["order.placed", "order.accepted", "order.fulfilled", "billing.invoice_issued"];
        assert_eq!(types, expected);
    }

    #[test]
    fn lines_stay_as_given_also_where_they_repeat_or_cost_nothing_r4() {
        let twice = line("85123A", 6, 255);
        let lines = vec![twice.clone(), line("22423", 1, 0), twice];
        let (placed, invoice) = recorded(given(shop([])), sale(lines));
        let amounts: Vec<_> = placed.lines.iter().map(|line| (line.line, line.amount)).collect();
        assert_eq!(amounts, [(1, yen(1_530)), (2, yen(0)), (3, yen(1_530))]);
        assert_eq!(placed.lines[0].name, name("WHITE HANGING HEART"));
        assert_eq!(placed.reference, Some(Reference::sample()));
        assert_eq!(placed.destination, Some(name("United Kingdom")));
        assert_eq!(invoice.lines.len(), 3);
        assert_eq!((invoice.totals.tax, invoice.totals.gross), (yen(0), yen(3_060)));
    }

    #[test]
    fn the_invoice_is_of_the_day_of_the_sale_and_due_at_the_end_of_its_month_r85() {
        let (_, invoice) = recorded(given(shop([])), sale(vec![line("85123A", 6, 255)]));
        assert_eq!((invoice.issued_on, invoice.due_on), (day("2010-12-01"), day("2011-01-04")));
        assert_eq!((invoice.order, invoice.month), (Some(order_id()), None));
        assert_eq!(invoice.organisation, organisation());
    }

    #[test]
    fn invoices_number_themselves_one_after_the_other_r92() {
        let (_, first) = recorded(given(shop([])), sale(vec![line("85123A", 1, 1)]));
        assert_eq!(first.invoice.as_str(), "R00000001");
        let history = shop([
            sale(vec![line("85123A", 1, 1)]).into(),
            another(vec![line("85123A", 1, 1)]).into(),
        ]);
        let third = RecordSale {
            order: "01J0000000000000000000000Y".parse().unwrap(),
            reference: Reference::new("536367").unwrap(),
            ..sale(vec![line("85123A", 1, 1)])
        };
        let (_, third) = recorded(given(history), third);
        assert_eq!((third.invoice.as_str(), third.sequence.0), ("R00000003", 3));
    }

    #[test]
    fn the_barcode_is_for_sums_below_the_boundary_and_not_at_it_r95() {
        let payable =
            |price| recorded(given(shop([])), sale(vec![line("85123A", 1, price)])).1.payable_at;
        assert_eq!(payable(299_999), PayableAt::BanksAndStores);
        assert_eq!(payable(300_000), PayableAt::BanksOnly);
        assert_eq!(payable(300_001), PayableAt::BanksOnly);
    }

    #[test]
    fn a_program_records_sales_too() {
        let actor = by(Actor::System(Login::new("import").unwrap()));
        let (placed, _) = recorded(given(shop([actor])), sale(vec![line("85123A", 1, 1)]));
        assert_eq!(placed.organisation, OrganisationId::sample());
    }

    #[test]
    fn a_customer_records_no_sale() {
        let actor = by(Actor::Member(administrator()));
        let command = sale(vec![line("85123A", 1, 1)]);
        given(shop([actor])).when(command).then_rejected("staff_only");
    }

    #[test]
    fn a_book_that_is_not_open_records_no_sale() {
        given([]).when(sale(vec![line("85123A", 1, 1)])).then_rejected("shop_not_open");
    }

    #[test]
    fn an_id_names_one_order() {
        let first = sale(vec![line("85123A", 1, 1)]);
        let again = RecordSale { order: order_id(), ..another(vec![line("85123A", 1, 1)]) };
        given(shop([first.into()])).when(again).then_rejected("order_already_placed");
    }

    #[test]
    fn a_number_of_another_system_stands_once() {
        let first = sale(vec![line("85123A", 1, 1)]);
        let reference = Reference::sample();
        let again = RecordSale { reference, ..another(vec![line("85123A", 1, 1)]) };
        given(shop([first.into()])).when(again).then_rejected("reference_already_recorded");
    }

    #[test]
    fn who_is_not_registered_bought_nothing_r9() {
        let command = RecordSale { member: applicant(), ..sale(vec![line("85123A", 1, 1)]) };
        given(shop([])).when(command).then_rejected("member_not_registered");
    }

    #[test]
    fn a_day_that_has_not_come_is_refused() {
        let on = |on| RecordSale { sold_on: day(on), ..sale(vec![line("85123A", 1, 1)]) };
        given(shop([])).when(on("2026-05-12")).then_rejected("sold_in_the_future");
        let events = given(shop([])).when(on("2026-05-11")).events();
        assert_eq!(events.len(), 4);
    }

    #[test]
    fn a_price_below_zero_is_a_return_and_no_sale() {
        let command = sale(vec![line("85123A", 1, -1)]);
        given(shop([])).when(command).then_rejected("price_below_zero");
    }

    #[test]
    fn a_sale_of_nothing_is_refused() {
        given(shop([])).when(sale(Vec::new())).then_rejected("no_lines");
        let none = sale(vec![line("85123A", 0, 1)]);
        given(shop([])).when(none).then_rejected("quantity_below_one");
    }

    #[test]
    fn a_price_in_another_currency_than_the_shops_is_refused() {
        let pound = daicho_values::Money::parse("2.55", daicho_values::Currency::Gbp).unwrap();
        let foreign = SoldLine { unit_price: pound, ..line("85123A", 1, 1) };
        given(shop([])).when(sale(vec![foreign])).then_rejected("mixed_currencies");
    }

    #[test]
    fn a_rate_that_the_table_does_not_have_is_not_taken_for_nothing() {
        let tax = TaxCategory::Standard;
        let command = RecordSale { tax, ..sale(vec![line("85123A", 1, 1)]) };
        given(shop([])).when(command).then_rejected("tax_rate_missing");
    }

    #[test]
    fn a_year_without_a_calendar_is_named() {
        let sold_on = day("2006-12-31");
        let command = RecordSale { sold_on, ..sale(vec![line("85123A", 1, 1)]) };
        given(shop([])).when(command).then_rejected("year_out_of_range");
    }

    #[test]
    fn a_shop_without_a_boundary_prints_no_barcode_r95() {
        let sample = ShopConfigured::sample();
        let configured = event(ShopConfigured { barcode_below: None, ..sample });
        let (_, invoice) = recorded(given(shop([configured])), sale(vec![line("85123A", 1, 1)]));
        assert_eq!(invoice.payable_at, PayableAt::BanksOnly);
    }

    #[test]
    fn of_the_series_only_the_last_document_is_read() {
        let query = sale(Vec::new()).query(&Known::default());
        let series: Vec<_> =
            query.items.iter().filter(|item| item.tags == [Tag::from(INVOICE_SERIES)]).collect();
        assert_eq!(series.len(), 1);
        assert_eq!(series[0].reach, Reach::Last);
    }
}
