//! Commands about organisations (会社) and members (会員): who may buy, and how they come to.

mod complete;
mod migrate;
mod register_organisation;
mod request;
mod verify;

#[cfg(test)]
pub(crate) mod samples;

pub use complete::{CompleteRegistration, CompleteRegistrationRejection};
pub use migrate::{MigrateMember, MigrateMemberRejection};
pub use register_organisation::{RegisterOrganisation, RegisterOrganisationRejection};
pub use request::{RequestRegistration, RequestRegistrationRejection};
pub use verify::{VerifyMember, VerifyMemberRejection};
