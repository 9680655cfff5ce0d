//! What one writes without a library: rusqlite in WAL and FULL, a log and a table of its tags in a
//! B-tree, statements prepared once, one transaction an append.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use daicho_events::Event;
use rusqlite::{Connection, TransactionBehavior, params};

use crate::error::PeerError;
use crate::facts::Fact;
use crate::measure::{About, Store, version};

const TABLES: &str = "
CREATE TABLE log (
  position INTEGER PRIMARY KEY, type TEXT NOT NULL, version INTEGER NOT NULL, data TEXT NOT NULL
) STRICT;
CREATE TABLE tag (
  tag TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (tag, position)
) STRICT, WITHOUT ROWID;";

/// The one connection.
pub(crate) struct TagTable {
    connection: Mutex<Connection>,
    checked: bool,
}

/// Makes the file and its tables.
pub(crate) fn open(folder: &Path, checked: bool) -> Result<TagTable, PeerError> {
    let connection = Connection::open(folder.join("tags.db"))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(TABLES)?;
    Ok(TagTable { connection: Mutex::new(connection), checked })
}

impl TagTable {
    fn write(&self, facts: &[Fact]) -> Result<(), PeerError> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            if let Some(first) = facts.first().filter(|_| self.checked) {
                let mut stands = tx.prepare_cached("SELECT 1 FROM tag WHERE tag = ?1")?;
                if stands.exists([first.subject()])? {
                    return Err(PeerError::Peer(format!("{} is not new", first.subject())));
                }
            }
            let mut event =
                tx.prepare_cached("INSERT INTO log (type, version, data) VALUES (?1, ?2, ?3)")?;
            let mut tag = tx.prepare_cached("INSERT INTO tag (tag, position) VALUES (?1, ?2)")?;
            for fact in facts {
                let kind = fact.event.event_type();
                event.execute(params![kind.name, kind.version, fact.data])?;
                let position = tx.last_insert_rowid();
                for name in &fact.tags {
                    tag.execute(params![name, position])?;
                }
            }
        }
        Ok(tx.commit()?)
    }
}

impl Store for TagTable {
    fn about(&self) -> About {
        let way = if self.checked { "tag table, tag looked up" } else { "tag table" };
        About {
            who: format!("rusqlite {}, {way}", version("rusqlite")),
            storage: format!("SQLite {}", rusqlite::version()),
            durability: "WAL, synchronous=FULL".to_owned(),
        }
    }

    async fn append(&self, _: usize, facts: Vec<Fact>) -> Result<(), PeerError> {
        self.write(&facts)
    }

    async fn replay(&self) -> Result<Vec<Event>, PeerError> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rows =
            connection.prepare("SELECT type, version, data FROM log ORDER BY position")?;
        let mut rows = rows.query([])?;
        let mut events = Vec::new();
        while let Some(row) = rows.next()? {
            let (kind, data) = (row.get_ref(0)?, row.get_ref(2)?);
            let text = |value: rusqlite::types::ValueRef<'_>| {
                value.as_str().map(str::to_owned).map_err(PeerError::of)
            };
            events.push(Event::decode(&text(kind)?, row.get(1)?, &text(data)?)?);
        }
        Ok(events)
    }
}
