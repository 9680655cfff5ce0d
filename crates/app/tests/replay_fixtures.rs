//! Recorded books stay readable for ever: every event in `replay-fixtures/books` is decoded, proved
//! and folded as on the day of its recording. `replay-fixtures/README.md` says how and why.

#![allow(unreachable_pub, missing_docs, dead_code, reason = "a test crate has no public surface")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod shops;
mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use daicho_app::{Books, KEY_MISSING, KnownAt, Ledger, ListRequest, Unwatched};
use daicho_events::shop::ShopEvent;
use daicho_events::{Event, Header, Position, Recorded};
use daicho_projections::{Partition, all};
use daicho_store::{Envelope, Frontier, NewEvent, leaf_hash};
use daicho_values::{Date, TimeZone, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use shops::{STORIES, Story};
use support::{book_name, clock_at, rows};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../replay-fixtures");
const BOOKS: &str = "books";
const EVENTS_FILE: &str = "events.jsonl";
const EXPECTED_FILE: &str = "expected.json";
const SUMS_FILE: &str = "SHA256SUMS";
/// The variable with the name of the new fixture to be recorded, which begins with the name of the
/// shop's preset.
const RECORD_VARIABLE: &str = "DAICHO_RECORD";
/// A time after every story: a book is opened by a clock that is not behind its last event.
const LATER: &str = "2027-01-01T00:00:00+09:00";

/// What the lists of a book must say for ever.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Expected {
    /// `N:ROOT`.
    checkpoint: String,
    views: Vec<View>,
}

/// The lists, as known on one day and as effective on another.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct View {
    /// Show what was recorded up to the end of this day; `null`: everything.
    known_on: Option<Date>,
    /// Show what counts on this day.
    effective_on: Date,
    /// Every row of every list, by its name, personal values as `(key missing)`.
    lists: Vec<(String, Vec<Value>)>,
}

/// A line of `events.jsonl`: the two texts of an event as they are in the record.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    envelope: &'a RawValue,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// A book that was read without a store: its events, and the tree over their envelopes.
#[derive(Debug)]
struct Replayed {
    events: Vec<Recorded>,
    frontier: Frontier,
}

impl Replayed {
    /// Reads and proves every line.
    fn read(text: &str) -> Result<Self, String> {
        let mut book = Self { events: Vec::new(), frontier: Frontier::default() };
        for (line, position) in text.lines().zip(1..) {
            let event = book.next(line, position);
            book.events.push(event.map_err(|error| format!("event {position}: {error}"))?);
        }
        Ok(book)
    }

    fn next(&mut self, line: &str, position: u64) -> Result<Recorded, String> {
        let line: Line<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let (envelope, data) = (line.envelope.get(), line.data.get());
        self.frontier.push(leaf_hash(envelope.as_bytes()));
        let envelope = Envelope::parse(envelope).map_err(|error| error.to_string())?;
        if envelope.position != position {
            return Err(format!("it says that it is event {}", envelope.position));
        }
        if NewEvent::hash_data(data) != envelope.data_sha256 {
            return Err("its data is not what its envelope binds".to_owned());
        }
        let on_behalf_of = envelope.on_behalf_of.map(|actor| actor.parse()).transpose();
        let header = Header {
            position: Position(position),
            recorded_at: Timestamp::from_microseconds(envelope.recorded_at_us),
            effective_on: envelope.effective_on.parse().map_err(|error| format!("{error}"))?,
            actor: envelope.actor.parse().map_err(|error| format!("{error}"))?,
            on_behalf_of: on_behalf_of.map_err(|error| format!("{error}"))?,
            cause: envelope.cause.map(Position),
        };
        if self.events.last().is_some_and(|last| last.header.recorded_at > header.recorded_at) {
            return Err("it was recorded before the one before it".to_owned());
        }
        let event = Event::decode(&envelope.type_name, envelope.version, data);
        Ok(Recorded { header, event: event.map_err(|error| format!("{error:?}"))? })
    }

