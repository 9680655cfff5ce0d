//! Settings to open a book with: those of the client's three shops and of a wholesaler, or those of
//! a file that a customer has written.
//!
//! A preset is the data of `shop.open_book` without name and currency, a JSON file of
//! `crates/app/presets`. The shops disagree on purpose; where their documents are silent the value
//! is this ledger's choice.

use std::fmt;
use std::io::Read as _;
use std::path::Path;
use std::str::FromStr;

use daicho_domain::shop::{OpenBook, SettingRefused};
use daicho_values::{Currency, Name};
use serde_json::{Map, Value, json};

use crate::blame::Blame;
use crate::decide::UniqueJson;
use crate::decide::form::{self, FormError};

/// The most bytes that a file of settings may have: many times the longest table of tax rates.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

macro_rules! presets {
    ($($(#[$meta:meta])* $preset:ident $name:literal,)+) => {
        /// A kind of shop.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Preset { $($(#[$meta])* $preset,)+ }

        impl Preset {
            /// All presets.
            pub const ALL: &'static [Self] = &[$(Self::$preset,)+];

            fn name(self) -> &'static str {
                match self { $(Self::$preset => $name,)+ }
            }

            fn text(self) -> &'static str {
                match self {
                    $(Self::$preset => include_str!(concat!("../../presets/", $name, ".json")),)+
                }
            }
        }
    };
}

presets! {
    /// A telecom operator's business online shop (S0): 13:00 (R55), registration by a link without
    /// a named lifetime (R11), barcode below 300,000 yen (R95).
    TelecomShop "telecom-shop",
    /// An office-supplies shop with a punch-out basket (S3): goods by card, invoice at once (R70,
    /// R71).
    OfficeSupplies "office-supplies",
    /// A software vendor's online market (S4): a link of 30 minutes (R14), main registration by
    /// staff (R13), bills from the 10th (R86).
    SoftwareMarket "software-market",
    /// A wholesaler outside Japan: goods on invoice.
    Wholesale "wholesale",
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Preset {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known: Vec<&str> = Self::ALL.iter().map(|preset| preset.name()).collect();
        let found = Self::ALL.iter().find(|preset| preset.name() == text);
        let known = known.join(", ");
        found.copied().ok_or_else(|| format!("`{text}` is no kind of shop: there are {known}"))
    }
}

/// Settings with which no book can be opened, with the file, the field and the rule.
#[derive(Debug, thiserror::Error)]
pub enum PresetError {
    /// The text is neither the name of a preset nor a file.
    #[error("{reason}; nor can a file of that name be read: {source}")]
    Unknown {
        /// Which names there are.
        reason: String,
        /// Why there is no such file.
        #[source]
        source: std::io::Error,
    },
    /// The path names a folder, a device or a pipe.
    #[error("{origin} is no file: name a JSON file of settings")]
    NoFile {
        /// What was named.
        origin: String,
    },
    /// The file is not a file of settings.
    #[error("{origin} is longer than {FILE_BYTES_MAX} bytes: it is not a file of settings")]
    TooLong {
        /// The file.
        origin: String,
    },
    /// A field does not have the required form.
    #[error("{origin}: {}{}", at(.source), .source.reason)]
    Form {
        /// The file.
        origin: String,
        /// The field, and what is wrong with it.
        #[source]
        source: FormError,
    },
    /// A setting breaks its rule.
    #[error("{origin}: {setting}: {source}")]
    Refused {
        /// The file.
        origin: String,
        /// The setting.
        setting: &'static str,
        /// The rule.
        #[source]
        source: SettingRefused,
    },
}

impl PresetError {
    /// Whose fault it is: the caller's, who wrote the file or its name. A test opens the presets of
    /// this program.
    pub fn blame(&self) -> Blame {
        Blame::Caller
    }
}

/// The field, to be put before what is wrong with it, unless that already names the field.
fn at(error: &FormError) -> String {
    let field = error.field.as_ref().filter(|field| !error.reason.contains(*field));
    field.map(|field| format!("{field}: ")).unwrap_or_default()
}

/// The settings of a kind of shop under a name.
///
/// # Errors
/// There is none for the presets of this file: the types allow for it.
pub fn preset(preset: Preset, name: Name, currency: Currency) -> Result<OpenBook, PresetError> {
    let origin = preset.to_string();
    let mut data = object(&origin, preset.text())?;
    // A boundary in yen means nothing for a shop with prices in another currency.
    let boundary = data.get("barcode_below").and_then(|amount| amount.get("currency"));
    if boundary.is_some_and(|of| *of != json!(currency)) {
        data.insert("barcode_below".to_owned(), Value::Null);
    }
    open_book(origin, data, name, currency)
}

/// The settings of a preset by its name, or of a file by its path, under a name.
///
/// # Errors
/// The text is neither a preset nor a file, the file cannot be read, a field does not have the
/// required form, or a setting breaks its rule.
pub fn preset_or_file(
    named: &str,
    name: Name,
    currency: Currency,
) -> Result<OpenBook, PresetError> {
    let reason = match named.parse::<Preset>() {
        Ok(known) => return preset(known, name, currency),
        Err(reason) => reason,
    };
    let text = read_file(Path::new(named), named, reason)?;
    open_book(named.to_owned(), object(named, &text)?, name, currency)
}

