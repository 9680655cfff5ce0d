//! Commands about organisations (会社), for which members act.

mod register;

pub use register::{RegisterOrganisation, RegisterOrganisationRejection};
