//! Publishes the events of a book to NATS JetStream: one stream per book, one subject per type, the
//! message id `book/position`. Each message names the one before it, so that the stream equals the
//! record from its first event on, in order, without a gap or a duplicate. What a broker has lost
//! is published again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_nats::header::{HeaderMap, NATS_EXPECTED_LAST_MESSAGE_ID, NATS_MESSAGE_ID};
use async_nats::jetstream::context::PublishAckFuture;
use async_nats::jetstream::stream::{Config, Stream};
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions};
use daicho_app::{DeliveryLease, EventText, Failure, FollowRequest, Holder, Ledger, Position};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::attendant::{Attendant, LEASE, LOOK, RENEW};
use crate::courier::ToBody;

/// Name of the cursor and of the lease under which a book is published.
const NAME: &str = "daicho:nats";
/// The shortest and the longest wait after an error.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(30);
const CONTENT_TYPE: &str = "application/cloudevents+json";

/// Where and how events are published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerSettings {
    /// `nats://host:port` or `tls://host:port`; several are separated by commas.
    pub url: String,
    /// File with the credentials.
    pub credentials_file: Option<PathBuf>,
    /// Prefix of the name of each book's stream.
    pub stream_prefix: String,
    /// Prefix of its subjects.
    pub subject_prefix: String,
    /// Copies of the stream that the broker keeps.
    pub replicas: usize,
}

/// Why events cannot be published.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The credentials cannot be read.
    #[error("{path} cannot be read as NATS credentials")]
    Credentials {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The address is invalid.
    #[error("NATS cannot be reached as configured")]
    Connect(#[from] async_nats::ConnectError),
    /// The broker refused or did not answer.
    #[error("{doing}: {reason}")]
    Broker {
        /// What was tried.
        doing: &'static str,
        /// What the broker answered.
        reason: String,
    },
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] Failure),
}

/// A connection to NATS, shared by all books.
pub struct Broker {
    client: Client,
    context: Context,
    settings: BrokerSettings,
    to_body: ToBody,
}

impl Broker {
    /// Starts to connect. It does not wait for a broker that is not available yet: publishing does.
    ///
    /// # Errors
    /// The credentials cannot be read, or the address is invalid.
    pub async fn connect(settings: BrokerSettings, to_body: ToBody) -> Result<Self, BrokerError> {
        // This fails if one is installed already, which is then the same one.
        drop(rustls::crypto::ring::default_provider().install_default());
        let options = ConnectOptions::new().name("daicho").retry_on_initial_connect();
        let options = match &settings.credentials_file {
            None => options,
            Some(file) => options.credentials_file(file).await.map_err(|source| {
                BrokerError::Credentials { path: file.display().to_string(), source }
            })?,
        };
        let servers: Vec<&str> = settings.url.split(',').map(str::trim).collect();
        let client = options.connect(servers).await?;
        let context = jetstream::new(client.clone());
        Ok(Self { client, context, settings, to_body })
    }

    fn subjects(&self, book: &str) -> String {
        format!("{}.{book}.>", self.settings.subject_prefix)
    }

    /// The stream of a book, created if it is missing.
    async fn stream(&self, book: &str) -> Result<Stream, BrokerError> {
        let config = Config {
            name: format!("{}{book}", self.settings.stream_prefix),
            description: Some(format!("the events of the book {book}")),
            subjects: vec![self.subjects(book)],
            num_replicas: self.settings.replicas,
            ..Config::default()
        };
        let stream = self.context.get_or_create_stream(config).await;
        stream.map_err(|error| broker_says("the stream cannot be opened", &error))
    }

    /// Sends one event, to be stored after `before`; the broker's answer comes later.
    async fn publish(
        &self,
        book: &str,
        event: &EventText,
        before: Option<Position>,
    ) -> Result<PublishAckFuture, BrokerError> {
        let doing = "an event cannot be published";
        let body = (self.to_body)(event, book)?;
        let room = self.client.server_info().max_payload;
        if room > 0 && body.len() > room {
            let (position, bytes) = (event.position, body.len());
            return Err(BrokerError::Broker {
                doing,
                reason: format!(
                    "event {position} has {bytes} bytes and the broker takes {room}: raise its \
                     max_payload"
                ),
            });
        }
        let mut headers = HeaderMap::new();
        headers.insert("content-type", CONTENT_TYPE);
        headers.insert(NATS_MESSAGE_ID, id(book, event.position).as_str());
        if let Some(before) = before {
            headers.insert(NATS_EXPECTED_LAST_MESSAGE_ID, id(book, before).as_str());
        }
        let subject = format!("{}.{book}.{}", self.settings.subject_prefix, event.type_name());
        let sent = self.context.publish_with_headers(subject, headers, body.into()).await;
        sent.map_err(|error| broker_says(doing, &error))
    }
}

