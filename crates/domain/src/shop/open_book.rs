//! Opens a book: gives it the settings of its shop, each recorded as an event.

use daicho_events::access::Role;
use daicho_events::shop::{
    BillingCalendarSet, BusinessCalendarRevised, CutoffPolicySet, IssuerRegistrationSet,
    ShopConfigured, TaxRateTableRevised,
};
use daicho_events::{NewEvent, Query};
use daicho_values::calendar::ClosedDays;
use daicho_values::{
    Currency, DatedTaxRate, IssuerNumber, LocalTime, Money, Name, Rounding, TimeZone,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::revise_tax_rates::{TaxTableRefused, check_table};
use crate::frame::Known;
use crate::{By, Command, Decision, Moment};

/// Opens the book with the settings of its shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenBook {
    /// The shop's name.
    pub name: Name,
    /// The currency of all its prices.
    pub currency: Currency,
    /// Where its business days begin and end.
    pub time_zone: TimeZone,
    /// How tax and shares are rounded.
    pub rounding: Rounding,
    /// Minutes for which a verification link holds (R14); `null`: no limit.
    #[serde(default)]
    pub verification_minutes: Option<u32>,
    /// Whether staff complete a registration after verification (R13).
    pub main_registration: bool,
    /// Days for which a quote holds.
    pub quote_valid_days: u32,
    /// Below this an invoice carries a barcode (R95); `null`: never.
    #[serde(default)]
    pub barcode_below: Option<Money>,
    /// What invoice numbers begin with (R92).
    pub invoice_prefix: String,
    /// Which days are closed.
    pub closed_days: ClosedDays,
    /// The hour from which an order counts as the next business day's (R55); `null`: none.
    #[serde(default)]
    pub cutoff: Option<LocalTime>,
    /// Day of the month on which the month before is billed, 1 to 28 (R86).
    pub issue_day: u32,
    /// The dated tax rates.
    pub tax_rates: Vec<DatedTaxRate>,
    /// The issuer's registration number (登録番号).
    #[serde(default)]
    pub issuer: Option<IssuerNumber>,
}

/// Characters that the prefix of invoice numbers may have.
const INVOICE_PREFIX_CHARS_MAX: usize = 16;

rejections! {
    /// Why a book is not opened.
    pub enum OpenBookRejection {
        /// A book has its settings once.
        AlreadyOpen { name: Name } = "book_already_open":
            "this book is already open as `{name}`: another shop is another book",
        /// R86 speaks of days that every month has.
        IssueDayOutsideMonth { day: u32 } = "issue_day_outside_month":
            "day {day} is not in every month: bills go out on a day from 1 to 28",
        /// Numbers stay short and printable.
        PrefixRefused { prefix: String } = "invoice_prefix_refused":
            "`{prefix}` cannot begin an invoice number: at most 16 letters, digits and hyphens",
        /// The boundary of the barcode is an amount of the shop's currency.
        BarcodeCurrency { currency: Currency } = "mixed_currencies":
            "the barcode boundary is not in {currency}, the currency of the shop: give it in \
             {currency}",
        shared {
            /// The first table keeps the rules of every later one.
            TaxTable(TaxTableRefused),
        }
    }
}

impl Decision for OpenBook {
    type State = ();
    type Rejection = OpenBookRejection;

    fn query(&self, _: &Known<()>) -> Query {
        Query::default()
    }

    fn decide(&self, known: &Known<()>, at: &Moment) -> Result<Vec<NewEvent>, OpenBookRejection> {
        if let Ok(shop) = known.shop.settings() {
            return Err(OpenBookRejection::AlreadyOpen { name: shop.name.clone() });
        }
        if !(1..=28).contains(&self.issue_day) {
            return Err(OpenBookRejection::IssueDayOutsideMonth { day: self.issue_day });
        }
        if !is_prefix(&self.invoice_prefix) {
            return Err(OpenBookRejection::PrefixRefused { prefix: self.invoice_prefix.clone() });
        }
        if self.barcode_below.is_some_and(|limit| limit.currency() != self.currency) {
            return Err(OpenBookRejection::BarcodeCurrency { currency: self.currency });
        }
        check_table(&self.tax_rates)?;
        let today = at.now.in_zone(&self.time_zone.rules()).date();
        Ok(self.events(daicho_values::Date(today)))
    }
}

impl OpenBook {
    fn events(&self, today: daicho_values::Date) -> Vec<NewEvent> {
        let configured = ShopConfigured {
            name: self.name.clone(),
            currency: self.currency,
            time_zone: self.time_zone,
            rounding: self.rounding,
            verification_minutes: self.verification_minutes,
            main_registration: self.main_registration,
            quote_valid_days: self.quote_valid_days,
            barcode_below: self.barcode_below,
            invoice_prefix: self.invoice_prefix.clone(),
        };
        let calendar = BusinessCalendarRevised {
            closed_days: self.closed_days,
            extra_closed: Vec::new(),
            source: "opening".to_owned(),
        };
        let mut events = vec![
            NewEvent::on(today, configured),
            NewEvent::on(today, calendar),
            NewEvent::on(today, BillingCalendarSet { issue_day: self.issue_day }),
            NewEvent::on(today, TaxRateTableRevised { rates: self.tax_rates.clone() }),
        ];
        let cutoff = self.cutoff.map(|cutoff| NewEvent::on(today, CutoffPolicySet { cutoff }));
        let issuer = self.issuer.clone();
        let issuer = issuer.map(|number| NewEvent::on(today, IssuerRegistrationSet { number }));
        events.extend(cutoff.into_iter().chain(issuer));
        events
    }
}

fn is_prefix(text: &str) -> bool {
    text.len() <= INVOICE_PREFIX_CHARS_MAX
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

impl Command for OpenBook {
    const NAME: &'static str = "shop.open_book";
    const BY: By<Self> = By::Staff;
    const OPEN_BOOK: bool = false;
    const ROLES: &'static [Role] = &[];
}

#[cfg(test)]
mod tests {
    use crate::testing::{given, open_book};

    #[test]
    fn a_book_opens_with_every_setting_as_an_event() {
        given([]).when(open_book()).then_types([
            "shop.configured",
            "shop.business_calendar_revised",
            "shop.billing_calendar_set",
            "shop.tax_rate_table_revised",
            "shop.cutoff_policy_set",
            "shop.issuer_registration_set",
        ]);
    }

    #[test]
    fn a_book_opens_once() {
        given([open_book().into()]).when(open_book()).then_rejected("book_already_open");
    }

    #[test]
    fn a_billing_day_that_not_every_month_has_is_refused() {
        let book = super::OpenBook { issue_day: 29, ..open_book() };
        given([]).when(book).then_rejected("issue_day_outside_month");
    }
}