    fn checkpoint(&self) -> String {
        format!("{}:{}", self.frontier.size(), hex::encode(self.frontier.root()))
    }

    /// The time zone, which decides where the shop's days begin and end.
    fn time_zone(&self) -> TimeZone {
        let mut zones = self.events.iter().filter_map(|recorded| {
            let Event::Shop(ShopEvent::Configured(shop)) = &recorded.event else { return None };
            Some(shop.time_zone)
        });
        zones.next_back().expect("a fixture's book has settings")
    }

    fn view(&self, known_on: Option<Date>, effective_on: Date) -> View {
        let zone = self.time_zone().rules();
        let day = |recorded: &Recorded| Date(recorded.header.recorded_at.in_zone(&zone).date());
        let is_known = |recorded: &&Recorded| known_on.is_none_or(|known| day(recorded) <= known);
        let lists = all().iter().map(|list| {
            let mut fold = list.start(Partition::WHOLE);
            self.events.iter().filter(is_known).for_each(|event| fold.apply(event));
            let rows = fold.finish().unwrap().into_iter().filter_map(|(_, row)| row);
            let shown = rows.filter_map(|row| list.json(&row, effective_on).unwrap());
            (list.name().to_owned(), shown.map(without_keys).collect())
        });
        View { known_on, effective_on, lists: lists.collect() }
    }
}

/// A row as somebody without the vault reads it.
fn without_keys(value: Value) -> Value {
    let is_sealed = |object: &serde_json::Map<String, Value>| {
        object.len() == 3
            && ["key", "sealed", "commitment"].iter().all(|key| object.contains_key(*key))
    };
    match value {
        Value::Object(object) if is_sealed(&object) => Value::from(KEY_MISSING),
        Value::Object(object) => {
            object.into_iter().map(|(name, inner)| (name, without_keys(inner))).collect()
        }
        Value::Array(items) => items.into_iter().map(without_keys).collect(),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => plain,
    }
}

/// The views of a story: all of it at its end, and each day as it was known then and as it is known
/// now.
fn questions(story: &Story, end: Date) -> Vec<(Option<Date>, Date)> {
    let days = story.days.map(|day| day.parse::<Date>().unwrap());
    let each = days.into_iter().flat_map(|day| [(Some(day), day), (None, day)]);
    std::iter::once((None, end)).chain(each).collect()
}

/// What a ledger that has lost its vault says about a story.
async fn told_by(ledger: &Ledger, story: &Story, end: Date) -> Expected {
    let mut views = Vec::new();
    for (known_on, effective_on) in questions(story, end) {
        let mut lists = Vec::new();
        for list in all() {
            let known_at = known_on.map(KnownAt::Day);
            let effective_on = Some(effective_on);
            let request = ListRequest { known_at, effective_on, ..ListRequest::default() };
            lists.push((list.name().to_owned(), rows(ledger, list.name(), request).await));
        }
        views.push(View { known_on, effective_on, lists });
    }
    Expected { checkpoint: ledger.proof().checkpoint().await.unwrap().to_string(), views }
}

/// The record as it is stored, one event per line.
async fn texts(ledger: &Ledger) -> String {
    let page = ledger.history().events(&[], &[], Position(0), 10_000).await.unwrap();
    assert_eq!(
        page.scanned_to,
        ledger.proof().checkpoint().await.unwrap().position,
        "one page is all"
    );
    let lines = page.events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n");
    lines.collect()
}

