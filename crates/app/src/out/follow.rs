//! Following a book: its events as they stand, from a position or a named cursor on, and the
//! cursors of those who follow.

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

/// Events of a page: what is acknowledged at once.
const PAGE_EVENTS: usize = 256;

/// What is followed, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FollowRequest {
    /// The cursor to go on from, and to acknowledge to; left out, nothing is remembered.
    pub name: Option<String>,
    /// Begin after this position; a cursor that is there already counts more.
    pub after: Position,
    /// Any of these types; empty: all.
    pub types: Vec<String>,
    /// All of these tags; empty: any.
    pub tags: Vec<String>,
}

/// Events between two positions, as they stand in the record.
#[derive(Debug)]
pub struct EventStretch {
    /// The stretch begins after this position: the end of the one before.
    pub after: Position,
    /// The events.
    pub events: Vec<EventText>,
    /// Everything up to here was looked at.
    pub scanned_to: Position,
}

impl EventStretch {
    /// Leaves out what stands after `until`.
    pub fn cut_at(&mut self, until: Position) {
        self.events.retain(|event| event.position <= until);
        self.scanned_to = self.scanned_to.min(until);
    }
}

/// Somebody who follows a book.
pub struct Follower<'a> {
    reader: Reader<'a>,
    position: Position,
    /// Read, and not handed out yet.
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
    /// Everything up to here is acknowledged.
    pub position: Position,
    /// Events recorded since.
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

    /// What comes next; waits while there is nothing. Every event once and in order, none passed
    /// over. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The log could not be read; asking again goes on at the same place.
    pub async fn next(&mut self) -> Result<EventStretch, Failure> {
        let page = match self.page.take() {
            Some(page) => page,
            None => self.reader.next().await?,
        };
        // The reader goes on behind it: it is kept until it is handed out.
        let page = self.page.insert(page);
        let events = page.events.iter().map(text).collect::<Result<_, _>>()?;
        let (after, scanned_to) = (Position(page.after), Position(page.scanned_to));
        self.page = None;
        self.position = scanned_to;
        Ok(EventStretch { after, events, scanned_to })
    }

    /// Says that everything up to `position` is done: the cursor, if there is one, stands there
    /// from now on.
    ///
    /// # Errors
    /// More than was handed out, or another consumer under the same name.
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
    /// A position or cursor beyond the end, or a name that no cursor can have.
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
    /// Storage that fails.
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

    /// Where the cursor `name` stands; none where there is no such cursor.
    ///
    /// # Errors
    /// A name that no cursor can have, or storage that fails.
    pub async fn cursor(&self, name: &str) -> Result<Option<CursorState>, Failure> {
        StateName::new(name)?;
        Ok(self.cursors().await?.into_iter().find(|cursor| cursor.cursor == name))
    }

    /// Puts the cursor `name` at `position`, and makes it if need be: back, so that events are
    /// handed out again, or forward, so that some never are.
    ///
    /// # Errors
    /// A position beyond the end, or a name that no cursor can have.
    pub async fn set_cursor(&self, name: &str, position: Position) -> Result<(), Failure> {
        let name = StateName::new(name)?;
        self.record.position_of(Some(KnownAt::Position(position))).await?;
        Ok(self.state.set_cursor(&name, position.0).await?)
    }

    /// Forgets the cursor `name`; whether there was one.
    ///
    /// # Errors
    /// A name that no cursor can have, or storage that fails.
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
