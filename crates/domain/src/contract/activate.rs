//! Records that a contract's service is open (開通).

use daicho_events::access::Role;
use daicho_events::contract::ServiceActivated;
use daicho_events::{NewEvent, Query};
use daicho_values::{ContractId, Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::frame::Known;
use crate::state::{ContractUnknown, Contracts};
use crate::{By, Command, Decision, Moment};

/// Records that the service is open from a day. It does not move the first day that is charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Activate {
    /// The contract.
    pub contract: ContractId,
    /// The day from which the service is open.
    pub on: Date,
}

rejections! {
    /// Why a service is not opened.
    pub enum ActivateRejection {
        /// A service opens once.
        AlreadyActivated { contract: ContractId, activated_on: Date } = "already_activated":
            "contract {contract} is open since {activated_on}: a service opens once",
        /// Not before the contract begins.
        BeforeStart { on: Date, starts_on: Date } = "activation_before_start":
            "{on} is before the contract's first day: give {starts_on} or a later day",
        /// Not after it ended.
        AfterEnd { on: Date, last_day: Date } = "activation_after_end":
            "{on} is after the contract's last day: give {last_day} or an earlier day",
        shared {
            /// The contract is not known; comes second.
            Unknown(ContractUnknown),
        }
    }
}

known! {
    /// The contract.
    pub struct ActivateState { contracts: Contracts, }
}

impl Decision for Activate {
    type State = ActivateState;
    type Rejection = ActivateRejection;

    fn query(&self, _: &Known<ActivateState>) -> Query {
        Contracts::query(self.contract)
    }

    fn decide(
        &self,
        known: &Known<ActivateState>,
        _at: &Moment,
    ) -> Result<Vec<NewEvent>, ActivateRejection> {
        let (contract, on) = (known.contracts.get(self.contract)?, self.on);
        if let Some(activated_on) = contract.activated_on {
            return Err(ActivateRejection::AlreadyActivated {
                contract: self.contract,
                activated_on,
            });
        }
        let starts_on = contract.concluded.starts_on;
        if on < starts_on {
            return Err(ActivateRejection::BeforeStart { on, starts_on });
        }
        if let Some(last_day) = contract.last_day().filter(|last| on > *last) {
            return Err(ActivateRejection::AfterEnd { on, last_day });
        }
        let activated = ServiceActivated {
            contract: self.contract,
            organisation: contract.concluded.organisation,
            activated_on: on,
        };
        Ok(vec![NewEvent::on(on, activated)])
    }
}

impl Command for Activate {
    const NAME: &'static str = "contract.activate";
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[Role::Fulfilment, Role::Integration];
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;
    use daicho_events::contract::{ContractConcluded, ContractTerms};
    use daicho_values::Sample;

    use super::*;
    use crate::contract::fixtures::{concluded, given, term, terms};
    use crate::testing::{by, day, event};

    fn activate(on: &str) -> Activate {
        Activate { contract: ContractId::sample(), on: day(on) }
    }

    #[test]
    fn a_service_opens_on_its_first_day_or_later_r62() {
        for on in ["2026-05-11", "2026-06-01"] {
            let activated = ServiceActivated {
                contract: ContractId::sample(),
                organisation: Sample::sample(),
                activated_on: day(on),
            };
            given([event(concluded())]).when(activate(on)).then([activated.into()]);
        }
    }

    #[test]
    fn the_shop_says_when_a_service_is_open() {
        given([event(concluded()), by(Actor::Member(Sample::sample()))])
            .when(activate("2026-05-11"))
            .then_rejected("staff_only");
    }

    #[test]
    fn an_unknown_contract_is_refused() {
        given([]).when(activate("2026-05-11")).then_rejected("contract_unknown");
    }

    #[test]
    fn a_service_opens_once() {
        given([event(concluded()), activate("2026-05-11").into()])
            .when(activate("2026-05-12"))
            .then_rejected("already_activated");
    }

    #[test]
    fn a_service_does_not_open_before_the_contract_begins() {
        given([event(concluded())])
            .when(activate("2026-05-10"))
            .then_rejected("activation_before_start");
    }

    #[test]
    fn a_service_does_not_open_after_the_contract_lapsed() {
        let terms = ContractTerms { term: term("2026-05-11", "2027-05-10"), ..terms() };
        let contract = ContractConcluded { terms, ..concluded() };
        given([event(contract)]).when(activate("2027-05-11")).then_rejected("activation_after_end");
    }
}
