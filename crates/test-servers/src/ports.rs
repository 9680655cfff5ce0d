//! Ports for servers that tests start.

use std::net::TcpListener;
use std::ops::Range;

use crate::random::random_bytes;

/// Below the ports that systems hand out to outgoing connections and to whoever asks for any, so
/// that nobody else gets one between its choice and its use, or while its server is stopped.
const PORTS: Range<u16> = 20_000..32_000;

/// A port of 127.0.0.1 that nobody listens on at this moment.
#[must_use]
pub fn free_port() -> u16 {
    loop {
        let port = PORTS.start + u16::from_ne_bytes(random_bytes()) % (PORTS.end - PORTS.start);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
