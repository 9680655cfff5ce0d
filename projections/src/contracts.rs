//! The list of contracts (契約一覧, R72): what runs, with how many licences, until when.
//! Terms that renew themselves are computed: the term that holds on a day is no event.

use daicho_events::contract::{ContractConcluded, ContractEvent, ContractTerms};
use daicho_events::{Event, Recorded};
use daicho_values::{
    ContractId, Date, MemberId, Money, Name, OrderId, OrganisationId, Period, ProductCode,
    Quantity, TaxCategory, Term,
};

use crate::{History, Keys, Projection, Value, columns};

/// The list of contracts, a row a contract.
pub struct Contracts;

daicho_values::data! {
    /// A number of licences from a day (ライセンス追加・削減, R74, R75).
    pub struct Licences {
        /// The first day on which it holds.
        pub from: Date,
        /// How many.
        pub quantity: Quantity,
    }
}

daicho_values::data! {
    /// A cancellation (解約, R76).
    pub struct Cancellation {
        /// The contract's last day.
        pub ends_on: Date,
        /// Why.
        pub reason: String,
    }
}

daicho_values::data! {
    /// A contract.
    pub struct ContractRow {
        /// Its id.
        pub contract: ContractId,
        /// The order that concluded it.
        pub order: OrderId,
        /// Who ordered.
        pub member: MemberId,
        /// For whom.
        pub organisation: OrganisationId,
        /// The product.
        pub product: ProductCode,
        /// Its name as sold (R4).
        pub name: Name,
        /// The business day on which it was concluded.
        pub concluded_on: Date,
        /// First day.
        pub starts_on: Date,
        /// Price of one licence, a billing period, before tax.
        pub unit_price: Money,
        /// The tax that it bears.
        pub tax: TaxCategory,
        /// What its plan says.
        pub terms: ContractTerms,
        /// The steps of its licences, that of its conclusion among them.
        pub quantities: History<Licences>,
        /// Opened (開通): the first day of service.
        pub activated: History<Date>,
        /// Its cancellation; a later one stands in the place of an earlier.
        pub cancellation: History<Cancellation>,
        /// What ending it early costs (違約金).
        pub penalties: History<Money>,
    }
}

daicho_values::data! {
    /// Where a contract stands on a day.
    pub enum ContractStatus {
        /// Concluded, the service not yet open (契約成立).
        Concluded,
        /// The service is open (開通).
        Active,
        /// Cancelled, its last day to come (解約予定).
        Ending,
        /// Its last day is over.
        Ended,
    }
}

daicho_values::data! {
    /// A contract on a day.
    pub struct ContractOnDay {
        /// Where it stands.
        pub status: ContractStatus,
        /// Licences in force; none before its first day and after its last.
        pub licences: u32,
        /// The term that holds, the first one before it begins; `null`: open-ended.
        pub term: Option<Period>,
        /// Its last day, by cancellation or because its term does not renew; `null`: none in sight.
        pub ends_on: Option<Date>,
        /// The first day of service.
        pub activated_on: Option<Date>,
        /// The penalties assessed, before tax.
        pub penalty: Money,
    }
}

impl Projection for Contracts {
    type Key = ContractId;
    type Row = ContractRow;
    type OnDay = ContractOnDay;

    const NAME: &'static str = "contracts";
    const ABOUT: &'static str = "Contracts (契約)";
    const VERSION: u32 = 2;
    const KEY: &'static str = "contract";

    fn keys(event: &Recorded) -> Keys<ContractId> {
        let Event::Contract(event) = &event.event else { return Keys::None };
        Keys::One(match event {
            ContractEvent::Concluded(concluded) => concluded.contract,
            ContractEvent::ServiceActivated(activated) => activated.contract,
            ContractEvent::QuantityChanged(changed) => changed.contract,
            ContractEvent::CancellationScheduled(scheduled) => scheduled.contract,
            ContractEvent::PenaltyAssessed(assessed) => assessed.contract,
        })
    }

    fn fold(_: &ContractId, row: Option<ContractRow>, event: &Recorded) -> Option<ContractRow> {
        let on = event.header.effective_on;
        let Event::Contract(event) = &event.event else { return row };
        let Some(mut row) = row else { return ContractRow::begin(event, on) };
        row.apply(event, on);
        Some(row)
    }

    fn begins(row: &ContractRow) -> Date {
        row.concluded_on
    }

    fn on_day(row: &ContractRow, on: Date) -> ContractOnDay {
        let ends_on = row.ends_on(on);
        let nothing = Money::zero(row.unit_price.currency());
        ContractOnDay {
            status: row.status(ends_on, on),
            licences: row.licences(ends_on, on),
            term: row.term(ends_on, on),
            ends_on,
            activated_on: row.activated.on(on).copied(),
            penalty: row.penalties.until(on).fold(nothing, |sum, amount| sum.folded(*amount)),
        }
    }

