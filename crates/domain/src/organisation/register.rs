//! Registers a company or sole proprietor, for which members act.

use daicho_events::access::Role;
use daicho_events::organisation::OrganisationRegistered;
use daicho_events::{NewEvent, Query};
use daicho_values::{CorporateNumber, Name, OrganisationId, Reference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::frame::Known;
use crate::state::{Fold as _, Organisations};
use crate::{By, Command, Decision, Moment};

/// Registers an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterOrganisation {
    /// Its id, a new one.
    pub organisation: OrganisationId,
    /// Its name; a company's name is not personal.
    pub name: Name,
    /// Its corporate number (法人番号); `null` for a sole proprietor (R20, R21).
    #[serde(default)]
    pub corporate_number: Option<CorporateNumber>,
    /// Its country, as the source writes it.
    #[serde(default)]
    pub country: Option<Name>,
    /// What another system calls it; no two organisations have the same.
    #[serde(default)]
    pub reference: Option<Reference>,
}

rejections! {
    /// Why an organisation is not registered.
    pub enum RegisterOrganisationRejection {
        /// The number is mistyped (R20; the national tax agency's rule).
        CheckDigit { number: CorporateNumber } = "corporate_number_check_digit":
            "`{number}` is not a corporate number: its first digit does not check the other \
             twelve, compare it with the register",
        /// An id names one organisation for ever.
        IdUsed { organisation: OrganisationId } = "organisation_id_used":
            "organisation {organisation} is already registered: another organisation gets another \
             id",
        /// A company has one corporate number, and registers once (R20).
        NumberRegistered { number: CorporateNumber } = "corporate_number_registered":
            "a company of the corporate number `{number}` is already registered: its people \
             register for that one",
        /// Another system's name leads to one organisation.
        ReferenceUsed { reference: Reference, organisation: OrganisationId } = "reference_used":
            "the reference `{reference}` is that of organisation {organisation}: use that one, or \
             give another reference",
    }
}

known! {
    /// The shop, and the organisations of this id, number or reference.
    pub struct RegisterOrganisationState { organisations: Organisations, }
}

impl Decision for RegisterOrganisation {
    type State = RegisterOrganisationState;
    type Rejection = RegisterOrganisationRejection;

    fn query(&self, _: &Known<RegisterOrganisationState>) -> Query {
        let number = self.corporate_number.as_ref().map(CorporateNumber::tag);
        let reference = self.reference.as_ref().map(Reference::tag);
        let tags = [Some(self.organisation.tag()), number, reference].into_iter().flatten();
        Query::any(tags.map(Organisations::about))
    }

    fn decide(
        &self,
        known: &Known<RegisterOrganisationState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, RegisterOrganisationRejection> {
        use RegisterOrganisationRejection as Rejected;
        if let Some(number) = self.corporate_number.as_ref().filter(|n| !n.check_digit_holds()) {
            return Err(Rejected::CheckDigit { number: number.clone() });
        }
        if known.organisations.get(self.organisation).is_some() {
            return Err(Rejected::IdUsed { organisation: self.organisation });
        }
        let number = self.corporate_number.as_ref();
        if let Some(number) = number.filter(|number| known.organisations.has_number(number)) {
            return Err(Rejected::NumberRegistered { number: number.clone() });
        }
        if let Some(reference) = &self.reference
            && let Some(organisation) = known.organisations.by_reference(reference)
        {
            return Err(Rejected::ReferenceUsed { reference: reference.clone(), organisation });
        }
        Ok(vec![NewEvent::on(known.shop.today(at), self.event())])
    }
}

impl RegisterOrganisation {
    fn event(&self) -> OrganisationRegistered {
        OrganisationRegistered {
            organisation: self.organisation,
            name: self.name.clone(),
            corporate_number: self.corporate_number.clone(),
            country: self.country.clone(),
            reference: self.reference.clone(),
        }
    }
}

impl Command for RegisterOrganisation {
    const NAME: &'static str = "organisation.register";
    const BY: By<Self> = By::Anyone;
    const ROLES: &'static [Role] = &[Role::Integration];
    const NEW_IDS: &'static [&'static str] = &["organisation"];
}

#[cfg(test)]
mod tests {
    use daicho_values::Sample;

    use super::*;
    use crate::member::samples::{organisation, register};
    use crate::testing::{given, open_book};

    fn company(n: u128) -> RegisterOrganisation {
        let corporate_number = Some(CorporateNumber::sample());
        RegisterOrganisation { organisation: organisation(n), corporate_number, ..register() }
    }

    fn referred(n: u128) -> RegisterOrganisation {
        let reference = Some(Reference::sample());
        RegisterOrganisation { organisation: organisation(n), reference, ..register() }
    }

    #[test]
    fn a_company_is_registered_with_all_that_is_given() {
        let country = Some(Name::new("Japan").unwrap());
        let command =
            RegisterOrganisation { country, reference: referred(1).reference, ..company(1) };
        let event = OrganisationRegistered {
            organisation: organisation(1),
            name: command.name.clone(),
            corporate_number: Some(CorporateNumber::sample()),
            country: command.country.clone(),
            reference: Some(Reference::sample()),
        };
        given([open_book().into()]).when(command).then([event.into()]);
    }

    #[test]
    fn sole_proprietors_have_no_number_and_are_not_the_same_r21() {
        let second = RegisterOrganisation { organisation: organisation(2), ..register() };
        let history = [open_book().into(), register().into()];
        given(history).when(second).then_types(["organisation.registered"]);
    }

    #[test]
    fn a_mistyped_corporate_number_is_refused_r20() {
        let number = CorporateNumber::new("8700110005902").unwrap();
        let command = RegisterOrganisation { corporate_number: Some(number), ..register() };
        given([open_book().into()]).when(command).then_rejected("corporate_number_check_digit");
    }

    #[test]
    fn a_company_is_registered_once_r20() {
        let history = [open_book().into(), company(1).into()];
        given(history).when(company(2)).then_rejected("corporate_number_registered");
    }

    #[test]
    fn an_id_names_one_organisation() {
        let history = [open_book().into(), register().into()];
        given(history).when(register()).then_rejected("organisation_id_used");
    }

    #[test]
    fn a_reference_names_one_organisation() {
        let history = [open_book().into(), referred(1).into()];
        given(history).when(referred(2)).then_rejected("reference_used");
    }

    #[test]
    fn a_shop_that_is_not_open_registers_nobody() {
        given([]).when(register()).then_rejected("shop_not_open");
    }
}
