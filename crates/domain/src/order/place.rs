//! Places an order (注文), from a quote (R51) or without one (R47).

use std::collections::BTreeSet;

use daicho_events::access::Role;
use daicho_events::member::MemberRole;
use daicho_events::order::{AcceptedTerms, OrderLine, OrderPlaced};
use daicho_events::product::PaymentMethod;
use daicho_events::quote::QuoteConverted;
use daicho_events::{NewEvent, Query};
use daicho_values::{Date, MemberId, OrderId, ProductCode, QuoteId, SalesRepCode, TermsVersion};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::frame::{Known, NotYours};
use crate::pricing::{
    LineRejection, Priced, WantedLine, bytes_of, check_bytes, sellable, text_bytes,
};
use crate::state::{Catalogue, Member, Members, Orders, Product, Quotes};
use crate::{By, Command, Decision, Moment};

/// Bytes of an accepted version in the record without its texts: keys and the SHA-256.
const TERMS_BYTES_FIXED: usize = 128;

/// Places an order: either takes up a quote, or names its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceOrder {
    /// The order's new id.
    pub order: OrderId,
    /// Who orders; an administrator (R36).
    pub member: MemberId,
    /// The quote that it takes up, with its names and prices; then there are no lines.
    #[serde(default)]
    pub quote: Option<QuoteId>,
    /// What is ordered, at the prices of today; then there is no quote.
    #[serde(default)]
    pub lines: Vec<WantedLine>,
    /// How it will be paid.
    pub payment_method: PaymentMethod,
    /// The terms that the customer has read and accepted (R63). What the order does not need is
    /// not recorded.
    #[serde(default)]
    pub terms: Vec<AcceptedVersion>,
    /// The salesperson's code (R58).
    #[serde(default)]
    pub sales_rep: Option<SalesRepCode>,
    /// The first day wished for (開始希望日, R56).
    #[serde(default)]
    pub desired_start: Option<Date>,
}

/// A version of a product's terms that the customer accepts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptedVersion {
    /// The product.
    pub product: ProductCode,
    /// The version shown.
    pub version: TermsVersion,
}

rejections! {
    /// Why an order is not placed.
    pub enum PlaceOrderRejection {
        /// An id names one order.
        AlreadyPlaced { order: OrderId } = "order_already_placed":
            "order {order} is already placed: another order needs a new id",
        /// Only administrators go to checkout (R36).
        RoleMayNotOrder { member: MemberId } = "role_may_not_order":
            "member {member} is a general user: an administrator of the organisation may order",
        /// A quote is ordered unchanged.
        QuoteAndLines { quote: QuoteId } = "quote_and_lines":
            "the order names quote {quote} and lines of its own: leave out one of the two",
        /// Only what was quoted is taken up.
        QuoteUnknown { quote: QuoteId } = "quote_unknown":
            "no quote {quote} in this book: check the id",
        /// A quote holds for the organisation that asked for it.
        QuoteOfAnother { quote: QuoteId } = "quote_of_another_organisation":
            "quote {quote} was issued to another organisation: ask for a quote of your own",
        /// What is taken back cannot be ordered.
        QuoteWithdrawn { quote: QuoteId } = "quote_withdrawn":
            "quote {quote} is withdrawn: ask for a new one",
        /// A quote becomes one order (R51).
        QuoteAlreadyUsed { quote: QuoteId, order: OrderId } = "quote_already_used":
            "quote {quote} became order {order}: ask for a new one, or order without a quote",
        /// A quote holds until its last day.
        QuoteLapsed { quote: QuoteId, valid_until: Date } = "quote_lapsed":
            "quote {quote} held until {valid_until}: ask for a new one",
        /// The product's payment methods (R83).
        PaymentMethodNotOffered { product: ProductCode } = "payment_method_not_offered":
            "`{product}` is not sold by this payment method: choose one that its rules name",
        /// Not every product takes a wish (R56).
        DesiredStartNotOffered { product: ProductCode } = "desired_start_not_offered":
            "`{product}` takes no desired start: leave the day out, or order the product apart",
        /// A wish is for a day to come.
        DesiredStartInThePast { desired_start: Date, today: Date } = "desired_start_in_the_past":
            "{desired_start} has passed: wish for a day from {today} on",
        /// Every product's latest terms are accepted (R63).
        TermsNotAccepted { product: ProductCode, version: TermsVersion } = "terms_not_accepted":
            "version {version} of the terms of `{product}` is not accepted: read and accept it",
        shared {
            /// The member cannot buy (R9).
            Buyer(NotYours),
            /// A line cannot be sold.
            Line(LineRejection),
        }
    }
}