/// Runs a story; returns its record and what its lists say without the vault.
async fn recorded(story: &Story) -> (String, Expected) {
    let folder = TempDir::new().unwrap();
    let ledger = shops::live(story, folder.path()).await;
    ledger.proof().verify(None, &Unwatched).await.unwrap();
    let (texts, end) = (texts(&ledger).await, ledger.record().today().await.unwrap());
    let book = ledger.folder().unwrap().to_owned();
    ledger.close().await;
    std::fs::remove_file(book.join("vault.db")).unwrap();
    let (_, clock_and_entropy) = clock_at(LATER);
    let ledger =
        Books::in_folder(folder.path()).open(&book_name(), clock_and_entropy).await.unwrap();
    let told = told_by(&ledger, story, end).await;
    ledger.close().await;
    (texts, told)
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

/// The text of `expected.json`: one row per line, so that a difference can be read.
fn expected_text(expected: &Expected) -> String {
    let mut text = format!("{{\"checkpoint\":{},\"views\":[", json(&expected.checkpoint));
    for (at, view) in expected.views.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let (known_on, effective_on) = (json(&view.known_on), json(&view.effective_on));
        write!(text, "{comma}\n{{\"known_on\":{known_on},\"effective_on\":{effective_on},")
            .unwrap();
        text.push_str("\"lists\":[");
        for (at, (list, rows)) in view.lists.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let rows: Vec<String> = rows.iter().map(Value::to_string).collect();
            write!(text, "{comma}\n[{},[\n{}\n]]", json(list), rows.join(",\n")).unwrap();
        }
        text.push_str("]}");
    }
    text.push_str("\n]}\n");
    text
}

/// Adds a book to the fixtures under `root`. A name in use is refused: what a release wrote stays
/// as it is.
fn add_book(root: &Path, name: &str, texts: &str, expected: &Expected) -> std::io::Result<()> {
    let folder = root.join(BOOKS).join(name);
    std::fs::create_dir_all(root.join(BOOKS))?;
    std::fs::create_dir(&folder)?;
    let mut sums =
        std::fs::OpenOptions::new().create(true).append(true).open(root.join(SUMS_FILE))?;
    for (file, text) in [(EVENTS_FILE, texts), (EXPECTED_FILE, &expected_text(expected))] {
        std::fs::write(folder.join(file), text)?;
        writeln!(sums, "{}  {BOOKS}/{name}/{file}", sha256(text.as_bytes()))?;
    }
    Ok(())
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Compares every file of every book, and every other listed file, with the list of sums.
fn check_sums(root: &Path) -> Result<(), String> {
    let sums = std::fs::read_to_string(root.join(SUMS_FILE)).map_err(|error| error.to_string())?;
    let mut listed = BTreeSet::new();
    for line in sums.lines() {
        let (sum, file) = line.split_once("  ").ok_or_else(|| format!("`{line}` is no sum"))?;
        let bytes = std::fs::read(root.join(file)).map_err(|error| format!("{file}: {error}"))?;
        if sha256(&bytes) != sum {
            return Err(format!("{file} was changed: fixtures are only ever added to"));
        }
        listed.insert(root.join(file));
    }
    let files = books(root).into_iter().flat_map(|book| {
        let entries = std::fs::read_dir(book).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    });
    let unlisted = { files }.find(|file| !listed.contains(file));
    unlisted.map_or(Ok(()), |file| Err(format!("{} is not in {SUMS_FILE}", file.display())))
}

/// The folders of the books, by name.
fn books(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root.join(BOOKS)).unwrap();
    let mut books: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    books.sort();
    books
}

/// Reads a book's two files and compares one with the other.
fn check_book(folder: &Path) -> Result<(), String> {
    let read = |file| {
        std::fs::read_to_string(folder.join(file)).map_err(|error| format!("{file}: {error}"))
    };
    let expected: Expected =
        serde_json::from_str(&read(EXPECTED_FILE)?).map_err(|error| error.to_string())?;
    let book = Replayed::read(&read(EVENTS_FILE)?)?;
    if book.checkpoint() != expected.checkpoint {
        return Err(format!("it ends at {}, not at {}", book.checkpoint(), expected.checkpoint));
    }
    expected.views.iter().try_for_each(|view| check_view(&book, view))
}

