//! Issues a quote (見積発行): what it would cost today, held until a day (R47–R50).

use daicho_events::access::Role;
use daicho_events::quote::QuoteIssued;
use daicho_events::{NewEvent, Query};
use daicho_values::{MemberId, QuoteId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::frame::{Known, NotYours};
use crate::pricing::{LineRejection, Priced, WantedLine};
use crate::state::{Catalogue, Members, Quotes};
use crate::{By, Command, Decision, Moment};

/// Issues a quote at the prices of today. A member may have any number of them (R49).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueQuote {
    /// The quote's new id, which is also its number.
    pub quote: QuoteId,
    /// Who asks; any role may (R36 speaks of the checkout only).
    pub member: MemberId,
    /// What is to be offered.
    pub lines: Vec<WantedLine>,
}

rejections! {
    /// Why a quote is not issued.
    pub enum IssueQuoteRejection {
        /// An id names one quote.
        AlreadyIssued { quote: QuoteId } = "quote_already_issued":
            "quote {quote} is already issued: another offer is another quote with a new id",
        shared {
            /// The member cannot ask (R9).
            Buyer(NotYours),
            /// A line cannot be priced.
            Line(LineRejection),
        }
    }
}

known! {
    /// The shop, the member, the products, and whether the id is new.
    pub struct IssueQuoteState { quotes: Quotes, catalogue: Catalogue, }
}

impl Decision for IssueQuote {
    type State = IssueQuoteState;
    type Rejection = IssueQuoteRejection;

    fn query(&self, _: &Known<IssueQuoteState>) -> Query {
        Quotes::query(self.quote)
            .or(Members::query(self.member))
            .or(Catalogue::query(self.lines.iter().map(|line| &line.product)))
    }

    fn decide(
        &self,
        known: &Known<IssueQuoteState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, IssueQuoteRejection> {
        if known.quotes.get(self.quote).is_some() {
            return Err(IssueQuoteRejection::AlreadyIssued { quote: self.quote });
        }
        let member = known.members.registered(self.member)?;
        let today = known.shop.today(at);
        let priced = Priced::of_wanted(&self.lines, today, &known.catalogue, &known.shop)?;
        let issued = QuoteIssued {
            quote: self.quote,
            member: self.member,
            organisation: member.organisation,
            lines: priced.lines,
            totals: priced.totals,
            valid_until: today.plus_days(known.shop.on(today).quote_valid_days()),
        };
        Ok(vec![NewEvent::on(today, issued)])
    }
}

impl Command for IssueQuote {
    const NAME: &'static str = "quote.issue";
    const BY: By<Self> = By::Named(|command| command.member);
    const ROLES: &'static [Role] = &[Role::Integration];
    const NEW_IDS: &'static [&'static str] = &["quote"];
}

#[cfg(test)]
mod tests {
    use daicho_events::quote::QuoteEvent;
    use daicho_events::{Actor, Event};
    use daicho_values::Sample;

    use super::*;
    use crate::order::fixtures::{
        MAIL, TEA, administrator, applicant, general_user, order_placed, organisation, quote_of,
        shop, wanted,
    };
    use crate::testing::{by, day, event, given, yen};

    fn issue() -> IssueQuote {
        IssueQuote {
            quote: QuoteId::sample(),
            member: administrator(),
            lines: vec![wanted(MAIL, Some("monthly"), 2)],
        }
    }

    #[test]
    fn a_quote_holds_the_prices_of_today_until_its_last_day_r48() {
        let events = given(shop([])).when(issue()).events();
        let [NewEvent { event: Event::Quote(QuoteEvent::Issued(quote)), effective_on }] =
            events.as_slice()
        else {
            panic!("one quote: {events:?}");
        };
        assert_eq!(*effective_on, day("2026-05-11"));
        assert_eq!(quote.organisation, organisation());
        assert_eq!(quote.totals.gross, yen(2_640));
        assert_eq!(quote.valid_until, day("2026-06-10"));
    }

    #[test]
    fn a_general_user_may_ask_for_a_quote_r36() {
        let quote = IssueQuote { member: general_user(), ..issue() };
        given(shop([])).when(quote).then_types(["quote.issued"]);
    }

    #[test]
    fn a_member_may_have_several_quotes_r49() {
        let other = event(quote_of(&[wanted(TEA, None, 5)]));
        let quote = "01J0000000000000000000000Q".parse().unwrap();
        let second = IssueQuote { quote, ..issue() };
        given(shop([other])).when(second).then_types(["quote.issued"]);
    }

    #[test]
    fn a_book_that_is_not_open_quotes_nothing() {
        given([]).when(issue()).then_rejected("shop_not_open");
    }

    #[test]
    fn an_id_names_one_quote() {
        given(shop([issue().into()])).when(issue()).then_rejected("quote_already_issued");
    }

    #[test]
    fn a_member_whose_registration_is_not_complete_gets_no_quote_r9() {
        let quote = IssueQuote { member: applicant(), ..issue() };
        given(shop([])).when(quote).then_rejected("member_not_registered");
    }

    #[test]
    fn a_member_asks_in_the_own_name_only() {
        let actor = by(Actor::Member(general_user()));
        given(shop([actor])).when(issue()).then_rejected("member_acts_for_another");
    }

    #[test]
    fn a_line_that_cannot_be_priced_is_named() {
        let quote = IssueQuote { lines: vec![wanted("nothing", None, 1)], ..issue() };
        given(shop([])).when(quote).then_rejected("product_unknown");
    }

    #[test]
    fn orders_of_the_member_do_not_stand_in_the_way() {
        let placed = order_placed(&[wanted(TEA, None, 1)]);
        given(shop([event(placed)])).when(issue()).then_types(["quote.issued"]);
    }
}
