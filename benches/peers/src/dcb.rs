//! UmaDB: its server in this process and a client a writer over gRPC on the loopback, as it is
//! used, and its core without the wire. Checked is an append with a condition on the subject's tag.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use daicho_events::Event;
use futures::StreamExt as _;
use tokio::sync::oneshot;
use umadb_client::{AsyncUmaDbClient, UmaDbClient};
use umadb_core::db::UmaDb;
use umadb_core::mvcc::{Mvcc, StorageOptions};
use umadb_dcb::{
    DcbAppendCondition, DcbEvent, DcbEventStoreAsync as _, DcbEventStoreSync as _, DcbQuery,
    DcbQueryItem, DcbSequencedEvent,
};
use umadb_server::{ServerOptions, start_server_with_options};

use crate::error::PeerError;
use crate::facts::Fact;
use crate::measure::{About, Store, version};

/// How long the server may take to answer first.
const START: Duration = Duration::from_secs(20);
/// The only version of data that the facts have.
const DATA_VERSION: u32 = 1;

fn event(fact: Fact) -> DcbEvent {
    let kind = fact.event.event_type().name;
    DcbEvent::default().event_type(kind).tags(fact.tags).data(fact.data.into_bytes())
}

fn condition(checked: bool, facts: &[Fact]) -> Option<DcbAppendCondition> {
    let subject = facts.first().filter(|_| checked)?.subject();
    Some(DcbAppendCondition::new(DcbQuery::new().item(DcbQueryItem::new().tags([subject]))))
}

fn decode(read: DcbSequencedEvent) -> Result<Event, PeerError> {
    let data = String::from_utf8(read.event.data).map_err(PeerError::of)?;
    Ok(Event::decode(&read.event.event_type, DATA_VERSION, &data)?)
}

fn about(way: &str) -> About {
    let who = format!("UmaDB {}, {way}", version("umadb-core"));
    About { who, storage: "its own file".to_owned(), durability: "fsync, no setting".to_owned() }
}

/// The server and its clients.
pub(crate) struct Server {
    clients: Vec<AsyncUmaDbClient>,
    checked: bool,
    _stop: oneshot::Sender<()>,
}

/// Starts the server on a free port and a client for each writer.
pub(crate) async fn server(
    folder: &Path,
    writers: usize,
    checked: bool,
) -> Result<Server, PeerError> {
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let options = ServerOptions {
        listen_addr: format!("127.0.0.1:{port}"),
        tls: None,
        api_key: None,
        storage: StorageOptions::default().db_path(folder),
    };
    let (stop, stopped) = oneshot::channel();
    std::thread::spawn(move || serve(options, stopped));
    let mut clients = Vec::with_capacity(writers);
    let started = Instant::now();
    while clients.len() < writers.max(1) {
        match UmaDbClient::new(format!("http://127.0.0.1:{port}")).connect_async().await {
            Ok(client) => clients.push(client),
            Err(error) if started.elapsed() > START => return Err(PeerError::of(error)),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    Ok(Server { clients, checked, _stop: stop })
}

/// The server on a runtime of its own: its errors are not sent between threads.
fn serve(options: ServerOptions, stopped: oneshot::Receiver<()>) {
    let served = tokio::runtime::Runtime::new()
        .map(|runtime| runtime.block_on(start_server_with_options(options, stopped)));
    if let Ok(Err(error)) = served {
        eprintln!("UmaDB's server: {error}");
    }
}

impl Store for Server {
    fn about(&self) -> About {
        about(if self.checked { "gRPC, with a condition" } else { "gRPC" })
    }

    async fn append(&self, writer: usize, facts: Vec<Fact>) -> Result<(), PeerError> {
        let client = self.clients.get(writer);
        let client = client.ok_or_else(|| PeerError::Peer(format!("no client {writer}")))?;
        let condition = condition(self.checked, &facts);
        let events = facts.into_iter().map(event).collect();
        client.append(events, condition, None).await.map(drop).map_err(PeerError::of)
    }

    async fn replay(&self) -> Result<Vec<Event>, PeerError> {
        let client = self.clients.first().ok_or_else(|| PeerError::Peer("no client".into()))?;
        let mut read = client.read(None, None, false, None).await.map_err(PeerError::of)?;
        let mut events = Vec::new();
        while let Some(event) = read.next().await {
            events.push(decode(event.map_err(PeerError::of)?)?);
        }
        Ok(events)
    }
}

/// The core alone: one append after the other.
pub(crate) struct Core {
    store: Arc<UmaDb>,
    checked: bool,
}

/// Opens the core.
pub(crate) fn core(folder: &Path, checked: bool) -> Result<Core, PeerError> {
    let options = StorageOptions::default().db_path(folder);
    let mvcc = Mvcc::new(false, options).map_err(PeerError::of)?;
    Ok(Core { store: Arc::new(UmaDb::from_arc(Arc::new(mvcc))), checked })
}

impl Store for Core {
    fn about(&self) -> About {
        about(if self.checked { "core in process, with a condition" } else { "core in process" })
    }

    async fn append(&self, _: usize, facts: Vec<Fact>) -> Result<(), PeerError> {
        let condition = condition(self.checked, &facts);
        let events = facts.into_iter().map(event).collect();
        self.store.append(events, condition, None).map(drop).map_err(PeerError::of)
    }

    async fn replay(&self) -> Result<Vec<Event>, PeerError> {
        let read = self.store.read(None, None, false, None).map_err(PeerError::of)?;
        read.map(|event| decode(event.map_err(PeerError::of)?)).collect()
    }
}