fn check_view(book: &Replayed, expected: &View) -> Result<(), String> {
    let (known_on, effective_on) = (expected.known_on, expected.effective_on);
    let found = book.view(known_on, effective_on);
    for (list, rows) in &expected.lists {
        let seen = || format!("{list} known on {known_on:?}, effective on {effective_on}");
        let now = found.lists.iter().find(|(now, _)| now == list);
        let (_, now) = now.ok_or_else(|| format!("{}: there is no such list", seen()))?;
        if now.len() != rows.len() {
            return Err(format!("{}: {} rows, now {}", seen(), rows.len(), now.len()));
        }
        if let Some((row, now)) = rows.iter().zip(now).find(|(row, now)| !still_says(now, row)) {
            return Err(format!("{}: it said\n{row:#}\nand now says\n{now:#}", seen()));
        }
    }
    Ok(())
}

/// Whether a row still says everything that it once said. A later release may say more: a new field
/// does not change the past.
fn still_says(now: &Value, then: &Value) -> bool {
    match (now, then) {
        (Value::Object(now), Value::Object(then)) => {
            then.iter().all(|(name, then)| now.get(name).is_some_and(|now| still_says(now, then)))
        }
        (Value::Array(now), Value::Array(then)) => {
            now.len() == then.len() && now.iter().zip(then).all(|(now, then)| still_says(now, then))
        }
        (now, then) => now == then,
    }
}

#[test]
fn every_recorded_book_is_read_proved_and_folded_as_on_the_day_of_its_recording() {
    let books = books(Path::new(FIXTURES));
    assert!(books.len() >= STORIES.len(), "the fixtures are there: {books:?}");
    for book in books {
        check_book(&book).unwrap_or_else(|error| panic!("{}: {error}", book.display()));
    }
}

#[test]
fn every_fixture_is_as_it_was_recorded() {
    check_sums(Path::new(FIXTURES)).unwrap();
}

