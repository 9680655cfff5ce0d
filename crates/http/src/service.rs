//! What all requests share: the open books, the measures, and the limits on concurrent work.

use std::sync::Arc;
use std::time::Duration;

use daicho_app::{Books, ClockAndEntropy, EventText};
use daicho_deliveries::{Broker, BrokerError, BrokerSettings, Courier, CourierError, ToBody};
use daicho_sign_in::{RelyingParty, Site};
use tokio::sync::{Semaphore, watch};

use crate::books::OpenBooks;
use crate::clients::Clients;
use crate::cloud_event;
use crate::config::{Nats, Settings, Webhooks};
use crate::measures::Measures;
use crate::serve_error::ServeError;

/// The path to which the sign-in provider sends people back.
pub(crate) const CALLBACK: &str = "/v1/sign-in/callback";
/// The path that says who is signed in. A sign-in returns there, unless the caller asks for
/// another.
pub(crate) const ME: &str = "/v1/me";

/// The shared state of the process; cheap to clone.
#[derive(Clone)]
pub(crate) struct Service(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) base_url: String,
    pub(crate) books: OpenBooks,
    pub(crate) clients: Clients,
    /// How people sign in; none: they cannot.
    pub(crate) sign_in: Option<RelyingParty>,
    pub(crate) courier: Arc<Courier>,
    pub(crate) measures: Measures,
    pub(crate) clock_and_entropy: ClockAndEntropy,
    /// Requests that may still begin.
    pub(crate) requests: Arc<Semaphore>,
    /// Streams that may still begin.
    pub(crate) streams: Arc<Semaphore>,
    stopping: watch::Sender<bool>,
}

impl Service {
    pub(crate) async fn new(
        settings: Settings,
        base_url: String,
        books: Books,
        clock_and_entropy: ClockAndEntropy,
    ) -> Result<Self, ServeError> {
        let limits = &settings.limits;
        let requests = Arc::new(Semaphore::new(limits.requests_max));
        let streams = Arc::new(Semaphore::new(limits.streams_max));
        let clients = Clients::new(limits);
        let (stopping, _) = watch::channel(false);
        let courier = Arc::new(courier(&settings.webhooks, base_url.clone())?);
        let sends = settings.webhooks.enabled.then(|| Arc::clone(&courier));
        let broker = broker(&settings.nats, base_url.clone()).await?.map(Arc::new);
        let site = Site { base_url: &base_url, callback: CALLBACK, home: ME };
        let sign_in = settings.sign_in.clone();
        let sign_in = sign_in.map(|sign_in| RelyingParty::new(sign_in, site, &clock_and_entropy));
        let sign_in = sign_in.transpose()?;
        let books = OpenBooks::new(books, clock_and_entropy.clone(), sends, broker);
        let measures = Measures::new(Arc::clone(&courier));
        let shared = Shared {
            settings,
            base_url,
            books,
            clients,
            sign_in,
            courier,
            measures,
            clock_and_entropy,
            requests,
            streams,
            stopping,
        };
        Ok(Self(Arc::new(shared)))
    }

    /// Tells all streams to end; from now on the service answers that it is not ready.
    pub(crate) fn stop(&self) {
        self.0.stopping.send_replace(true);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.0.stopping.borrow()
    }

    /// Returns when the service is told to stop.
    pub(crate) async fn stopped(&self) {
        let mut stopping = self.0.stopping.subscribe();
        // The sender lives as long as `self`.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }

    pub(crate) fn queue_time(&self) -> Duration {
        Duration::from_millis(self.0.settings.limits.queue_ms_max)
    }

    pub(crate) fn request_time(&self) -> Duration {
        Duration::from_secs(self.0.settings.limits.request_seconds_max)
    }
}

/// Makes the bodies of messages: the same as the event has over HTTP.
fn to_body(base_url: String) -> ToBody {
    Arc::new(move |event: &EventText, book: &str| cloud_event::to_json(event, book, &base_url))
}

/// The broker to publish events to, if one is set.
async fn broker(settings: &Nats, base_url: String) -> Result<Option<Broker>, BrokerError> {
    let Some(url) = settings.url.clone() else { return Ok(None) };
    let settings = BrokerSettings {
        url,
        credentials_file: settings.credentials_file.clone(),
        stream_prefix: settings.stream_prefix.clone(),
        subject_prefix: settings.subject_prefix.clone(),
        replicas: settings.replicas,
    };
    Broker::connect(settings, to_body(base_url)).await.map(Some)
}

/// The courier that sends events to webhooks.
fn courier(settings: &Webhooks, base_url: String) -> Result<Courier, CourierError> {
    let settings = daicho_deliveries::Settings {
        private_addresses: settings.private_addresses,
        messages_max: settings.messages_max,
        answer_time: Duration::from_secs(settings.answer_seconds_max),
        ..daicho_deliveries::Settings::default()
    };
    Courier::new(settings, to_body(base_url))
}

impl std::ops::Deref for Service {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}
