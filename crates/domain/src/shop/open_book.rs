//! Opens a book: gives it the settings of its shop, each recorded as an event.

use daicho_events::access::Role;
use daicho_events::shop::{
    BillingCalendarSet, CutoffPolicySet, IssuerRegistrationSet, ShopConfigured, ShopEvent,
    TaxRateTableRevised,
};
use daicho_events::{NewEvent, Query};
use daicho_values::{Date, Name};

use super::calendar::Calendar;
use super::refused::SettingRefused;
use super::settings::{OpenBook, Settings};
use crate::frame::Known;
use crate::{By, Command, Decision, Moment};

rejections! {
    /// Why a book is not opened.
    pub enum OpenBookRejection {
        /// A book has its settings once.
        AlreadyOpen { name: Name } = "book_already_open":
            "this book is already open as `{name}`: another shop is another book",
        shared {
            /// A setting breaks its rule: the same at the opening and after.
            Setting(SettingRefused),
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
        if known.shop.opened().is_ok() {
            let name = known.shop.on(known.shop.today(at)).name();
            return Err(OpenBookRejection::AlreadyOpen { name });
        }
        self.settings().check(self.currency)?;
        let today = at.now.in_zone(&self.time_zone.rules()).date();
        Ok(self.events(Date(today)))
    }
}

impl OpenBook {
    /// What a book begins with, and what records the settings that this does not say.
    fn events(&self, today: Date) -> Vec<NewEvent> {
        let opening = self.opening();
        let mut held = Settings::default();
        opening.iter().for_each(|event| held.apply(today, event));
        let rest = self.settings().events(&held, today);
        opening.into_iter().map(|event| NewEvent::on(today, event)).chain(rest).collect()
    }

    fn opening(&self) -> Vec<ShopEvent> {
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
        let mut events = vec![
            configured.into(),
            Calendar::from(self.closed_days).revised("opening").into(),
            BillingCalendarSet { issue_day: self.issue_day }.into(),
            TaxRateTableRevised { rates: self.tax_rates.clone() }.into(),
        ];
        let cutoff = self.cutoff.map(|cutoff| CutoffPolicySet { cutoff }.into());
        let issuer = self.issuer.clone().map(|number| IssuerRegistrationSet { number }.into());
        events.extend(cutoff.into_iter().chain(issuer));
        events
    }
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