/// Starts to publish a book.
#[must_use]
pub fn publish(ledger: Arc<Ledger>, broker: Arc<Broker>) -> Attendant {
    Attendant::start(move |stopped| run(ledger, broker, stopped))
}

async fn run(ledger: Arc<Ledger>, broker: Arc<Broker>, mut stopped: watch::Receiver<bool>) {
    let holder = Holder::new();
    let mut pause = PAUSE;
    while !*stopped.borrow() {
        let turn = turn(&ledger, &broker, &holder, stopped.clone());
        match turn.await {
            Ok(()) => pause = PAUSE,
            Err(error) => {
                let book = ledger.name();
                tracing::warn!(%book, error = %error, "the book is not published: trying again");
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
        tokio::select! {
            () = sleep(pause) => {}
            _ = stopped.changed() => {}
        }
    }
}

/// Publishes while this process holds the lease of the book.
async fn turn(
    ledger: &Ledger,
    broker: &Broker,
    holder: &Holder,
    stopped: watch::Receiver<bool>,
) -> Result<(), BrokerError> {
    let Some(lease) = ledger.delivery_leases().take(NAME, holder, LEASE).await? else {
        return Ok(());
    };
    let result = follow(ledger, broker, &lease, stopped).await;
    ledger.delivery_leases().release(&lease).await?;
    result
}

async fn follow(
    ledger: &Ledger,
    broker: &Broker,
    lease: &DeliveryLease,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), BrokerError> {
    let book = ledger.name().to_string();
    let mut last = begin(ledger, broker, &book).await?;
    let request = FollowRequest { name: Some(NAME.to_owned()), ..FollowRequest::default() };
    let mut follower = ledger.following().start(&request).await?;
    let mut renewed = Instant::now();
    loop {
        if renewed.elapsed() >= RENEW {
            if !ledger.delivery_leases().renew(lease, LEASE).await? {
                return Ok(());
            }
            renewed = Instant::now();
        }
        let stretch = tokio::select! {
            stretch = timeout(LOOK, follower.next()) => stretch,
            _ = stopped.wait_for(|stopped| *stopped) => return Ok(()),
        };
        let Ok(stretch) = stretch else { continue };
        let stretch = stretch?;
        let mut answers = Vec::with_capacity(stretch.events.len());
        for event in &stretch.events {
            answers.push(broker.publish(&book, event, last).await?);
            last = Some(event.position);
        }
        for answer in answers {
            let stored = answer.await;
            stored.map_err(|error| broker_says("an event was not stored", &error))?;
        }
        follower.acknowledge(stretch.scanned_to).await?;
    }
}

/// Moves the cursor to where the stream ends. Returns the last event there.
async fn begin(
    ledger: &Ledger,
    broker: &Broker,
    book: &str,
) -> Result<Option<Position>, BrokerError> {
    let mut stream = broker.stream(book).await?;
    let failed = "the end of the stream cannot be read";
    let state = stream.info().await.map_err(|error| broker_says(failed, &error))?.state.clone();
    let cursor = ledger.following().cursor(NAME).await?;
    let cursor = cursor.map(|cursor| cursor.position);
    let last = match (state.last_sequence, state.messages) {
        (0, _) => None,
        // All its messages have expired: only the cursor knows where the stream ended.
        (_, 0) => return Ok(None),
        (sequence, _) => {
            let message = stream.get_raw_message(sequence).await;
            let message = message.map_err(|error| broker_says(failed, &error))?;
            let id = message.headers.get(NATS_MESSAGE_ID).map(ToString::to_string);
            let id = id.as_deref().and_then(|id| id.strip_prefix(book)?.strip_prefix('/'));
            let position = id.and_then(|id| id.parse().ok()).map(Position);
            Some(position.ok_or_else(|| BrokerError::Broker {
                doing: failed,
                reason: format!("message {sequence} is not of the book `{book}`"),
            })?)
        }
    };
    let end = last.unwrap_or_default();
    if cursor.unwrap_or_default() != end {
        tracing::info!(book, stream_ends_at = %end, "the stream is filled up from where it ends");
        ledger.following().set_cursor(NAME, end).await?;
    }
    Ok(last)
}

fn id(book: &str, position: Position) -> String {
    format!("{book}/{position}")
}

fn broker_says(doing: &'static str, error: &dyn std::error::Error) -> BrokerError {
    BrokerError::Broker { doing, reason: error.to_string() }
}
