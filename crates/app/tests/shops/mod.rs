//! Three shops at work: the main course of each, from registration to payment, from which fixtures
//! are recorded. Every step runs as an outside caller runs it, at a time that it names.

mod office_supplies;
mod software_market;
mod telecom_shop;

use std::path::Path;
use std::sync::Arc;

use daicho_app::{
    Books, ClockAndEntropy, CommandRequest, Context, Executed, Ledger, Preset, SOFTWARE, preset,
};
use daicho_domain::Decision;
use daicho_events::contract::ContractEvent;
use daicho_events::{Actor, Event};
use daicho_store::{Append, Log, NewEvent, Options, sqlite};
use daicho_values::Currency;
use serde_json::{Value, json};

use crate::support::{StandingClock, book_name, clock_at, name, staff};

/// A shop to open: its preset and settings, and the days on which it is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Story {
    pub preset: Preset,
    /// Days besides the last one for which the lists are checked.
    pub days: [&'static str; 3],
    name: &'static str,
    opened_at: &'static str,
    opening: Opening,
}

/// Which release opened the book.
#[derive(Debug, Clone, Copy)]
enum Opening {
    /// This release.
    Today,
    /// A release that wrote `shop.configured` as version 1, with this data.
    Version1(&'static str),
}

pub const STORIES: [Story; 3] =
    [telecom_shop::STORY, office_supplies::STORY, software_market::STORY];

/// A shop at work.
pub struct Shop {
    pub ledger: Ledger,
    clock: Arc<StandingClock>,
    requests: u32,
}

/// Runs a story in a new book below `folder`.
pub async fn live(story: &Story, folder: &Path) -> Ledger {
    let (clock, clock_and_entropy) = clock_at(story.opened_at);
    let ledger = open(story, folder, clock_and_entropy).await;
    let mut shop = Shop { ledger, clock, requests: 0 };
    match story.preset {
        Preset::TelecomShop => telecom_shop::live(&mut shop).await,
        Preset::OfficeSupplies => office_supplies::live(&mut shop).await,
        Preset::SoftwareMarket => software_market::live(&mut shop).await,
        Preset::Wholesale => panic!("the wholesaler imports and has no story"),
    }
    shop.ledger
}

async fn open(story: &Story, folder: &Path, clock_and_entropy: ClockAndEntropy) -> Ledger {
    let books = Books::in_folder(folder);
    let ledger = books.create(&book_name(), clock_and_entropy.clone()).await.unwrap();
    let command = preset(story.preset, name(story.name), Currency::Jpy).unwrap();
    let Opening::Version1(configured) = story.opening else {
        ledger.decisions().execute(&command, &Context::of(staff())).await.unwrap();
        return ledger;
    };
    let folder = ledger.folder().unwrap().to_owned();
    ledger.close().await;
    let events = command.decide(&Default::default(), &clock_and_entropy.moment(staff())).unwrap();
    let events = events.iter().map(|new| {
        let (event_type, mut data) = (new.event.event_type(), new.event.to_json());
        let mut version = event_type.version;
        if event_type.name == "shop.configured" {
            (version, data) = (1, configured.to_owned());
        }
        NewEvent {
            type_name: event_type.name.to_owned(),
            version,
            effective_on: new.effective_on.to_string(),
            tags: new.event.tags().iter().map(|tag| tag.as_str().to_owned()).collect(),
            actor: staff().to_string(),
            on_behalf_of: None,
            cause: None,
            data_sha256: NewEvent::hash_data(&data),
            data,
        }
    });
    let append = Append { events: events.collect(), condition: None, request: None };
    let options = Options { clock: Arc::clone(&clock_and_entropy.clock), ..Options::new(SOFTWARE) };
    let book = sqlite::open_book(&folder, options).await.unwrap();
    book.append(append).await.unwrap();
    book.close().await;
    books.open(&book_name(), clock_and_entropy).await.unwrap()
}

/// An id that is easy to read in a fixture.
pub fn id(number: u32) -> String {
    format!("01KD{number:022}")
}

pub fn yen(amount: u32) -> Value {
    json!({ "amount": amount.to_string(), "currency": "JPY" })
}

/// Purchase rules that allow everything except an early end without a penalty.
pub fn rules(payment_method: &str) -> Value {
    json!({
        "quantity_max": 500, "desired_start": true, "licence_addition": true,
        "licence_reduction": "without_refund", "cancellation": "until_confirmed",
        "notice_days": 30, "penalty": "remaining_term", "payment_methods": [payment_method],
    })
}

impl Shop {
    /// Moves the clock.
    pub fn at(&self, time: &str) {
        self.clock.set(time);
    }

