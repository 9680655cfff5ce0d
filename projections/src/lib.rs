//! What is shown: one keyed fold a file, and the list of them all.
//!
//! Pure: no I/O, no clock, no random numbers, no floats. A list keeps dated facts, so that each has
//! two axes: *known at* (fold the record up to a position) and *effective on* (ask for a day).
//!
//! ```
//! use daicho_events::quote::QuoteIssued;
//! use daicho_events::{Actor, Header, Position, Recorded};
//! use daicho_projections::{Partition, find};
//! use daicho_values::{Date, Login, Sample, Timestamp};
//!
//! let event = Recorded {
//!     header: Header {
//!         position: Position(1),
//!         recorded_at: Timestamp::sample(),
//!         effective_on: Date::sample(),
//!         actor: Actor::System(Login::sample()),
//!         on_behalf_of: None,
//!         cause: None,
//!     },
//!     event: QuoteIssued { valid_until: Date::sample(), ..Sample::sample() }.into(),
//! };
//! let quotes = find("quotes").expect("the list of quotes");
//! let mut fold = quotes.start(Partition::WHOLE);
//! fold.apply(&event);
//! for (key, row) in fold.finish()? {
//!     let row = row.expect("a quote is never deleted");
//!     let today = quotes.json(&row, Date::sample())?.expect("it began today");
//!     assert_eq!(today["status"], "issued");
//!     assert_eq!(today["quote"], key);
//!     let tomorrow = quotes.json(&row, Date::sample().next())?.expect("it began yesterday");
//!     assert_eq!(tomorrow["status"], "lapsed");
//! }
//! # Ok::<(), daicho_projections::ListError>(())
//! ```

mod column;
mod history;
mod list;
mod partition;
mod projection;

pub mod contracts;
pub mod invoices;
pub mod members;
pub mod orders;
pub mod quotes;
pub mod settings;

#[cfg(test)]
mod testing;

pub(crate) use column::columns;
pub use column::{Column, ColumnKind, ColumnRole, Value};
pub use history::{Dated, History};
pub use list::{Changed, Fold, List, ListError, ListOf, Shown};
pub use partition::{Partition, SLICES, StableHasher};
pub use projection::{Keys, Projection};

/// Every list. A new one is a file of its own, its `pub mod` above and one line here.
const ALL: &[&dyn List] = &[
    &ListOf::<quotes::Quotes>::NEW,
    &ListOf::<orders::Orders>::NEW,
    &ListOf::<contracts::Contracts>::NEW,
    &ListOf::<invoices::Invoices>::NEW,
    &ListOf::<members::Members>::NEW,
    &ListOf::<settings::Settings>::NEW,
];

/// Every list (R112), in the order in which people are shown them.
pub fn all() -> &'static [&'static dyn List] {
    ALL
}

/// The list of that name.
pub fn find(name: &str) -> Option<&'static dyn List> {
    ALL.iter().copied().find(|list| list.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields of a row and of the same row on a day share one JSON object.
    #[test]
    fn no_field_of_a_row_hides_one_of_its_day() {
        for list in all() {
            let (row, day) = list.sample_fields();
            let hidden: Vec<_> = row.intersection(&day).collect();
            assert!(hidden.is_empty(), "{}: {hidden:?}", list.name());
            assert!(row.contains(list.key_name()) && day.contains("status"), "{}", list.name());
        }
    }

    #[test]
    fn a_column_is_named_once_in_a_list() {
        for list in all() {
            let columns = list.columns().iter().map(|column| column.name);
            let names: Vec<_> = columns.chain([list.key_name()]).collect();
            let once: std::collections::BTreeSet<_> = names.iter().collect();
            assert_eq!(once.len(), names.len(), "{}", list.name());
        }
    }

    #[test]
    fn a_key_is_checked_by_the_rule_of_its_list() {
        let orders = find("orders").unwrap();
        assert!(orders.check_key("01J00000000000000000000000").is_ok());
        assert!(orders.check_key("01j00000000000000000000000").unwrap_err().contains("ULID"));
        assert!(find("invoices").unwrap().check_key("R-000001").is_ok());
    }

    #[test]
    fn a_list_is_found_by_its_name_and_no_other() {
        assert!(all().iter().all(|list| find(list.name()).is_some()));
        assert!(find("lists").is_none());
    }
}
