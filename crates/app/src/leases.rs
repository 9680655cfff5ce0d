//! Leases: of several processes on one book, one delivers.

use std::time::Duration;

use daicho_store::{Holder, Lease, StateName};

use crate::error::Failure;
use crate::ledger::Ledger;

/// The right to deliver something, for a while.
#[derive(Debug)]
pub struct DeliveryLease(Lease);

impl Ledger {
    /// Takes the right to deliver something; none: somebody else has it.
    ///
    /// # Errors
    /// A name that no lease can have, or storage that fails.
    pub async fn lease_delivery(
        &self,
        name: &str,
        holder: &Holder,
        time: Duration,
    ) -> Result<Option<DeliveryLease>, Failure> {
        let taken = self.state().take(&StateName::new(name)?, holder, milliseconds(time)).await?;
        Ok(taken.map(DeliveryLease))
    }

    /// Makes it last for so long from now on; whether it was still there.
    ///
    /// # Errors
    /// Storage that fails.
    pub async fn renew_delivery(
        &self,
        lease: &DeliveryLease,
        time: Duration,
    ) -> Result<bool, Failure> {
        Ok(self.state().renew(&lease.0, milliseconds(time)).await?)
    }

    /// Lets others in.
    ///
    /// # Errors
    /// Storage that fails.
    pub async fn release_delivery(&self, lease: &DeliveryLease) -> Result<(), Failure> {
        Ok(self.state().release(&lease.0).await?)
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
