//! The shared folds: what is known of a shop, a product, a member … A command's state is a struct
//! of those it asks about. Each has the query item it needs and one exhaustive match.

mod billing;
mod catalogue;
mod contract;
mod goods;
mod keys;
mod member;
mod order;
mod quote;
mod shop;

pub use billing::{Billed, Invoice, Invoices};
pub use catalogue::{Catalogue, Plan, Product, ProductNotListed};
pub use contract::{Contract, ContractUnknown, Contracts, LicenceStep};
pub use goods::{Goods, GoodsOrder};
pub use keys::{Key, Keys};
pub use member::{
    Member, MemberIdUsed, MemberUnknown, Members, OrganisationUnknown, Organisations,
};
pub use order::{Order, Orders};
pub use quote::{Quote, Quotes};
pub use shop::{Shop, ShopNotOpen};

use daicho_events::Recorded;

/// Something that recorded events are folded into. Cannot fail.
pub trait Fold {
    /// Folds one event in; an event of another family changes nothing.
    fn apply(&mut self, event: &Recorded);
}
