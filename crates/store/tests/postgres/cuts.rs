//! The wire to the server is cut after any byte of a flow: open, append, read, last, seal, append.

use std::time::Duration;

use daicho_store::postgres::Database;
use daicho_store::{Append, Blocks as _, Book, Log, OpenError};

use crate::faults::{
    Answers, assert_is_of_the_database, assert_is_to_be_read_again, assert_is_to_be_repeated,
    assert_stands,
};
use crate::place::{BOOK, Place, close, said};
use crate::sizes::sizes;
use crate::support::{BLOCK_EVENTS, With, append, event, query};
use crate::wire::{After, Wire, port_of};

/// The operations of a flow and some more: a cut makes one of them fail, and those whose
/// connections it also broke.
const TRIES_MAX: usize = 20;
/// Looks at how far the book is sealed before the flow goes on without.
const SEAL_LOOKS_MAX: usize = 100;
const SEAL_LOOK: Duration = Duration::from_millis(2);
/// How long the server may take where the wire falls silent.
const ANSWER: Duration = Duration::from_secs(1);
/// Within this a book that is closed lets go, whatever its wire.
const CLOSING: Duration = Duration::from_secs(40);

/// The wire was cut, and the step has said so.
struct Failed;

/// One run of the flow, with requests of its own.
struct Flow {
    number: u64,
}

impl Flow {
    fn append(&self, part: u32, events: usize) -> (String, Append) {
        let id = format!("{}-{part}", self.number);
        let events = vec![event("a", &[&format!("flow:{}", self.number)]); events];
        (id.clone(), append(events).answering(&id, "h"))
    }

    async fn open(&self, database: &Database, place: &Place) -> Result<Book, Failed> {
        match database.open_book(BOOK, place.options()).await {
            Ok(book) => Ok(book),
            Err(OpenError::Storage(error)) => {
                assert_is_of_the_database(&error);
                Err(Failed)
            }
            Err(other) => panic!("{}: {}", self.number, said(&other)),
        }
    }

    /// Over a wire that is whole, or will be.
    async fn open_again(&self, database: &Database, place: &Place) -> Book {
        for _ in 0..TRIES_MAX {
            if let Ok(book) = self.open(database, place).await {
                return book;
            }
        }
        panic!("the book opens when the wire is whole again");
    }

    async fn ask(
        &self,
        book: &Book,
        part: u32,
        events: usize,
        answers: &mut Answers,
    ) -> Result<(), Failed> {
        let (id, append) = self.append(part, events);
        let answer = book.append(append).await.map_err(|error| {
            assert_is_to_be_repeated(&error);
            Failed
        })?;
        if let Some(before) = answers.insert(id, answer) {
            assert_eq!((before.first, before.last), (answer.first, answer.last));
        }
        Ok(())
    }

    /// What was acknowledged is read, whole and in order.
    async fn look(&self, book: &Book, answers: &Answers) -> Result<(), Failed> {
        let failed = |error| {
            assert_is_to_be_read_again(&error);
            Failed
        };
        let own = query(&["a"], &[&format!("flow:{}", self.number)]);
        let events = book.read(&own, 0, 0, 1_000).await.map_err(failed)?.events;
        let last = book.last(&own, 0).await.map_err(failed)?;
        let answered: Vec<u64> = (0..3)
            .filter_map(|part| answers.get(&self.append(part, 1).0))
            .flat_map(|answer| answer.first..=answer.last)
            .collect();
        let positions: Vec<u64> = events.iter().map(|event| event.position).collect();
        assert!(answered.iter().all(|position| positions.contains(position)), "{}", self.number);
        assert_eq!(last.map(|event| event.position), positions.last().copied());
        Ok(())
    }

    async fn steps(&self, book: &Book, answers: &mut Answers) -> Result<(), Failed> {
        self.ask(book, 0, 1, answers).await?;
        self.look(book, answers).await?;
        self.ask(book, 1, BLOCK_EVENTS as usize, answers).await?;
        for _ in 0..SEAL_LOOKS_MAX {
            let end = answers[&self.append(1, 1).0].last;
            if book.sealed_to() + u64::from(BLOCK_EVENTS) > end {
                break;
            }
            tokio::time::sleep(SEAL_LOOK).await;
        }
        self.look(book, answers).await?;
        self.ask(book, 2, 1, answers).await
    }
}

