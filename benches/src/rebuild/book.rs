//! The book that is rebuilt: a simulated life, and beyond its length copies of it under other ids.

use std::path::PathBuf;
use std::sync::Arc;

use daicho_app::{BookName, Books, ClockAndEntropy, Unwatched};
use daicho_simulator::{Simulated, clock_and_entropy, simulate};
use daicho_store::postgres::Database;
use daicho_store::{Append, Book, Envelope, Log as _, NewEvent, Options, Stored, sqlite};

use crate::SOFTWARE;
use crate::error::BenchError;
use crate::packer::EventPacker;

/// Events that a life may have.
const LIFE_EVENTS_MAX: usize = 50_000;
/// Events of the life that are appended beside a rebuild, and the number of that copy.
const LIVE_EVENTS: usize = 600;
const LIVE_COPY: u64 = 900_000;
/// Events of an append of copies.
pub(crate) const COPY_EVENTS: usize = 1_000;
/// The simulated life ends before this.
const UNTIL: &str = "2026-04-01T03:00:00.000000Z";
/// Name of the book in its folder.
pub(crate) const BOOK: &str = "rebuilt";
/// Characters of an id in text.
const ID_CHARS: usize = 26;
/// Crockford's base 32.
const BASE_32: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A book that is not open.
pub(crate) struct SampleBook {
    pub(crate) books: Books,
    /// The folder of the books.
    data: PathBuf,
    pub(crate) name: BookName,
    pub(crate) clock_and_entropy: ClockAndEntropy,
    /// Events that were lived; the others are copies.
    pub(crate) lived: u64,
}

impl SampleBook {
    /// Makes the book that `options` ask for, or one of a few events more.
    pub(crate) async fn make(options: &super::Options) -> Result<Self, BenchError> {
        let super::Options { events, lived, seed, .. } = *options;
        let simulated = clock_and_entropy(seed);
        let books = Books::in_folder(&options.folder);
        let name: BookName = BOOK.parse()?;
        let lived = live(&books, &name, &simulated, events.min(lived), seed).await?;
        let data = options.folder.clone();
        let book =
            Self { books, data, name, clock_and_entropy: simulated.clock_and_entropy, lived };
        if events > lived {
            book.copy(events).await?;
        }
        Ok(book)
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.data.join(self.name.to_string())
    }

    /// The book as the store has it, without the ledger.
    pub(crate) async fn store(&self) -> Result<Book, BenchError> {
        Ok(sqlite::open_book(&self.folder(), self.options()).await?)
    }

    /// A copy of the book in a database, as the store has it.
    pub(crate) async fn store_in(&self, url: &str) -> Result<Book, BenchError> {
        let database = Database::parse(url)?;
        Ok(database.open_book(&self.name.to_string(), self.options()).await?)
    }

    fn options(&self) -> Options {
        Options {
            clock: Arc::clone(&self.clock_and_entropy.clock),
            packer: Arc::new(EventPacker),
            ..Options::new(SOFTWARE)
        }
    }

    /// Appends copies of the life until the book holds `events` events.
    async fn copy(&self, events: u64) -> Result<(), BenchError> {
        let store = self.store().await?;
        let life = read_all(&store).await?;
        let (mut head, mut copy) = (self.lived, 0);
        while head < events {
            copy += 1;
            let copies: Vec<NewEvent> = life
                .iter()
                .filter_map(|stored| copied(stored, copy).transpose())
                .collect::<Result<_, _>>()?;
            for batch in copies.chunks(COPY_EVENTS) {
                if head < events {
                    let append = Append { events: batch.to_vec(), condition: None, request: None };
                    head = store.append(append).await?.last;
                }
            }
        }
        store.close().await;
        Ok(())
    }
}

/// One more copy of the life, which no book of a measurement holds, event by event.
pub(crate) async fn live_events(store: &Book) -> Result<Vec<NewEvent>, BenchError> {
    let life = store.read(&daicho_store::Query::everything(), 0, 0, LIVE_EVENTS).await?;
    let copied = life.events.iter().filter_map(|stored| copied(stored, LIVE_COPY).transpose());
    copied.collect()
}

