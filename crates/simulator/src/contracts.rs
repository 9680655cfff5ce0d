//! What happens to contracts: they open, licences are added and taken off, they are cancelled.

use daicho_domain::contract::{Activate, AddLicences, Cancel, ReduceLicences};
use daicho_events::contract::{ContractConcluded, ContractEvent};
use daicho_events::product::BillingPeriod;
use daicho_events::{Actor, Event, Recorded};
use daicho_values::{ContractId, Date, Month};

use crate::SimulateError;
use crate::agenda::{CustomerPlace, Step};
use crate::days::{at, hour};
use crate::world::World;

/// Days until a customer thinks about a contract for the first time, and again. The second is
/// longer than a month, so that a change of the next month's first day is past by then.
const FIRST_REVIEW_DAYS: (u32, u32) = (20, 70);
const REVIEW_DAYS: (u32, u32) = (35, 80);
/// Of a thousand reviews: licences are added, taken off, the contract is cancelled.
const ADD_PER_MILLE: u32 = 130;
const REDUCE_PER_MILLE: u32 = 70;
const CANCEL_PER_MILLE: u32 = 70;
/// Of a thousand cancellations, those that first ask for a day too early.
const TOO_EARLY_PER_MILLE: u32 = 150;
/// Months until the longest cancellation takes effect.
const NOTICE_MONTHS_MAX: u32 = 3;

/// What is remembered of a running contract.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Running {
    id: ContractId,
    billing: BillingPeriod,
    charged_from: Date,
    notice_days: u32,
    /// The last day, by lapse or cancellation.
    last_day: Option<Date>,
    last_change: Date,
    has_penalty: bool,
}

impl Running {
    /// Whether something may be due for a month.
    pub(crate) fn is_due_in(&self, month: Month) -> bool {
        if self.has_penalty && self.last_day.map(Date::month) == Some(month) {
            return true;
        }
        if self.charged_from > month.last() || self.is_over_before(month) {
            return false;
        }
        match self.billing {
            BillingPeriod::Monthly => true,
            BillingPeriod::Annual => {
                let is_anniversary = self.charged_from.0.month() == month.first().0.month();
                is_anniversary || self.last_change.month() == month
            }
            BillingPeriod::Once => false,
        }
    }

    /// Whether it ended before a month began.
    pub(crate) fn is_over_before(&self, month: Month) -> bool {
        self.last_day.is_some_and(|last| last < month.first())
    }
}

impl World<'_> {
    /// Remembers a contract and enters its opening.
    pub(crate) fn conclude(&mut self, place: CustomerPlace, concluded: &ContractConcluded) {
        let (id, starts_on, terms) = (concluded.contract, concluded.starts_on, &concluded.terms);
        let charged_from =
            if terms.first_month_free { starts_on.month().next().first() } else { starts_on };
        let running = Running {
            id,
            billing: terms.billing,
            charged_from,
            notice_days: terms.notice_days,
            last_day: terms.term.filter(|_| !terms.auto_renew).map(|term| term.to),
            last_change: starts_on,
            has_penalty: false,
        };
        if let Some(customer) = self.customers.get_mut(place) {
            customer.contracts.push(running);
        }
        self.agenda.enter(at(starts_on, hour(8)), Step::Activate(id, starts_on));
        let days = self.chance.between(FIRST_REVIEW_DAYS.0, FIRST_REVIEW_DAYS.1);
        let minute = hour(9) + self.chance.below(hour(9));
        self.agenda.enter(at(starts_on.plus_days(days), minute), Step::Review(place, id));
    }

    /// A service opens on its day.
    pub(crate) async fn activate(
        &mut self,
        contract: ContractId,
        on: Date,
    ) -> Result<(), SimulateError> {
        self.must(Self::staff("endo")?, &Activate { contract, on }).await.map(drop)
    }

    /// A customer thinks about a contract, and again after a while.
    pub(crate) async fn review(
        &mut self,
        place: CustomerPlace,
        contract: ContractId,
    ) -> Result<(), SimulateError> {
        let Some(running) = self.running(place, contract).copied() else { return Ok(()) };
        let today = self.today();
        let from = match self.chance.below(3) {
            0 => today.month().next().first(),
            _ => today,
        };
        if running.last_day.is_some_and(|last| last <= from) {
            return Ok(());
        }
        let Some(customer) = self.customer(place) else { return Ok(()) };
        let member = Actor::Member(customer.administrator);
        let actor = if self.chance.per_mille(300) { Self::staff("ueda")? } else { member };
        let fate = self.chance.below(1_000);
        let number = i64::from(self.chance.between(1, 10));
        if fate < ADD_PER_MILLE {
            let add = AddLicences { contract, add: number, from };
            let events = self.may(actor, &add, &["licence_addition_not_allowed"]).await?;
            self.changed(place, contract, &events.unwrap_or_default());
        } else if fate < ADD_PER_MILLE + REDUCE_PER_MILLE {
            let reduce = ReduceLicences { contract, reduce: number, from };
            let refusals = ["licence_reduction_not_allowed", "licences_below_one"];
            let events = self.may(actor, &reduce, &refusals).await?;
            self.changed(place, contract, &events.unwrap_or_default());
        } else if fate < ADD_PER_MILLE + REDUCE_PER_MILLE + CANCEL_PER_MILLE
            && self.cancel(place, &running, actor).await?
        {
            return Ok(());
        }
        let later = self.in_days(REVIEW_DAYS.0, REVIEW_DAYS.1);
        self.agenda.enter(later, Step::Review(place, contract));
        Ok(())
    }

    /// A contract is cancelled to the end of a month; whether it was.
    async fn cancel(
        &mut self,
        place: CustomerPlace,
        running: &Running,
        actor: Actor,
    ) -> Result<bool, SimulateError> {
        let contract = running.id;
        let reason = || "利用終了のため".to_owned();
        let (today, notice) = (self.today(), running.notice_days);
        if notice > 0 && self.chance.per_mille(TOO_EARLY_PER_MILLE) {
            let early = Cancel { contract, ends_on: today, reason: reason() };
            self.may(actor.clone(), &early, &["notice_too_short"]).await?;
        }
        let months = self.chance.below(NOTICE_MONTHS_MAX);
        let ends_on = today.plus_days(notice).month().plus(months).last();
        if running.last_day.is_some_and(|last| last < ends_on) {
            return Ok(false);
        }
        let events = self.must(actor, &Cancel { contract, ends_on, reason: reason() }).await?;
        self.changed(place, contract, &events);
        Ok(true)
    }

    /// Remembers what changed of a contract.
    fn changed(&mut self, place: CustomerPlace, contract: ContractId, events: &[Recorded]) {
        let customer = self.customers.get_mut(place);
        let running = customer.and_then(|it| it.contracts.iter_mut().find(|it| it.id == contract));
        let Some(running) = running else { return };
        for recorded in events {
            let Event::Contract(event) = &recorded.event else { continue };
            match event {
                ContractEvent::QuantityChanged(changed) => running.last_change = changed.from,
                ContractEvent::CancellationScheduled(end) => running.last_day = Some(end.ends_on),
                ContractEvent::PenaltyAssessed(_) => running.has_penalty = true,
                ContractEvent::Concluded(_) | ContractEvent::ServiceActivated(_) => {}
            }
        }
    }

    fn running(&self, place: CustomerPlace, contract: ContractId) -> Option<&Running> {
        self.customer(place)?.contracts.iter().find(|running| running.id == contract)
    }
}
