//! A consumer with a name: after a restart it goes on where it last acknowledged.
//!
//! What was handed out and not acknowledged is handed out again. So every event is handed out at
//! least once and in order, and none is passed over.

use std::ops::Deref;
use std::sync::Arc;

use crate::log::{Log, ReadError};
use crate::state::{Holder, State, StateError, StateName, Step};
use crate::subscribe::{FollowedPage, Subscription};

/// A subscription whose cursor is kept in the state of the book.
pub struct Consumer<P> {
    subscription: Subscription<P>,
    state: Arc<dyn State>,
    name: StateName,
    holder: Holder,
    acknowledged: u64,
}

impl<P> Consumer<P>
where
    P: Deref<Target: Log> + Send + Sync,
{
    /// Goes on where the cursor `name` stands. If there is no such cursor, one is made where the
    /// subscription begins.
    ///
    /// # Errors
    /// A cursor beyond the head: the record is older than it, as after a restore.
    pub async fn open(
        mut subscription: Subscription<P>,
        state: Arc<dyn State>,
        name: StateName,
    ) -> Result<Self, ConsumeError> {
        let head = subscription.log().head().await?.position;
        check_start(&name, subscription.cursor(), head)?;
        let acknowledged = state.open_cursor(&name, subscription.cursor()).await?;
        if acknowledged > head {
            // Another consumer of this name may have acknowledged what was recorded meanwhile.
            let head = subscription.log().head().await?.position;
            check_start(&name, acknowledged, head)?;
        }
        subscription.begin_after(acknowledged);
        Ok(Self { subscription, state, name, holder: Holder::new(), acknowledged })
    }

    /// The position up to which everything is acknowledged.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// The next page, as [`Subscription::next`].
    ///
    /// # Errors
    /// As there.
    pub async fn next(&mut self) -> Result<FollowedPage, ReadError> {
        self.subscription.next().await
    }

    /// Records durably that everything up to `position` is done. A position below what was
    /// acknowledged before changes nothing. After an error of the storage it may be called again.
    ///
    /// # Errors
    /// More than was handed out, or another consumer that has moved the cursor.
    pub async fn acknowledge(&mut self, position: u64) -> Result<(), ConsumeError> {
        let handed_out_to = self.subscription.cursor();
        if position > handed_out_to {
            return Err(ConsumeError::NotHandedOut { position, handed_out_to });
        }
        if position > self.acknowledged {
            let step = Step { from: self.acknowledged, to: position };
            self.state.advance(&self.name, &self.holder, step).await?;
            self.acknowledged = position;
        }
        Ok(())
    }
}

fn check_start(name: &StateName, position: u64, head: u64) -> Result<(), ConsumeError> {
    if position <= head {
        return Ok(());
    }
    Err(ConsumeError::BeyondHead { name: name.clone(), position, head })
}

/// Why a consumer was not opened, or why its acknowledgement was not taken.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConsumeError {
    /// The consumer would pass over what is recorded next.
    #[error(
        "cursor {name} would stand at {position}, beyond the end of the book at {head}: after a \
         restore of the record set it back, else a consumer passes over what is recorded next"
    )]
    BeyondHead {
        /// Its name.
        name: StateName,
        /// Where it stands, or was to begin.
        position: u64,
        /// The end of the book.
        head: u64,
    },
    /// An acknowledgement of events that were not handed out.
    #[error(
        "position {position} cannot be acknowledged: events were handed out up to {handed_out_to}"
    )]
    NotHandedOut {
        /// As acknowledged.
        position: u64,
        /// The end of the last page.
        handed_out_to: u64,
    },
    /// The state.
    #[error(transparent)]
    State(#[from] StateError),
    /// The book cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}
