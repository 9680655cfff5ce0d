//! Commands about orders (注文) from placing to delivery, and cancellation (R9, R36, R47–R66),
//! and about sales that another system completed (R2).

mod accept;
mod cancel;
mod confirm;
mod fix_delivery;
mod fulfil;
mod place;
mod record_sale;
pub(crate) mod sold;
pub(crate) mod stage;

#[cfg(test)]
pub(crate) mod fixtures;

pub use accept::AcceptOrder;
pub use cancel::CancelOrder;
#[cfg(test)]
pub(crate) use confirm::CatalogueAsOrdered;
pub use confirm::ConfirmOrder;
pub use fix_delivery::FixDelivery;
pub use fulfil::FulfilOrder;
pub use place::{AcceptedVersion, PlaceOrder};
pub use record_sale::RecordSale;
pub use sold::SoldLine;
pub use stage::StageRejection;
