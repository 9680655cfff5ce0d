//! The state of contracts: licences by day, opening, end, penalty.

use std::collections::BTreeMap;

use daicho_events::contract::{ContractConcluded, ContractEvent, ContractTerms, PenaltyAssessed};
use daicho_events::{Event, Query, Recorded};
use daicho_values::{ContractId, Date, OrganisationId, Quantity, Term};

use super::Fold;
use crate::Rejection;

/// The contracts that a command asked about.
#[derive(Debug, Default)]
pub struct Contracts(BTreeMap<ContractId, Contract>);

/// What is known of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// As it was concluded.
    pub concluded: ContractConcluded,
    /// The day on which the service opened (開通).
    pub activated_on: Option<Date>,
    /// The last day, once a cancellation is scheduled (解約).
    pub ends_on: Option<Date>,
    /// The penalty of ending early (違約金).
    pub penalty: Option<PenaltyAssessed>,
    steps: Vec<LicenceStep>,
}

/// The number of licences from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LicenceStep {
    /// The day.
    pub from: Date,
    /// Licences from that day on.
    pub quantity: Quantity,
    /// Whether what is paid for fewer licences is given back (R75).
    pub refund: bool,
}

/// No contract has this id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no contract {0} in this book: take its id from the list of contracts")]
pub struct ContractUnknown(ContractId);

impl Rejection for ContractUnknown {
    fn code(&self) -> &'static str {
        "contract_unknown"
    }
}

impl Contracts {
    /// What must be read to know a contract.
    pub fn query(contract: ContractId) -> Query {
        Self::about(contract.tag())
    }

    /// What must be read to know all contracts of an organisation.
    pub fn of(organisation: OrganisationId) -> Query {
        Self::about(organisation.tag())
    }

    /// The contract.
    ///
    /// # Errors
    /// It is not known.
    pub fn get(&self, contract: ContractId) -> Result<&Contract, ContractUnknown> {
        self.0.get(&contract).ok_or(ContractUnknown(contract))
    }

    /// The organisation that concluded it, if it is known.
    pub fn owner(&self, contract: ContractId) -> Option<OrganisationId> {
        self.0.get(&contract).map(|contract| contract.concluded.organisation)
    }

    /// All of them, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Contract> {
        self.0.values()
    }

    fn change(&mut self, contract: ContractId, change: impl FnOnce(&mut Contract)) {
        self.0.get_mut(&contract).map(change);
    }
}

impl Contract {
    /// Its terms, as they were when it was concluded.
    pub fn terms(&self) -> &ContractTerms {
        &self.concluded.terms
    }

    /// The changes of licences, by day; the first is the conclusion.
    pub fn steps(&self) -> &[LicenceStep] {
        &self.steps
    }

    /// The day of the last change of licences, past or to come; the first day if there is none.
    pub fn last_change(&self) -> Date {
        self.steps.last().map_or(self.concluded.starts_on, |step| step.from)
    }

    /// Takes a change in, by its day: commands keep the days in order, an imported record may not.
    /// Of several changes of one day the last says how many licences the day has.
    fn step(&mut self, step: LicenceStep) {
        let place = self.steps.partition_point(|known| known.from < step.from);
        match self.steps.get_mut(place).filter(|known| known.from == step.from) {
            Some(known) => {
                // What was taken off earlier that day with refund is given back all the same.
                let refund = known.refund || step.refund;
                *known = LicenceStep { refund, ..step };
            }
            None => self.steps.insert(place, step),
        }
    }

    /// Licences on a day, whether or not the contract runs on it.
    pub fn licences_on(&self, day: Date) -> Quantity {
        let step = self.steps.iter().rev().find(|step| step.from <= day);
        step.map_or(self.concluded.quantity, |step| step.quantity)
    }

    /// The last day of a term that is not renewed by itself (R73).
    pub fn lapses_on(&self) -> Option<Date> {
        self.terms().term.filter(|_| !self.terms().auto_renew).map(|term| term.to)
    }

    /// The last day, by cancellation or by lapse, whichever is earlier; `None`: open-ended.
    pub fn last_day(&self) -> Option<Date> {
        self.ends_on.into_iter().chain(self.lapses_on()).min()
    }

    /// Whether it runs on a day.
    pub fn in_force(&self, day: Date) -> bool {
        self.concluded.starts_on <= day && self.last_day().is_none_or(|last| day <= last)
    }

    /// The first day that costs something: the first day, or the first of the month after it where
    /// the calendar month of the start is free (R86).
    pub fn charged_from(&self) -> Date {
        let starts_on = self.concluded.starts_on;
        if self.terms().first_month_free { starts_on.month().next().first() } else { starts_on }
    }

    /// The terms that follow each other from its first one on; `None`: open-ended.
    pub fn term(&self) -> Option<Term> {
        self.terms().term.map(Term::recorded)
    }
}

impl From<&ContractConcluded> for Contract {
    fn from(event: &ContractConcluded) -> Self {
        let first = LicenceStep { from: event.starts_on, quantity: event.quantity, refund: false };
        Self {
            concluded: event.clone(),
            activated_on: None,
            ends_on: None,
            penalty: None,
            steps: vec![first],
        }
    }
}

impl Fold for Contracts {
    const READS: &'static [&'static [&'static str]] = &[ContractEvent::STORED];

    fn apply(&mut self, recorded: &Recorded) {
        let Event::Contract(event) = &recorded.event else { return };
        match event {
            ContractEvent::Concluded(event) => {
                self.0.insert(event.contract, Contract::from(event));
            }
            ContractEvent::ServiceActivated(event) => {
                self.change(event.contract, |contract| {
                    contract.activated_on = Some(event.activated_on);
                });
            }
            ContractEvent::QuantityChanged(event) => {
                let (from, quantity, refund) = (event.from, event.quantity, event.refund);
                let step = LicenceStep { from, quantity, refund };
                self.change(event.contract, |contract| contract.step(step));
            }
            ContractEvent::CancellationScheduled(event) => {
                self.change(event.contract, |contract| contract.ends_on = Some(event.ends_on));
            }
            ContractEvent::PenaltyAssessed(event) => {
                self.change(event.contract, |contract| contract.penalty = Some(event.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use daicho_values::Period;

    use super::*;
    use crate::contract::fixtures::{concluded, terms};
    use crate::testing::day;

    fn contract(auto_renew: bool) -> Contract {
        let term = Some(Period { from: day("2026-01-31"), to: day("2027-01-30") });
        Contract::from(&ContractConcluded {
            starts_on: day("2026-01-31"),
            terms: ContractTerms { term, auto_renew, ..terms() },
            ..concluded()
        })
    }

    #[test]
    fn a_term_that_does_not_renew_lapses_after_its_last_day_r73() {
        let lapsing = contract(false);
        assert!(lapsing.in_force(day("2027-01-30")) && !lapsing.in_force(day("2027-01-31")));
        assert!(!lapsing.in_force(day("2026-01-30")));
        assert!(contract(true).in_force(day("2030-01-01")));
    }
}
