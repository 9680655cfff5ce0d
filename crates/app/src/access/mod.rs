//! Authentication and rights: the keys of the API, and what each of them may do.

mod caller;
mod keys;

pub use caller::Caller;
pub use keys::{ApiKeys, KeyRequest, KeyState};
