//! The world of a simulated shop: what is kept in memory of it, and the loop over its agenda.

use std::collections::BTreeMap;

use daicho_app::{Context, ExecuteError, Executed, Ledger, Progress};
use daicho_domain::Command;
use daicho_events::product::PaymentMethod;
use daicho_events::{Actor, Recorded};
use daicho_values::calendar::{BusinessCalendar, ClosedDays};
use daicho_values::{
    Currency, Date, InvoiceNumber, Login, MemberId, Money, Month, OrganisationId, Timestamp,
};

use crate::agenda::{Agenda, CustomerPlace, Step};
use crate::catalogue::Product;
use crate::chance::Chance;
use crate::clock_and_entropy::SimulatedClock;
use crate::contracts::Running;
use crate::days::{at, day_of, hour};
use crate::pace::Pace;
use crate::summary::{Summary, Tally};
use crate::{Options, SimulateError};

/// Microseconds that pass with a command, at most.
const COMMAND_US_MAX: u32 = 60_000;
/// When the last evening is.
const LAST_EVENING: u32 = hour(21);
/// After this nothing happens any more on the last day.
const LIGHTS_OUT: u32 = hour(23);
/// Visits of the last evening, for each event that is missing.
const LAST_VISITS: u64 = 4;
/// Of a thousand visits, those of an organisation that is new; and while there are few customers.
const ARRIVALS_PER_MILLE: u32 = 220;
const CUSTOMERS_FEW: usize = 4;
/// Share of a day's visits that remains on a closed day.
const CLOSED_DAY_DIVISOR: u64 = 4;

/// Who pays when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    Punctual,
    Late,
    Never,
}

/// What is remembered of a customer.
#[derive(Debug)]
pub(crate) struct Customer {
    pub(crate) organisation: OrganisationId,
    pub(crate) administrator: MemberId,
    pub(crate) colleague: Option<MemberId>,
    pub(crate) method: PaymentMethod,
    pub(crate) habit: Habit,
    pub(crate) contracts: Vec<Running>,
    /// Months with goods delivered and not invoiced yet.
    pub(crate) goods_months: Vec<Month>,
}

/// A simulated shop.
pub(crate) struct World<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) clock: &'a SimulatedClock,
    pub(crate) chance: Chance,
    pub(crate) agenda: Agenda,
    pub(crate) pace: Pace,
    pub(crate) calendar: BusinessCalendar,
    pub(crate) products: Vec<Product>,
    pub(crate) customers: Vec<Customer>,
    /// Organisations that came, whether or not they became customers.
    pub(crate) arrivals: u64,
    /// What was credited on invoices that are not paid yet.
    pub(crate) credited: BTreeMap<InvoiceNumber, i64>,
    pub(crate) goal: u64,
    head: u64,
    tally: Tally,
}

impl<'a> World<'a> {
    pub(crate) fn new(ledger: &'a Ledger, clock: &'a SimulatedClock, options: &Options) -> Self {
        let last = day_of(options.until).previous();
        Self {
            ledger,
            clock,
            chance: Chance::new(options.seed),
            agenda: Agenda::default(),
            pace: Pace::ending(last, options.events),
            calendar: BusinessCalendar::new(ClosedDays::Bank),
            products: Vec::new(),
            customers: Vec::new(),
            arrivals: 0,
            credited: BTreeMap::new(),
            goal: options.events,
            head: 0,
            tally: Tally::default(),
        }
    }

    /// Opens the shop and follows the agenda until the book holds enough, or the time is over.
    pub(crate) async fn live(&mut self, progress: &dyn Progress) -> Result<(), SimulateError> {
        let lights_out = at(self.pace.last, LIGHTS_OUT);
        self.open().await?;
        self.agenda.enter(at(self.pace.last, LAST_EVENING), Step::LastEvening);
        while !self.is_done()
            && let Some((instant, step)) = self.agenda.next()
            && instant < lights_out
        {
            self.clock.move_to(instant);
            self.take(step, progress).await?;
        }
        progress.at(self.head);
        Ok(())
    }

    async fn take(&mut self, step: Step, progress: &dyn Progress) -> Result<(), SimulateError> {
        match step {
            Step::Day(day) => {
                progress.at(self.head.min(self.goal));
                self.begin_day(day)
            }
            Step::Catalogue(change) => self.change_catalogue(change).await,
            Step::Arrival => self.arrive().await,
            Step::Request(applicant) => self.request(applicant).await,
            Step::Verify(applicant, member) => self.verify(applicant, member).await,
            Step::Complete(applicant, member) => self.complete(applicant, member).await,
            Step::Visit(place) => self.visit(place).await,
            Step::TakeUp(place, quote) => self.take_up(place, quote).await,
            Step::Withdraw(place, quote) => self.withdraw(place, quote).await,
            Step::Regret(sale) => self.regret(sale).await,
            Step::Accept(sale) => self.accept(sale).await,
            Step::FixDelivery(sale) => self.fix_delivery(sale).await,
            Step::Confirm(sale) => self.confirm(sale).await,
            Step::Fulfil(sale) => self.fulfil(sale).await,
            Step::Return(sale) => self.accept_return(sale).await,
            Step::Credit(goods_return) => self.credit(goods_return).await,
            Step::Activate(contract, on) => self.activate(contract, on).await,
            Step::Review(place, contract) => self.review(place, contract).await,
            Step::Bill(month) => self.bill(month).await,
            Step::Pay(bill) => self.pay(bill).await,
            Step::LastEvening => self.last_evening().await,
        }
    }

