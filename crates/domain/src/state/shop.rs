//! The shop's settings as they stand: zone, calendar, cut-off, rates, series.

use std::collections::BTreeSet;

use daicho_events::shop::{SHOP, ShopConfigured, ShopEvent};
use daicho_events::{Event, Query, Recorded};
use daicho_values::calendar::{BusinessCalendar, CalendarError, ClosedDays};
use daicho_values::{
    Date, DatedTaxRate, IssuerNumber, LocalTime, Tag, TaxCategory, TaxRate, Timestamp,
};

use super::Fold;
use crate::{Moment, Rejection};

/// The day of the month on which bills go out where no setting says so (R86: 10th to 15th).
const ISSUE_DAY_DEFAULT: u32 = 10;

/// What is known of the shop.
#[derive(Debug, Default)]
pub struct Shop {
    configured: Option<ShopConfigured>,
    closed_days: Option<ClosedDays>,
    extra_closed: BTreeSet<jiff::civil::Date>,
    cutoff: Option<LocalTime>,
    issue_day: Option<u32>,
    rates: Vec<DatedTaxRate>,
    issuer: Option<IssuerNumber>,
}

/// The book has no settings yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this book is not open yet: `shop.open_book` gives it its settings")]
pub struct ShopNotOpen;

impl Rejection for ShopNotOpen {
    fn code(&self) -> &'static str {
        "shop_not_open"
    }
}

impl Shop {
    /// What must be read to know it.
    pub fn query() -> Query {
        Self::about(Tag::from(SHOP))
    }

    /// Its settings.
    ///
    /// # Errors
    /// The book has none yet.
    pub fn settings(&self) -> Result<&ShopConfigured, ShopNotOpen> {
        self.configured.as_ref().ok_or(ShopNotOpen)
    }

    /// The business day of a moment: the date in the shop's zone.
    pub fn today(&self, at: &Moment) -> Date {
        self.date_of(at.now)
    }

    /// The date of an instant in the shop's zone (UTC before the shop is open).
    pub fn date_of(&self, instant: Timestamp) -> Date {
        let zone = self.configured.as_ref().map(|shop| shop.time_zone.rules());
        Date(instant.in_zone(&zone.unwrap_or(jiff::tz::TimeZone::UTC)).date())
    }

    /// The business day as which an order of this moment counts (R55). Without a cut-off the
    /// whole open day counts.
    ///
    /// # Errors
    /// A year that the calendar does not cover.
    pub fn accepted_on(&self, at: &Moment) -> Result<Date, CalendarError> {
        let zone = self.configured.as_ref().map(|shop| shop.time_zone.rules());
        let received = at.now.in_zone(&zone.unwrap_or(jiff::tz::TimeZone::UTC));
        let day = match self.cutoff {
            Some(cutoff) => self.calendar().business_date(received, cutoff.civil())?,
            None => self.calendar().next_open_on_or_after(received.date())?,
        };
        Ok(Date(day))
    }

    /// Its business days.
    pub fn calendar(&self) -> BusinessCalendar {
        BusinessCalendar {
            rule: self.closed_days.unwrap_or(ClosedDays::Bank),
            extra_closed: self.extra_closed.clone(),
        }
    }

    /// Last day of payment for an invoice of that day (R85).
    ///
    /// # Errors
    /// A year that the calendar does not cover.
    pub fn due_on(&self, issued_on: Date) -> Result<Date, CalendarError> {
        self.calendar().due_date(issued_on.0).map(Date)
    }

    /// Day of the month on which the month before is billed (R86).
    pub fn issue_day(&self) -> u32 {
        self.issue_day.unwrap_or(ISSUE_DAY_DEFAULT)
    }

    /// The rate of a category on a day; a category without a row bears none.
    pub fn rate_on(&self, category: TaxCategory, day: Date) -> TaxRate {
        let rows = self.rates.iter().filter(|row| row.category == category && row.from <= day);
        rows.max_by_key(|row| row.from).map_or(TaxRate::ZERO, |row| row.rate)
    }

    /// Whether the rate table has a row for a category on a day.
    pub fn has_rate_on(&self, category: TaxCategory, day: Date) -> bool {
        self.rates.iter().any(|row| row.category == category && row.from <= day)
    }

    /// The number printed on qualified invoices.
    pub fn issuer(&self) -> Option<&IssuerNumber> {
        self.issuer.as_ref()
    }
}

impl Fold for Shop {
    const READS: &'static [&'static [&'static str]] = &[ShopEvent::STORED];

    fn apply(&mut self, recorded: &Recorded) {
        let Event::Shop(event) = &recorded.event else { return };
        match event {
            ShopEvent::Configured(event) => self.configured = Some(event.clone()),
            ShopEvent::BusinessCalendarRevised(event) => {
                self.closed_days = Some(event.closed_days);
                self.extra_closed = event.extra_closed.iter().map(|day| day.0).collect();
            }
            ShopEvent::CutoffPolicySet(event) => self.cutoff = Some(event.cutoff),
            ShopEvent::BillingCalendarSet(event) => self.issue_day = Some(event.issue_day),
            ShopEvent::TaxRateTableRevised(event) => self.rates.clone_from(&event.rates),
            ShopEvent::IssuerRegistrationSet(event) => self.issuer = Some(event.number.clone()),
        }
    }
}
