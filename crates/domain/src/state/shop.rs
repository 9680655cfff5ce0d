//! The shop: its currency and zone, fixed at the opening, and its settings by day.

use daicho_events::shop::{SHOP, ShopConfigured, ShopEvent};
use daicho_events::{Event, Query, Recorded};
use daicho_values::calendar::CalendarError;
use daicho_values::{Currency, Date, Tag, TaxCategory, TaxRate, TimeZone, Timestamp};

use super::Fold;
use super::shop_not_open::ShopNotOpen;
use crate::Moment;
use crate::shop::{OnDay, Settings};

/// What is known of the shop.
#[derive(Debug, Default)]
pub struct Shop {
    opened: Option<Opened>,
    settings: Settings,
}

/// What is fixed when a book is opened: amounts and days would mean something else otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// The currency of all its prices.
    pub currency: Currency,
    /// Where its business days begin and end.
    pub time_zone: TimeZone,
}

impl Shop {
    /// What must be read to know it.
    pub fn query() -> Query {
        Self::about(Tag::from(SHOP))
    }

    /// What is fixed at its opening.
    ///
    /// # Errors
    /// The book is not open yet.
    pub fn opened(&self) -> Result<Opened, ShopNotOpen> {
        self.opened.ok_or(ShopNotOpen)
    }

    /// Its settings as they hold on a day. Before the first value of one, that value holds.
    pub fn on(&self, day: Date) -> OnDay<'_> {
        self.settings.on(day)
    }

    /// Its settings of all days.
    pub fn by_day(&self) -> &Settings {
        &self.settings
    }

    /// The business day of a moment: the date in the shop's zone.
    pub fn today(&self, at: &Moment) -> Date {
        self.date_of(at.now)
    }

    /// The date of an instant in the shop's zone (UTC before the shop is open).
    pub fn date_of(&self, instant: Timestamp) -> Date {
        Date(self.local(instant).date())
    }

    fn local(&self, instant: Timestamp) -> jiff::civil::DateTime {
        let zone = self.opened().map(|opened| opened.time_zone.rules());
        instant.in_zone(&zone.unwrap_or(jiff::tz::TimeZone::UTC))
    }

    /// The business day that the acceptance of an order placed at this instant is counted on (R55),
    /// by the cut-off and the calendar of the day of placing. Without a cut-off, an order placed on
    /// an open day is always counted on that day.
    ///
    /// # Errors
    /// A year that the calendar does not cover.
    pub fn accepted_on(&self, placed_at: Timestamp) -> Result<Date, CalendarError> {
        let received = self.local(placed_at);
        let that_day = self.on(Date(received.date()));
        let calendar = that_day.calendar().rules();
        let day = match that_day.cutoff() {
            Some(cutoff) => calendar.business_date(received, cutoff.civil())?,
            None => calendar.next_open_on_or_after(received.date())?,
        };
        Ok(Date(day))
    }

    /// Last day of payment for an invoice of that day (R85), by the calendar of that day.
    ///
    /// # Errors
    /// A year that the calendar does not cover.
    pub fn due_on(&self, issued_on: Date) -> Result<Date, CalendarError> {
        self.on(issued_on).calendar().rules().due_date(issued_on.0).map(Date)
    }

    /// The rate of a category on a day. A category that bears no tax by nature needs no row;
    /// `None`: one that does has none on that day, which is not 0 %.
    pub fn rate_on(&self, category: TaxCategory, day: Date) -> Option<TaxRate> {
        let rows = self
            .settings
            .tax_rows(day)
            .iter()
            .filter(|row| row.category == category && row.from <= day);
        let rate = rows.max_by_key(|row| row.from).map(|row| row.rate);
        match category {
            TaxCategory::Standard | TaxCategory::Reduced => rate,
            TaxCategory::Exempt | TaxCategory::Export | TaxCategory::OutOfScope => {
                rate.or(Some(TaxRate::ZERO))
            }
        }
    }
}

impl Fold for Shop {
    const READS: &'static [&'static [&'static str]] = &[ShopEvent::STORED];

    fn apply(&mut self, recorded: &Recorded) {
        let Event::Shop(event) = &recorded.event else { return };
        if let ShopEvent::Configured(event) = event {
            let ShopConfigured { currency, time_zone, .. } = *event;
            self.opened = Some(Opened { currency, time_zone });
        }
        self.settings.apply(recorded.header.effective_on, event);
    }
}
