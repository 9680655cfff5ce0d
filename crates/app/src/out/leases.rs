//! Leases, by which only one of several processes on a book delivers.

use std::sync::Arc;
use std::time::Duration;

use daicho_store::{Holder, Lease, State, StateName};

use crate::error::Failure;
use crate::storage::Storage;

/// The right to deliver something, for a while.
#[derive(Debug)]
pub struct DeliveryLease(Lease);

/// The delivery leases of a book.
pub struct DeliveryLeases {
    state: Arc<dyn State>,
}

impl DeliveryLeases {
    pub(crate) fn of(storage: &Storage) -> Self {
        Self { state: Arc::clone(&storage.state) }
    }

    /// Takes the right to deliver something; `None` if somebody else has it.
    ///
    /// # Errors
    /// No lease can have the name, or storage fails.
    pub async fn take(
        &self,
        name: &str,
        holder: &Holder,
        time: Duration,
    ) -> Result<Option<DeliveryLease>, Failure> {
        let taken = self.state.take(&StateName::new(name)?, holder, milliseconds(time)).await?;
        Ok(taken.map(DeliveryLease))
    }

    /// Extends a lease to this long from now; returns whether it still existed.
    ///
    /// # Errors
    /// Storage fails.
    pub async fn renew(&self, lease: &DeliveryLease, time: Duration) -> Result<bool, Failure> {
        Ok(self.state.renew(&lease.0, milliseconds(time)).await?)
    }

    /// Ends a lease, so that others can take it.
    ///
    /// # Errors
    /// Storage fails.
    pub async fn release(&self, lease: &DeliveryLease) -> Result<(), Failure> {
        Ok(self.state.release(&lease.0).await?)
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
