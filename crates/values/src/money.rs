//! Money: a decimal amount and its currency. Every division names its rounding.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{Quantity, Sample};

/// Digits after the point that a price may have.
pub const FRACTION_DIGITS_MAX: u32 = 6;
/// The largest amount the ledger takes: a quadrillion units of a currency.
pub const AMOUNT_MAX: u64 = 1_000_000_000_000_000;

/// An amount or a sum that the ledger does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Two currencies in one sum.
    #[error("{left} and {right} cannot be added: one document has one currency")]
    MixedCurrencies {
        /// The one.
        left: Currency,
        /// The other.
        right: Currency,
    },
    /// Beyond [`AMOUNT_MAX`].
    #[error("the amount is beyond {AMOUNT_MAX}: split it")]
    TooLarge,
    /// Not a decimal number, or with too many digits after the point.
    #[error("`{0}` is not an amount: digits, at most {FRACTION_DIGITS_MAX} after the point")]
    NotAnAmount(String),
    /// Not a currency of the list.
    #[error("`{0}` is not a currency known here: an ISO 4217 code such as JPY, GBP, EUR or USD")]
    UnknownCurrency(String),
}

macro_rules! currencies {
    ($($(#[$meta:meta])* $name:ident $code:literal $digits:literal,)+) => {
        /// A currency (ISO 4217) and the digits of its minor unit.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(Serialize, Deserialize, JsonSchema)]
        pub enum Currency { $($(#[$meta])* #[serde(rename = $code)] $name,)+ }

        impl Currency {
            /// The three letters.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// Digits after the point of the smallest unit: 0 for yen, 2 for pounds.
            pub fn fraction_digits(self) -> u32 {
                match self { $(Self::$name => $digits,)+ }
            }
        }

        impl FromStr for Currency {
            type Err = MoneyError;
            fn from_str(text: &str) -> Result<Self, MoneyError> {
                match text {
                    $($code => Ok(Self::$name),)+
                    _ => Err(MoneyError::UnknownCurrency(text.to_owned())),
                }
            }
        }
    };
}

currencies! {
    /// Japanese yen (円).
    Jpy "JPY" 0,
    /// Pound sterling.
    Gbp "GBP" 2,
    /// Euro.
    Eur "EUR" 2,
    /// United States dollar.
    Usd "USD" 2,
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

crate::data! {
    /// How a fraction of the minor unit is dropped (端数処理); the issuer's choice.
    pub enum Rounding {
        /// Down, towards zero (切捨て).
        Floor,
        /// Half away from zero (四捨五入).
        HalfUp,
        /// Up, away from zero (切上げ).
        Ceiling,
    }
}

impl Rounding {
    fn strategy(self) -> RoundingStrategy {
        match self {
            Self::Floor => RoundingStrategy::ToZero,
            Self::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Self::Ceiling => RoundingStrategy::AwayFromZero,
        }
    }
}

/// An amount of a currency. Prices may be finer than the minor unit; what is paid is rounded.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

impl Money {
    /// An amount within the ledger's limits.
    ///
    /// # Errors
    /// Beyond [`AMOUNT_MAX`], or more than [`FRACTION_DIGITS_MAX`] digits after the point.
    pub fn new(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let amount = amount.normalize();
        if amount.scale() > FRACTION_DIGITS_MAX {
            return Err(MoneyError::NotAnAmount(amount.to_string()));
        }
        if amount.abs() > Decimal::from(AMOUNT_MAX) {
            return Err(MoneyError::TooLarge);
        }
        let mut amount = amount;
        amount.rescale(amount.scale().max(currency.fraction_digits()));
        // A zero has no sign: `-0` would be a second text of the same amount.
        amount.set_sign_positive(amount.is_zero() || amount.is_sign_positive());
        assert!(amount.scale() <= FRACTION_DIGITS_MAX, "no amount is finer than the ledger takes");
        assert!(amount.scale() >= currency.fraction_digits(), "one text shows the minor unit");
        Ok(Self { amount, currency })
    }

    /// Nothing, in a currency.
    pub fn zero(currency: Currency) -> Self {
        Self { amount: Decimal::new(0, currency.fraction_digits()), currency }
    }

    /// Reads a decimal number.
    ///
    /// # Errors
    /// A text that is not one, or an amount beyond the limits.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let error = || MoneyError::NotAnAmount(text.to_owned());
        let amount = Decimal::from_str_exact(text).ok().filter(|_| is_plain(text));
        let amount = amount.ok_or_else(error)?;
        Self::new(amount, currency)
    }

    /// The decimal amount.
    pub fn amount(self) -> Decimal {
        self.amount
    }

    /// The currency.
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// Below zero.
    pub fn is_negative(self) -> bool {
        self.amount.is_sign_negative() && !self.amount.is_zero()
    }

    /// Exactly zero.
    pub fn is_zero(self) -> bool {
        self.amount.is_zero()
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::MixedCurrencies { left: self.currency, right: other.currency })
    }

    /// The sum.
    ///
    /// # Errors
    /// Mixed currencies, or a sum beyond the limits.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let sum = self.amount.checked_add(other.amount).ok_or(MoneyError::TooLarge)?;
        let sum = Self::new(sum, self.currency)?;
        let grew = sum.amount.cmp(&self.amount) == other.amount.cmp(&Decimal::ZERO);
        assert!(grew, "a sum is more by what was added, and less by what was taken off");
        Ok(sum)
    }

    /// The difference.
    ///
    /// # Errors
    /// Mixed currencies, or a difference beyond the limits.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.plus(other.negated())
    }

    /// So many times this.
    ///
    /// # Errors
    /// A product beyond the limits.
    pub fn times(self, quantity: Quantity) -> Result<Self, MoneyError> {
        let factor = Decimal::from(quantity.get());
        let product = self.amount.checked_mul(factor).ok_or(MoneyError::TooLarge)?;
        let product = Self::new(product, self.currency)?;
        assert!(product.amount.abs() >= self.amount.abs(), "a quantity is one or more");
        assert_eq!(product.is_negative(), self.is_negative(), "a quantity changes no sign");
        Ok(product)
    }

    /// The amount in the smallest unit (yen, pence), a finer fraction cut off.
    pub fn minor_units(self) -> i64 {
        let mut amount = self.amount.trunc_with_scale(self.currency.fraction_digits());
        amount.rescale(self.currency.fraction_digits());
        let units = i64::try_from(amount.mantissa());
        assert!(units.is_ok(), "the largest amount in hundredths is far below the largest integer");
        units.unwrap_or(i64::MAX)
    }

    /// The same amount with the other sign.
    pub fn negated(self) -> Self {
        if self.is_zero() {
            return self;
        }
        let negated = Self { amount: -self.amount, ..self };
        assert_ne!(negated.is_negative(), self.is_negative(), "what is not zero changes its sign");
        negated
    }

    /// `self × numerator ÷ denominator`, rounded to the minor unit.
    ///
    /// # Errors
    /// A product beyond the limits, or a denominator of zero.
    pub fn share(
        self,
        numerator: u32,
        denominator: u32,
        rounding: Rounding,
    ) -> Result<Self, MoneyError> {
        let product = self.amount.checked_mul(Decimal::from(numerator));
        let share = product.and_then(|product| product.checked_div(Decimal::from(denominator)));
        let share = share.ok_or(MoneyError::TooLarge)?;
        let digits = self.currency.fraction_digits();
        let rounded = share.round_dp_with_strategy(digits, rounding.strategy());
        let moved = (rounded - share).abs();
        assert!(moved < Decimal::new(1, digits), "rounding moves less than one minor unit");
        assert!(rounded.is_zero() || (rounded < Decimal::ZERO) == self.is_negative());
        Self::new(rounded, self.currency)
    }

    /// Rounded to the minor unit.
    ///
    /// # Errors
    /// None within the limits; the type says so because rounding up may pass [`AMOUNT_MAX`].
    pub fn rounded(self, rounding: Rounding) -> Result<Self, MoneyError> {
        let rounded = self.share(1, 1, rounding)?;
        assert_eq!(rounded.amount.scale(), self.currency.fraction_digits(), "no finer than a unit");
        Ok(rounded)
    }

    /// The sum in a fold, which cannot fail: an amount of another currency or beyond the limits,
    /// which no decision lets pass, is left out.
    #[must_use]
    pub fn folded(self, other: Self) -> Self {
        let folded = self.plus(other).unwrap_or(self);
        assert_eq!(folded.currency, self.currency, "a sum keeps its currency");
        folded
    }
}

/// Whether a text is of the published form: a sign below zero, digits, and digits after a point.
fn is_plain(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.strip_prefix('-').unwrap_or(text);
    match number.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(number),
    }
}

impl PartialOrd for Money {
    /// Amounts of different currencies have no order.
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        (self.currency == other.currency).then(|| self.amount.cmp(&other.amount))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Money", deny_unknown_fields)]
struct MoneyText<'a> {
    #[serde(borrow)]
    amount: Cow<'a, str>,
    currency: Currency,
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            MoneyText { amount: self.amount.to_string().into(), currency: self.currency }
                .serialize(serializer)
        } else {
            // The scale is that of `new`, so that the same money is the same bytes.
            (self.amount.mantissa(), self.amount.scale(), self.currency).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = MoneyText::deserialize(deserializer)?;
            Self::parse(&text.amount, text.currency).map_err(D::Error::custom)
        } else {
            let (mantissa, scale, currency) = <(i128, u32, Currency)>::deserialize(deserializer)?;
            let amount =
                Decimal::try_from_i128_with_scale(mantissa, scale).map_err(D::Error::custom)?;
            Self::new(amount, currency).map_err(D::Error::custom)
        }
    }
}