async fn live(
    books: &Books,
    name: &BookName,
    simulated: &Simulated,
    events: u64,
    seed: u64,
) -> Result<u64, BenchError> {
    let until = UNTIL.parse().map_err(|error| BenchError::Wrong(format!("{error}")))?;
    let ledger = books.create(name, simulated.clock_and_entropy.clone()).await?;
    let options = daicho_simulator::Options { events, seed, until };
    simulate(&ledger, simulated, &options, &Unwatched).await?;
    let lived = ledger.proof().checkpoint().await?.position.0;
    ledger.close().await;
    Ok(lived)
}

/// The events of a life.
pub(crate) async fn read_all(store: &Book) -> Result<Vec<Stored>, BenchError> {
    let page = store.read(&daicho_store::Query::everything(), 0, 0, LIFE_EVENTS_MAX).await?;
    let head = store.head().await?.position;
    if page.scanned_to < head {
        return Err(BenchError::Wrong(format!("a life of {head} events is not one page")));
    }
    Ok(page.events)
}

/// The same event about others; none of an event of the shop itself, which happens once.
pub(crate) fn copied(stored: &Stored, copy: u64) -> Result<Option<NewEvent>, BenchError> {
    let envelope =
        Envelope::parse(&stored.envelope).map_err(|error| BenchError::Wrong(error.to_string()))?;
    if envelope.type_name.starts_with("shop.") {
        return Ok(None);
    }
    let data = about_others(&stored.data, copy);
    Ok(Some(NewEvent {
        type_name: envelope.type_name.into_owned(),
        version: envelope.version,
        effective_on: envelope.effective_on.to_owned(),
        tags: envelope.tags.iter().map(|tag| about_others(tag, copy)).collect(),
        actor: about_others(&envelope.actor, copy),
        on_behalf_of: None,
        cause: None,
        data_sha256: NewEvent::hash_data(&data),
        data,
    }))
}

/// The text with other ids and invoice numbers, the same ones in every text of the same copy.
fn about_others(text: &str, copy: u64) -> String {
    let mut others = String::with_capacity(text.len() + 16);
    let is_part = |character: char| character.is_ascii_alphanumeric();
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let (between, word_on) = rest.split_at(start);
        let end = word_on.find(|character| !is_part(character)).unwrap_or(word_on.len());
        let (word, after) = word_on.split_at(end);
        others.push_str(between);
        if is_id(word) {
            push_other_id(&mut others, word, copy);
        } else {
            others.push_str(word);
            if is_invoice_number(word) {
                others.push_str(&format!("-{copy}"));
            }
        }
        rest = after;
    }
    others.push_str(rest);
    others
}

fn is_id(word: &str) -> bool {
    word.len() == ID_CHARS && word.bytes().all(|byte| BASE_32.contains(&byte))
}

fn is_invoice_number(word: &str) -> bool {
    let digits = word.strip_prefix('R').unwrap_or_default();
    digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Turns four characters in the midst of the random part on by the copy's number. Not the last
/// ones:
/// ids of one decision count up there, and a copy of one would be another.
fn push_other_id(others: &mut String, id: &str, copy: u64) {
    let place = |byte: u8| BASE_32.iter().position(|&digit| digit == byte).unwrap_or_default();
    let (before, turned_on) = id.split_at(ID_CHARS - 14);
    let (turned, after) = turned_on.split_at(4);
    let number = turned.bytes().fold(0, |number, byte| number << 5 | place(byte));
    let other = number ^ usize::try_from(copy).unwrap_or_default() & 0xF_FFFF;
    others.push_str(before);
    for shift in [15, 10, 5, 0] {
        let digit = BASE_32.get(other >> shift & 31).copied().unwrap_or(b'0');
        others.push(char::from(digit));
    }
    others.push_str(after);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_about_others_and_says_the_same_of_them() {
        let text = r#"{"order":"01J7ST00000000000000000004","invoice":"R00000001","n":1}"#;
        let copy = r#"{"order":"01J7ST00000000020000000004","invoice":"R00000001-2","n":1}"#;
        assert_eq!(about_others(text, 2), copy);
        assert_eq!(
            about_others("member:01J7ST000000000Z00000000ZZ", 1),
            "member:01J7ST000000000Y00000000ZZ"
        );
        assert_eq!(about_others("staff:hanako", 1), "staff:hanako");
    }
}
