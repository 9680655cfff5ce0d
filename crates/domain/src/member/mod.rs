//! Commands about members (会員): who may buy, and how a person becomes one.

mod complete_registration;
mod migrate;
mod request_registration;
mod verify;

#[cfg(test)]
pub(crate) mod samples;

pub use complete_registration::{CompleteRegistration, CompleteRegistrationRejection};
pub use migrate::{MigrateMember, MigrateMemberRejection};
pub use request_registration::{RequestRegistration, RequestRegistrationRejection};
pub use verify::{VerifyMember, VerifyMemberRejection};