#[test]
fn the_fixtures_hold_a_version_1_of_the_shops_settings_and_a_request() {
    let texts: String = books(Path::new(FIXTURES))
        .iter()
        .map(|book| std::fs::read_to_string(book.join(EVENTS_FILE)).unwrap())
        .collect();
    assert!(texts.contains(r#""type":"shop.configured","version":1,"#));
    assert!(texts.contains(r#""type":"shop.configured","version":2,"#));
    assert!(texts.contains(r#""request":{"id":"request-1","hash":""#));
}

/// Records the story of `preset` and compares the ledger with a replay of the record alone. If
/// [`RECORD_VARIABLE`] names a new book of that preset, the book is added to the fixtures.
async fn live_is_replay(preset: &str) {
    let story = STORIES.iter().find(|story| story.preset.to_string() == preset).unwrap();
    let (texts, told) = recorded(story).await;
    let replayed = Replayed::read(&texts).unwrap();
    assert_eq!(replayed.checkpoint(), told.checkpoint);
    for view in &told.views {
        assert_eq!(replayed.view(view.known_on, view.effective_on), *view);
    }
    let members = told.views[0].lists.iter().find(|(list, _)| list == "members");
    assert_eq!(members.unwrap().1[0]["name"], KEY_MISSING, "the vault was taken away");
    let wanted = std::env::var(RECORD_VARIABLE).unwrap_or_default();
    if wanted.starts_with(preset) {
        add_book(Path::new(FIXTURES), &wanted, &texts, &told).unwrap();
    }
}

#[tokio::test]
async fn a_telecom_shop_says_live_what_its_record_says() {
    live_is_replay("telecom-shop").await;
}

#[tokio::test]
async fn an_office_supplies_shop_opened_by_version_1_says_live_what_its_record_says() {
    live_is_replay("office-supplies").await;
}

#[tokio::test]
async fn a_software_market_says_live_what_its_record_says() {
    live_is_replay("software-market").await;
}

/// A copy of the fixtures' first book, for a test to damage.
fn copy_of_a_book() -> (TempDir, String, Expected) {
    let book = books(Path::new(FIXTURES)).remove(0);
    let texts = std::fs::read_to_string(book.join(EVENTS_FILE)).unwrap();
    let expected = std::fs::read_to_string(book.join(EXPECTED_FILE)).unwrap();
    (TempDir::new().unwrap(), texts, serde_json::from_str(&expected).unwrap())
}

#[test]
fn a_book_is_never_recorded_over_another() {
    let (root, texts, expected) = copy_of_a_book();
    add_book(root.path(), "one", &texts, &expected).unwrap();
    let again = add_book(root.path(), "one", "", &expected).unwrap_err();
    assert_eq!(again.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(std::fs::read_to_string(root.path().join("books/one/events.jsonl")).unwrap(), texts);
    check_sums(root.path()).unwrap();
    check_book(&root.path().join("books/one")).unwrap();
}

#[test]
fn a_changed_a_missing_and_an_unlisted_file_are_found() {
    let (root, texts, expected) = copy_of_a_book();
    add_book(root.path(), "one", &texts, &expected).unwrap();
    let file = root.path().join("books/one/events.jsonl");
    std::fs::write(&file, texts.replacen("staff:sato", "staff:saio", 1)).unwrap();
    assert!(check_sums(root.path()).unwrap_err().contains("only ever added to"));
    std::fs::remove_file(&file).unwrap();
    assert!(check_sums(root.path()).is_err());
    std::fs::write(&file, texts).unwrap();
    check_sums(root.path()).unwrap();
    std::fs::write(root.path().join("books/one/more.json"), "").unwrap();
    assert!(check_sums(root.path()).unwrap_err().contains("more.json"));
}

#[test]
fn a_changed_event_or_row_fails_the_replay() {
    let (root, texts, mut expected) = copy_of_a_book();
    let folder = root.path().join("books");
    let in_data = texts.replacen(r#""data":{"name":""#, r#""data":{"name":"X"#, 1);
    assert_ne!(in_data, texts);
    add_book(root.path(), "data", &in_data, &expected).unwrap();
    let found = check_book(&folder.join("data")).unwrap_err();
    assert_eq!(found, "event 1: its data is not what its envelope binds");

    let in_envelope = texts.replacen("staff:sato", "staff:saio", 1);
    add_book(root.path(), "envelope", &in_envelope, &expected).unwrap();
    assert!(check_book(&folder.join("envelope")).unwrap_err().starts_with("it ends at "));

    let cut = texts.split_once('\n').unwrap().1;
    add_book(root.path(), "cut", cut, &expected).unwrap();
    let found = check_book(&folder.join("cut")).unwrap_err();
    assert_eq!(found, "event 1: it says that it is event 2");

    let (_, rows) = expected.views[0].lists.iter_mut().find(|(list, _)| list == "orders").unwrap();
    rows[0]["status"] = Value::from("another");
    add_book(root.path(), "row", &texts, &expected).unwrap();
    assert!(check_book(&folder.join("row")).unwrap_err().contains("another"));
}

#[test]
fn a_row_may_say_more_than_it_said_but_nothing_else() {
    let then = serde_json::json!({ "key": 1, "history": [{ "from": "2026-01-01" }] });
    let with = |row: &str| serde_json::from_str::<Value>(row).unwrap();
    let more = r#"{"key":1,"history":[{"from":"2026-01-01","by":"sato"}],"new":null}"#;
    assert!(still_says(&with(more), &then));
    assert!(!still_says(&with(r#"{"key":1,"history":[]}"#), &then));
    assert!(!still_says(&with(r#"{"key":1}"#), &then));
    assert!(!still_says(&with(r#"{"key":2,"history":[{"from":"2026-01-01"}]}"#), &then));
}
