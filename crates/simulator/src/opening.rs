//! The first morning: the book is opened, the first products are listed, the months are entered.

use std::collections::BTreeSet;

use daicho_domain::shop::{OpenBook, ReviseCalendar};
use daicho_values::calendar::ClosedDays;
use daicho_values::{
    Currency, Date, DatedTaxRate, IssuerNumber, Name, Rounding, TaxCategory, TaxRate,
};

use crate::SimulateError;
use crate::agenda::Step;
use crate::days::{at, hour};
use crate::world::World;

/// The day of the month on which the month before is billed (R86).
const ISSUE_DAY: u32 = 10;
/// Minutes for which a verification link holds (R14).
pub(crate) const VERIFICATION_MINUTES: u32 = 30;
/// Days for which a quote holds.
pub(crate) const QUOTE_DAYS: u32 = 30;
/// Below so many yen an invoice can be paid at convenience stores (R95).
const BARCODE_BELOW_YEN: i64 = 300_000;
/// The issuer's registration number: it checks, and is the sample of the tax agency.
const ISSUER: &str = "T8700110005901";

impl World<'_> {
    /// Opens the book and enters what is known of the years to come.
    pub(crate) async fn open(&mut self) -> Result<(), SimulateError> {
        let (first, last) = (self.pace.first, self.pace.last);
        self.clock.move_to(at(first, hour(7)));
        let open = Self::opening()?;
        let owner = Self::staff("kato")?;
        self.must(owner.clone(), &open).await?;
        self.close_company_days(first, last).await?;
        self.enter_catalogue();
        self.agenda.enter(at(first, hour(8)), Step::Day(first));
        let mut month = first.month();
        while month.next().first() <= last {
            let day = month.next().first().plus_days(ISSUE_DAY - 1);
            self.agenda.enter(at(day, hour(6)), Step::Bill(month));
            month = month.next();
        }
        Ok(())
    }

    fn opening() -> Result<OpenBook, SimulateError> {
        let rate = |category, from, rate| DatedTaxRate { category, from, rate: TaxRate(rate) };
        let from = Date::new(2019, 10, 1)?;
        let (name, zone) = (Name::new("カトウ商店")?, "Asia/Tokyo".parse()?);
        Ok(OpenBook {
            rounding: Rounding::Floor,
            verification_minutes: Some(VERIFICATION_MINUTES),
            main_registration: true,
            quote_valid_days: QUOTE_DAYS,
            barcode_below: Some(Self::yen(BARCODE_BELOW_YEN)?),
            invoice_prefix: "R".to_owned(),
            closed_days: ClosedDays::Bank,
            cutoff: Some("13:00".parse()?),
            issue_day: ISSUE_DAY,
            tax_rates: vec![
                rate(TaxCategory::Standard, from, 1_000),
                rate(TaxCategory::Reduced, from, 800),
            ],
            issuer: Some(IssuerNumber::new(ISSUER)?),
            ..OpenBook::of(name, Currency::Jpy, zone)
        })
    }

    /// The company's own holidays in August, known years ahead.
    async fn close_company_days(&mut self, first: Date, last: Date) -> Result<(), SimulateError> {
        let mut closed = BTreeSet::new();
        for year in first.0.year()..=last.0.year() {
            for day in 13..=15 {
                closed.insert(Date::new(year, 8, day)?);
            }
        }
        self.calendar.extra_closed = closed.iter().map(|day| day.0).collect();
        let revise = ReviseCalendar {
            closed_days: ClosedDays::Bank,
            extra_closed: closed,
            source: Name::new("夏季休業のお知らせ")?,
        };
        self.must(Self::staff("kato")?, &revise).await.map(drop)
    }
}