async fn close_in_time(book: Book) {
    tokio::time::timeout(CLOSING, book.close()).await.expect("a book that is closed lets go");
}

/// The flow, until it fails or is through.
async fn try_once(flow: &Flow, database: &Database, place: &Place, answers: &mut Answers) {
    if let Ok(book) = flow.open(database, place).await {
        let _ = flow.steps(&book, answers).await;
        close_in_time(book).await;
    }
}

/// The flow over a wire that is whole again after the cut: the same open book goes on.
async fn go_on(flow: &Flow, database: &Database, place: &Place, answers: &mut Answers) {
    let book = flow.open_again(database, place).await;
    let mut tries = 0..TRIES_MAX;
    while flow.steps(&book, answers).await.is_err() {
        tries.next().expect("the book goes on when the wire is whole again");
    }
    close_in_time(book).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wire_cut_after_any_byte_and_mended_loses_and_doubles_nothing() {
    cut_the_wire(After::Mended).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wire_cut_after_any_byte_and_dead_loses_and_doubles_nothing() {
    cut_the_wire(After::Dead).await;
}

/// At half of the places of a run. Nothing is lost or doubled, and no transaction left open.
async fn cut_the_wire(after: After) {
    let place = Place::new().await;
    let wire = Wire::to(port_of(&place.url)).await;
    let database = Database::parse(&wire.url(&place.url)).unwrap();
    let mut answers = Answers::new();
    wire.mend();
    go_on(&Flow { number: 0 }, &database, &place, &mut answers).await;
    let length = wire.passed();
    let cuts = (sizes().cuts / 2).min(length);
    let mut reached = 0;
    for number in 1..=cuts {
        let flow = Flow { number };
        wire.cut_after((length * number / cuts).max(1), after);
        match after {
            After::Mended => go_on(&flow, &database, &place, &mut answers).await,
            After::Dead | After::Silent => {
                try_once(&flow, &database, &place, &mut answers).await;
            }
        }
        reached += u64::from(wire.was_cut());
        wire.mend();
        go_on(&flow, &database, &place, &mut answers).await;
        place.assert_no_transaction_is_left_open().await;
    }
    eprintln!("faults: {reached} cuts in a flow of {length} bytes");
    assert!(reached >= cuts * 3 / 4, "{reached} of {cuts} cuts came before the end of the flow");
    assert_eq!(answers.len() as u64, 3 * (cuts + 1));
    let book = place.open().await;
    assert_stands(&book, &answers).await;
    let events = (cuts + 1) * u64::from(BLOCK_EVENTS + 2);
    assert_eq!(book.head().await.unwrap().position, events);
    book.verify_derived(|_| ()).await.unwrap();
    close(book).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wire_that_falls_silent_after_any_byte_keeps_nobody_waiting_and_the_book_goes_on() {
    let place = Place::new().await;
    let wire = Wire::to(port_of(&place.url)).await;
    let database = Database::parse(&wire.url(&place.url)).unwrap().answering_within(ANSWER);
    let mut answers = Answers::new();
    go_on(&Flow { number: 0 }, &database, &place, &mut answers).await;
    let length = wire.passed();
    let silences = sizes().silences.min(length);
    for number in 1..=silences {
        let flow = Flow { number };
        // An open book whose wire falls silent says so, and goes on over a new connection.
        let book = flow.open_again(&database, &place).await;
        wire.cut_after(length * (number - 1) / silences + 1, After::Silent);
        let silent = async {
            let mut tries = 0..TRIES_MAX;
            while flow.steps(&book, &mut answers).await.is_ok() {
                tries.next().expect("the wire falls silent");
            }
        };
        tokio::time::timeout(CLOSING, silent).await.expect("nobody waits for ever");
        assert!(wire.was_cut());
        wire.mend();
        let mut tries = 0..TRIES_MAX;
        while flow.steps(&book, &mut answers).await.is_err() {
            tries.next().expect("the book goes on when the wire is whole again");
        }
        close_in_time(book).await;
        // And so does an opening.
        wire.cut_after(length * number / silences / 2 + 1, After::Silent);
        try_once(&flow, &database, &place, &mut answers).await;
        wire.mend();
        go_on(&flow, &database, &place, &mut answers).await;
    }
    assert_eq!(answers.len() as u64, 3 * (silences + 1));
    let book = place.open().await;
    assert_stands(&book, &answers).await;
    book.verify_derived(|_| ()).await.unwrap();
    close(book).await;
}
