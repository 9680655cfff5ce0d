//! Rights: the keys of the API, and what each role may do.

mod create_key;
mod revoke_key;
mod rights;

pub use create_key::{CreateKey, CreateKeyRejection};
pub use revoke_key::{RevokeKey, RevokeKeyRejection};
pub use rights::{Right, covers, includes, may};
