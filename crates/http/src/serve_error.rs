//! Why a service does not start.

use std::net::SocketAddr;

use daicho_deliveries::{BrokerError, CourierError};
use daicho_sign_in::StartError;

use crate::config::ConfigError;

/// Why a service did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A setting that cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No webhook messages can be sent.
    #[error(transparent)]
    Courier(#[from] CourierError),
    /// Events cannot be published.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// No sign-in provider can be asked.
    #[error(transparent)]
    SignIn(StartError),
    /// The service cannot listen on the address.
    #[error("the service cannot listen on {listen}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl From<StartError> for ServeError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Settings(error) => Self::Config(error.into()),
            StartError::Client(_) => Self::SignIn(error),
        }
    }
}