known! {
    /// The shop, the buyer, the quote, the products, and whether the id is new.
    pub struct PlaceOrderState { orders: Orders, quotes: Quotes, catalogue: Catalogue, }
}

impl Decision for PlaceOrder {
    type State = PlaceOrderState;
    type Rejection = PlaceOrderRejection;

    fn query(&self, known: &Known<PlaceOrderState>) -> Query {
        let query = Orders::query(self.order).or(Members::query(self.member));
        let query = query.or(Catalogue::query(self.lines.iter().map(|line| &line.product)));
        let Some(id) = self.quote else { return query };
        let quoted = known.quotes.get(id).map(|quote| &quote.issued.lines);
        let products = quoted.into_iter().flatten().map(|line| &line.product);
        query.or(Quotes::query(id)).or(Catalogue::query(products))
    }

    fn decide(
        &self,
        known: &Known<PlaceOrderState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, PlaceOrderRejection> {
        if known.orders.get(self.order).is_some() {
            return Err(PlaceOrderRejection::AlreadyPlaced { order: self.order });
        }
        let member = known.members.registered(self.member)?;
        if member.role != MemberRole::Administrator {
            return Err(PlaceOrderRejection::RoleMayNotOrder { member: self.member });
        }
        let today = known.shop.today(at);
        let priced = match self.quote {
            Some(quote) => self.quoted(quote, member, known, today)?,
            None => Priced::of_wanted(&self.lines, today, &known.catalogue, &known.shop)?,
        };
        let products = products(&priced.lines, &known.catalogue, today)?;
        self.check_payment(&products, today)?;
        self.check_desired_start(&products, today)?;
        let terms = self.accepted_terms(&products)?;
        check_bytes(bytes_of(&priced.lines) + bytes_of_terms(&terms))?;
        Ok(self.events(priced, terms, member, today))
    }
}

/// The products of an order, each once.
type Products<'a> = Vec<(&'a ProductCode, &'a Product)>;

/// The products of lines. A quote's products are asked again: one that was retired since it was
/// issued is not sold any more.
fn products<'a>(
    lines: &'a [OrderLine],
    catalogue: &'a Catalogue,
    today: Date,
) -> Result<Products<'a>, LineRejection> {
    let codes: BTreeSet<&ProductCode> = lines.iter().map(|line| &line.product).collect();
    codes.into_iter().map(|code| Ok((code, sellable(catalogue, code, today)?))).collect()
}

fn bytes_of_terms(terms: &[AcceptedTerms]) -> usize {
    let texts = terms.iter().map(|accepted| {
        let version = text_bytes(accepted.version.as_str());
        TERMS_BYTES_FIXED + text_bytes(accepted.product.as_str()) + version
    });
    texts.sum()
}

impl PlaceOrder {
    fn quoted(
        &self,
        quote: QuoteId,
        member: &Member,
        known: &Known<PlaceOrderState>,
        today: Date,
    ) -> Result<Priced, PlaceOrderRejection> {
        if !self.lines.is_empty() {
            return Err(PlaceOrderRejection::QuoteAndLines { quote });
        }
        let known = known.quotes.get(quote).ok_or(PlaceOrderRejection::QuoteUnknown { quote })?;
        let issued = &known.issued;
        if issued.organisation != member.organisation {
            return Err(PlaceOrderRejection::QuoteOfAnother { quote });
        }
        if known.withdrawn {
            return Err(PlaceOrderRejection::QuoteWithdrawn { quote });
        }
        if let Some(order) = known.converted {
            return Err(PlaceOrderRejection::QuoteAlreadyUsed { quote, order });
        }
        let valid_until = issued.valid_until;
        if valid_until < today {
            return Err(PlaceOrderRejection::QuoteLapsed { quote, valid_until });
        }
        Ok(Priced { lines: issued.lines.clone(), totals: issued.totals.clone() })
    }

