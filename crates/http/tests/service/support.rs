//! A service in this process, on a book in which the main road was run, and its callers.

use std::collections::HashMap;
use std::net::SocketAddr;

use daicho_app::{Books, ClockAndEntropy, CommandRequest, KeyRequest, Role};
use daicho_http::{Settings, serve};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The main road: the commands from the opening of the book to a confirmed order.
const MAIN_ROAD: &str = include_str!("../../../cli/tests/data/main_road.jsonl");
pub(crate) const ORGANISATION: &str = "01J0000000000000000000000A";
pub(crate) const MEMBER: &str = "01J0000000000000000000000B";
pub(crate) const ORDER: &str = "01J0000000000000000000000D";
/// Number of events of the main road and of the keys created after it.
pub(crate) const ROAD_EVENTS: u64 = 21;

/// A running service with a key for each role.
pub(crate) struct Running {
    pub(crate) folder: TempDir,
    pub(crate) url: String,
    pub(crate) keys: HashMap<Role, String>,
    client: Client,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = book_after_the_main_road(&folder, "shop").await;
        Self::serve(folder, keys, ClockAndEntropy::system(), change).await
    }

    pub(crate) async fn serve(
        folder: TempDir,
        keys: HashMap<Role, String>,
        clock_and_entropy: ClockAndEntropy,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = Settings { listen: ([127, 0, 0, 1], 0).into(), ..Settings::default() };
        change(&mut settings);
        let (listening, address) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let books = Books::in_folder(folder.path());
        let task = tokio::spawn(async move {
            let ready = |address: SocketAddr| listening.send(address).unwrap();
            let stop = async { drop(stopped.await) };
            serve(settings, books, clock_and_entropy, ready, stop).await.unwrap();
        });
        let url = format!("http://{}", address.await.unwrap());
        Self { folder, url, keys, client: Client::new(), stop: Some(stop), task }
    }

    /// A request with a key of this role.
    pub(crate) fn by(&self, role: Role, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(&self.keys[&role])
    }

    /// A request without a key; a path that begins with `.` is below the book.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        let path = match path.strip_prefix('.') {
            Some(below) => format!("/v1/books/shop{below}"),
            None => path.to_owned(),
        };
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.by(Role::Operator, Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.by(Role::Operator, Method::POST, path).json(body)
    }

    /// Tells the service to stop, and waits until it has stopped.
    pub(crate) async fn end(mut self) -> TempDir {
        self.stop.take().unwrap().send(()).unwrap();
        self.task.await.unwrap();
        self.folder
    }
}

/// Creates a book, runs the main road, and creates a key for each role.
pub(crate) async fn book_after_the_main_road(
    folder: &TempDir,
    name: &str,
) -> HashMap<Role, String> {
    let books = Books::in_folder(folder.path());
    let ledger = books.create(&name.parse().unwrap(), ClockAndEntropy::system()).await.unwrap();
    for line in MAIN_ROAD.lines() {
        let request: CommandRequest = serde_json::from_str(line).unwrap();
        ledger.commands().run(request).await.unwrap();
    }
    let mut keys = HashMap::new();
    for role in Role::ALL {
        let name = format!("{role} of the tests").parse().unwrap();
        let request = KeyRequest {
            name,
            actor: format!("system:{role}").parse().unwrap(),
            role,
            scopes: Vec::new(),
            expires_on: None,
        };
        let request = CommandRequest::create_key(&request, "staff:sato".parse().unwrap());
        let made = ledger.commands().run(request).await.unwrap();
        keys.insert(role, made.secret.unwrap().to_string());
    }
    ledger.close().await;
    keys
}

/// Checks of an answer.
pub(crate) trait Answers {
    async fn gives(self, status: StatusCode) -> Given;
}

/// An answer, read to its end.
pub(crate) struct Given {
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Given {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
    }

    /// The code and the field of a problem.
    #[track_caller]
    pub(crate) fn problem(&self) -> (String, Option<String>) {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let body = self.json();
        let code = body["type"].as_str().unwrap().strip_prefix("urn:daicho:problem:").unwrap();
        (code.to_owned(), body["field"].as_str().map(str::to_owned))
    }
}

impl Answers for RequestBuilder {
    async fn gives(self, status: StatusCode) -> Given {
        self.send().await.unwrap().gives(status).await
    }
}

impl Answers for Response {
    async fn gives(self, status: StatusCode) -> Given {
        let (found, headers) = (self.status(), self.headers().clone());
        let text = self.text().await.unwrap();
        assert_eq!(found, status, "{text}");
        Given { headers, text }
    }
}
