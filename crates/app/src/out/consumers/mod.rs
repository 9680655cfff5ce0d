//! Consumers: programs that receive the events of a book in batches. Several workers can share one;
//! each event is delivered at least once, in order within one tag of a kind. How far a consumer has
//! come is stored in the state.

mod documents;
mod error;
mod group;
mod handing_out;
mod registry;
mod settings;
mod window;

pub use error::ConsumerError;
pub use handing_out::HandingOut;
pub use registry::Consumers;
pub use settings::{
    BATCH_EVENTS_MAX, Batch, BatchRequest, BatchState, ConsumerRequest, ConsumerSettings,
    ConsumerState,
};
