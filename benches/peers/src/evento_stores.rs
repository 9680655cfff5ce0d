//! evento on SQLite, PostgreSQL and fjall: an aggregate a subject, written through its builder. Its
//! append always refuses a second first event, so checked and fastest are one. The payload is JSON
//! in its own binary form, since our types are not made for that form alone.

use std::path::Path;

use daicho_events::Event;
use evento::cursor::Args;
use evento::migrator::{Migrate as _, Plan};
use evento::{Executor, Fjall, Postgres, Sqlite, TenantFilter};
use sqlx_09::postgres::PgPoolOptions;
use sqlx_09::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};

use crate::error::PeerError;
use crate::facts::Fact;
use crate::measure::{About, Store, version};

/// Events of a page of the replay.
const PAGE_EVENTS: u16 = 10_000;

/// What was recorded about a subject.
#[evento::aggregate(name = "bench/Subject")]
pub enum Subject {
    /// One fact.
    #[evento(name = "Recorded")]
    Recorded {
        /// Stored name of its type.
        kind: String,
        /// Version of its data.
        kind_version: u32,
        /// JSON.
        data: String,
    },
}

/// evento on one of its stores.
pub(crate) struct Evento<E> {
    executor: E,
    about: About,
}

fn about(storage: String, durability: &str) -> About {
    let who = format!("evento {}, commit", version("evento"));
    About { who, storage, durability: durability.to_owned() }
}

/// evento on SQLite in WAL and FULL, one connection.
pub(crate) async fn sqlite(folder: &Path) -> Result<Evento<Sqlite>, PeerError> {
    let options = SqliteConnectOptions::new()
        .filename(folder.join("evento.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options);
    let pool = pool.await.map_err(PeerError::of)?;
    let migrator = evento::sql_migrator::new::<sqlx_09::Sqlite>().map_err(PeerError::of)?;
    let mut connection = pool.acquire().await.map_err(PeerError::of)?;
    migrator.run(&mut *connection, &Plan::apply_all()).await.map_err(PeerError::of)?;
    drop(connection);
    let linked: String = sqlx_09::query_scalar("SELECT sqlite_version()")
        .fetch_one(&pool)
        .await
        .map_err(PeerError::of)?;
    let about = about(format!("SQLite {linked}"), "WAL, synchronous=FULL");
    Ok(Evento { executor: pool.into(), about })
}

/// evento on PostgreSQL with a connection a writer.
pub(crate) async fn postgres(url: &str, writers: usize) -> Result<Evento<Postgres>, PeerError> {
    let pool =
        PgPoolOptions::new().max_connections(crate::connections::connections(writers)).connect(url);
    let pool = pool.await.map_err(PeerError::of)?;
    let migrator = evento::sql_migrator::new::<sqlx_09::Postgres>().map_err(PeerError::of)?;
    let mut connection = pool.acquire().await.map_err(PeerError::of)?;
    migrator.run(&mut *connection, &Plan::apply_all()).await.map_err(PeerError::of)?;
    drop(connection);
    let mut settings = Vec::new();
    for name in ["server_version", "fsync", "synchronous_commit"] {
        let asked = sqlx_09::query_scalar("SELECT current_setting($1)").bind(name);
        let value: String = asked.fetch_one(&pool).await.map_err(PeerError::of)?;
        settings.push(value);
    }
    let [server, fsync, commit] = <[String; 3]>::try_from(settings).map_err(PeerError::of)?;
    let durability = format!("fsync={fsync}, synchronous_commit={commit}");
    Ok(Evento { executor: pool.into(), about: about(format!("PostgreSQL {server}"), &durability) })
}

/// evento on fjall, each commit synced, which is its default.
pub(crate) fn fjall(folder: &Path) -> Result<Evento<Fjall>, PeerError> {
    let executor = Fjall::open(folder.join("fjall")).map_err(PeerError::of)?;
    let about = about(format!("fjall {}", version("fjall")), "PersistMode::SyncAll");
    Ok(Evento { executor, about })
}

impl<E: Executor> Store for Evento<E> {
    fn about(&self) -> About {
        self.about.clone()
    }

    async fn append(&self, _: usize, facts: Vec<Fact>) -> Result<(), PeerError> {
        let mut write = evento::append(facts.first().map_or("", Fact::subject));
        for fact in facts {
            let kind = fact.event.event_type();
            write.event(&Recorded {
                kind: kind.name.to_owned(),
                kind_version: kind.version,
                data: fact.data,
            });
        }
        write.commit(&self.executor).await.map(drop).map_err(PeerError::of)
    }

    async fn replay(&self) -> Result<Vec<Event>, PeerError> {
        let (mut events, mut after) = (Vec::new(), None);
        loop {
            let page = Args::forward(PAGE_EVENTS, after);
            let read = self.executor.read(None, None, TenantFilter::All, page, None);
            let read = read.await.map_err(PeerError::of)?;
            for edge in &read.edges {
                let SubjectEvent::Recorded(Recorded { kind, kind_version, data }) =
                    SubjectEvent::try_from(&edge.node).map_err(PeerError::of)?;
                events.push(Event::decode(&kind, kind_version, &data)?);
            }
            after = read.page_info.end_cursor;
            if !read.page_info.has_next_page || after.is_none() {
                return Ok(events);
            }
        }
    }
}
