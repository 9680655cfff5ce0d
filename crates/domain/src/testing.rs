//! Given / when / then: a history of commands or events, one command, and its expected result.
//!
//! The harness gives a decision only what its query names, as the store does, so a query that
//! forgets something fails the test.

use std::collections::BTreeSet;

use daicho_events::{Actor, Event, Header, NewEvent, Position, Query, QueryItem, Reach, Recorded};
use daicho_values::{
    Currency, Date, DatedTaxRate, IssuerNumber, LocalTime, Login, Money, Name, Sample, TaxCategory,
    TaxRate, Timestamp,
};

use crate::frame::{self, Known, Refused};
use crate::shop::OpenBook;
use crate::{Command, Moment, QUERY_ROUNDS_MAX, Rejection};

/// A step of the history: an event as such, or what a command decided on the history so far.
pub(crate) struct Step(Box<dyn FnOnce(&mut History)>);

/// What happened so far, and the clock.
pub(crate) struct History {
    events: Vec<Recorded>,
    now: Timestamp,
    actor: Actor,
    entropy: u128,
}

impl<C: Command> From<C> for Step {
    #[track_caller]
    fn from(command: C) -> Self {
        Self(Box::new(move |history| {
            let events = history.decide(&command).expect("a command of the history is accepted");
            history.record(events);
        }))
    }
}

/// An event as such, effective on the day of recording.
pub(crate) fn event(event: impl Into<Event>) -> Step {
    let event = event.into();
    Step(Box::new(move |history| {
        let today = Date(
            history
                .now
                .in_zone(&"Asia/Tokyo".parse::<daicho_values::TimeZone>().unwrap().rules())
                .date(),
        );
        history.record(vec![NewEvent::on(today, event)]);
    }))
}

/// Sets the clock, e.g. `2026-05-11T13:00`, in the shop's zone (Asia/Tokyo).
pub(crate) fn at(local: &str) -> Step {
    let local = local.to_owned();
    Step(Box::new(move |history| history.now = instant(&local)))
}

/// From here on this actor acts; before, a person of the shop's staff does.
pub(crate) fn by(actor: Actor) -> Step {
    Step(Box::new(move |history| history.actor = actor))
}

fn instant(local: &str) -> Timestamp {
    format!("{local}:00+09:00").parse().unwrap()
}

/// The history; the clock begins on Monday 2026-05-11 at 10:00 in Tokyo.
pub(crate) fn given(steps: impl IntoIterator<Item = Step>) -> History {
    let mut history = History {
        events: Vec::new(),
        now: instant("2026-05-11T10:00"),
        actor: Actor::Staff(Login::sample()),
        entropy: 0,
    };
    for step in steps {
        (step.0)(&mut history);
    }
    history
}

impl History {
    /// What happened so far.
    pub(crate) fn recorded(&self) -> &[Recorded] {
        &self.events
    }

    /// Decides one more command.
    pub(crate) fn when<C: Command>(self, command: C) -> Outcome<C> {
        let mut history = self;
        Outcome(history.decide(&command))
    }

    fn decide<C: Command>(&mut self, command: &C) -> Result<Vec<NewEvent>, Refused<C::Rejection>> {
        self.entropy += 1_000;
        let moment = Moment { now: self.now, actor: self.actor.clone(), entropy: self.entropy };
        let mut query = frame::query(command, &Known::default(), &moment.actor);
        for _ in 0..QUERY_ROUNDS_MAX {
            let mut known = Known::<C::State>::default();
            self.matching(&query).for_each(|event| known.apply(event));
            let next = frame::query(command, &known, &moment.actor);
            if next == query {
                return frame::decide(command, &known, &moment);
            }
            query = next;
        }
        panic!("the query still grows after {QUERY_ROUNDS_MAX} rounds");
    }

    /// What the query names, in the order of positions, each once.
    fn matching(&self, query: &Query) -> impl Iterator<Item = &Recorded> {
        let positions: BTreeSet<usize> =
            query.items.iter().flat_map(|item| self.positions(item)).collect();
        positions.into_iter().map(|position| &self.events[position])
    }

    fn positions(&self, item: &QueryItem) -> Vec<usize> {
        let matches = |recorded: &Recorded| {
            let (tags, name) = (recorded.event.tags(), recorded.event.event_type().name);
            (item.types.is_empty() || item.types.contains(&name))
                && item.tags.iter().all(|tag| tags.contains(tag))
        };
        let mut all = (0..self.events.len()).filter(|position| matches(&self.events[*position]));
        match item.reach {
            Reach::All => all.collect(),
            Reach::Last => all.next_back().into_iter().collect(),
        }
    }

    fn record(&mut self, events: Vec<NewEvent>) {
        for new in events {
            let header = Header {
                position: Position(self.events.len() as u64 + 1),
                recorded_at: self.now,
                effective_on: new.effective_on,
                actor: self.actor.clone(),
                on_behalf_of: None,
                cause: None,
            };
            self.events.push(Recorded { header, event: new.event });
        }
    }
}

/// The result of the command.
pub(crate) struct Outcome<C: Command>(Result<Vec<NewEvent>, Refused<C::Rejection>>);

impl<C: Command> Outcome<C> {
    /// Exactly these events, whatever their day.
    #[track_caller]
    pub(crate) fn then(self, expected: impl IntoIterator<Item = Event>) {
        let events: Vec<Event> = self.events().into_iter().map(|new| new.event).collect();
        assert_eq!(events, expected.into_iter().collect::<Vec<_>>());
    }

    /// Events of exactly these types.
    #[track_caller]
    pub(crate) fn then_types<const N: usize>(self, expected: [&str; N]) {
        let events = self.events();
        let types: Vec<&str> = events.iter().map(|new| new.event.event_type().name).collect();
        assert_eq!(types, expected);
    }

    /// The events, for a closer look.
    #[track_caller]
    pub(crate) fn events(self) -> Vec<NewEvent> {
        match self.0 {
            Ok(events) => events,
            Err(rejection) => panic!("rejected as {}: {rejection}", rejection.code()),
        }
    }

    /// Rejected with this code.
    #[track_caller]
    pub(crate) fn then_rejected(self, code: &str) {
        match self.0 {
            Ok(events) => panic!("expected the rejection {code}, got {events:#?}"),
            Err(rejection) => assert_eq!(rejection.code(), code, "{rejection}"),
        }
    }
}

/// Yen.
pub(crate) fn yen(amount: i64) -> Money {
    Money::parse(&amount.to_string(), Currency::Jpy).unwrap()
}

/// A date.
pub(crate) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// A book like the seeds' shops: yen, 13:00, links of 30 minutes, main registration by staff.
pub(crate) fn open_book() -> OpenBook {
    let rate =
        |category, rate| DatedTaxRate { category, from: day("2019-10-01"), rate: TaxRate(rate) };
    let name = Name::new("Business Online Shop").unwrap();
    OpenBook {
        verification_minutes: Some(30),
        main_registration: true,
        barcode_below: Some(yen(300_000)),
        cutoff: Some(LocalTime::sample()),
        tax_rates: vec![rate(TaxCategory::Standard, 1_000), rate(TaxCategory::Reduced, 800)],
        issuer: Some(IssuerNumber::sample()),
        ..OpenBook::of(name, Currency::Jpy, Sample::sample())
    }
}