    fn check_payment(
        &self,
        products: &Products<'_>,
        today: Date,
    ) -> Result<(), PlaceOrderRejection> {
        for (code, product) in products {
            if !product.rules_on(today).payment_methods.contains(&self.payment_method) {
                let product = (*code).clone();
                return Err(PlaceOrderRejection::PaymentMethodNotOffered { product });
            }
        }
        Ok(())
    }

    fn check_desired_start(
        &self,
        products: &Products<'_>,
        today: Date,
    ) -> Result<(), PlaceOrderRejection> {
        let Some(desired_start) = self.desired_start else { return Ok(()) };
        if let Some((code, _)) =
            products.iter().find(|(_, known)| !known.rules_on(today).desired_start)
        {
            let product = (*code).clone();
            return Err(PlaceOrderRejection::DesiredStartNotOffered { product });
        }
        if desired_start < today {
            return Err(PlaceOrderRejection::DesiredStartInThePast { desired_start, today });
        }
        Ok(())
    }

    fn accepted_terms(
        &self,
        products: &Products<'_>,
    ) -> Result<Vec<AcceptedTerms>, PlaceOrderRejection> {
        let accepted: BTreeSet<&AcceptedVersion> = self.terms.iter().collect();
        let latest = products.iter().filter_map(|(_, product)| product.terms.as_ref());
        let terms = latest.map(|terms| {
            let product = terms.product.clone();
            let wanted = AcceptedVersion { product, version: terms.version.clone() };
            let AcceptedVersion { product, version } = wanted.clone();
            if !accepted.contains(&wanted) {
                return Err(PlaceOrderRejection::TermsNotAccepted { product, version });
            }
            Ok(AcceptedTerms { product, version, sha256: terms.sha256.clone() })
        });
        terms.collect()
    }

    fn events(
        &self,
        priced: Priced,
        terms: Vec<AcceptedTerms>,
        member: &Member,
        today: Date,
    ) -> Vec<NewEvent> {
        let placed = OrderPlaced {
            order: self.order,
            member: self.member,
            organisation: member.organisation,
            quote: self.quote,
            lines: priced.lines,
            totals: priced.totals,
            payment_method: self.payment_method,
            terms,
            sales_rep: self.sales_rep.clone(),
            desired_start: self.desired_start,
            reference: None,
            destination: None,
        };
        let converted = self.quote.map(|quote| QuoteConverted { quote, order: self.order });
        let converted = converted.map(|converted| NewEvent::on(today, converted));
        [NewEvent::on(today, placed)].into_iter().chain(converted).collect()
    }
}

impl Command for PlaceOrder {
    const NAME: &'static str = "order.place";
    const BY: By<Self> = By::Named(|command| command.member);
    const ROLES: &'static [Role] = &[Role::Integration];
    const NEW_IDS: &'static [&'static str] = &["order"];
}

#[cfg(test)]
mod tests {
    use daicho_events::order::OrderEvent;
    use daicho_events::product::{ProductRenamed, ProductRetired};
    use daicho_events::quote::QuoteWithdrawn;
    use daicho_events::{Actor, Event};
    use daicho_values::{Sample, Sha256};

    use super::*;
    use crate::order::fixtures::{
        CUSTOM, MAIL, TEA, administrator, applicant, code, general_user, name, order_id,
        order_placed, plan, quote_id, quote_of, shop, stranger, terms_of, version, wanted,
    };
    use crate::testing::{History, at, by, day, event, given, yen};

    fn tea() -> PlaceOrder {
        PlaceOrder {
            order: order_id(),
            member: administrator(),
            quote: None,
            lines: vec![wanted(TEA, None, 5)],
            payment_method: PaymentMethod::Card,
            terms: Vec::new(),
            sales_rep: None,
            desired_start: None,
        }
    }

    fn mail() -> PlaceOrder {
        PlaceOrder {
            lines: vec![wanted(MAIL, Some("monthly"), 2)],
            payment_method: PaymentMethod::Invoice,
            terms: vec![AcceptedVersion { product: code(MAIL), version: version("2026-04") }],
            ..tea()
        }
    }

