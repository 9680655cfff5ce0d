//! Organisations and members for tests.

use daicho_events::member::MemberRole;
use daicho_values::{MemberId, Name, OrganisationId, PersonalIndex, Sample};
use ulid::Ulid;

use super::{CompleteRegistration, RequestRegistration, VerifyMember};
use crate::organisation::RegisterOrganisation;
use crate::shop::OpenBook;
use crate::testing::open_book;

/// A book like the telecom shop's: who verifies is registered (R11).
pub(crate) fn book_without_main_registration() -> OpenBook {
    OpenBook { main_registration: false, ..open_book() }
}

/// The `n`-th member.
pub(crate) fn member(n: u128) -> MemberId {
    Ulid(n).into()
}

/// The `n`-th organisation.
pub(crate) fn organisation(n: u128) -> OrganisationId {
    Ulid(n).into()
}

/// Some mail address's index.
pub(crate) fn email(text: &str) -> PersonalIndex {
    PersonalIndex::new(&format!("{text:0>64}")).unwrap()
}

/// The first organisation, with neither number nor reference.
pub(crate) fn register() -> RegisterOrganisation {
    RegisterOrganisation {
        organisation: organisation(1),
        name: Name::new("Example K.K.").unwrap(),
        corporate_number: None,
        country: None,
        reference: None,
    }
}

/// The `n`-th member of the first organisation asks to register, with the address `a`.
pub(crate) fn request(n: u128) -> RequestRegistration {
    RequestRegistration {
        member: member(n),
        organisation: organisation(1),
        name: Sample::sample(),
        email: Sample::sample(),
        email_index: email("a"),
        phone: None,
        role: MemberRole::Administrator,
    }
}

/// The `n`-th member follows the link.
pub(crate) fn verify(n: u128) -> VerifyMember {
    VerifyMember { member: member(n) }
}

/// Staff complete the registration of the `n`-th member.
pub(crate) fn complete(n: u128) -> CompleteRegistration {
    CompleteRegistration { member: member(n) }
}
