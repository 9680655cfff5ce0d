//! What is shown: one keyed fold a file, and the list of them all.
//!
//! Pure: no I/O, no clock, no random numbers, no floats. A list keeps dated facts, so that each has
//! two axes: *known at* (fold the record up to a position) and *effective on* (ask for a day).
//!
//! ```
//! use daicho_events::quote::QuoteIssued;
//! use daicho_events::{Actor, Date, Header, Login, Position, Recorded, Sample, Timestamp};
//! use daicho_projections::{Partition, find};
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

#[cfg(test)]
mod testing;

pub use column::{Column, ColumnKind, ColumnRole, Value};
pub use history::{Dated, History};
pub use list::{Changed, Fold, List, ListError, ListOf, Shown};
pub use partition::{Partition, SLICES, StableHasher};
pub use projection::{Keys, Projection};

/// Every list. A new one is one file and one line here.
const ALL: &[&dyn List] = &[
    &ListOf::<quotes::Quotes>::NEW,
    &ListOf::<orders::Orders>::NEW,
    &ListOf::<contracts::Contracts>::NEW,
    &ListOf::<invoices::Invoices>::NEW,
    &ListOf::<members::Members>::NEW,
];

/// Every list (R112): quotes, orders, contracts, invoices, members.
pub fn all() -> &'static [&'static dyn List] {
    ALL
}

/// The list of that name.
pub fn find(name: &str) -> Option<&'static dyn List> {
    ALL.iter().copied().find(|list| list.name() == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use daicho_values::Sample;
    use serde::Serialize;

    use super::*;

    fn fields(value: &impl Serialize) -> BTreeSet<String> {
        let value = serde_json::to_value(value).unwrap();
        value.as_object().unwrap().keys().cloned().collect()
    }

    /// The fields of a row and of the same row on a day share one JSON object.
    fn fields_have_names_of_their_own<P: Projection>() {
        let (row, day) = (fields(&P::Row::sample()), fields(&P::OnDay::sample()));
        assert!(row.is_disjoint(&day), "{}: {:?}", P::NAME, row.intersection(&day));
        assert!(row.contains(P::KEY) && day.contains("status"), "{}", P::NAME);
    }

    #[test]
    fn no_field_of_a_row_hides_one_of_its_day() {
        fields_have_names_of_their_own::<quotes::Quotes>();
        fields_have_names_of_their_own::<orders::Orders>();
        fields_have_names_of_their_own::<contracts::Contracts>();
        fields_have_names_of_their_own::<invoices::Invoices>();
        fields_have_names_of_their_own::<members::Members>();
        assert_eq!(all().len(), 5, "a new list is checked here too");
    }

    #[test]
    fn a_list_is_found_by_its_name_and_no_other() {
        assert!(all().iter().all(|list| find(list.name()).is_some()));
        assert!(find("lists").is_none());
    }
}
