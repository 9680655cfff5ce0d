//! Processes of their own append to one book at once, while one is killed and the server stops.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use daicho_store::{
    AppendError, Appended, Book, Envelope, Log, OpenError, Query, Stored, Subscription,
};
use daicho_test_servers::PostgresServer;
use tokio::sync::mpsc;

use crate::faults::{
    Answers, assert_is_of_the_database, assert_is_to_be_read_again, assert_is_to_be_repeated,
    assert_stands,
};
use crate::place::{Place, close, said};
use crate::sizes::sizes;
use crate::support::{With, append, event_with, one, query};

const PROCESSES: usize = 4;
const AGAIN: Duration = Duration::from_millis(10);
const HELPER: &str = "processes::appends_as_a_process_of_its_own";
const URL: &str = "DAICHO_TEST_URL";
const NAME: &str = "DAICHO_TEST_NAME";
const ROUNDS: &str = "DAICHO_TEST_ROUNDS";
/// Type of the last event, at which the subscriber ends.
const END: &str = "end";

/// A process that does not outlive its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    /// Starts it; `said` gets its number and each request that was acknowledged to it.
    fn start(url: &str, number: usize, said: mpsc::UnboundedSender<(usize, String, u64)>) -> Self {
        // The first goes on until it is killed.
        let rounds = if number == 0 { usize::MAX } else { sizes().process_rounds };
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([HELPER, "--exact", "--ignored", "--nocapture"])
            .env(URL, url)
            .env(NAME, format!("process-{number}"))
            .env(ROUNDS, rounds.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let words: Vec<&str> = line.split(' ').collect();
                if let ["acknowledged", id, position] = words[..] {
                    let _ = said.send((number, id.to_owned(), position.parse().unwrap()));
                }
            }
        });
        Self(child)
    }
}

/// Counts on: the event says one more than the newest of its kind, and only stands behind it.
async fn count_on(book: &Book, id: &str) -> Appended {
    let counted = query(&["counted"], &["counter:1"]);
    loop {
        match book.last(&counted, 0).await {
            Ok(newest) => {
                let after = newest.as_ref().map_or(0, |event| event.position);
                let count = newest.map_or(0, |event| count_of(&event)) + 1;
                let data = format!("{{\"count\":{count}}}");
                let next = append(vec![event_with("counted", &["counter:1"], &data)]);
                let next = next.unless(counted.clone(), after).answering(id, "h");
                match book.append(next).await {
                    Ok(answer) => return answer,
                    Err(AppendError::Conflict { .. }) => continue,
                    Err(error) => assert_is_to_be_repeated(&error),
                }
            }
            Err(error) => assert_is_to_be_read_again(&error),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn count_of(event: &Stored) -> u64 {
    let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
    data["count"].as_u64().unwrap()
}

/// Opens it again where the server stopped meanwhile, as every process must.
async fn open_until_there(place: &Place) -> Arc<Book> {
    loop {
        match place.try_open_with_the_worlds_clock().await {
            Ok(book) => return book,
            Err(OpenError::Storage(error)) => assert_is_of_the_database(&error),
            Err(error) => panic!("{}", said(&error)),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a process of the test below"]
#[allow(clippy::print_stdout, reason = "this is how a process tells what it was told")]
async fn appends_as_a_process_of_its_own() {
    let place = Place::of(std::env::var(URL).unwrap());
    let name = std::env::var(NAME).unwrap();
    let book = open_until_there(&place).await;
    println!();
    let rounds: usize = std::env::var(ROUNDS).unwrap().parse().unwrap();
    for round in 0..rounds {
        let id = format!("{name}-{round}");
        let answer = count_on(&book, &id).await;
        println!("acknowledged {id} {}", answer.first);
    }
    close(book).await;
}

/// Everything up to the event [`END`].
async fn follow(book: Arc<Book>) -> Vec<Stored> {
    let mut subscription = Subscription::new(book, Query::everything(), 0, 10);
    let mut seen: Vec<Stored> = Vec::new();
    loop {
        match subscription.next().await {
            Ok(page) => seen.extend(page.events),
            Err(error) => {
                assert_is_to_be_read_again(&error);
                tokio::time::sleep(AGAIN).await;
            }
        }
        let last = seen.last().map(|event| event.envelope.clone());
        if last.is_some_and(|text| Envelope::parse(&text).unwrap().type_name == END) {
            return seen;
        }
    }
}

/// Starts the processes, kills the first and stops the server while they append; what they were
/// told.
pub async fn append_through_a_kill_and_a_stop(server: &Arc<PostgresServer>, url: &str) -> Answers {
    let rounds = sizes().process_rounds;
    let (tell, mut told) = mpsc::unbounded_channel();
    let mut processes: Vec<Process> =
        (0..PROCESSES).map(|number| Process::start(url, number, tell.clone())).collect();
    drop(tell);
    let mut answers = Answers::new();
    let (mut of_the_first, mut is_stopped) = (0, false);
    while let Some((number, id, position)) = told.recv().await {
        let answer = Appended { first: position, last: position, recorded_at_us: None };
        assert_eq!(answers.insert(id, answer), None);
        of_the_first += usize::from(number == 0);
        if of_the_first == rounds / 2 {
            processes[0].0.kill().unwrap();
        }
        if answers.len() == rounds * 2 && !is_stopped {
            is_stopped = true;
            let server = Arc::clone(server);
            let stopping = move || {
                server.stop_immediate();
                server.start_again();
            };
            tokio::task::spawn_blocking(stopping).await.unwrap();
        }
    }
    assert!(is_stopped);
    let ended: Vec<bool> =
        processes.iter_mut().map(|one| one.0.wait().unwrap().success()).collect();
    assert_eq!(ended, [false, true, true, true], "the first was killed, the others went on");
    assert!(answers.len() >= (PROCESSES - 1) * rounds + rounds / 2);
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_keep_one_order_though_one_is_killed_and_the_server_stops() {
    let server = Arc::new(PostgresServer::private());
    let place = Place::on(&server).await;
    let book = place.open_with_the_worlds_clock().await;
    let following = tokio::spawn(follow(Arc::clone(&book)));
    let answers = append_through_a_kill_and_a_stop(&server, &place.url).await;
    crate::faults::append_until_answered(&book, &one(END, &[]).answering(END, "h")).await;
    let seen = following.await.unwrap();
    assert_stands(&book, &answers).await;
    assert_eq!(seen, crate::support::everything(&*book).await, "the subscriber saw all, in order");
    // Every condition held: the counter has no gap, and no number stands twice.
    let (_, counted) = seen.split_last().unwrap();
    for (expected, event) in (1..).zip(counted) {
        assert_eq!((event.position, count_of(event)), (expected, expected));
    }
    // At most one was written for the killed process without its knowing.
    assert!(counted.len() <= answers.len() + 1);
    place.assert_no_transaction_is_left_open().await;
    close(book).await;
    let book = place.open_with_the_worlds_clock().await;
    book.verify_derived(|_| ()).await.unwrap();
    close(book).await;
}