    /// Runs a command as the shop's staff.
    pub async fn staff(&mut self, command: &str, data: Value) -> Executed {
        self.run(staff(), command, data).await
    }

    /// Runs a command as a member.
    pub async fn member(&mut self, member: u32, command: &str, data: Value) -> Executed {
        let actor = format!("member:{}", id(member)).parse().unwrap();
        self.run(actor, command, data).await
    }

    /// Every request has an id, as callers give one that may repeat a request.
    async fn run(&mut self, actor: Actor, command: &str, data: Value) -> Executed {
        let Value::Object(data) = data else { panic!("{command} takes an object") };
        self.requests += 1;
        let request = Some(format!("request-{}", self.requests));
        let named = command.to_owned();
        let request = CommandRequest { request, ..CommandRequest::new(&named, actor, data) };
        let done = self.ledger.commands().run(request).await;
        done.unwrap_or_else(|error| panic!("{command}: {} ({error})", error.code()))
    }

    /// Registers an organisation with one person, up to the mailed link.
    pub async fn register(&mut self, organisation: u32, member: u32, person: Person) {
        let data = json!({
            "organisation": id(organisation), "name": person.company,
            "corporate_number": person.corporate_number, "country": "Japan",
        });
        self.staff("organisation.register", data).await;
        self.join(organisation, member, person).await;
    }

    /// Requests the registration of one more person.
    pub async fn join(&mut self, organisation: u32, member: u32, person: Person) {
        let data = json!({
            "member": id(member), "organisation": id(organisation), "name": person.name,
            "email": person.email, "phone": person.phone, "role": person.role,
        });
        self.member(member, "member.request_registration", data).await;
    }

    /// Bills a month and closes it.
    pub async fn bill(&mut self, organisation: u32, month: &str) {
        let data = json!({ "month": month, "organisation": id(organisation) });
        self.staff("billing.issue_invoice", data).await;
        self.staff("billing.close_month", json!({ "month": month })).await;
    }

    /// Organisation 1 pays an invoice, in whole or in part.
    pub async fn pay(&mut self, payment: u32, received_on: &str, channel: &str, paid: (&str, u32)) {
        let (invoice, amount) = paid;
        let data = json!({
            "payment": id(payment), "organisation": id(1), "amount": yen(amount),
            "received_on": received_on, "channel": channel,
            "allocations": [{ "invoice": invoice, "amount": yen(amount) }],
        });
        self.staff("billing.record_payment", data).await;
    }

    /// Takes an order from acceptance to confirmation; returns the resulting contracts.
    pub async fn take_order(&mut self, order: u32, delivery_on: &str) -> Vec<String> {
        self.staff("order.accept", json!({ "order": id(order) })).await;
        let data = json!({ "order": id(order), "delivery_on": delivery_on });
        self.staff("order.fix_delivery", data).await;
        contracts(&self.staff("order.confirm", json!({ "order": id(order) })).await)
    }
}

/// An invented person.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    pub company: &'static str,
    pub corporate_number: Option<&'static str>,
    pub name: &'static str,
    pub email: &'static str,
    pub phone: Option<&'static str>,
    pub role: &'static str,
}

fn contracts(executed: &Executed) -> Vec<String> {
    let concluded = executed.events.iter().filter_map(|recorded| {
        let Event::Contract(ContractEvent::Concluded(event)) = &recorded.event else { return None };
        Some(event.contract.to_string())
    });
    concluded.collect()
}