    columns! { |row, day, _|
        indexed status: Text, "concluded, active, ending or ended" => Value::name_of(&day.status);
        indexed organisation: Text, "for whom" => Value::text(row.organisation);
        indexed member: Text, "who ordered" => Value::text(row.member);
        indexed product: Text, "the product's code" => Value::text(&row.product);
        plain name: Text, "the product's name as sold" => Value::text(&row.name);
        plain plan: Text, "the plan's code" => Value::text(&row.terms.plan);
        plain licences: Integer, "licences in force" => Value::integer(day.licences);
        plain concluded_on: Date, "business day of conclusion" => Value::text(row.concluded_on);
        indexed starts_on: Date, "first day" => Value::text(row.starts_on);
        plain activated_on: Date, "first day of service" => Value::text_or_null(day.activated_on);
        plain term_from: Date, "first day of the term that holds"
            => Value::text_or_null(day.term.map(|term| term.from));
        plain term_to: Date, "last day of the term that holds"
            => Value::text_or_null(day.term.map(|term| term.to));
        indexed ends_on: Date, "last day, where one stands" => Value::text_or_null(day.ends_on);
        plain unit_price: Money, "of one licence a billing period, before tax"
            => Value::money(row.unit_price);
        plain penalty: Money, "penalties assessed" => Value::money(day.penalty);
        plain currency: Text, "of the amounts" => Value::text(row.unit_price.currency());
        plain billing: Text, "monthly, annual or once" => Value::name_of(&row.terms.billing);
        indexed order_id: Text, "the order that concluded it" => Value::text(row.order);
    }

    fn turning_days(row: &ContractRow, on: Date) -> Vec<Date> {
        let facts = row.quantities.days().chain(row.activated.days());
        let facts = facts.chain(row.cancellation.days()).chain(row.penalties.days());
        let steps = row.quantities.facts().map(|step| step.from); // the first one: starts_on
        let opening = row.activated.facts().copied();
        // The day after a last day, and the day on which the next term begins.
        let ends_on = row.ends_on(on);
        let after = ends_on.into_iter().chain(row.term(ends_on, on).map(|term| term.to));
        facts.chain(steps).chain(opening).chain(after.map(Date::next)).collect()
    }
}

impl ContractRow {
    fn begin(event: &ContractEvent, on: Date) -> Option<Self> {
        match event {
            ContractEvent::Concluded(concluded) => Some(Self::concluded(concluded, on)),
            ContractEvent::ServiceActivated(_)
            | ContractEvent::QuantityChanged(_)
            | ContractEvent::CancellationScheduled(_)
            | ContractEvent::PenaltyAssessed(_) => None,
        }
    }

    fn concluded(event: &ContractConcluded, on: Date) -> Self {
        let mut quantities = History::default();
        quantities.add(on, Licences { from: event.starts_on, quantity: event.quantity });
        Self {
            contract: event.contract,
            order: event.order,
            member: event.member,
            organisation: event.organisation,
            product: event.product.clone(),
            name: event.name.clone(),
            concluded_on: on,
            starts_on: event.starts_on,
            unit_price: event.unit_price,
            tax: event.tax,
            terms: event.terms.clone(),
            quantities,
            activated: History::default(),
            cancellation: History::default(),
            penalties: History::default(),
        }
    }

    fn apply(&mut self, event: &ContractEvent, on: Date) {
        match event {
            ContractEvent::Concluded(_) => {} // an id is given once
            ContractEvent::ServiceActivated(event) => self.activated.add(on, event.activated_on),
            ContractEvent::QuantityChanged(event) => {
                self.quantities.add(on, Licences { from: event.from, quantity: event.quantity });
            }
            ContractEvent::CancellationScheduled(event) => {
                let reason = event.reason.clone();
                self.cancellation.add(on, Cancellation { ends_on: event.ends_on, reason });
            }
            ContractEvent::PenaltyAssessed(event) => self.penalties.add(on, event.amount),
        }
    }

    /// The last day that is known on a day.
    fn ends_on(&self, on: Date) -> Option<Date> {
        let cancelled = self.cancellation.on(on).map(|cancellation| cancellation.ends_on);
        // A term that does not renew itself ends the contract (R73).
        let expires = self.terms.term.filter(|_| !self.terms.auto_renew).map(|term| term.to);
        cancelled.into_iter().chain(expires).min()
    }

    fn status(&self, ends_on: Option<Date>, on: Date) -> ContractStatus {
        if ends_on.is_some_and(|last| last < on) {
            ContractStatus::Ended
        } else if self.cancellation.on(on).is_some() {
            ContractStatus::Ending
        } else if self.activated.on(on).is_some_and(|first| *first <= on) {
            ContractStatus::Active
        } else {
            ContractStatus::Concluded
        }
    }

