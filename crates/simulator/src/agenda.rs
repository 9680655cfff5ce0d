//! The agenda: what is still to happen, in the order of simulated time.

use std::collections::BTreeMap;

use daicho_values::{ContractId, Date, MemberId, Month, QuoteId, ReturnId, Timestamp};

use crate::billing::Bill;
use crate::catalogue::Change;
use crate::fulfilment::Sale;
use crate::registration::Applicant;

/// A customer's place in the list of customers.
pub(crate) type CustomerPlace = usize;

/// One thing to happen.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A day begins.
    Day(Date),
    /// The catalogue changes.
    Catalogue(Change),
    /// An organisation registers.
    Arrival,
    /// A person asks for membership.
    Request(Applicant),
    /// A person follows the link of the mail.
    Verify(Applicant, MemberId),
    /// Staff complete a registration.
    Complete(Applicant, MemberId),
    /// A customer asks for a quote, or orders.
    Visit(CustomerPlace),
    /// A quote becomes an order.
    TakeUp(CustomerPlace, QuoteId),
    /// A quote is taken back.
    Withdraw(CustomerPlace, QuoteId),
    /// The customer cancels an order that is not accepted yet.
    Regret(Sale),
    /// Staff accept an order.
    Accept(Sale),
    /// Staff fix the day of delivery.
    FixDelivery(Sale),
    /// Staff confirm an order.
    Confirm(Sale),
    /// An order is delivered.
    Fulfil(Sale),
    /// Goods come back.
    Return(Sale),
    /// Staff credit a return.
    Credit(ReturnId),
    /// A service opens.
    Activate(ContractId, Date),
    /// A customer thinks about a contract.
    Review(CustomerPlace, ContractId),
    /// A month is billed and closed.
    Bill(Month),
    /// A customer pays.
    Pay(Bill),
    /// The last evening: what is missing is made up for.
    LastEvening,
}

impl Step {
    /// Events that will follow soon from this step, about.
    fn foreseen(&self) -> u64 {
        match self {
            Self::Arrival => 9,
            Self::Request(_) => 8,
            Self::Verify(..) | Self::TakeUp(..) => 7,
            Self::Complete(..) | Self::Visit(_) | Self::Accept(_) | Self::Regret(_) => 5,
            Self::FixDelivery(_) => 4,
            Self::Confirm(_) => 3,
            Self::Return(_) => 2,
            Self::Withdraw(..) | Self::Fulfil(_) | Self::Credit(_) | Self::Activate(..) => 1,
            Self::Pay(_) => 1,
            Self::Day(_) | Self::Catalogue(_) | Self::Review(..) => 0,
            Self::Bill(_) | Self::LastEvening => 0,
        }
    }
}

/// What is to happen, by time; of one instant in the order in which it was entered.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    steps: BTreeMap<(Timestamp, u64), Step>,
    entered: u64,
    foreseen: u64,
}

impl Agenda {
    pub(crate) fn enter(&mut self, at: Timestamp, step: Step) {
        self.foreseen += step.foreseen();
        self.steps.insert((at, self.entered), step);
        self.entered += 1;
    }

    /// The next thing, if there is one.
    pub(crate) fn next(&mut self) -> Option<(Timestamp, Step)> {
        let ((at, _), step) = self.steps.pop_first()?;
        self.foreseen -= step.foreseen();
        Some((at, step))
    }

    /// Events under way, about.
    pub(crate) fn foreseen(&self) -> u64 {
        self.foreseen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_entered_for_one_instant_happens_in_the_order_of_entering() {
        let mut agenda = Agenda::default();
        let at = Timestamp::from_microseconds;
        agenda.enter(at(2), Step::Visit(1));
        agenda.enter(at(1), Step::Visit(2));
        agenda.enter(at(1), Step::Visit(3));
        assert_eq!(agenda.foreseen(), 15);
        let visits: Vec<_> = std::iter::from_fn(|| agenda.next())
            .map(|(_, step)| if let Step::Visit(place) = step { place } else { 0 })
            .collect();
        assert_eq!((visits, agenda.foreseen()), (vec![2, 3, 1], 0));
    }
}