impl JsonSchema for Money {
    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let currency = generator.subschema_for::<Currency>();
        json_schema!({
            "type": "object",
            "description": "an amount as a decimal text, and its currency",
            "properties": {
                "amount": { "type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,6})?$" },
                "currency": currency
            },
            "required": ["amount", "currency"],
            "additionalProperties": false
        })
    }
}

impl Sample for Money {
    fn sample() -> Self {
        Self { amount: Decimal::from(1_200_u32), currency: Currency::Jpy }
    }
}

impl Sample for Currency {
    fn sample() -> Self {
        Self::Jpy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gbp(text: &str) -> Money {
        Money::parse(text, Currency::Gbp).unwrap()
    }

    #[test]
    fn the_same_amount_has_one_text() {
        for text in ["4.1", "4.10", "4.100", "04.1"] {
            assert_eq!(
                serde_json::to_string(&gbp(text)).unwrap(),
                r#"{"amount":"4.10","currency":"GBP"}"#
            );
        }
        assert_eq!(gbp("-0").to_string(), "0.00 GBP");
        assert_eq!(gbp("0.005").to_string(), "0.005 GBP");
    }

    #[test]
    fn minor_units_are_pence_and_yen() {
        assert_eq!(gbp("-4.159").minor_units(), -415);
        assert_eq!(gbp("4").minor_units(), 400);
        assert_eq!(Money::parse("120", Currency::Jpy).unwrap().minor_units(), 120);
    }

    #[test]
    fn mixed_currencies_are_refused_and_named() {
        let yen = Money::parse("1", Currency::Jpy).unwrap();
        let error = gbp("1").plus(yen).unwrap_err().to_string();
        assert_eq!(error, "GBP and JPY cannot be added: one document has one currency");
    }

    #[test]
    fn what_is_not_an_amount_is_refused() {
        for text in [
            "",
            "1e3",
            "1_000",
            "0.0000001",
            "1000000000000001",
            "NaN",
            "+1",
            "1,5",
            "１",
            ".5",
            "5.",
            "-.5",
            "--5",
            "5-",
        ] {
            assert!(Money::parse(text, Currency::Jpy).is_err(), "{text}");
        }
    }

    #[test]
    fn each_rounding_drops_the_fraction_its_own_way() {
        let half = gbp("0.125");
        assert_eq!(half.rounded(Rounding::Floor).unwrap(), gbp("0.12"));
        assert_eq!(half.rounded(Rounding::HalfUp).unwrap(), gbp("0.13"));
        assert_eq!(gbp("0.121").rounded(Rounding::Ceiling).unwrap(), gbp("0.13"));
        assert_eq!(half.negated().rounded(Rounding::HalfUp).unwrap(), gbp("-0.13"));
    }
}