fn read_file(path: &Path, origin: &str, reason: String) -> Result<String, PresetError> {
    let unknown = |source| PresetError::Unknown { reason: reason.clone(), source };
    let file = std::fs::File::open(path).map_err(unknown)?;
    if !file.metadata().map_err(unknown)?.is_file() {
        return Err(PresetError::NoFile { origin: origin.to_owned() });
    }
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(unknown)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(PresetError::TooLong { origin: origin.to_owned() });
    }
    Ok(text)
}

fn object(origin: &str, text: &str) -> Result<Map<String, Value>, PresetError> {
    let refused = |source| PresetError::Form { origin: origin.to_owned(), source };
    let mut json = serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}'));
    let UniqueJson(settings) = form::read(&mut json).map_err(refused)?;
    json.end().map_err(|error| refused(FormError::whole(error.to_string())))?;
    match settings {
        Value::Object(settings) => Ok(settings),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(refused(FormError::whole("the settings must be one JSON object")))
        }
    }
}

fn open_book(
    origin: String,
    mut data: Map<String, Value>,
    name: Name,
    currency: Currency,
) -> Result<OpenBook, PresetError> {
    for (field, value) in [("name", json!(name)), ("currency", json!(currency))] {
        if data.insert(field.to_owned(), value).is_some() {
            let reason = format!("`{field}` is given with the book: leave it out of the file");
            return Err(PresetError::Form { origin, source: FormError::at(field, reason) });
        }
    }
    let book: OpenBook = match form::read(Value::Object(data)) {
        Ok(book) => book,
        Err(source) => return Err(PresetError::Form { origin, source }),
    };
    match book.refused() {
        Some((setting, source)) => Err(PresetError::Refused { origin, setting, source }),
        None => Ok(book),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> Name {
        Name::new("Market").unwrap()
    }

    fn of_file(text: &str) -> Result<OpenBook, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.json");
        std::fs::write(&path, text).unwrap();
        let path = path.to_str().unwrap();
        preset_or_file(path, name(), Currency::Jpy).map_err(|error| error.to_string())
    }

    /// The preset of the software market with one field changed.
    fn changed(field: &str, value: Value) -> String {
        let mut data = object("", Preset::SoftwareMarket.text()).unwrap();
        data.insert(field.to_owned(), value);
        Value::Object(data).to_string()
    }

    #[track_caller]
    fn refused(text: &str, parts: &[&str]) {
        let error = of_file(text).unwrap_err();
        for part in ["own.json"].iter().chain(parts) {
            assert!(error.contains(part), "{part} is missing: {error}");
        }
    }

    #[test]
    fn every_preset_opens_a_book_in_every_currency() {
        for known in Preset::ALL {
            for currency in [Currency::Jpy, Currency::Gbp] {
                let book = preset_or_file(&known.to_string(), name(), currency).unwrap();
                assert_eq!((book.name, book.currency), (name(), currency), "{known}");
            }
        }
        let telecom = |currency| preset(Preset::TelecomShop, name(), currency).unwrap();
        assert!(telecom(Currency::Jpy).barcode_below.is_some());
        assert_eq!(telecom(Currency::Gbp).barcode_below, None);
    }

    #[test]
    fn a_customers_own_file_opens_a_book() {
        let book = of_file(&changed("quote_valid_days", json!(14))).unwrap();
        assert_eq!((book.quote_valid_days, book.main_registration), (14, true));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_with_its_field_and_rule() {
        refused(&changed("issue_day", json!(29)), &["issue_day", "1 to 28"]);
        refused(&changed("quote_valid_days", json!("many")), &["quote_valid_days", "many"]);
        refused(&changed("colour", json!("red")), &["colour", "unknown field"]);
        refused(&changed("name", json!("Other")), &["`name`", "leave it out"]);
        refused("{}", &["missing field"]);
        refused("[1", &["EOF"]);
        refused("[]", &["one JSON object"]);
        let whole = Preset::SoftwareMarket.text();
        refused(&format!("{whole} {{}}"), &["trailing characters"]);
        refused(
            &changed("issue_day", json!(1)).replacen('{', "{\"issue_day\":2,", 1),
            &["duplicate"],
        );
        assert!(of_file(&format!("\u{feff}{whole}")).is_ok());
        let folder = preset_or_file("/", name(), Currency::Jpy).unwrap_err().to_string();
        assert!(folder.contains("no file"), "{folder}");
    }

    #[test]
    fn a_name_that_is_neither_a_preset_nor_a_file_lists_the_presets() {
        let error = preset_or_file("bakery", name(), Currency::Jpy).unwrap_err().to_string();
        assert!(error.contains("bakery") && error.contains("telecom-shop"), "{error}");
    }
}
