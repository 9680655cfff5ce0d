//! Who is let in: the keys of the API, and what each of them may do.

mod caller;
mod keys;
mod secret;

pub use caller::Caller;
pub use keys::{ApiKeys, CreatedKey, KeyRequest, KeyState};
pub use secret::KeySecret;
