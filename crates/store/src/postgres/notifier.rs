//! NOTIFY and LISTEN: one channel for each book, with the position as payload.
//!
//! A NOTIFY takes a lock of the whole database when it commits, so it is never part of an append:
//! it is a statement of its own, afterwards, and does not wait for a sync.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::PgListener;
use tokio::time::timeout;

use crate::book::{Listener, Notifier};
use crate::error::StorageError;

use super::connect::Access;
use super::lender::{Lender, Within as _};
use super::schema::SchemaName;

const LISTENING: &str = "listen for what other processes write";
/// After a silence of this many times what an answer may take, the server is asked whether it is
/// still there: a connection that went silent looks like a book in which nothing happens.
const QUIET_TIMES: u32 = 2;

/// The channel of one book.
pub(super) struct PgNotifier {
    channel: String,
    access: Access,
    telling: Lender,
}

impl PgNotifier {
    /// Its connections are made when they are needed.
    pub(super) fn new(record: &SchemaName, access: Access) -> Self {
        let telling = access.lender(1);
        Self { channel: format!("{}_head", record.as_str()), access, telling }
    }
}

#[async_trait]
impl Notifier for PgNotifier {
    async fn tell(&self, position: u64) -> Result<(), StorageError> {
        let channel = self.channel.as_str();
        self.telling
            .ask("tell other processes of a new head", |mut lent| async move {
                let told = sqlx::query(include_str!("sql/notify.sql"))
                    .bind(channel)
                    .bind(position.to_string())
                    .execute(&mut *lent)
                    .await;
                (lent, told)
            })
            .await?;
        Ok(())
    }

    async fn listen(&self) -> Result<Box<dyn Listener>, StorageError> {
        let answer = self.access.answer;
        let listening = async {
            let mut listener = PgListener::connect_with(&self.access.pool_of_one()).await?;
            listener.listen(&self.channel).await?;
            Ok(listener)
        };
        let listener = listening.within(answer, LISTENING).await?;
        Ok(Box::new(PgChannelListener { listener, answer }))
    }
}

/// Connects again by itself, and says that it had to.
struct PgChannelListener {
    listener: PgListener,
    answer: Duration,
}

#[async_trait]
impl Listener for PgChannelListener {
    async fn hear(&mut self) -> Result<Option<u64>, StorageError> {
        let quiet = self.answer * QUIET_TIMES;
        let Ok(heard) = timeout(quiet, self.listener.try_recv()).await else {
            let asking = sqlx::raw_sql("SELECT 1").execute(&mut self.listener);
            asking.within(self.answer, LISTENING).await?;
            // It may have connected anew for that.
            return Ok(None);
        };
        let heard = heard.map_err(StorageError::sqlx(LISTENING))?;
        Ok(heard.and_then(|notification| notification.payload().parse().ok()))
    }
}
