//! Following a book: its events as recorded, from a position or a named cursor on, and the cursors
//! of those who follow.

use std::sync::Arc;

use daicho_events::Position;
use daicho_store::{
    Book, Consumer, FollowedPage, Query, QueryItem, ReadError, State, StateName, Subscription,
};
use serde::Serialize;

use super::event_text::{EventText, text};
use crate::error::Failure;
use crate::record::{KnownAt, Record};
use crate::storage::Storage;

/// The most events of a page, which are acknowledged together.
const PAGE_EVENTS: usize = 256;

/// What to follow, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FollowRequest {
    /// The cursor to continue from, which is moved by each acknowledgement; left out, nothing is
    /// remembered.
    pub name: Option<String>,
    /// Begin after this position; an existing cursor takes precedence.
    pub after: Position,
    /// Any of these types; empty: all types.
    pub types: Vec<String>,
    /// All of these tags; empty: any tags.
    pub tags: Vec<String>,
}

/// Events between two positions, as they are in the record.
#[derive(Debug)]
pub struct EventStretch {
    /// The page begins after this position, which is the end of the previous page.
    pub after: Position,
    /// The events.
    pub events: Vec<EventText>,
    /// Everything up to this position was looked at.
    pub scanned_to: Position,
}

impl EventStretch {
    /// Leaves out what comes after `until`.
    pub fn cut_at(&mut self, until: Position) {
        self.events.retain(|event| event.position <= until);
        self.scanned_to = self.scanned_to.min(until);
    }
}

/// Somebody who follows a book.
pub struct Follower<'a> {
    reader: Reader<'a>,
    position: Position,
    /// What was read and is not handed out yet.
    page: Option<FollowedPage>,
}

enum Reader<'a> {
    Plain(Box<Subscription<&'a Book>>),
    Named(Box<Consumer<&'a Book>>),
}

/// How far a named consumer has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CursorState {
    /// The consumer.
    pub cursor: String,
    /// Everything up to this position is acknowledged.
    pub position: Position,
    /// The number of events recorded since.
    pub behind_by: u64,
}

impl Reader<'_> {
    async fn next(&mut self) -> Result<FollowedPage, ReadError> {
        match self {
            Self::Plain(subscription) => subscription.next().await,
            Self::Named(consumer) => consumer.next().await,
        }
    }
}

impl Follower<'_> {
    /// The position up to which events were handed out.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The next events; waits while there are none. Every event comes once and in order, and none
    /// is skipped. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The log could not be read; asking again continues at the same place.
    pub async fn next(&mut self) -> Result<EventStretch, Failure> {
        let page = match self.page.take() {
            Some(page) => page,
            None => self.reader.next().await?,
        };
        // The reader continues after this page, so the page is kept until it is handed out.
        let page = self.page.insert(page);
        let events = page.events.iter().map(text).collect::<Result<_, _>>()?;
        let (after, scanned_to) = (Position(page.after), Position(page.scanned_to));
        self.page = None;
        self.position = scanned_to;
        Ok(EventStretch { after, events, scanned_to })
    }

    /// Acknowledges everything up to `position`: the cursor, if there is one, moves there.
    ///
    /// # Errors
    /// The position is beyond what was handed out, or another consumer uses the same name.
    pub async fn acknowledge(&mut self, position: Position) -> Result<(), Failure> {
        match &mut self.reader {
            Reader::Plain(_) => Ok(()),
            Reader::Named(consumer) => Ok(consumer.acknowledge(position.0).await?),
        }
    }
}

/// Follows the record of a book.
pub struct Following {
    log: Arc<Book>,
    state: Arc<dyn State>,
    record: Arc<Record>,
}

impl Following {
    pub(crate) fn of(storage: &Storage, record: &Arc<Record>) -> Self {
        Self {
            log: Arc::clone(&storage.log),
            state: Arc::clone(&storage.state),
            record: Arc::clone(record),
        }
    }