    /// Of the steps that have begun, the one that began last; of one day, the last recorded.
    fn licences(&self, ends_on: Option<Date>, on: Date) -> u32 {
        if on < self.starts_on || ends_on.is_some_and(|last| last < on) {
            return 0;
        }
        let begun = self.quantities.until(on).filter(|step| step.from <= on);
        let step = begun.max_by_key(|step| step.from.max(self.starts_on));
        step.map_or(0, |step| step.quantity.get())
    }

    /// The term that holds on a day, or did on the last.
    fn term(&self, ends_on: Option<Date>, on: Date) -> Option<Period> {
        let first = self.terms.term?;
        let on = ends_on.map_or(on, |last| last.min(on));
        Some(if self.terms.auto_renew { Term::recorded(first).holding(on) } else { first })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{day, given};
    use daicho_events::contract::{CancellationScheduled, QuantityChanged, ServiceActivated};
    use daicho_values::Sample;

    /// Five licences from day 30, a term of thirty days.
    fn concluded(auto_renew: bool) -> ContractConcluded {
        let term = Period::new(day(30), day(59));
        ContractConcluded {
            starts_on: day(30),
            quantity: Quantity::new(5).unwrap(),
            terms: ContractTerms { term, auto_renew, ..Sample::sample() },
            ..Sample::sample()
        }
    }

    fn activated(activated_on: Date) -> ServiceActivated {
        ServiceActivated { activated_on, ..Sample::sample() }
    }

    fn changed(quantity: i64, from: Date) -> QuantityChanged {
        let quantity = Quantity::new(quantity).unwrap();
        QuantityChanged { quantity, from, ..Sample::sample() }
    }

    fn cancelled(ends_on: Date) -> CancellationScheduled {
        CancellationScheduled { ends_on, ..Sample::sample() }
    }

    #[test]
    fn a_contract_is_concluded_until_its_service_is_open_r72() {
        given::<Contracts>()
            .on(day(1), concluded(true))
            .on(day(20), activated(day(33)))
            .then(day(29), |contract| assert_eq!(contract.licences, 0))
            .then(day(30), |contract| assert_eq!(contract.licences, 5))
            .then(day(32), |contract| assert_eq!(contract.status, ContractStatus::Concluded))
            .then(day(33), |contract| assert_eq!(contract.status, ContractStatus::Active))
            .then_next_change(day(20), Some(day(30)))
            .then_next_change(day(30), Some(day(33)));
    }

    #[test]
    fn licences_change_on_the_day_of_the_change_and_not_on_that_of_its_recording_r74() {
        given::<Contracts>()
            .on(day(1), concluded(true))
            .on(day(35), changed(8, day(40)))
            .then(day(39), |contract| assert_eq!(contract.licences, 5))
            .then(day(40), |contract| assert_eq!(contract.licences, 8));
    }

    #[test]
    fn a_change_recorded_later_for_an_earlier_day_does_not_undo_the_later_change_r75() {
        given::<Contracts>()
            .on(day(1), concluded(true))
            .on(day(35), changed(8, day(50)))
            .on(day(36), changed(3, day(40)))
            .then(day(49), |contract| assert_eq!(contract.licences, 3))
            .then(day(50), |contract| assert_eq!(contract.licences, 8));
    }

    #[test]
    fn a_term_that_renews_itself_is_followed_by_the_next_r73() {
        given::<Contracts>()
            .on(day(1), concluded(true))
            .then(day(1), |contract| assert_eq!(contract.term, Period::new(day(30), day(59))))
            .then(day(60), |contract| assert_eq!(contract.term, Period::new(day(60), day(89))))
            .then(day(60), |contract| assert_eq!(contract.ends_on, None))
            .then_next_change(day(60), Some(day(90)));
    }

    #[test]
    fn a_term_that_does_not_renew_itself_ends_the_contract_r73() {
        given::<Contracts>()
            .on(day(1), concluded(false))
            .on(day(30), activated(day(30)))
            .then(day(59), |contract| assert_eq!(contract.status, ContractStatus::Active))
            .then(day(59), |contract| assert_eq!(contract.ends_on, Some(day(59))))
            .then(day(60), |contract| assert_eq!(contract.status, ContractStatus::Ended))
            .then(day(60), |contract| assert_eq!(contract.licences, 0))
            .then_next_change(day(60), None);
    }

    #[test]
    fn a_cancelled_contract_is_ending_until_its_last_day_r76() {
        given::<Contracts>()
            .on(day(1), concluded(true))
            .on(day(30), activated(day(30)))
            .on(day(65), cancelled(day(80)))
            .then(day(64), |contract| assert_eq!(contract.status, ContractStatus::Active))
            .then(day(65), |contract| assert_eq!(contract.status, ContractStatus::Ending))
            .then(day(80), |contract| assert_eq!(contract.licences, 5))
            .then(day(81), |contract| assert_eq!(contract.status, ContractStatus::Ended))
            .then(day(200), |contract| assert_eq!(contract.term, Period::new(day(60), day(89))));
    }
}
