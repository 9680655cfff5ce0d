//! Rows of the file: each is read, checked by itself, and rejected by the first rule that it
//! breaks.

use std::path::{Path, PathBuf};

use daicho_values::{
    Currency, Date, LocalTime, Money, MoneyError, Name, ProductCode, Quantity, Reference,
};
use rust_decimal::Decimal;

use crate::blame::Blame;

/// The columns that the file must have, by name, in any order.
pub const COLUMNS: [&str; 8] = [
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
];

/// The most rows that one file may have.
const ROWS_MAX: u64 = 5_000_000;
/// The first letter of the number of a return.
const RETURN_PREFIX: char = 'C';

/// Why a file is not imported at all.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: csv::Error,
    },
    /// It is not text.
    #[error("{} is not UTF-8 (line {line}): convert it, nothing was recorded", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Where.
        line: u64,
    },
    /// A column is missing.
    #[error(
        "{} has no column {column}: it needs {}, in any order",
        path.display(), COLUMNS.join(", ")
    )]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// Which.
        column: &'static str,
    },
    /// It is too long.
    #[error("{} has more than {ROWS_MAX} rows: split it", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
}

impl FileError {
    /// Whose fault it is: the caller's, who named the file.
    pub fn blame(&self) -> Blame {
        Blame::Caller
    }
}

/// Whether goods went out or came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Direction {
    /// Out.
    Sale,
    /// Back.
    Return,
}

/// A row that kept every rule that concerns it alone.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) row: u64,
    pub(super) fields: Vec<String>,
    pub(super) number: Reference,
    pub(super) direction: Direction,
    pub(super) product: ProductCode,
    pub(super) name: Name,
    /// Above zero, also for a return.
    pub(super) quantity: Quantity,
    pub(super) day: Date,
    pub(super) unit_price: Money,
    pub(super) customer: Option<Reference>,
    pub(super) country: Option<Name>,
}

/// A row that was not recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Its number, from 1 after the header.
    pub row: u64,
    /// The rule that it broke.
    pub rule: String,
    /// The rule in words, and what to do.
    pub text: String,
    /// The row as it is in the file, in the order of [`COLUMNS`].
    pub fields: Vec<String>,
    /// Quantity × price, where both can be read.
    pub amount: Option<Money>,
}

impl Row {
    /// Quantity × price; below zero for a return.
    pub(super) fn signed_amount(&self) -> Result<Money, MoneyError> {
        let amount = self.unit_price.times(self.quantity)?;
        Ok(match self.direction {
            Direction::Sale => amount,
            Direction::Return => amount.negated(),
        })
    }

    /// Rejects a row that had been accepted.
    pub(super) fn rejected(self, rule: &str, text: &str) -> Rejected {
        Rejected {
            row: self.row,
            rule: rule.to_owned(),
            text: text.to_owned(),
            amount: self.signed_amount().ok(),
            fields: self.fields,
        }
    }
}

/// What is needed to read a file.
#[derive(Clone, Copy)]
struct Rules {
    currency: Currency,
    takes_unknown: bool,
}

/// Reads a whole file before anything is recorded: the accepted rows, and those that broke a rule
/// by themselves.
pub(super) fn read(
    path: &Path,
    currency: Currency,
    takes_unknown: bool,
) -> Result<(Vec<Row>, Vec<Rejected>), FileError> {
    let unreadable = |source| file_error(path, source);
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).from_path(path).map_err(unreadable)?;
    let places = places(path, reader.headers().map_err(unreadable)?)?;
    let width = reader.headers().map_err(unreadable)?.len();
    let rules = Rules { currency, takes_unknown };
    let (mut rows, mut rejects) = (Vec::new(), Vec::new());
    for (record, number) in reader.records().zip(1..) {
        let record = record.map_err(unreadable)?;
        if number > ROWS_MAX {
            return Err(FileError::TooLong { path: path.to_owned() });
        }
        let fields: Vec<String> =
            places.iter().map(|place| record.get(*place).unwrap_or_default().to_owned()).collect();
        let checked = if record.len() == width {
            check(number, &fields, rules)
        } else {
            let text =
                format!("it has {} fields and the header {width}: correct the row", record.len());
            Err(("row_malformed", text))
        };
        match checked {
            Ok(row) => rows.push(row),
            Err((rule, text)) => {
                let amount = amount(&fields, currency);
                rejects.push(Rejected { row: number, rule: rule.to_owned(), text, fields, amount });
            }
        }
    }
    Ok((rows, rejects))
}

fn file_error(path: &Path, source: csv::Error) -> FileError {
    let path = path.to_owned();
    if let csv::ErrorKind::Utf8 { pos, .. } = source.kind() {
        return FileError::NotUtf8 { path, line: pos.as_ref().map_or(0, csv::Position::line) };
    }
    FileError::Unreadable { path, source }
}

