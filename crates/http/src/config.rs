//! The settings of the service: read from a TOML file; a flag or an environment variable overrides
//! each value.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use daicho_sign_in::{SettingsError, SignIn};
use serde::{Deserialize, Serialize};

/// The settings of a service, as its TOML file names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Address and port that the service listens on.
    pub listen: SocketAddr,
    /// URL at which callers reach it, `https://ledger.example.jp`; left out: where it listens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// Folder that holds the books.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    /// File that holds the URL of the database of the books.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_file: Option<PathBuf>,
    /// Seconds that requests in progress get to finish when the service is told to stop.
    pub drain_seconds: u64,
    /// Whether every book is opened at the start, so that its events are sent even if no request is
    /// about it; `false`: a book is opened by the first request about it.
    pub open_all_books: bool,
    /// Limits on what callers may ask for.
    pub limits: Limits,
    /// How events are sent to webhooks.
    pub webhooks: Webhooks,
    /// Where events are published: NATS JetStream.
    pub nats: Nats,
    /// How people sign in; left out: they cannot, and only keys give access.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_in: Option<SignIn>,
}

/// Where events are published: NATS JetStream, one stream per book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Nats {
    /// `nats://host:port` or `tls://host:port`, several separated by commas; left out: nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// File with the NATS credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_file: Option<PathBuf>,
    /// Prefix of the name of each book's stream.
    pub stream_prefix: String,
    /// Prefix of its subjects: `daicho` in `daicho.BOOK.order.placed`.
    pub subject_prefix: String,
    /// Copies of each stream that the broker keeps, 1 to 5.
    pub replicas: usize,
}

impl Default for Nats {
    fn default() -> Self {
        Self {
            url: None,
            credentials_file: None,
            stream_prefix: "DAICHO_".to_owned(),
            subject_prefix: "daicho".to_owned(),
            replicas: 1,
        }
    }
}

/// How events are sent to webhooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhooks {
    /// Whether this process sends to webhooks at all.
    pub enabled: bool,
    /// Whether to send also to addresses of this machine and of private networks, and without TLS.
    pub private_addresses: bool,
    /// Messages being sent at the same time, over all books.
    pub messages_max: usize,
    /// Seconds within which a receiver must answer.
    pub answer_seconds_max: u64,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self { enabled: true, private_addresses: false, messages_max: 64, answer_seconds_max: 15 }
    }
}

/// Limits on what callers may ask for, so that memory and waiting stay bounded under any load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a request's body; above: 413.
    pub body_bytes_max: usize,
    /// Connections open at the same time; further ones wait to be accepted.
    pub connections_max: usize,
    /// Requests in progress at the same time; further ones wait for their turn, in order of
    /// arrival.
    pub requests_max: usize,
    /// Milliseconds that a request waits for its turn; then 503. 0: requests do not wait.
    pub queue_ms_max: u64,
    /// Streams of events open at the same time; above: 503.
    pub streams_max: usize,
    /// Seconds that a request may take, except streams; above: 503.
    pub request_seconds_max: u64,
    /// Seconds within which the head of a request must have arrived.
    pub head_seconds_max: u64,
    /// Requests per second of one key or person, on average; above: 429.
    pub requests_a_second: u32,
    /// Requests that one key or person may send in a burst above that average.
    pub burst: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7_400)),
            public_url: None,
            data: None,
            database_file: None,
            drain_seconds: 25,
            open_all_books: true,
            limits: Limits::default(),
            nats: Nats::default(),
            webhooks: Webhooks::default(),
            sign_in: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: 2 * 1_024 * 1_024,
            connections_max: 4_096,
            requests_max: 512,
            queue_ms_max: 1_000,
            streams_max: 1_024,
            request_seconds_max: 30,
            head_seconds_max: 10,
            requests_a_second: 2_000,
            burst: 4_000,
        }
    }
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path} cannot be read")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not a valid configuration.
    #[error("{path} is not a valid configuration: {reason}")]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// A value that cannot be used.
    #[error("{name}: {reason}")]
    Value {
        /// The setting.
        name: &'static str,
        /// What is wrong, and the way out.
        reason: String,
    },
}

impl From<SettingsError> for ConfigError {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Unreadable { path, source } => Self::Unreadable { path, source },
            SettingsError::Value { name, reason } => Self::Value { name, reason },
        }
    }
}

impl Settings {
    /// The settings of a TOML file.
    ///
    /// # Errors
    /// The file cannot be read, or is not a valid configuration.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let place = || path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: place(), source })?;
        toml::from_str(&text).map_err(|error| ConfigError::Malformed {
            path: place(),
            reason: error.to_string().trim_end().to_owned(),
        })
    }

    /// Refuses values that no service can run with.
    ///
    /// # Errors
    /// The first value that is wrong.
    pub fn check(&self) -> Result<(), ConfigError> {
        let counts = [
            ("limits.body_bytes_max", self.limits.body_bytes_max as u64),
            ("limits.connections_max", self.limits.connections_max as u64),
            ("limits.requests_max", self.limits.requests_max as u64),
            ("limits.streams_max", self.limits.streams_max as u64),
            ("limits.request_seconds_max", self.limits.request_seconds_max),
            ("limits.head_seconds_max", self.limits.head_seconds_max),
            ("limits.requests_a_second", u64::from(self.limits.requests_a_second)),
            ("limits.burst", u64::from(self.limits.burst)),
            ("webhooks.messages_max", self.webhooks.messages_max as u64),
            ("webhooks.answer_seconds_max", self.webhooks.answer_seconds_max),
        ];
        if let Some((name, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return Err(ConfigError::Value {
                name,
                reason: "nothing works with 0: give 1 or more".into(),
            });
        }
        self.nats.check()?;
        match self.public_url.as_deref() {
            Some(url) if !is_base(url) => {
                return Err(ConfigError::Value {
                    name: "public_url",
                    reason: format!("`{url}` is not an http(s):// URL without a slash at the end"),
                });
            }
            Some(_) | None => {}
        }
        let check = |sign_in: &SignIn| sign_in.check(&self.base_url());
        Ok(self.sign_in.as_ref().map_or(Ok(()), check)?)
    }

    /// URL at which callers reach the service, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{}", self.listen))
    }

    /// The settings as a TOML text.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }
}

impl Nats {
    fn check(&self) -> Result<(), ConfigError> {
        let wrong =
            |name, reason: &str| Err(ConfigError::Value { name, reason: reason.to_owned() });
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if !self.stream_prefix.chars().all(is_plain) {
            return wrong(
                "nats.stream_prefix",
                "the name of a stream consists of letters, digits, - and _",
            );
        }
        let is_token = |token: &str| !token.is_empty() && token.chars().all(is_plain);
        if !self.subject_prefix.split('.').all(is_token) {
            return wrong("nats.subject_prefix", "a subject is words separated by dots: `daicho`");
        }
        if !(1..=5).contains(&self.replicas) {
            return wrong("nats.replicas", "a broker keeps 1 to 5 copies");
        }
        Ok(())
    }
}

fn is_base(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.ends_with('/') && !rest.contains(['?', '#']))
}
