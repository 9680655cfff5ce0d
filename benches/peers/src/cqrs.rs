//! cqrs-es on its SQLite and PostgreSQL stores: an aggregate a subject. Checked is the command that
//! its guide shows (`execute`: load, handle, commit); the fastest way is to persist through the
//! repository, where the primary key alone refuses a second first event.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::{
    PersistedEventRepository, PersistedEventStore, QueryReplay, SerializedEvent,
};
use cqrs_es::{Aggregate, CqrsFramework, DomainEvent, EventEnvelope, Query};
use daicho_events::Event;
use postgres_es::PostgresEventRepository;
use serde::{Deserialize, Serialize};
use sqlite_es::SqliteEventRepository;
use sqlx_08::postgres::{PgPool, PgPoolOptions};
use sqlx_08::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::error::PeerError;
use crate::facts::Fact;
use crate::measure::{About, Store, version};

/// The events table of sqlite-es 0.5.0, from its migrations.
const SQLITE_TABLE: &str = "CREATE TABLE events (
  aggregate_type text NOT NULL, aggregate_id text NOT NULL,
  sequence integer CHECK (sequence >= 0) NOT NULL,
  event_type text NOT NULL, event_version text NOT NULL,
  payload text NOT NULL, metadata text NOT NULL,
  PRIMARY KEY (aggregate_type, aggregate_id, sequence)) STRICT";
/// The events table of postgres-es 0.5.0, from its `db/init.sql`.
const POSTGRES_TABLE: &str = "CREATE TABLE events (
  aggregate_type text NOT NULL, aggregate_id text NOT NULL,
  sequence bigint CHECK (sequence >= 0) NOT NULL,
  event_type text NOT NULL, event_version text NOT NULL,
  payload json NOT NULL, metadata json NOT NULL,
  PRIMARY KEY (aggregate_type, aggregate_id, sequence))";

/// One fact as an event of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Said(Event);

impl DomainEvent for Said {
    fn event_type(&self) -> String {
        self.0.event_type().name.to_owned()
    }

    fn event_version(&self) -> String {
        self.0.event_type().version.to_string()
    }
}

/// What was recorded about one subject: whether anything was.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Subject {
    recorded: bool,
}

/// Somebody recorded something about it before.
#[derive(Debug, thiserror::Error)]
#[error("the subject is not new")]
struct NotNew;

impl Aggregate for Subject {
    const TYPE: &'static str = "subject";
    type Command = Vec<Event>;
    type Event = Said;
    type Error = NotNew;
    type Services = ();

    async fn handle(
        &mut self,
        command: Vec<Event>,
        _: &(),
        sink: &EventSink<Self>,
    ) -> Result<(), NotNew> {
        if self.recorded {
            return Err(NotNew);
        }
        for event in command {
            sink.write(Said(event), self).await;
        }
        Ok(())
    }

    fn apply(&mut self, _: Said) {
        self.recorded = true;
    }
}

/// Keeps every event that a replay hands out.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Event>>>);

#[async_trait::async_trait]
impl Query<Subject> for Kept {
    async fn dispatch(&self, _: &str, events: &[EventEnvelope<Subject>]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(events.iter().map(|event| event.payload.0.clone()));
    }
}

/// Both ways into a store.
pub(crate) struct Cqrs<R: PersistedEventRepository> {
    framework: CqrsFramework<Subject, PersistedEventStore<R, Subject>>,
    repository: R,
    /// For the replay, which takes one.
    replayed: Mutex<Option<R>>,
    checked: bool,
    about: About,
}

impl<R: PersistedEventRepository> Cqrs<R> {
    fn new(repository: impl Fn() -> R, checked: bool, about: About) -> Self {
        let store = PersistedEventStore::new_event_store(repository());
        Self {
            framework: CqrsFramework::new(store, Vec::new(), ()),
            repository: repository(),
            replayed: Mutex::new(Some(repository())),
            checked,
            about,
        }
    }
}

