//! Why a measurement has no figure.

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeerError {
    /// A file was not read.
    #[error("a file was not read")]
    Io(#[from] std::io::Error),
    /// A line or an event was not JSON of its form.
    #[error("a line of JSON was not understood")]
    Json(#[from] serde_json::Error),
    /// An event was not decoded.
    #[error("an event was not decoded")]
    Decode(#[from] daicho_events::DecodeError),
    /// SQLite said no.
    #[error("SQLite refused")]
    Rusqlite(#[from] rusqlite::Error),
    /// The peer said no.
    #[error("the peer failed: {0}")]
    Peer(String),
}

impl PeerError {
    /// What a peer says.
    pub(crate) fn of(error: impl std::fmt::Debug) -> Self {
        Self::Peer(format!("{error:?}"))
    }
}
