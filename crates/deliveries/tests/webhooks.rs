//! Webhooks with real receivers, which accept, fail, hang or are gone. Signatures are checked by
//! libraries of other projects.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use daicho_app::{
    BookName, Books, ClockAndEntropy, CommandRequest, Ledger, ParkedChoice, Position, RetryPolicy,
    Signature, WebhookChange, WebhookRequest, WebhookState,
};
use daicho_deliveries::{Attendant, Courier, Settings, deliver};
use daicho_test_servers::{python_packages, shared};
use serde_json::json;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);
/// How long a receiver may take: far more than one that answers at once needs.
const ANSWER: Duration = Duration::from_secs(5);
/// The delay of a receiver that hangs: longer than anybody waits.
const HANGING: Duration = Duration::from_secs(600);

/// What a receiver answers to its n-th message, counted from 1, and after which delay.
type Answers = Arc<dyn Fn(usize) -> (u16, Duration) + Send + Sync>;

/// A message as it was received.
#[derive(Debug, Clone)]
struct Message {
    id: String,
    timestamp: String,
    signature: String,
    body: String,
}

#[derive(Clone)]
struct Receiver {
    url: String,
    messages: Arc<Mutex<Vec<Message>>>,
    answers: Answers,
}

impl Receiver {
    async fn that_answers(
        answers: impl Fn(usize) -> (u16, Duration) + Send + Sync + 'static,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let receiver = Self { url, messages: Arc::default(), answers: Arc::new(answers) };
        let router = Router::new().route("/hook", post(receive)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        receiver
    }

    async fn that_takes_all() -> Self {
        Self::that_answers(|_| (200, Duration::ZERO)).await
    }

    fn messages(&self) -> Vec<Message> {
        self.messages.lock().unwrap().clone()
    }

    fn positions(&self) -> Vec<u64> {
        let position = |message: &Message| {
            let id = message.id.strip_prefix("shop/").unwrap();
            id.parse().unwrap()
        };
        self.messages().iter().map(position).collect()
    }

    /// Waits for this number of messages.
    async fn has(&self, count: usize) {
        within(|| self.messages().len() >= count).await;
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: String) -> Response {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let number = {
        let mut messages = receiver.messages.lock().unwrap();
        messages.push(Message {
            id: header("webhook-id"),
            timestamp: header("webhook-timestamp"),
            signature: header("webhook-signature"),
            body,
        });
        messages.len()
    };
    let (status, wait) = (receiver.answers)(number);
    tokio::time::sleep(wait).await;
    let location = [("location", "/elsewhere")];
    (StatusCode::from_u16(status).unwrap(), location, "an answer").into_response()
}

async fn within(mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("the messages arrive in time");
}

fn name() -> BookName {
    "shop".parse().unwrap()
}

async fn in_folder(folder: &TempDir) -> Arc<Ledger> {
    let books = Books::in_folder(folder.path());
    Arc::new(books.create(&name(), ClockAndEntropy::system()).await.unwrap())
}

/// Records this number of events.
async fn happen(ledger: &Ledger, count: usize) {
    for number in 0..count {
        let data =
            json!({ "name": format!("Aoba {number}"), "country": "Japan", "reference": null });
        let actor = "staff:sato".parse().unwrap();
        let data = data.as_object().unwrap().clone();
        let request = CommandRequest::new("organisation.register", actor, data);
        ledger.commands().run(request).await.unwrap();
    }
}

async fn open(ledger: &Ledger) {
    let shop = json!({ "actor": "staff:sato", "command": "shop.open_book", "data": {
        "name": "Shop", "currency": "JPY", "time_zone": "Asia/Tokyo", "rounding": "floor",
        "verification_minutes": null, "main_registration": false, "quote_valid_days": 30,
        "barcode_below": null, "invoice_prefix": "R", "closed_days": "bank", "cutoff": null,
        "issue_day": 10, "tax_rates": [], "issuer": null,
    }});
    ledger.commands().run(serde_json::from_value(shop).unwrap()).await.unwrap();
}

fn settings() -> Settings {
    let waits = vec![Duration::from_millis(50), Duration::from_millis(100)];
    let gives_up_after = Duration::from_secs(3_600);
    Settings {
        private_addresses: true,
        answer_time: ANSWER,
        retry: RetryPolicy { waits, gives_up_after },
        ..Settings::default()
    }
}

fn courier(settings: Settings) -> Arc<Courier> {
    let to_body = |event: &daicho_app::EventText, book: &str| {
        Ok(json!({ "id": format!("{book}/{}", event.position), "data": event.data }).to_string())
    };
    Arc::new(Courier::new(settings, Arc::new(to_body)).unwrap())
}

async fn webhook(ledger: &Ledger, name: &str, url: &str, signature: Signature) -> String {
    let request = WebhookRequest {
        name: name.to_owned(),
        url: url.to_owned(),
        types: vec!["organisation.registered".to_owned()],
        tags: Vec::new(),
        signature,
        after: Some(Position(0)),
    };
    ledger.webhooks().create(&request, true).await.unwrap().secret
}

async fn stands(
    ledger: &Ledger,
    name: &str,
    is_so: impl Fn(&WebhookState) -> bool,
) -> WebhookState {
    let waiting = async {
        loop {
            let state = ledger.webhooks().find(name).await.unwrap();
            if is_so(&state) {
                return state;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("the state is reached in time")
}

/// A shop's book, a deliverer, and a webhook `crm` to a receiver.
async fn delivering(receiver: &Receiver, events: usize) -> (TempDir, Arc<Ledger>, Attendant) {
    let folder = TempDir::new().unwrap();
    let ledger = in_folder(&folder).await;
    open(&ledger).await;
    happen(&ledger, events).await;
    webhook(&ledger, "crm", &receiver.url, Signature::Hmac).await;
    let deliverer = deliver(Arc::clone(&ledger), courier(settings()));
    (folder, ledger, deliverer)
}

async fn end(ledger: Arc<Ledger>, deliverer: Attendant) {
    deliverer.stop().await;
    Arc::into_inner(ledger).expect("nobody else holds the ledger").close().await;
}

fn in_order(positions: &[u64]) -> bool {
    positions.is_sorted_by(|a, b| a < b)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_sent_in_order_and_so_is_what_happens_later() {
    let receiver = Receiver::that_takes_all().await;
    let (_folder, ledger, deliverer) = delivering(&receiver, 5).await;
    receiver.has(5).await;
    happen(&ledger, 3).await;
    receiver.has(8).await;
    assert!(in_order(&receiver.positions()));
    let state =
        stands(&ledger, "crm", |state| state.position.0 == *receiver.positions().last().unwrap());
    assert_eq!((state.await.parked, receiver.messages().len()), (0, 8));
    end(ledger, deliverer).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_is_tried_again_and_what_never_succeeds_is_parked_and_sent_on_request() {
    // The first message fails once, the second hangs once; the third fails for good.
    let receiver = Receiver::that_answers(|number| match number {
        1 => (500, Duration::ZERO),
        3 => (200, HANGING),
        5..=7 => (302, Duration::ZERO),
        _ => (204, Duration::ZERO),
    })
    .await;
    let (_folder, ledger, deliverer) = delivering(&receiver, 4).await;
    // The last answer has been handled once the cursor has passed it.
    let is_done =
        |at: u64| receiver.messages().len() == 8 && receiver.positions().last() == Some(&at);
    let state =
        stands(&ledger, "crm", |state| state.parked == 1 && is_done(state.position.0)).await;
    let positions = receiver.positions();
    let first = positions[0];
    let tried: Vec<u64> = positions.iter().map(|at| at - first + 1).collect();
    assert_eq!(tried, [1, 1, 2, 2, 3, 3, 3, 4], "a redirect is not followed");
    assert!(state.disabled.is_none() && state.last_error.is_none());
    let parked = ledger.webhooks().parked().of("crm").await.unwrap();
    assert_eq!(parked[0].position.0, first + 2);
    assert!(parked[0].note.error.starts_with("302: an answer"), "{}", parked[0].note.error);
    assert_eq!(
        ledger.webhooks().parked().resend("crm", &ParkedChoice::default()).await.unwrap(),
        1
    );
    receiver.has(9).await;
    assert_eq!(receiver.positions()[8], first + 2);
    stands(&ledger, "crm", |state| state.parked == 0).await;
    end(ledger, deliverer).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_answers_410_gets_nothing_until_it_is_switched_on_again() {
    let receiver =
        Receiver::that_answers(|number| (if number == 2 { 410 } else { 200 }, Duration::ZERO))
            .await;
    let (_folder, ledger, deliverer) = delivering(&receiver, 3).await;
    let state = stands(&ledger, "crm", |state| state.disabled.is_some()).await;
    assert!(state.disabled.unwrap().contains("410"));
    happen(&ledger, 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(receiver.messages().len(), 2);
    let on = WebhookChange { disabled: Some(false), ..WebhookChange::default() };
    ledger.webhooks().change("crm", &on, true).await.unwrap();
    receiver.has(5).await;
    let first = receiver.positions()[0];
    let sent: Vec<u64> = receiver.positions().iter().map(|at| at - first).collect();
    assert_eq!(sent, [0, 1, 1, 2, 3], "nothing is lost");
    end(ledger, deliverer).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_hangs_delays_nobody_else() {
    let slow = Receiver::that_answers(|_| (200, HANGING)).await;
    let (_folder, ledger, deliverer) = delivering(&slow, 10).await;
    let quick = Receiver::that_takes_all().await;
    webhook(&ledger, "quick", &quick.url, Signature::Hmac).await;
    quick.has(10).await;
    assert!(slow.messages().len() < 10);
    ledger.webhooks().delete("crm").await.unwrap();
    assert_eq!(ledger.webhooks().find("crm").await.unwrap_err().code(), "webhook_unknown");
    end(ledger, deliverer).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deliverer_that_ends_is_followed_by_one_that_goes_on_where_it_was() {
    let long = |number| if number == 6 { ANSWER / 2 } else { Duration::ZERO };
    let receiver = Receiver::that_answers(move |number| (200, long(number))).await;
    let (_folder, ledger, deliverer) = delivering(&receiver, 20).await;
    receiver.has(6).await;
    deliverer.stop().await;
    let sent = receiver.messages().len();
    assert_eq!(sent, 6, "it stopped half-way, after the message being sent");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(receiver.messages().len(), sent, "nothing is sent after the end");
    let deliverer = deliver(Arc::clone(&ledger), courier(settings()));
    receiver.has(20).await;
    assert!(in_order(&receiver.positions()), "{:?}", receiver.positions());
    end(ledger, deliverer).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_processes_on_one_database_one_delivers_and_the_other_takes_over() {
    let books = Books::in_database(&shared().fresh_database().await).unwrap();
    let one = Arc::new(books.create(&name(), ClockAndEntropy::system()).await.unwrap());
    open(&one).await;
    let receiver = Receiver::that_takes_all().await;
    webhook(&one, "crm", &receiver.url, Signature::Hmac).await;
    let two = Arc::new(books.open(&name(), ClockAndEntropy::system()).await.unwrap());
    let first = deliver(Arc::clone(&one), courier(settings()));
    let second = deliver(Arc::clone(&two), courier(settings()));
    happen(&one, 10).await;
    happen(&two, 10).await;
    receiver.has(20).await;
    end(one, first).await;
    happen(&two, 5).await;
    receiver.has(25).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(receiver.positions().len(), 25, "each once");
    assert!(in_order(&receiver.positions()));
    end(two, second).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_leads_into_our_own_network_is_not_connected_to() {
    let folder = TempDir::new().unwrap();
    let ledger = in_folder(&folder).await;
    let request = |url: &str| WebhookRequest {
        name: "crm".to_owned(),
        url: url.to_owned(),
        types: Vec::new(),
        tags: Vec::new(),
        signature: Signature::Hmac,
        after: None,
    };
    let inside = ledger.webhooks().create(&request("https://127.0.0.1/"), false).await.unwrap_err();
    assert_eq!(inside.code(), "webhook_url");
    ledger.webhooks().create(&request("https://localhost:9/"), false).await.unwrap();
    let strict = courier(Settings { private_addresses: false, ..settings() });
    let tested = strict.test(&ledger, "crm").await.unwrap();
    let told = format!("{:?}", tested.outcome);
    assert!(told.contains("an address in a private network"), "{told}");
    Arc::into_inner(ledger).unwrap().close().await;
}

/// Python with the packages that check signatures.
fn python() -> PathBuf {
    let targets = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let requirements = "standardwebhooks==1.0.0\npynacl==1.5.0\n";
    python_packages(targets, "signatures", requirements).join("python")
}

const CHECK: &str = r#"
import base64, json, sys
message = json.load(sys.stdin)
headers = {"webhook-" + name: message[name] for name in ("id", "timestamp", "signature")}
for key in message["keys"]:
    if key.startswith("whsec_"):
        from standardwebhooks import Webhook
        Webhook(key).verify(message["body"], headers)
    else:
        from nacl.signing import VerifyKey
        signed = ".".join([message["id"], message["timestamp"], message["body"]]).encode()
        signatures = [s[4:] for s in message["signature"].split(" ") if s.startswith("v1a,")]
        verify = VerifyKey(base64.b64decode(key[5:]))
        def is_valid(signature):
            try:
                verify.verify(signed, base64.b64decode(signature)); return True
            except Exception: return False
        assert any(is_valid(s) for s in signatures), "no signature is of " + key
"#;

/// Whether each of the keys verifies the message, as checked by libraries of other projects.
fn is_verified(message: &Message, keys: &[&str]) -> bool {
    use std::io::Write as _;
    let Message { id, timestamp, signature, body } = message;
    let input = json!({
        "id": id, "timestamp": timestamp, "signature": signature, "body": body, "keys": keys,
    });
    let mut child = Command::new(python())
        .args(["-c", CHECK])
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    child.wait().unwrap().success()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_libraries_of_others_verify_what_is_sent_also_while_secrets_change() {
    let receiver = Receiver::that_takes_all().await;
    let folder = TempDir::new().unwrap();
    let ledger = in_folder(&folder).await;
    open(&ledger).await;
    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for signature in [Signature::Hmac, Signature::Ed25519] {
        let before = receiver.messages().len();
        let first = webhook(&ledger, "crm", &receiver.url, signature).await;
        let after = WebhookChange { ..WebhookChange::default() };
        ledger.webhooks().change("crm", &after, true).await.unwrap();
        let deliverer = deliver(Arc::clone(&ledger), courier(settings()));
        happen(&ledger, 1).await;
        receiver.has(before + 1).await;
        let message = receiver.messages().pop().unwrap();
        assert!(is_verified(&message, &[&first]), "{message:?}");
        assert!(!is_verified(&message, &[other]) || signature == Signature::Ed25519);
        let tampered = Message { body: message.body.replace("Aoba", "Midori"), ..message.clone() };
        assert!(!is_verified(&tampered, &[&first]));
        let second = ledger.webhooks().rotate_secret("crm", 3_600).await.unwrap().secret;
        assert_ne!(first, second);
        let before = receiver.messages().len();
        happen(&ledger, 1).await;
        receiver.has(before + 1).await;
        assert!(is_verified(&receiver.messages().pop().unwrap(), &[&first, &second]));
        let third = ledger.webhooks().rotate_secret("crm", 0).await.unwrap().secret;
        let before = receiver.messages().len();
        happen(&ledger, 1).await;
        receiver.has(before + 1).await;
        let last = receiver.messages().pop().unwrap();
        assert!(is_verified(&last, &[&third]));
        assert!(is_verified(&last, &[&first]), "its time is not over");
        deliverer.stop().await;
        ledger.webhooks().delete("crm").await.unwrap();
    }
    Arc::into_inner(ledger).unwrap().close().await;
}
