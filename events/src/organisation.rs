//! Organisations (会社): companies and sole proprietors that buy.

use daicho_values::{CorporateNumber, Name, OrganisationId, Reference};

family! {
    /// Organisations.
    pub enum OrganisationEvent tags [] {
        /// A company is known.
        Registered(OrganisationRegistered) = "organisation.registered" 1,
    }
}

event! {
    /// A company or sole proprietor.
    pub struct OrganisationRegistered tags [organisation, corporate_number, reference] {
        /// Its id.
        pub organisation: OrganisationId,
        /// Its name; a company's name is not personal.
        pub name: Name,
        /// Its corporate number (法人番号), where it has one (R20).
        pub corporate_number: Option<CorporateNumber>,
        /// Its country, as the source writes it.
        pub country: Option<Name>,
        /// What another system calls it.
        pub reference: Option<Reference>,
    }
}
