//! Events out of a book to where they are wanted. It reads the record and sends; what is decided
//! about a webhook, `daicho_app::Ledger` decides. A rebuild sends nothing: lists are not asked.

mod attendant;
mod courier;
mod deliverer;
mod jetstream;
mod open_network;

pub use attendant::Attendant;
pub use courier::{Counts, Courier, CourierError, Settings, Tested, ToBody};
pub use deliverer::deliver;
pub use jetstream::{Broker, BrokerError, BrokerSettings, publish};
