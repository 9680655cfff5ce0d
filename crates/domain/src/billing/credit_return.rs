//! Credits goods that came back: the qualified return invoice (適格返還請求書, R100).

use daicho_events::access::Role;
use daicho_events::billing::CreditIssued;
use daicho_events::order::GoodsReturned;
use daicho_events::{NewEvent, Query};
use daicho_values::{InvoiceNumber, ReturnId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{DocumentRejection, LINES_MAX, numbered};
use super::invoice::{line_of, return_document_required};
use super::series::Series;
use crate::frame::Known;
use crate::state::{Billed, Orders};
use crate::{By, Command, Decision, Moment};

/// Credits a return today, at the prices and totals of the return.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditReturn {
    /// The return.
    pub goods_return: ReturnId,
}

rejections! {
    /// Why a return is not credited.
    pub enum CreditReturnRejection {
        /// No return has this id.
        ReturnUnknown { goods_return: ReturnId } = "return_unknown":
            "no return {goods_return} in this book: record it first",
        /// A return is credited once.
        AlreadyCredited { goods_return: ReturnId, credit: InvoiceNumber }
            = "return_already_credited":
            "return {goods_return} is credited as {credit}: a return is credited once",
        shared {
            /// The document cannot be made; comes last.
            Document(DocumentRejection),
        }
    }
}

known! {
    /// The return, what is billed to its organisation, and the series.
    pub struct CreditReturnState { series: Series, orders: Orders, billed: Billed, }
}

impl Decision for CreditReturn {
    type State = CreditReturnState;
    type Rejection = CreditReturnRejection;

    fn query(&self, known: &Known<CreditReturnState>) -> Query {
        let query = Series::query()
            .or(Orders::return_query(self.goods_return))
            .or(Billed::return_query(self.goods_return));
        let goods_return = known.orders.goods_return(self.goods_return);
        // Only a return whose order is known can be traced to an invoice.
        let traced = goods_return.filter(|it| it.order.is_some());
        query.or(traced.map(|it| Billed::query(it.organisation)).unwrap_or_default())
    }

    fn decide(
        &self,
        known: &Known<CreditReturnState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, CreditReturnRejection> {
        let goods_return = self.check(known)?;
        let issued_on = known.shop.today(at);
        let prefix = known.shop.on(issued_on).invoice_prefix();
        let (credit, sequence) = { known.series }.next(&prefix);
        assert!(sequence.0 > known.series.last, "a series goes up");
        let returned = goods_return.lines.iter();
        let returned = returned.map(|line| line_of(line, goods_return.order));
        let invoice = goods_return.order.and_then(|order| known.billed.order(order));
        let event = CreditIssued {
            credit,
            sequence,
            organisation: goods_return.organisation,
            goods_return: Some(self.goods_return),
            invoice: invoice.cloned(),
            lines: numbered(returned.collect()),
            totals: goods_return.totals.clone(),
            issued_on,
            document_required: return_document_required(goods_return.totals.gross),
        };
        Ok(vec![NewEvent::on(issued_on, event)])
    }
}

impl CreditReturn {
    fn check<'a>(
        &self,
        known: &'a Known<CreditReturnState>,
    ) -> Result<&'a GoodsReturned, CreditReturnRejection> {
        let id = self.goods_return;
        let goods_return = known.orders.goods_return(id);
        let goods_return =
            goods_return.ok_or(CreditReturnRejection::ReturnUnknown { goods_return: id })?;
        if let Some(credit) = known.billed.credit_of(id) {
            let credit = credit.clone();
            return Err(CreditReturnRejection::AlreadyCredited { goods_return: id, credit });
        }
        let lines = goods_return.lines.len();
        if lines > LINES_MAX {
            return Err(DocumentRejection::TooManyLines { lines }.into());
        }
        Ok(goods_return)
    }
}

impl Command for CreditReturn {
    const NAME: &'static str = "billing.credit_return";
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[Role::Billing];
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;
    use daicho_events::billing::SeriesNumber;
    use daicho_values::Sample;

    use super::super::InvoiceOrder;
    use super::super::fixtures::{
        book, chair, fulfilled, invoice, order, placed, returned, totals,
    };
    use super::*;
    use crate::testing::{Step, at, by, day, event, given};

    fn command() -> CreditReturn {
        CreditReturn { goods_return: ReturnId::sample() }
    }

    fn credit(n: u64, invoice: Option<&str>, price: i64, required: bool) -> CreditIssued {
        let order = invoice.map(|_| order(1));
        CreditIssued {
            credit: InvoiceNumber::new(&format!("R{n:08}")).unwrap(),
            sequence: SeriesNumber(n),
            organisation: Sample::sample(),
            goods_return: Some(ReturnId::sample()),
            invoice: invoice.map(|number| InvoiceNumber::new(number).unwrap()),
            lines: numbered(vec![line_of(&chair(price), order)]),
            totals: totals(&[chair(price)]),
            issued_on: day("2026-05-11"),
            document_required: required,
        }
    }

    fn delivered() -> [Step; 2] {
        [placed(order(1), vec![chair(100)]), fulfilled(order(1), "2026-05-11")]
    }

    #[test]
    fn a_return_is_credited_on_the_invoice_of_its_order_r100() {
        let history = book(delivered())
            .into_iter()
            .chain([InvoiceOrder { order: order(1) }.into(), event(returned(Some(order(1)), 100))]);
        let expected = credit(2, Some("R00000001"), 100, false);
        given(history).when(command()).then([expected.into()]);
    }

    #[test]
    fn a_return_finds_the_months_invoice_too_r100() {
        let history = book(delivered()).into_iter().chain([
            at("2026-06-10T10:00"),
            invoice("2026-05").into(),
            event(returned(Some(order(1)), 100)),
        ]);
        let expected = CreditIssued {
            issued_on: day("2026-06-10"),
            ..credit(2, Some("R00000001"), 100, false)
        };
        given(history).when(command()).then([expected.into()]);
    }

    #[test]
    fn a_return_without_its_order_is_credited_without_an_invoice() {
        given(book([event(returned(None, 100))]))
            .when(command())
            .then([credit(1, None, 100, false).into()]);
    }

    #[test]
    fn the_law_asks_for_the_document_from_ten_thousand_yen_with_tax() {
        // With 10 % rounded down: 9,999 and 10,000 yen.
        for (price, required) in [(9_090, false), (9_091, true)] {
            given(book([event(returned(None, price))]))
                .when(command())
                .then([credit(1, None, price, required).into()]);
        }
    }

    #[test]
    fn a_customer_does_not_credit_himself() {
        given(book([event(returned(None, 100)), by(Actor::Member(Sample::sample()))]))
            .when(command())
            .then_rejected("staff_only");
    }

    #[test]
    fn a_book_without_settings_credits_nothing() {
        given([event(returned(None, 100))]).when(command()).then_rejected("shop_not_open");
    }

    #[test]
    fn an_unknown_return_is_refused() {
        given(book([])).when(command()).then_rejected("return_unknown");
    }

    #[test]
    fn a_return_is_credited_once() {
        given(book([event(returned(None, 100)), command().into()]))
            .when(command())
            .then_rejected("return_already_credited");
    }

    #[test]
    fn a_credit_has_a_limit_of_lines() {
        let lines: Vec<_> = (0..601).map(|_| chair(1)).collect();
        let goods_return = GoodsReturned { totals: totals(&lines), lines, ..returned(None, 1) };
        given(book([event(goods_return)])).when(command()).then_rejected("too_many_lines");
    }
}
