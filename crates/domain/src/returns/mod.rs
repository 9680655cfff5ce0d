//! Commands about returns of goods (返品): taken back by the shop, or completed by another system.

mod accept;
mod import;
mod new;

pub use accept::{AcceptReturn, ReturnedLine};
pub use import::ImportReturn;