    /// Follows the book.
    ///
    /// # Errors
    /// The position or cursor is beyond the end, or no cursor can have the name.
    pub async fn start(&self, request: &FollowRequest) -> Result<Follower<'_>, Failure> {
        let FollowRequest { name, after, types, tags } = request;
        let name = name.as_deref().map(StateName::new).transpose()?;
        self.record.position_of(Some(KnownAt::Position(*after))).await?;
        let item = QueryItem { types: types.clone(), tags: tags.clone() };
        let query = Query { items: vec![item] };
        let subscription = Subscription::new(self.log.as_ref(), query, after.0, PAGE_EVENTS);
        let Some(name) = name else {
            let reader = Reader::Plain(Box::new(subscription));
            return Ok(Follower { reader, position: *after, page: None });
        };
        let consumer = Consumer::open(subscription, Arc::clone(&self.state), name).await?;
        let position = Position(consumer.acknowledged());
        Ok(Follower { reader: Reader::Named(Box::new(consumer)), position, page: None })
    }

    /// The cursors of all who follow under a name.
    ///
    /// # Errors
    /// Storage fails.
    pub async fn cursors(&self) -> Result<Vec<CursorState>, Failure> {
        let head = self.record.head().await?;
        let cursors = self.state.cursors().await?.into_iter();
        let state = |cursor: daicho_store::NamedCursor| CursorState {
            cursor: cursor.name,
            position: Position(cursor.position),
            behind_by: head.saturating_sub(cursor.position),
        };
        Ok(cursors.map(state).collect())
    }

    /// The position of the cursor `name`; `None` if there is no such cursor.
    ///
    /// # Errors
    /// No cursor can have the name, or storage fails.
    pub async fn cursor(&self, name: &str) -> Result<Option<CursorState>, Failure> {
        StateName::new(name)?;
        Ok(self.cursors().await?.into_iter().find(|cursor| cursor.cursor == name))
    }

    /// Puts the cursor `name` at `position`, and creates it if necessary. Moved back, it hands out
    /// events again; moved forward, it skips some.
    ///
    /// # Errors
    /// The position is beyond the end, or no cursor can have the name.
    pub async fn set_cursor(&self, name: &str, position: Position) -> Result<(), Failure> {
        let name = StateName::new(name)?;
        self.record.position_of(Some(KnownAt::Position(position))).await?;
        Ok(self.state.set_cursor(&name, position.0).await?)
    }

    /// Deletes the cursor `name`; returns whether there was one.
    ///
    /// # Errors
    /// No cursor can have the name, or storage fails.
    pub async fn delete_cursor(&self, name: &str) -> Result<bool, Failure> {
        Ok(self.state.delete_cursor(&StateName::new(name)?).await?)
    }
}

#[cfg(test)]
mod tests {
    use daicho_store::{Options, Stored, sqlite};

    use super::*;

    fn stored(position: u64, envelope: &str) -> Stored {
        Stored { position, envelope: envelope.into(), data: "{}".into() }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_page_that_cannot_be_handed_out_is_passed_over_by_no_further_try() {
        let folder = tempfile::tempdir().unwrap();
        let log = sqlite::create_book(folder.path(), Options::new("test")).await.unwrap();
        let subscription = Subscription::new(&log, Query::everything(), 0, PAGE_EVENTS);
        let reader = Reader::Plain(Box::new(subscription));
        let mut follower = Follower { reader, position: Position(0), page: None };
        let events = vec![stored(1, "{}"), stored(2, "{")];
        follower.page = Some(FollowedPage { after: 0, events, scanned_to: 2 });
        for _ in 0..2 {
            let next = follower.next().await;
            assert!(matches!(next, Err(Failure::Event { position: 2, .. })), "{next:?}");
            assert_eq!(follower.position(), Position(0));
        }
        let events = vec![stored(1, "{}"), stored(2, "{}"), stored(3, "{}")];
        follower.page = Some(FollowedPage { after: 0, events, scanned_to: 3 });
        let mut stretch = follower.next().await.unwrap();
        assert_eq!((stretch.events.len(), follower.position()), (3, Position(3)));
        stretch.cut_at(Position(4));
        assert_eq!((stretch.events.len(), stretch.scanned_to), (3, Position(3)));
        stretch.cut_at(Position(2));
        assert_eq!((stretch.events.len(), stretch.scanned_to), (2, Position(2)));
        drop(follower);
        log.close().await;
    }
}