fn places(path: &Path, header: &csv::StringRecord) -> Result<Vec<usize>, FileError> {
    let place = |column: &&'static str| {
        let found = header.iter().position(|name| name.trim_start_matches('\u{feff}') == *column);
        found.ok_or_else(|| FileError::NoColumn { path: path.to_owned(), column })
    };
    COLUMNS.iter().map(place).collect()
}

type Broken = (&'static str, String);

/// Checks the rules of a row by itself, in their order of precedence.
fn check(number: u64, fields: &[String], rules: Rules) -> Result<Row, Broken> {
    let [invoice, code, description, quantity, date, price, customer, country] = fields else {
        return Err(("row_malformed", "a column is missing: correct the row".to_owned()));
    };
    let broken = |rule, error: &dyn std::fmt::Display| (rule, error.to_string());
    let reference =
        Reference::new(invoice).map_err(|error| broken("invoice_number_refused", &error))?;
    let customer = customer_of(customer, rules)?;
    let product = ProductCode::new(code).map_err(|error| broken("product_code_refused", &error))?;
    let name = if description.trim().is_empty() { code } else { description };
    let name = Name::new(name).map_err(|error| broken("description_refused", &error))?;
    let direction =
        if invoice.starts_with(RETURN_PREFIX) { Direction::Return } else { Direction::Sale };
    let quantity = quantity_of(quantity, direction)?;
    let day = day_of(date)?;
    let unit_price =
        Money::parse(price, rules.currency).map_err(|error| broken("price_malformed", &error))?;
    if unit_price.is_negative() {
        return Err((
            "price_below_zero",
            format!("the price {price} is below zero: correct the row"),
        ));
    }
    let country = match country.trim() {
        "" => None,
        country => Some(Name::new(country).map_err(|error| broken("country_refused", &error))?),
    };
    Ok(Row {
        row: number,
        fields: fields.to_vec(),
        number: reference,
        direction,
        product,
        name,
        quantity,
        day,
        unit_price,
        customer,
        country,
    })
}

/// The day of `2011-02-03`, or of `2011-02-03 10:51` with or without seconds.
fn day_of(text: &str) -> Result<Date, Broken> {
    let (day, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00"));
    let minutes = time.get(..5).and_then(|minutes| minutes.parse::<LocalTime>().ok());
    let seconds = match time.get(5..) {
        None | Some("") => true,
        Some(rest) => rest.strip_prefix(':').and_then(|s| s.parse::<u8>().ok()).is_some(),
    };
    if minutes.is_none() || !seconds {
        let text = format!("`{text}` is not a day and a time: write it as 2011-02-03 10:51:00");
        return Err(("date_malformed", text));
    }
    day.parse::<Date>().map_err(|error| ("date_malformed", error.to_string()))
}

fn customer_of(text: &str, rules: Rules) -> Result<Option<Reference>, Broken> {
    // Spreadsheets write whole numbers as 12923.0.
    let text = text.trim();
    let text = text.strip_suffix(".0").unwrap_or(text);
    if text.is_empty() {
        let way_out = "the row has no customer: import with --unknown-customer NAME to take it";
        return if rules.takes_unknown {
            Ok(None)
        } else {
            Err(("customer_missing", way_out.to_owned()))
        };
    }
    Reference::new(text).map(Some).map_err(|error| ("customer_refused", error.to_string()))
}

/// The quantity, above zero: the file writes the quantity of a return below zero.
fn quantity_of(text: &str, direction: Direction) -> Result<Quantity, Broken> {
    let quantity = text.trim().parse::<i64>().map_err(|_| {
        ("quantity_malformed", format!("`{text}` is not a whole number: correct the row"))
    })?;
    match direction {
        Direction::Sale if quantity < 1 => Err((
            "quantity_below_one",
            format!("{quantity} cannot be sold: the number of a return begins with C"),
        )),
        Direction::Return if quantity > -1 => Err((
            "quantity_not_returned",
            format!("{quantity} is no return: under a number with C the quantity is below zero"),
        )),
        Direction::Sale | Direction::Return => Quantity::new(quantity.saturating_abs())
            .map_err(|error| ("quantity_over_limit", format!("{error}: split the row"))),
    }
}

/// Quantity × price of a rejected row, where both can be read.
fn amount(fields: &[String], currency: Currency) -> Option<Money> {
    let [_, _, _, quantity, _, price, _, _] = fields else { return None };
    let quantity = quantity.trim().parse::<i64>().ok()?;
    let price = Money::parse(price, currency).ok()?;
    Money::new(price.amount().checked_mul(Decimal::from(quantity))?, currency).ok()
}
