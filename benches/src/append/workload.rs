//! The appends of a workload: real events, one an append, each with a condition and a request id.
//! All of it is made before the clock starts.

use daicho_events::Event;
use daicho_events::billing::{Allocation, PaymentReceived};
use daicho_events::contract::ContractConcluded;
use daicho_store::{Append, Condition, NewEvent, Query, QueryItem, Request};
use daicho_values::{Date, InvoiceNumber, OrganisationId, Sample, Tag};

use crate::digest::RecordDigest;
use crate::error::BenchError;
use crate::random::Random;

/// Organisations among which the events are spread.
const ORGANISATIONS: u64 = 5_000;
/// Sets the ids of the organisations apart from what else the seed gives.
const ORGANISATIONS_SEED: u64 = 0x0A11_CE00_0000_0000;

/// Appends with one event each.
pub(crate) struct Workload {
    pub(crate) appends: Vec<Append>,
}

impl Workload {
    /// `events` appends: contracts concluded and payments received in turn.
    pub(crate) fn generate(seed: u64, events: u64) -> Result<Self, BenchError> {
        let mut random = Random::new(seed);
        let appends =
            (0..events).map(|number| append(&mut random, number)).collect::<Result<_, _>>();
        Ok(Self { appends: appends? })
    }

    /// The same events without conditions and requests, `batch` an append: a bulk import.
    pub(crate) fn in_batches(self, batch: usize) -> Self {
        let mut events = self.appends.into_iter().flat_map(|append| append.events).peekable();
        let mut appends = Vec::new();
        while events.peek().is_some() {
            let events = events.by_ref().take(batch.max(1)).collect();
            appends.push(Append { events, condition: None, request: None });
        }
        Self { appends }
    }

    /// What the record must hold in the end.
    pub(crate) fn digest(&self) -> RecordDigest {
        let events = self.appends.iter().flat_map(|append| &append.events);
        RecordDigest::of(events.map(|event| event.data_sha256).collect())
    }

    /// Bytes of data and tags of an event, on average.
    pub(crate) fn shape(&self) -> (f64, f64) {
        let events = || self.appends.iter().flat_map(|append| &append.events);
        let count = events().count().max(1) as f64;
        let bytes: usize = events().map(|event| event.data.len()).sum();
        let tags: usize = events().map(|event| event.tags.len()).sum();
        (bytes as f64 / count, tags as f64 / count)
    }
}

fn append(random: &mut Random, number: u64) -> Result<Append, BenchError> {
    let organisation = organisation(random);
    let (event, subject) = if number.is_multiple_of(2) {
        contract(random, organisation)
    } else {
        payment(random, organisation)?
    };
    let item = QueryItem { types: Vec::new(), tags: vec![subject.as_str().to_owned()] };
    Ok(Append {
        events: vec![stored(&event)],
        // Nothing about it was ever recorded: the whole book is asked.
        condition: Some(Condition { query: Query { items: vec![item] }, after: 0 }),
        request: Some(Request {
            id: format!("{:032x}", u128::from(random.next()) << 64 | u128::from(random.next())),
            hash: hex::encode(NewEvent::hash_data(subject.as_str())),
        }),
    })
}

fn organisation(random: &mut Random) -> OrganisationId {
    Random::new(ORGANISATIONS_SEED + random.below(ORGANISATIONS)).id()
}

fn contract(random: &mut Random, organisation: OrganisationId) -> (Event, Tag) {
    let data = ContractConcluded {
        contract: random.id(),
        order: random.id(),
        member: random.id(),
        organisation,
        ..ContractConcluded::sample()
    };
    let subject = data.contract.tag();
    (Event::Contract(data.into()), subject)
}

fn payment(random: &mut Random, organisation: OrganisationId) -> Result<(Event, Tag), BenchError> {
    let number = format!("R{:08}", random.below(100_000_000));
    let invoice =
        InvoiceNumber::new(&number).map_err(|error| BenchError::Wrong(error.to_string()))?;
    let allocation = Allocation { invoice, ..Allocation::sample() };
    let data = PaymentReceived {
        payment: random.id(),
        organisation,
        allocations: vec![allocation],
        ..PaymentReceived::sample()
    };
    let subject = data.payment.tag();
    Ok((Event::Billing(data.into()), subject))
}

/// An event as the store takes it.
pub(crate) fn stored(event: &Event) -> NewEvent {
    let (event_type, data) = (event.event_type(), event.to_json());
    NewEvent {
        type_name: event_type.name.to_owned(),
        version: event_type.version,
        effective_on: Date::sample().to_string(),
        tags: event.tags().iter().map(|tag| tag.as_str().to_owned()).collect(),
        actor: "system:benches".to_owned(),
        on_behalf_of: None,
        cause: None,
        data_sha256: NewEvent::hash_data(&data),
        data,
    }
}