    fn from_quote() -> PlaceOrder {
        PlaceOrder { quote: Some(quote_id()), lines: Vec::new(), ..mail() }
    }

    fn quoted() -> crate::testing::Step {
        event(quote_of(&[wanted(MAIL, Some("monthly"), 2)]))
    }

    #[track_caller]
    fn placed_of(history: History, command: PlaceOrder) -> OrderPlaced {
        let events = history.when(command).events();
        let Some(Event::Order(OrderEvent::Placed(placed))) = events.first().map(|new| &new.event)
        else {
            panic!("no order: {events:?}")
        };
        placed.clone()
    }

    #[test]
    fn an_order_is_placed_without_a_quote_at_the_prices_of_today_r47() {
        let expected = OrderPlaced {
            payment_method: PaymentMethod::Card,
            ..order_placed(&[wanted(TEA, None, 5)])
        };
        given(shop([])).when(tea()).then([expected.into()]);
    }

    #[test]
    fn an_order_from_a_quote_takes_it_up_with_its_names_and_prices_r51() {
        let history = || {
            let dearer = event(plan(MAIL, "monthly", "2026-05-12", yen(9_999)));
            let renamed = event(ProductRenamed { product: code(MAIL), name: name("Mail d") });
            given(shop([quoted(), dearer, renamed, at("2026-06-10T23:59")]))
        };
        let placed = placed_of(history(), from_quote());
        assert_eq!(placed.quote, Some(quote_id()));
        assert_eq!(placed.lines[0].name, name("Business Mail"));
        assert_eq!(placed.totals.gross, yen(2_640));
        history().when(from_quote()).then_types(["order.placed", "quote.converted"]);
    }

    #[test]
    fn the_accepted_terms_are_recorded_with_what_was_shown_r63() {
        let placed = placed_of(given(shop([])), mail());
        let expected = AcceptedTerms {
            product: code(MAIL),
            version: version("2026-04"),
            sha256: Sha256::sample(),
        };
        assert_eq!(placed.terms, [expected]);
    }

    #[test]
    fn terms_that_the_order_does_not_need_are_not_recorded() {
        let order = PlaceOrder { terms: mail().terms, ..tea() };
        assert_eq!(placed_of(given(shop([])), order).terms, []);
    }

    #[test]
    fn a_desired_start_and_a_sales_code_are_recorded_r56_r58() {
        let order = PlaceOrder {
            desired_start: Some(day("2026-05-11")),
            sales_rep: Some(SalesRepCode::sample()),
            ..mail()
        };
        let placed = placed_of(given(shop([])), order);
        assert_eq!(placed.desired_start, Some(day("2026-05-11")));
        assert_eq!(placed.sales_rep, Some(SalesRepCode::sample()));
    }

    #[test]
    fn a_product_without_rules_is_sold_by_every_payment_method() {
        for payment_method in [PaymentMethod::Invoice, PaymentMethod::Card] {
            let lines = vec![wanted("paper", None, 1)];
            let order = PlaceOrder { lines, payment_method, ..tea() };
            given(shop([])).when(order).then_types(["order.placed"]);
        }
    }

    #[test]
    fn a_book_that_is_not_open_takes_no_order() {
        given([]).when(tea()).then_rejected("shop_not_open");
    }

    #[test]
    fn an_id_names_one_order() {
        given(shop([tea().into()])).when(tea()).then_rejected("order_already_placed");
    }

    #[test]
    fn a_member_whose_registration_is_not_complete_orders_nothing_r9() {
        let order = PlaceOrder { member: applicant(), ..tea() };
        given(shop([])).when(order).then_rejected("member_not_registered");
    }

    #[test]
    fn a_member_orders_in_the_own_name_only() {
        let actor = by(Actor::Member(stranger()));
        given(shop([actor])).when(tea()).then_rejected("member_acts_for_another");
    }

    #[test]
    fn a_general_user_orders_nothing_r36() {
        let order = PlaceOrder { member: general_user(), ..tea() };
        given(shop([])).when(order).then_rejected("role_may_not_order");
    }

    #[test]
    fn an_order_has_a_quote_or_lines_and_not_both() {
        let order = PlaceOrder { lines: tea().lines, ..from_quote() };
        given(shop([quoted()])).when(order).then_rejected("quote_and_lines");
    }

