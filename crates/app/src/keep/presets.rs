//! Settings that are ready to open a book with: the client's three shops, and a wholesaler.
//!
//! The shops disagree on purpose; where their documents are silent the value is this ledger's
//! choice.

use std::fmt;
use std::str::FromStr;

use daicho_domain::shop::OpenBook;
use daicho_values::calendar::ClosedDays;
use daicho_values::{
    Currency, Date, DatedTaxRate, LocalTime, Money, Name, Rounding, TaxCategory, TaxRate,
    TextError, TimeError, TimeZone,
};

use crate::blame::Blame;

/// Days for which a quote holds: no document names a period.
const QUOTE_VALID_DAYS: u32 = 30;

/// A kind of shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// A telecom operator's business online shop.
    TelecomShop,
    /// An office-supplies shop with a punch-out basket.
    OfficeSupplies,
    /// A software vendor's online market.
    SoftwareMarket,
    /// A wholesaler outside Japan: goods on invoice.
    Wholesale,
}

impl Preset {
    /// Every one.
    pub const ALL: [Self; 4] =
        [Self::TelecomShop, Self::OfficeSupplies, Self::SoftwareMarket, Self::Wholesale];

    fn name(self) -> &'static str {
        match self {
            Self::TelecomShop => "telecom-shop",
            Self::OfficeSupplies => "office-supplies",
            Self::SoftwareMarket => "software-market",
            Self::Wholesale => "wholesale",
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Preset {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|preset| preset.name() == text);
        found.ok_or_else(|| format!("`{text}` is no kind of shop: there are {known}"))
    }
}

/// A setting of a preset that its type refuses.
#[derive(Debug, thiserror::Error)]
pub enum PresetError {
    /// A text.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A time.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// An amount.
    #[error(transparent)]
    Money(#[from] daicho_values::MoneyError),
}

impl PresetError {
    /// Whose fault it is: ours, since the presets stand in this program.
    pub fn blame(&self) -> Blame {
        Blame::Ours
    }
}

/// The settings of such a shop under a name.
///
/// # Errors
/// None for the presets that stand here; the types say so.
pub fn preset(preset: Preset, name: Name, currency: Currency) -> Result<OpenBook, PresetError> {
    let japanese = OpenBook {
        name,
        currency,
        time_zone: "Asia/Tokyo".parse::<TimeZone>()?,
        rounding: Rounding::Floor,
        verification_minutes: None,
        main_registration: false,
        quote_valid_days: QUOTE_VALID_DAYS,
        barcode_below: None,
        invoice_prefix: "R".to_owned(),
        closed_days: ClosedDays::Holidays,
        cutoff: None,
        issue_day: 10,
        tax_rates: japanese_rates()?,
        issuer: None,
    };
    Ok(match preset {
        // S0: 13:00 (R55), registration by a link without a named lifetime (R11), barcode below
        // 300,000 yen (R95).
        Preset::TelecomShop => OpenBook {
            cutoff: Some("13:00".parse::<LocalTime>()?),
            barcode_below: (currency == Currency::Jpy)
                .then(|| Money::parse("300000", Currency::Jpy))
                .transpose()?,
            ..japanese
        },
        // S3: goods by card, invoice at once (R70, R71).
        Preset::OfficeSupplies => OpenBook { closed_days: ClosedDays::Bank, ..japanese },
        // S4: link of 30 minutes (R14), main registration by staff (R13), bills from the 10th
        // (R86).
        Preset::SoftwareMarket => OpenBook {
            verification_minutes: Some(30),
            main_registration: true,
            closed_days: ClosedDays::Bank,
            ..japanese
        },
        Preset::Wholesale => OpenBook {
            time_zone: "Europe/London".parse::<TimeZone>()?,
            closed_days: ClosedDays::Weekends,
            tax_rates: Vec::new(),
            issue_day: 1,
            ..japanese
        },
    })
}

/// 10 % and 8 % since 2019-10-01; 8 % since 2014-04-01; 5 % since 1997-04-01; 3 % since 1989-04-01.
fn japanese_rates() -> Result<Vec<DatedTaxRate>, TimeError> {
    let rate = |category, from: &str, rate| {
        Ok(DatedTaxRate { category, from: from.parse::<Date>()?, rate: TaxRate(rate) })
    };
    [
        rate(TaxCategory::Standard, "1989-04-01", 300),
        rate(TaxCategory::Standard, "1997-04-01", 500),
        rate(TaxCategory::Standard, "2014-04-01", 800),
        rate(TaxCategory::Standard, "2019-10-01", 1_000),
        rate(TaxCategory::Reduced, "2019-10-01", 800),
    ]
    .into_iter()
    .collect()
}
