//! The shared folds: what is known of a shop, a product, a member … A command's state is a struct
//! of those it asks about. Each has the query item it needs and one exhaustive match.

mod billing;
mod catalogue;
mod contract;
mod dated;
mod keys;
#[cfg(test)]
mod laws;
mod member;
mod order;
mod quote;
mod shop;
mod shop_not_open;

pub use billing::{Billed, ClosedMonths, Invoice, Invoices};
pub use catalogue::{Catalogue, Plan, Product, ProductNotListed};
pub use contract::{Contract, ContractUnknown, Contracts, LicenceStep};
pub use dated::{Dated, Newest};
pub use keys::{Key, Keys};
pub use member::{
    Member, MemberIdUsed, MemberUnknown, Members, OrganisationUnknown, Organisations,
};
pub use order::{Order, Orders};
pub use quote::{Quote, Quotes};
pub use shop::{Opened, Shop};
pub use shop_not_open::ShopNotOpen;

use daicho_events::{Query, Recorded};
use daicho_values::Tag;

/// Something that recorded events are folded into. Cannot fail.
pub trait Fold: Default {
    /// The stored types that may change it: of all others it reads nothing.
    const READS: &'static [&'static [&'static str]];

    /// Folds one event in; an event that is not in [`Fold::READS`] changes nothing.
    fn apply(&mut self, event: &Recorded);

    /// What must be read to know it of one thing.
    fn about(tag: Tag) -> Query {
        Query::default().and_types(&Self::READS.concat(), tag)
    }

    /// The same, where the last event about the thing tells all.
    fn last_about(tag: Tag) -> Query {
        Query::default().and_last(&Self::READS.concat(), tag)
    }
}

/// Several folds side by side: what a command knows of its own.
pub trait Folds: Default {
    /// Folds one event into each.
    fn apply(&mut self, event: &Recorded);
}

impl Folds for () {
    fn apply(&mut self, _: &Recorded) {}
}