    #[test]
    fn an_order_without_quote_and_lines_is_refused() {
        let order = PlaceOrder { lines: Vec::new(), ..tea() };
        given(shop([])).when(order).then_rejected("no_lines");
    }

    #[test]
    fn a_quote_that_was_never_issued_is_not_taken_up() {
        given(shop([])).when(from_quote()).then_rejected("quote_unknown");
    }

    #[test]
    fn a_quote_of_another_organisation_is_not_taken_up() {
        let order = PlaceOrder { member: stranger(), ..from_quote() };
        given(shop([quoted()])).when(order).then_rejected("quote_of_another_organisation");
    }

    #[test]
    fn a_withdrawn_quote_is_not_taken_up() {
        let withdrawn = event(QuoteWithdrawn { quote: quote_id(), reason: "wrong".to_owned() });
        given(shop([quoted(), withdrawn])).when(from_quote()).then_rejected("quote_withdrawn");
    }

    #[test]
    fn a_quote_becomes_one_order_r51() {
        let again =
            PlaceOrder { order: "01J0000000000000000000000Z".parse().unwrap(), ..from_quote() };
        let history = shop([quoted(), from_quote().into()]);
        given(history).when(again).then_rejected("quote_already_used");
    }

    #[test]
    fn a_quote_is_taken_up_on_its_last_day_and_not_after_r53() {
        let on = |moment| given(shop([quoted(), at(moment)])).when(from_quote());
        on("2026-06-10T23:59").then_types(["order.placed", "quote.converted"]);
        on("2026-06-11T00:00").then_rejected("quote_lapsed");
    }

    #[test]
    fn a_quoted_product_that_was_retired_since_is_not_sold() {
        let retired = event(ProductRetired { product: code(MAIL), from: day("2026-05-11") });
        given(shop([quoted(), retired])).when(from_quote()).then_rejected("product_retired");
    }

    #[test]
    fn a_line_over_the_limit_is_refused_r57() {
        let order = PlaceOrder { lines: vec![wanted(MAIL, Some("monthly"), 101)], ..mail() };
        given(shop([])).when(order).then_rejected("quantity_over_limit");
    }

    #[test]
    fn a_payment_method_that_one_product_does_not_offer_is_refused_r83() {
        let order = PlaceOrder { payment_method: PaymentMethod::Card, ..mail() };
        given(shop([])).when(order).then_rejected("payment_method_not_offered");
    }

    #[test]
    fn a_desired_start_that_one_product_does_not_take_is_refused_r56() {
        let desired_start = Some(day("2026-06-01"));
        let lines = vec![wanted(MAIL, Some("monthly"), 1), wanted(CUSTOM, None, 1)];
        let order = PlaceOrder { desired_start, lines, ..mail() };
        given(shop([])).when(order).then_rejected("desired_start_not_offered");
    }

    #[test]
    fn a_desired_start_in_the_past_is_refused_r56() {
        let order = PlaceOrder { desired_start: Some(day("2026-05-10")), ..mail() };
        given(shop([])).when(order).then_rejected("desired_start_in_the_past");
    }

    #[test]
    fn an_order_without_consent_to_the_terms_is_refused_r63() {
        let order = PlaceOrder { terms: Vec::new(), ..mail() };
        given(shop([])).when(order).then_rejected("terms_not_accepted");
    }

    #[test]
    fn consent_to_an_older_version_is_not_consent_to_the_latest_r63() {
        let newer = event(terms_of(MAIL, "2026-05"));
        given(shop([newer])).when(mail()).then_rejected("terms_not_accepted");
    }

    #[test]
    fn the_bytes_of_accepted_terms_are_never_fewer_than_they_take_in_the_record() {
        let mut order = order_placed(&[wanted(TEA, None, 1)]);
        let empty = Event::from(order.clone()).to_json().len();
        let quotes = "\"".repeat(64);
        let (product, version) = (code(&quotes), version(&quotes));
        order.terms = vec![AcceptedTerms { product, version, sha256: Sha256::sample() }; 10];
        let full = Event::from(order.clone()).to_json().len();
        assert!(full - empty <= bytes_of_terms(&order.terms));
    }
}
