//! Backends that end and servers that stop in the midst of appends. Whatever was acknowledged
//! stands once, whatever was not is repeated by its caller, and the book goes on.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use daicho_store::{Append, AppendError, Appended, Book, Envelope, Log, ReadError, StorageError};
use daicho_test_servers::PostgresServer;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::place::{Place, close, said};
use crate::sizes::sizes;
use crate::support::{With, append, assert_gapless, event, everything};

const CALLERS: usize = 16;
/// What a caller waits before it comes again.
const AGAIN: Duration = Duration::from_millis(10);

/// What callers were told, by the id of the request.
pub type Answers = HashMap<String, Appended>;

/// A fault of the database that says so, and nothing about the record.
pub fn assert_is_of_the_database(error: &StorageError) {
    let text = said(error);
    let clear = matches!(error, StorageError::Sqlx { .. } | StorageError::Busy { .. });
    assert!(clear && !text.contains("pool timed out"), "{text}");
}

pub fn assert_is_to_be_repeated(error: &AppendError) {
    let (AppendError::Unknown { source } | AppendError::Storage(source)) = error else {
        panic!("{}", said(error))
    };
    assert_is_of_the_database(source);
}

pub fn assert_is_to_be_read_again(error: &ReadError) {
    let ReadError::Storage(source) = error else { panic!("{}", said(error)) };
    assert_is_of_the_database(source);
}

/// Comes again until there is an answer, as every caller must.
pub async fn append_until_answered(book: &Book, append: &Append) -> Appended {
    loop {
        match book.append(append.clone()).await {
            Ok(answer) => return answer,
            Err(error) => assert_is_to_be_repeated(&error),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Every answer that was given stands where it says, and everything else of the record is nobody's
/// second effect.
pub async fn assert_stands(book: &Book, answers: &Answers) {
    let events = everything(book).await;
    assert_gapless(&events);
    let mut found = Answers::new();
    for event in &events {
        let envelope = Envelope::parse(&event.envelope).unwrap();
        let Some(request) = envelope.request else { continue };
        let last = event.position + request.events - 1;
        let place = Appended { first: event.position, last, recorded_at_us: None };
        let before = found.insert(request.id.to_string(), place);
        assert!(before.is_none(), "{} stands twice", request.id);
    }
    for (id, answer) in answers {
        let stands = found.get(id).unwrap_or_else(|| panic!("{id} was lost"));
        assert_eq!((stands.first, stands.last), (answer.first, answer.last), "{id}");
    }
    let head = book.verify_record(|_| ()).await.unwrap();
    assert_eq!(head.position, events.len() as u64);
}

/// One to three events.
fn request(caller: usize, round: usize) -> (String, Append) {
    let id = format!("{caller}-{round}");
    let events = vec![event("a", &[&format!("caller:{caller}")]); round % 3 + 1];
    (id.clone(), append(events).answering(&id, "h"))
}

async fn call(
    book: Arc<Book>,
    caller: usize,
    progress: mpsc::UnboundedSender<()>,
) -> Vec<(String, Appended)> {
    let mut answers = Vec::new();
    for round in 0..sizes().rounds {
        let (id, append) = request(caller, round);
        answers.push((id, append_until_answered(&book, &append).await));
        progress.send(()).unwrap();
    }
    answers
}

/// Sixteen callers append while `fault` happens `faults` times, spread over their appends.
async fn append_through(book: &Arc<Book>, faults: usize, fault: impl AsyncFn()) -> Answers {
    let (progress, mut answered) = mpsc::unbounded_channel();
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(call(Arc::clone(book), caller, progress.clone()));
    }
    let between = CALLERS * sizes().rounds / (faults + 1);
    for _ in 0..faults {
        for _ in 0..between {
            answered.recv().await.unwrap();
        }
        fault().await;
    }
    callers.join_all().await.into_iter().flatten().collect()
}

/// Everything was answered, stands once, and the book that saw the faults is still good.
async fn assert_whole(place: &Place, book: Arc<Book>, answers: &Answers) {
    assert_eq!(answers.len(), CALLERS * sizes().rounds);
    assert_stands(&book, answers).await;
    let events: u64 = answers.values().map(|answer| answer.last - answer.first + 1).sum();
    assert_eq!(book.head().await.unwrap().position, events, "no append stands twice");
    for (caller, round) in [(0, 0), (CALLERS - 1, sizes().rounds - 1)] {
        let (id, append) = request(caller, round);
        let again = book.append(append).await.unwrap();
        assert!(again.repeated());
        assert_eq!(again.first, answers[&id].first);
    }
    place.assert_no_transaction_is_left_open().await;
    close(book).await;
    let book = place.open().await;
    book.verify_derived(|_| ()).await.unwrap();
    close(book).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_whose_backends_are_ended_in_the_midst_are_neither_lost_nor_doubled() {
    let server = PostgresServer::private();
    let place = Place::on(&server).await;
    let book = place.open().await;
    let end_backends = async || server.terminate_backends().await;
    let answers = append_through(&book, sizes().terminations, end_backends).await;
    assert_whole(&place, book, &answers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_whose_server_is_stopped_in_the_midst_are_neither_lost_nor_doubled() {
    let server = Arc::new(PostgresServer::private());
    let place = Place::on(&server).await;
    let book = place.open().await;
    let stop = async || {
        let server = Arc::clone(&server);
        let stopping = move || {
            server.stop_immediate();
            server.start_again();
        };
        tokio::task::spawn_blocking(stopping).await.unwrap();
    };
    let answers = append_through(&book, sizes().stops, stop).await;
    assert_whole(&place, book, &answers).await;
}
