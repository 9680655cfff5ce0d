//! Sends one message: signed as Standard Webhooks requires, within a time limit, following no
//! redirect.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use daicho_app::{
    EventText, Failure, Ledger, Outcome, RetryPolicy, WebhookError, WebhookWork, causes,
    is_private_address, with_causes,
};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response, StatusCode, header};
use tokio::sync::Semaphore;
use url::{Host, Url};

use crate::open_network::OpenNetwork;

/// Bytes of a receiver's answer that are read.
const ANSWER_BYTES_MAX: usize = 16 * 1_024;
/// Characters of a receiver's answer that an error quotes.
const ANSWER_CHARS_MAX: usize = 200;
const CONTENT_TYPE: &str = "application/cloudevents+json";

/// Makes the body of the message about an event of the named book.
pub type ToBody = Arc<dyn Fn(&EventText, &str) -> Result<String, Failure> + Send + Sync>;

/// How messages are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Whether to send also to addresses of this machine and of private networks, and without TLS.
    pub private_addresses: bool,
    /// How long connecting may take.
    pub connect_time: Duration,
    /// How long the receiver may take to answer.
    pub answer_time: Duration,
    /// Messages being sent at the same time, over all books.
    pub messages_max: usize,
    /// When a failed message is tried again.
    pub retry: RetryPolicy,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            private_addresses: false,
            connect_time: Duration::from_secs(5),
            answer_time: Duration::from_secs(15),
            messages_max: 64,
            retry: RetryPolicy::default(),
        }
    }
}

/// Why nothing can be sent.
#[derive(Debug, thiserror::Error)]
#[error("no message can be sent from here")]
pub struct CourierError(#[from] reqwest::Error);

/// What was sent since the process began.
#[derive(Debug, Default)]
pub struct Counts {
    /// Messages that receivers accepted.
    pub delivered: AtomicU64,
    /// Attempts that failed.
    pub failed: AtomicU64,
    /// Messages that were parked.
    pub parked: AtomicU64,
}

/// The result of a test message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// Whether the receiver accepted it.
    pub outcome: Outcome,
    /// How long that took.
    pub taken: Duration,
}

/// Sends messages.
pub struct Courier {
    pub(crate) settings: Settings,
    client: Client,
    to_body: ToBody,
    room: Semaphore,
    counts: Counts,
}

impl Courier {
    /// Makes a courier. On a machine without certificate authorities nothing is sent over https,
    /// and a warning is logged.
    ///
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn new(settings: Settings, to_body: ToBody) -> Result<Self, CourierError> {
        // This fails if one is installed already, which is then the same one.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = match client(&settings).build() {
            Ok(client) => client,
            Err(error) => {
                let error = with_causes(&error);
                tracing::warn!(error, "webhooks reach no https address: install ca-certificates");
                client(&settings).tls_certs_only([]).build()?
            }
        };
        let room = Semaphore::new(settings.messages_max);
        Ok(Self { client, settings, to_body, room, counts: Counts::default() })
    }

    /// What was sent since the process began.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Sends the message about an event of a book.
    ///
    /// # Errors
    /// The event is damaged.
    pub(crate) async fn send(
        &self,
        ledger: &Ledger,
        work: &WebhookWork,
        event: &EventText,
    ) -> Result<Outcome, Failure> {
        let book = ledger.name().to_string();
        let body = (self.to_body)(event, &book)?;
        let outcome = self.post(ledger, work, &format!("{book}/{}", event.position), body).await;
        let count = match &outcome {
            Outcome::Delivered => &self.counts.delivered,
            Outcome::Gone | Outcome::Failed { .. } => &self.counts.failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
        Ok(outcome)
    }

    /// Sends a test message, `daicho.test`, which is about no event.
    ///
    /// # Errors
    /// There is no such webhook, or storage fails.
    pub async fn test(&self, ledger: &Ledger, name: &str) -> Result<Tested, WebhookError> {
        let work = ledger.webhooks().sending().work(name).await?;
        let (book, now) = (ledger.name(), ledger.clock_and_entropy().now());
        let id = format!("{book}/test-{}", now.as_microseconds());
        let body = format!(
            "{{\"specversion\":\"1.0\",\"id\":\"{id}\",\"source\":\"/books/{book}\",\
             \"type\":\"daicho.test\",\"time\":\"{now}\",\"data\":{{}}}}"
        );
        let begun = std::time::Instant::now();
        let outcome = self.post(ledger, &work, &id, body).await;
        Ok(Tested { outcome, taken: begun.elapsed() })
    }

    async fn post(&self, ledger: &Ledger, work: &WebhookWork, id: &str, body: String) -> Outcome {
        if !self.settings.private_addresses && leads_inside(work.url()) {
            return failed("the address is in a private network".to_owned());
        }
        // The semaphore is never closed.
        let _room = self.room.acquire().await;
        let now = ledger.clock_and_entropy().now();
        let request = self
            .client
            .post(work.url())
            .header(header::CONTENT_TYPE, CONTENT_TYPE)
            .header("webhook-id", id)
            .header("webhook-timestamp", now.as_microseconds().div_euclid(1_000_000))
            .header("webhook-signature", work.sign(id, now, &body))
            .body(body);
        match request.send().await {
            Ok(answer) => outcome_of(answer).await,
            Err(error) => failed(why(&error)),
        }
    }

    pub(crate) fn count_parked(&self) {
        self.counts.parked.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whether the host of the URL is an address in a private network. A name is checked later, when
/// it is looked up to connect.
fn leads_inside(url: &str) -> bool {
    let url = Url::parse(url);
    match url.as_ref().ok().and_then(Url::host) {
        Some(Host::Ipv4(address)) => is_private_address(address.into()),
        Some(Host::Ipv6(address)) => is_private_address(address.into()),
        Some(Host::Domain(_)) => false,
        None => true,
    }
}

async fn outcome_of(answer: Response) -> Outcome {
    let status = answer.status();
    if status.is_success() {
        return Outcome::Delivered;
    }
    if status == StatusCode::GONE {
        return Outcome::Gone;
    }
    let after = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = after.and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let said = beginning(answer).await;
    Outcome::Failed { error: format!("{}: {said}", status.as_u16()), retry_after }
}

/// The beginning of an answer, without control characters, which could command a terminal.
async fn beginning(mut answer: Response) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() >= ANSWER_BYTES_MAX {
            break;
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    text.chars().filter(|c| !c.is_control()).take(ANSWER_CHARS_MAX).collect()
}

fn failed(error: String) -> Outcome {
    Outcome::Failed { error, retry_after: None }
}

fn client(settings: &Settings) -> ClientBuilder {
    let client = Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(settings.connect_time)
        .timeout(settings.answer_time)
        .user_agent(daicho_app::SOFTWARE.replace(' ', "/"))
        .tls_backend_rustls();
    if settings.private_addresses {
        return client;
    }
    client.https_only(true).dns_resolver(Arc::new(OpenNetwork))
}

/// An error with its causes, without the address, which may hold a secret.
fn why(error: &reqwest::Error) -> String {
    let text = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the message could not be sent"
    };
    let texts: Vec<String> = std::iter::once(text.to_owned()).chain(causes(error)).collect();
    texts.join(": ")
}