/// cqrs-es on SQLite in WAL and FULL. One connection: with more, writers wait in SQLite's busy
/// handler, which is slower and in the end refuses some.
pub(crate) async fn sqlite(
    folder: &Path,
    checked: bool,
) -> Result<Cqrs<SqliteEventRepository>, PeerError> {
    let options = SqliteConnectOptions::new()
        .filename(folder.join("cqrs.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let pool: SqlitePool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await
        .map_err(PeerError::of)?;
    sqlx_08::query(SQLITE_TABLE).execute(&pool).await.map_err(PeerError::of)?;
    let linked: String = sqlx_08::query_scalar("SELECT sqlite_version()")
        .fetch_one(&pool)
        .await
        .map_err(PeerError::of)?;
    let about = About {
        who: who("sqlite-es", checked),
        storage: format!("SQLite {linked}"),
        durability: "WAL, synchronous=FULL".to_owned(),
    };
    Ok(Cqrs::new(|| SqliteEventRepository::new(pool.clone()), checked, about))
}

/// cqrs-es on PostgreSQL with a connection a writer, as many as its server takes in good order.
pub(crate) async fn postgres(
    url: &str,
    writers: usize,
    checked: bool,
) -> Result<Cqrs<PostgresEventRepository>, PeerError> {
    let pool: PgPool = PgPoolOptions::new()
        .max_connections(crate::connections::connections(writers))
        .connect(url)
        .await
        .map_err(PeerError::of)?;
    sqlx_08::query(POSTGRES_TABLE).execute(&pool).await.map_err(PeerError::of)?;
    let about = About {
        who: who("postgres-es", checked),
        storage: format!("PostgreSQL {}", setting(&pool, "server_version").await?),
        durability: durability(&pool).await?,
    };
    Ok(Cqrs::new(|| PostgresEventRepository::new(pool.clone()), checked, about))
}

fn who(store: &str, checked: bool) -> String {
    let way = if checked { "execute" } else { "persist" };
    format!("cqrs-es {}, {store} {}, {way}", version("cqrs-es"), version(store))
}

/// How durable the server says that a commit of this session is.
pub(crate) async fn durability(pool: &PgPool) -> Result<String, PeerError> {
    let (fsync, commit) =
        (setting(pool, "fsync").await?, setting(pool, "synchronous_commit").await?);
    Ok(format!("fsync={fsync}, synchronous_commit={commit}"))
}

pub(crate) async fn setting(pool: &PgPool, name: &str) -> Result<String, PeerError> {
    let asked = sqlx_08::query_scalar("SELECT current_setting($1)").bind(name).fetch_one(pool);
    asked.await.map_err(PeerError::of)
}

impl<R: PersistedEventRepository + 'static> Store for Cqrs<R> {
    fn about(&self) -> About {
        self.about.clone()
    }

    async fn append(&self, _: usize, facts: Vec<Fact>) -> Result<(), PeerError> {
        let subject = facts.first().map_or("", Fact::subject).to_owned();
        if self.checked {
            let events = facts.into_iter().map(|fact| fact.event).collect();
            return self.framework.execute(&subject, events).await.map_err(PeerError::of);
        }
        let events: Result<Vec<SerializedEvent>, PeerError> = facts
            .into_iter()
            .enumerate()
            .map(|(index, fact)| {
                let said = Said(fact.event);
                Ok(SerializedEvent::new(
                    subject.clone(),
                    index + 1,
                    Subject::TYPE.to_owned(),
                    said.event_type(),
                    said.event_version(),
                    serde_json::to_value(&said)?,
                    serde_json::json!({}),
                ))
            })
            .collect();
        self.repository.persist::<Subject>(&events?, None).await.map_err(PeerError::of)
    }

    async fn replay(&self) -> Result<Vec<Event>, PeerError> {
        let kept = Kept::default();
        let repository = self.replayed.lock().unwrap_or_else(PoisonError::into_inner).take();
        let repository = repository.ok_or_else(|| PeerError::Peer("replayed twice".to_owned()))?;
        let failed = Arc::new(Mutex::new(None));
        let mut replay = QueryReplay::new(repository, kept.clone());
        let seen = Arc::clone(&failed);
        replay.use_error_handler(Box::new(move |error| {
            *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
        }));
        replay.replay_all().await.map_err(PeerError::of)?;
        if let Some(error) = failed.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(PeerError::Peer(error));
        }
        Ok(std::mem::take(&mut *kept.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}
