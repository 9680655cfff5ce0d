//! Sends the events of a book to webhooks and to NATS. It reads the record and sends; every
//! decision about a webhook is made by `daicho_app::Ledger`. A rebuild of lists sends nothing,
//! since lists are not read here.

mod attendant;
mod courier;
mod deliverer;
mod jetstream;
mod open_network;

pub use attendant::Attendant;
pub use courier::{Counts, Courier, CourierError, Settings, Tested, ToBody};
pub use deliverer::deliver;
pub use jetstream::{Broker, BrokerError, BrokerSettings, publish};
