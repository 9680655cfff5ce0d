//! Bounded texts that name things: product codes, numbers, references. Checked when made.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{Sample, Tag, Tagged};

/// A text breaks the rule of its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} `{text}` is refused: {rule}")]
pub struct TextError {
    kind: &'static str,
    text: String,
    rule: &'static str,
}

/// Characters a name (of a product, a shop, a company) may have.
pub const NAME_CHARS_MAX: usize = 256;
/// Characters a code, number or reference may have.
pub const CODE_CHARS_MAX: usize = 64;

const CODE_RULE: &str = "1 to 64 printable characters, no space at either end";
const SCOPE_RULE: &str =
    "read, personal, events, deliveries, keys, on-behalf, run, run:<family> or run:<command>";
const SETTING_RULE: &str = "1 to 64 lower-case letters and underscores";
const HEX_RULE: &str = "64 lower-case hexadecimal digits";
const NAME_RULE: &str = "1 to 256 characters, none of them a control character";

fn is_code(text: &str) -> bool {
    (1..=CODE_CHARS_MAX).contains(&text.chars().count())
        && text.trim() == text
        && !text.chars().any(char::is_control)
}

fn is_name(text: &str) -> bool {
    (1..=NAME_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

fn is_corporate_number(text: &str) -> bool {
    text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0')
}

fn is_issuer_number(text: &str) -> bool {
    text.strip_prefix('T')
        .is_some_and(|digits| digits.len() == 13 && digits.bytes().all(|b| b.is_ascii_digit()))
}

fn is_scope(text: &str) -> bool {
    let plain = ["read", "personal", "events", "deliveries", "keys", "on-behalf", "run"];
    let is_word = |word: &str| {
        let mut letters = word.bytes();
        letters.len() > 0 && letters.all(|b| b.is_ascii_lowercase() || b == b'_')
    };
    let names_commands = |named: &str| match named.split_once('.') {
        Some((family, verb)) => is_word(family) && is_word(verb),
        None => is_word(named),
    };
    plain.contains(&text) || text.strip_prefix("run:").is_some_and(names_commands)
}

fn is_setting(text: &str) -> bool {
    (1..=CODE_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

macro_rules! texts {
    ($(
        $(#[$meta:meta])*
        $name:ident $kind:literal $check:ident $rule:expr, $sample:expr $(, tag $tag:literal)?;
    )+) => {$(
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes a text that keeps the rule of this type.
            ///
            /// # Errors
            /// The rule that it breaks.
            pub fn new(text: &str) -> Result<Self, TextError> {
                if $check(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(TextError { kind: $kind, text: text.to_owned(), rule: $rule })
                }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = TextError;
            fn from_str(text: &str) -> Result<Self, TextError> {
                Self::new(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                Self::new(&text).map_err(D::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "description": $rule })
            }
        }

        impl Sample for $name {
            fn sample() -> Self {
                Self($sample.into())
            }
        }

        $(impl $name {
            /// The kind of tag that names this identity.
            pub const TAG: &'static str = $tag;

            /// The tag of this identity.
            pub fn tag(&self) -> Tag {
                Tag::of(Self::TAG, self)
            }
        }

        impl Tagged for $name {
            fn tags(&self, tags: &mut Vec<Tag>) {
                tags.push(self.tag());
            }
        })?
    )+};
}

texts! {
    /// The name of a shop, product or company, as shown.
    Name "the name" is_name NAME_RULE, "Business Suite";
    /// The code by which a shop lists a product.
    ProductCode "the product code" is_code CODE_RULE, "SUITE-01", tag "product";
    /// The code of a plan of a product: one price, one billing period.
    PlanCode "the plan code" is_code CODE_RULE, "annual";
    /// The version of a product's terms of service and specification (約款・仕様書).
    TermsVersion "the terms version" is_code CODE_RULE, "2026-04";
    /// The number of an invoice or credit, from a series without gaps (R92: it begins with R).
    InvoiceNumber "the invoice number" is_code CODE_RULE, "R00000001", tag "invoice";
    /// A number that another system gave: the file's invoice number, a purchase order.
    Reference "the reference" is_code CODE_RULE, "536365", tag "reference";
    /// The code of the salesperson or partner (販売担当者コード, R58).
    SalesRepCode "the sales representative's code" is_code CODE_RULE, "S-1024";
    /// A staff member's or program's log-in name, as it stands in the actor of an event.
    Login "the log-in name" is_code CODE_RULE, "hanako";
    /// A corporate number (法人番号): 13 digits, the first one a check digit from 1 to 9.
    CorporateNumber "the corporate number" is_corporate_number "13 digits, the first not 0",
        "8700110005901", tag "corporate";
    /// An issuer's registration number (登録番号): T and 13 digits.
    IssuerNumber "the registration number" is_issuer_number "T and 13 digits", "T8700110005901";
    /// What a key is narrowed to within its role.
    Scope "the scope" is_scope SCOPE_RULE, "run:order.place";
    /// The name of a setting of the shop.
    SettingCode "the setting" is_setting SETTING_RULE, "quote_valid_days";
    /// A SHA-256, lower-case hexadecimal.
    Sha256 "the SHA-256" is_sha256 HEX_RULE,
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    /// The keyed index of a personal value (HMAC-SHA-256): equal values, equal index.
    PersonalIndex "the keyed index" is_sha256 HEX_RULE,
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", tag "email";
}

impl CorporateNumber {
    /// Whether the first digit is the check digit of the other twelve (national tax agency's rule).
    pub fn check_digit_holds(&self) -> bool {
        let digits: Vec<u32> = self.0.bytes().map(|byte| u32::from(byte - b'0')).collect();
        let Some((check, base)) = digits.split_first() else { return false };
        let sum: u32 = base
            .iter()
            .rev()
            .zip([1, 2].iter().cycle())
            .map(|(digit, weight)| digit * weight)
            .sum();
        *check == 9 - sum % 9
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_of_a_corporate_number_is_that_of_the_tax_agency() {
        assert!(CorporateNumber::sample().check_digit_holds());
        assert!(!CorporateNumber::new("9700110005901").unwrap().check_digit_holds());
    }

    #[test]
    fn a_text_that_breaks_its_rule_is_refused_by_name() {
        for text in ["", " x", "x ", "a\nb", &"x".repeat(65)] {
            assert!(ProductCode::new(text).is_err(), "{text:?}");
        }
        for text in ["", "write", "run:", "run:order.", "run:.place", "run:a.b.c", "Run", "read "] {
            assert!(Scope::new(text).is_err(), "{text:?}");
        }
        let error = IssuerNumber::new("T123").unwrap_err().to_string();
        assert_eq!(error, "the registration number `T123` is refused: T and 13 digits");
    }
}
