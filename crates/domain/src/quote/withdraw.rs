//! Withdraws a quote: it can no longer be ordered.

use daicho_events::access::Role;
use daicho_events::quote::QuoteWithdrawn;
use daicho_events::{NewEvent, Query};
use daicho_values::{OrderId, QuoteId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::frame::Known;
use crate::reason::{self, ReasonRejection};
use crate::state::Quotes;
use crate::{By, Command, Decision, Moment};

/// Takes a quote back, by the shop or by the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawQuote {
    /// The quote.
    pub quote: QuoteId,
    /// Why, at most 1,000 characters.
    pub reason: String,
}

rejections! {
    /// Why a quote is not withdrawn.
    pub enum WithdrawQuoteRejection {
        /// Only what was issued is withdrawn.
        Unknown { quote: QuoteId } = "quote_unknown":
            "no quote {quote} in this book: check the id",
        /// A quote is withdrawn once.
        AlreadyWithdrawn { quote: QuoteId } = "quote_already_withdrawn":
            "quote {quote} is already withdrawn: nothing is left to do",
        /// What became an order is cancelled, not withdrawn.
        AlreadyUsed { quote: QuoteId, order: OrderId } = "quote_already_used":
            "quote {quote} became order {order}: cancel the order",
        shared {
            /// The reason is empty or too long.
            Reason(ReasonRejection),
        }
    }
}

known! {
    /// The quote, and who acts for its organisation.
    pub struct WithdrawQuoteState { quotes: Quotes, }
}

impl Decision for WithdrawQuote {
    type State = WithdrawQuoteState;
    type Rejection = WithdrawQuoteRejection;

    fn query(&self, _: &Known<WithdrawQuoteState>) -> Query {
        Quotes::query(self.quote)
    }

    fn decide(
        &self,
        known: &Known<WithdrawQuoteState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, WithdrawQuoteRejection> {
        let id = self.quote;
        let quote = known.quotes.get(id).ok_or(WithdrawQuoteRejection::Unknown { quote: id })?;
        if quote.withdrawn {
            return Err(WithdrawQuoteRejection::AlreadyWithdrawn { quote: id });
        }
        if let Some(order) = quote.converted {
            return Err(WithdrawQuoteRejection::AlreadyUsed { quote: id, order });
        }
        reason::check(&self.reason)?;
        let withdrawn = QuoteWithdrawn { quote: id, reason: self.reason.clone() };
        Ok(vec![NewEvent::on(known.shop.today(at), withdrawn)])
    }
}

impl Command for WithdrawQuote {
    const NAME: &'static str = "quote.withdraw";
    const BY: By<Self> =
        By::Member(|command, known: &Known<WithdrawQuoteState>| known.quotes.owner(command.quote));
    const ROLES: &'static [Role] = &[Role::Integration];
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;
    use daicho_events::quote::QuoteConverted;

    use super::*;
    use crate::order::fixtures::{
        TEA, applicant, general_user, order_id, quote_id, quote_of, shop, stranger, wanted,
    };
    use crate::testing::{Step, by, event, given};

    fn withdraw() -> WithdrawQuote {
        WithdrawQuote { quote: quote_id(), reason: "the customer asked for another".to_owned() }
    }

    fn quoted(more: impl IntoIterator<Item = Step>) -> Vec<Step> {
        let quote = event(quote_of(&[wanted(TEA, None, 5)]));
        shop([quote].into_iter().chain(more))
    }

    #[test]
    fn a_quote_is_withdrawn_by_the_shop() {
        let expected = QuoteWithdrawn {
            quote: quote_id(),
            reason: "the customer asked for another".to_owned(),
        };
        given(quoted([])).when(withdraw()).then([expected.into()]);
    }

    #[test]
    fn a_quote_is_withdrawn_by_a_member_of_its_organisation() {
        let actor = by(Actor::Member(general_user()));
        given(quoted([actor])).when(withdraw()).then_types(["quote.withdrawn"]);
    }

    #[test]
    fn who_only_asked_for_registration_withdraws_nothing_r9() {
        let actor = by(Actor::Member(applicant()));
        given(quoted([actor])).when(withdraw()).then_rejected("member_not_registered");
    }

    #[test]
    fn a_member_of_another_organisation_withdraws_nothing() {
        let actor = by(Actor::Member(stranger()));
        given(quoted([actor])).when(withdraw()).then_rejected("not_of_the_organisation");
    }

    #[test]
    fn a_book_that_is_not_open_withdraws_nothing() {
        given([]).when(withdraw()).then_rejected("shop_not_open");
    }

    #[test]
    fn a_quote_that_was_never_issued_is_not_withdrawn() {
        given(shop([])).when(withdraw()).then_rejected("quote_unknown");
    }

    #[test]
    fn a_quote_is_withdrawn_once() {
        let history = quoted([withdraw().into()]);
        given(history).when(withdraw()).then_rejected("quote_already_withdrawn");
    }

    #[test]
    fn a_quote_that_became_an_order_is_not_withdrawn_r51() {
        let converted = event(QuoteConverted { quote: quote_id(), order: order_id() });
        given(quoted([converted])).when(withdraw()).then_rejected("quote_already_used");
    }

    #[test]
    fn a_quote_is_withdrawn_with_a_reason() {
        let silent = WithdrawQuote { reason: String::new(), ..withdraw() };
        given(quoted([])).when(silent).then_rejected("reason_missing");
    }
}
