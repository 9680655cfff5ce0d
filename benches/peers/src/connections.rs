//! How many connections a pool may have, the same for every peer.

/// Connections that a pool has at most.
const CONNECTIONS_MAX: u32 = 32;

/// Connections of a pool: one a writer, as many as a server of a few cores serves well.
pub(crate) fn connections(writers: usize) -> u32 {
    u32::try_from(writers).unwrap_or(u32::MAX).clamp(2, CONNECTIONS_MAX)
}
