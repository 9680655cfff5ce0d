//! disintegrate on PostgreSQL: the ids of an event are columns with an index each. Checked is its
//! append with a query (one transaction at SERIALIZABLE, done again where it was refused though
//! nothing stood against it); the fastest way is its append without validation.

use daicho_events::Event;
use disintegrate::{
    DomainId, DomainIdInfo, DomainIdSet, Event as Streamed, EventInfo, EventSchema, EventStore,
    Identifier, IdentifierType, IntoIdentifierValue as _, StreamItem, StreamQuery, ident, query,
    serde::json::Json,
};
use disintegrate_postgres::{Error, PgEventId, PgEventStore};
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use sqlx_08::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use crate::cqrs;
use crate::error::PeerError;
use crate::facts::Fact;
use crate::measure::{About, Store, version};

/// Times that an append is done again before it is given up.
const ATTEMPTS: u32 = 1_000;

/// The two types of the facts.
const CONCLUDED: &str = "contract.concluded";
const PAID: &str = "billing.payment_received";

/// The kinds of ids that the facts carry, and their columns.
const CONTRACT: Identifier = ident!(#contract);
const INVOICE: Identifier = ident!(#invoice);
const MEMBER: Identifier = ident!(#member);
const ORDER: Identifier = ident!(#order_id);
const ORGANISATION: Identifier = ident!(#organisation);
const PAYMENT: Identifier = ident!(#payment);

const fn text(ident: Identifier) -> DomainIdInfo {
    DomainIdInfo { ident, type_info: IdentifierType::String }
}

/// A fact as disintegrate takes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Said(Event);

impl Streamed for Said {
    const SCHEMA: EventSchema = EventSchema {
        events: &[CONCLUDED, PAID],
        events_info: &[
            &EventInfo {
                name: CONCLUDED,
                domain_ids: &[&CONTRACT, &ORDER, &MEMBER, &ORGANISATION],
            },
            &EventInfo { name: PAID, domain_ids: &[&PAYMENT, &ORGANISATION, &INVOICE] },
        ],
        domain_ids: &[
            &text(CONTRACT),
            &text(INVOICE),
            &text(MEMBER),
            &text(ORDER),
            &text(ORGANISATION),
            &text(PAYMENT),
        ],
    };

    fn domain_ids(&self) -> DomainIdSet {
        let mut ids = DomainIdSet::default();
        for tag in self.0.tags() {
            if let Some(id) = id_of(tag.as_str()) {
                ids.insert(id);
            }
        }
        ids
    }

    fn name(&self) -> &'static str {
        self.0.event_type().name
    }
}

fn id_of(tag: &str) -> Option<DomainId> {
    let (kind, value) = tag.split_once(':')?;
    let all = [
        ("contract", CONTRACT),
        ("invoice", INVOICE),
        ("member", MEMBER),
        ("order", ORDER),
        ("organisation", ORGANISATION),
        ("payment", PAYMENT),
    ];
    let (_, key) = all.into_iter().find(|(name, _)| *name == kind)?;
    Some(DomainId { key, value: value.into_identifier_value() })
}

/// What nothing may have been recorded about.
fn about(subject: &str) -> StreamQuery<PgEventId, Said> {
    let id = subject.split_once(':').map_or("", |(_, id)| id);
    // A type without that id would match whatever it says.
    if subject.starts_with("contract:") {
        query!(Said; contract == id).exclude_events(&[PAID])
    } else {
        query!(Said; payment == id).exclude_events(&[CONCLUDED])
    }
}

/// disintegrate with its pool.
pub(crate) struct Disintegrate {
    store: PgEventStore<Said, Json<Said>>,
    checked: bool,
    about: About,
}

/// disintegrate on PostgreSQL with a connection a writer.
pub(crate) async fn open(
    url: &str,
    writers: usize,
    checked: bool,
) -> Result<Disintegrate, PeerError> {
    // Its migration holds a literal that PostgreSQL 15 does not know yet: it is not looked at until
    // it is put right below.
    let options: PgConnectOptions = url.parse().map_err(PeerError::of)?;
    let pool: PgPool = PgPoolOptions::new()
        .max_connections(crate::connections::connections(writers))
        .connect_with(options.options([("check_function_bodies", "off")]))
        .await
        .map_err(PeerError::of)?;
    let way = if checked { "append" } else { "append_without_validation" };
    let about = About {
        who: format!(
            "disintegrate {}, disintegrate-postgres {}, {way}",
            version("disintegrate"),
            version("disintegrate-postgres")
        ),
        storage: format!("PostgreSQL {}", cqrs::setting(&pool, "server_version").await?),
        durability: cqrs::durability(&pool).await?,
    };
    let store = PgEventStore::try_new(pool.clone(), Json::default()).await;
    let store = store.map_err(PeerError::of)?;
    put_literal_right(&pool).await?;
    Ok(Disintegrate { store, checked, about })
}

/// The function of its migration with the literal as every PostgreSQL reads it.
async fn put_literal_right(pool: &PgPool) -> Result<(), PeerError> {
    let function: String =
        sqlx_08::query_scalar("SELECT pg_get_functiondef('event_store_begin_epoch'::regproc)")
            .fetch_one(pool)
            .await
            .map_err(PeerError::of)?;
    let function = function.replace("0xFFFFFFFF", "4294967295");
    sqlx_08::query(&function).execute(pool).await.map_err(PeerError::of)?;
    Ok(())
}

/// Whether the same append may succeed when it is done again.
fn is_refused(error: &Error) -> bool {
    let code = |error: &sqlx_08::Error| {
        error.as_database_error().and_then(|error| error.code().map(|code| code == "40001"))
    };
    match error {
        Error::Concurrency => true,
        Error::Database(error) => code(error).unwrap_or(false),
        _ => false,
    }
}

impl Store for Disintegrate {
    fn about(&self) -> About {
        self.about.clone()
    }

    async fn append(&self, _: usize, facts: Vec<Fact>) -> Result<(), PeerError> {
        let subject = facts.first().map_or("", Fact::subject).to_owned();
        let said: Vec<Said> = facts.into_iter().map(|fact| Said(fact.event)).collect();
        if !self.checked {
            let appended = self.store.append_without_validation(said).await;
            return appended.map(drop).map_err(PeerError::of);
        }
        for _ in 0..ATTEMPTS {
            match self.store.append(said.clone(), about(&subject), 0).await {
                Ok(_) => return Ok(()),
                Err(error) if is_refused(&error) => {}
                Err(error) => return Err(PeerError::of(error)),
            }
        }
        Err(PeerError::Peer(format!("refused {ATTEMPTS} times")))
    }

    async fn replay(&self) -> Result<Vec<Event>, PeerError> {
        let everything: StreamQuery<PgEventId, Said> = query!(Said);
        let mut items = self.store.stream(&everything);
        let mut events = Vec::new();
        while let Some(item) = items.next().await {
            match item.map_err(PeerError::of)? {
                StreamItem::Event(event) => events.push(event.into_inner().0),
                StreamItem::End(_) => break,
            }
        }
        Ok(events)
    }
}
