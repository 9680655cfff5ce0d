//! Consumers: programs that take the events of a book in batches, several workers at once, each
//! event at least once, in order within one kind of tag. How far one has come is kept in the state.

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
