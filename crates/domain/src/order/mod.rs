//! Commands about orders (注文) from placing to delivery, cancellation and return (R9, R36, R47–R66),
//! and about sales and returns that another system completed (R2).

mod accept;
mod cancel;
mod confirm;
mod fix_delivery;
mod fulfil;
mod place;
mod record_return;
mod record_sale;
mod rules;
mod sold;
mod stage;
mod take_back;

#[cfg(test)]
pub(crate) mod fixtures;

pub use accept::AcceptOrder;
pub use cancel::CancelOrder;
pub use confirm::ConfirmOrder;
pub use fix_delivery::FixDelivery;
pub use fulfil::FulfilOrder;
pub use place::{AcceptedVersion, PlaceOrder};
pub use record_return::RecordReturn;
pub use record_sale::RecordSale;
pub use rules::rules_of;
pub use sold::SoldLine;
pub use stage::StageRejection;
pub use take_back::{ReturnedLine, TakeBack};