    /// Enters the visits of a day, and the day after.
    fn begin_day(&mut self, day: Date) -> Result<(), SimulateError> {
        let foreseen = self.head + self.agenda.foreseen();
        let mut visits = self.pace.visits(day, foreseen, &mut self.chance);
        if !self.calendar.is_open(day.0)? {
            visits /= CLOSED_DAY_DIVISOR;
        }
        for _ in 0..visits {
            let instant = at(day, hour(8) + self.chance.below(hour(14)));
            let step = self.visitor();
            self.agenda.enter(instant, step);
        }
        self.agenda.enter(at(day.next(), 0), Step::Day(day.next()));
        Ok(())
    }

    fn visitor(&mut self) -> Step {
        let is_new = self.chance.per_mille(ARRIVALS_PER_MILLE);
        match self.chance.place(self.customers.len()) {
            Some(place) if !is_new && self.customers.len() >= CUSTOMERS_FEW => Step::Visit(place),
            Some(_) | None => Step::Arrival,
        }
    }

    /// Bursts at the very end may have left some events out: customers ask for quotes.
    async fn last_evening(&mut self) -> Result<(), SimulateError> {
        let missing = self.goal.saturating_sub(self.head);
        for _ in 0..missing.saturating_mul(LAST_VISITS) {
            if let Some(place) = self.chance.place(self.customers.len())
                && !self.is_done()
            {
                self.visit(place).await?;
            }
        }
        Ok(())
    }

    /// Whether the book holds enough.
    pub(crate) fn is_done(&self) -> bool {
        self.head >= self.goal
    }

    /// Today, in the shop's zone.
    pub(crate) fn today(&self) -> Date {
        day_of(self.clock.now())
    }

    /// Some minutes from now.
    pub(crate) fn in_minutes(&mut self, low: u32, high: u32) -> Timestamp {
        let minutes = self.chance.between(low, high);
        self.clock.now().plus_minutes(minutes)
    }

    /// A time of the morning so many open days after a day; 0: that day, or the next open one.
    pub(crate) fn office_morning(
        &mut self,
        day: Date,
        open_days: u32,
    ) -> Result<Timestamp, SimulateError> {
        let open = Date(self.calendar.add_business_days(day.0, open_days)?);
        let minute = hour(9) + self.chance.below(hour(3));
        Ok(at(open, minute))
    }

    /// A time of the day so many days from today.
    pub(crate) fn in_days(&mut self, low: u32, high: u32) -> Timestamp {
        let day = self.today().plus_days(self.chance.between(low, high));
        let minute = hour(9) + self.chance.below(hour(11));
        at(day, minute)
    }

    pub(crate) fn customer(&self, place: CustomerPlace) -> Option<&Customer> {
        self.customers.get(place)
    }

    /// A member of the shop's staff, or one of its programs.
    pub(crate) fn staff(login: &str) -> Result<Actor, SimulateError> {
        Ok(Actor::Staff(Login::new(login)?))
    }

    /// An amount of the shop's currency.
    pub(crate) fn yen(amount: i64) -> Result<Money, SimulateError> {
        Ok(Money::parse(&amount.to_string(), Currency::Jpy)?)
    }

    /// Gives a command that no rule may refuse.
    pub(crate) async fn must<C>(
        &mut self,
        actor: Actor,
        command: &C,
    ) -> Result<Vec<Recorded>, SimulateError>
    where
        C: Command,
        C::State: Send,
    {
        Ok(self.may(actor, command, &[]).await?.unwrap_or_default())
    }

    /// Gives a command that may be refused by certain rules; `None` where it was.
    pub(crate) async fn may<C>(
        &mut self,
        actor: Actor,
        command: &C,
        refusals: &[&'static str],
    ) -> Result<Option<Vec<Recorded>>, SimulateError>
    where
        C: Command,
        C::State: Send,
    {
        self.clock.pass(1 + self.chance.below(COMMAND_US_MAX));
        let outcome = self.ledger.decisions().execute(command, &Context::of(actor)).await;
        self.settle(C::NAME, outcome, refusals)
    }

    /// Counts what a command came to.
    pub(crate) fn settle(
        &mut self,
        command: &'static str,
        outcome: Result<Executed, ExecuteError>,
        refusals: &[&'static str],
    ) -> Result<Option<Vec<Recorded>>, SimulateError> {
        match outcome {
            Ok(executed) => {
                self.head = executed.last.0;
                executed.events.iter().for_each(|event| self.tally.recorded(event));
                Ok(Some(executed.events))
            }
            Err(refused) if refusals.contains(&refused.code()) => {
                self.tally.rejected(refused.code());
                Ok(None)
            }
            Err(error) => {
                let (code, at) = (error.code(), self.clock.now());
                Err(SimulateError::Unexpected { command, code, at, source: Box::new(error) })
            }
        }
    }

    pub(crate) fn summary(&self) -> Summary {
        self.tally.summary(self.pace.first, self.today())
    }
}
