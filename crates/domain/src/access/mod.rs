//! Rights: the keys of the API, and what each role may do.

mod create_key;
mod revoke_key;
mod right;
mod rights;

pub use create_key::{CreateKey, CreateKeyRejection};
pub use revoke_key::{RevokeKey, RevokeKeyRejection};
pub use right::{CommandRow, GivenBy, Right};
pub use rights::{covers, includes, may};
