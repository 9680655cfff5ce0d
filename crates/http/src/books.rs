//! The books that a service has open. Each is opened at the start or by the first request about it,
//! and its events are delivered from then on.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use daicho_app::{BookError, BookName, Books, ClockAndEntropy, Ledger};
use daicho_deliveries::{Attendant, Broker, Courier, deliver, publish};
use tokio::sync::{Mutex, OnceCell};

/// How often the service looks for books that other processes created.
pub(crate) const LOOK: Duration = Duration::from_secs(60);

/// Open books, by name.
pub(crate) struct OpenBooks {
    books: Books,
    clock_and_entropy: ClockAndEntropy,
    /// Sends their events to webhooks; none: this process sends none.
    courier: Option<Arc<Courier>>,
    /// Publishes their events; none: they are not published.
    broker: Option<Arc<Broker>>,
    open: Mutex<HashMap<BookName, Arc<OnceCell<OpenBook>>>>,
}

struct OpenBook {
    ledger: Arc<Ledger>,
    /// The tasks that send its events.
    attendants: Vec<Attendant>,
}

impl OpenBooks {
    pub(crate) fn new(
        books: Books,
        clock_and_entropy: ClockAndEntropy,
        courier: Option<Arc<Courier>>,
        broker: Option<Arc<Broker>>,
    ) -> Self {
        Self { books, clock_and_entropy, courier, broker, open: Mutex::default() }
    }

    /// The book of that name; none: there is no such book.
    ///
    /// # Errors
    /// The place of the books cannot be reached, or the book cannot be opened.
    pub(crate) async fn get(&self, name: &BookName) -> Result<Option<Arc<Ledger>>, BookError> {
        let known = self.open.lock().await.get(name).cloned();
        let cell = match known {
            Some(cell) => cell,
            // Only names of existing books are kept, so that requests for others do not fill
            // memory.
            None if !self.books.exists(name).await? => return Ok(None),
            None => Arc::clone(self.open.lock().await.entry(name.clone()).or_default()),
        };
        let opened = cell.get_or_try_init(|| self.open(name)).await?;
        Ok(Some(Arc::clone(&opened.ledger)))
    }

    async fn open(&self, name: &BookName) -> Result<OpenBook, BookError> {
        let ledger = Arc::new(self.books.open(name, self.clock_and_entropy.clone()).await?);
        let delivered = |courier| deliver(Arc::clone(&ledger), Arc::clone(courier));
        let published = |broker| publish(Arc::clone(&ledger), Arc::clone(broker));
        let attendants = self.courier.as_ref().map(delivered).into_iter();
        let attendants = attendants.chain(self.broker.as_ref().map(published)).collect();
        Ok(OpenBook { ledger, attendants })
    }

    /// Opens every book that is not open yet, so that its events are delivered even if no request
    /// is about it.
    pub(crate) async fn open_all(&self) {
        let names = match self.names().await {
            Ok(names) => names,
            Err(error) => return tracing::warn!(%error, "the books cannot be listed"),
        };
        for name in names {
            if let Err(error) = self.get(&name).await {
                tracing::warn!(book = %name, %error, "a book cannot be opened and delivered");
            }
        }
    }

    /// The names of all books.
    ///
    /// # Errors
    /// The place of the books cannot be reached.
    pub(crate) async fn names(&self) -> Result<Vec<BookName>, BookError> {
        self.books.list().await
    }

    /// Whether the place of the books can be reached.
    ///
    /// # Errors
    /// It cannot.
    pub(crate) async fn reach(&self) -> Result<(), BookError> {
        self.names().await.map(drop)
    }

    /// Stops the deliveries and closes every book that nothing uses any more.
    pub(crate) async fn close(&self) {
        let open = std::mem::take(&mut *self.open.lock().await);
        let books = open.into_values().filter_map(|cell| Arc::into_inner(cell)?.into_inner());
        let closing: Vec<_> = books.map(|book| tokio::spawn(book.close())).collect();
        for book in closing {
            // A task that panicked has logged it.
            let _ = book.await;
        }
    }
}

impl OpenBook {
    async fn close(self) {
        for attendant in self.attendants {
            attendant.stop().await;
        }
        match Arc::into_inner(self.ledger) {
            Some(ledger) => ledger.close().await,
            None => tracing::warn!("a book was in use when the service ended"),
        }
    }
}
