//! Requests of a terminal or a supervisor that the process end.

use std::io;

/// Returns at Ctrl-C or SIGTERM. From the first poll on, neither ends the process by itself.
#[cfg(unix)]
pub(crate) async fn asked_to_stop() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Returns at Ctrl-C. From the first poll on, it does not end the process by itself.
#[cfg(not(unix))]
pub(crate) async fn asked_to_stop() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
