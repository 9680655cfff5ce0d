//! `daicho serve` as a system meets it: the page that connects one is run as it stands, and what
//! starts wrongly is told.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use daicho_test_servers::free_port;
use serde_json::{Value, json};

use crate::support::{Ran, Shop, within};

const PAGE: &str = include_str!("../../../../docs/connect.md");
/// The address in the page.
const PAGE_ADDRESS: &str = "127.0.0.1:7400";

/// The blocks of a page that are run.
fn script(page: &str) -> String {
    let blocks = page.split("```bash\n").skip(1);
    blocks.filter_map(|block| block.split("```").next()).collect()
}

/// A port that nobody has at the moment.
pub(crate) fn free_address() -> String {
    format!("127.0.0.1:{}", free_port())
}

#[test]
fn the_page_that_connects_a_system_works_as_it_stands() {
    let shop = Shop::without_books();
    let script = script(PAGE).replace(PAGE_ADDRESS, &free_address());
    // Where a step fails, the service must not outlive the page.
    let script = format!("trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{script}");
    assert!(script.contains("kill %1"), "the page ends its service");
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_daicho")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-m", "-c", &script]).stdin(Stdio::null());
    bash.env("PATH", path).env("DAICHO_DATA", shop.path("books")).current_dir(shop.path("."));
    let ran: Ran = bash.output().unwrap().into();
    let ran = ran.exits(0);
    for said in [
        "idempotency-replayed: true",
        "refused: somebody else was first",
        "urn:daicho:problem:changed",
        "\"licences\":8",
        "\"type\":\"order.placed\"",
        "\"type\":\"order.confirmed\"",
        "\"field\":\"reason\"",
    ] {
        ran.says(said);
    }
    let log = std::fs::read_to_string(shop.path("serve.log")).unwrap();
    let told = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    let of_quotes = log.lines().map(told).find(|line| {
        line["span"]["route"] == "/v1/books/{book}/quotes" && line["fields"]["status"] == 201
    });
    let of_quotes = of_quotes.unwrap();
    assert_eq!(of_quotes["span"]["actor"], "staff:sato");
    assert_eq!(of_quotes["span"]["book"], "shop");
    assert!(!log.contains("hanako") && !log.contains("dk_"), "a secret was logged");
}

/// A service that runs, and where.
pub(crate) struct Serving(Child, String);

impl Serving {
    fn start(shop: &Shop, args: &[&str]) -> Self {
        let listen = ["serve", "--listen", "127.0.0.1:0", "--output", "json"];
        Self::of(shop.command(&[&listen[..], args].concat()))
    }

    /// A command that serves and says where as JSON.
    pub(crate) fn of(command: Command) -> Self {
        Self::logging(command, Stdio::null())
    }

    fn logging(mut command: Command, log: Stdio) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let listening: Value = serde_json::from_str(&line).unwrap();
        Self(child, format!("http://{}", listening["listening"].as_str().unwrap()))
    }

    /// The status of a request.
    pub(crate) fn status(&self, args: &[&str], path: &str) -> String {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--output", "/dev/null", "--write-out", "%{http_code}"]);
        let ran: Ran = curl.args(args).arg(format!("{}{path}", self.1)).output().unwrap().into();
        ran.exits(0).out
    }

    pub(crate) fn ends_with(mut self, signal: &str) -> Option<i32> {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        self.0.wait().unwrap().code()
    }
}

/// A test that fails leaves no service behind.
impl Drop for Serving {
    fn drop(&mut self) {
        // One that has ended is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_key_comes_and_goes_while_the_service_runs() {
    let shop = Shop::after_the_main_road();
    let serving = Serving::start(&shop, &[]);
    let made = shop.daicho(&[
        "key",
        "create",
        "--name",
        "the auditors",
        "--actor",
        "system:audit",
        "--role",
        "auditor",
        "--output",
        "json",
    ]);
    let made = made.exits(0).json();
    let bearer = format!("Authorization: Bearer {}", made["secret"].as_str().unwrap());
    let answers =
        |status: &str| serving.status(&["--header", &bearer], "/v1/books/shop/orders") == status;
    // Another process made the key.
    within("the service hears of the key", || answers("200"));
    let command = ["--header", &bearer, "--request", "POST"];
    let accept = "/v1/books/shop/orders/01J0000000000000000000000D/accept";
    assert_eq!(serving.status(&command, accept), "403");
    let key = made["key"].as_str().unwrap();
    shop.daicho(&["key", "revoke", key]).exits(0);
    within("the service hears of its end", || answers("401"));
    let listed = || shop.daicho(&["key", "list", "--output", "json"]).exits(0).json();
    assert_eq!(listed()[0]["name"], "the auditors");
    assert!(listed()[0]["revoked_at"].is_string());
    // Its use is written down beside the requests.
    within("its use is written down", || listed()[0]["last_used_at"].is_string());
    shop.daicho(&["key", "revoke", key]).exits(3).complains("already revoked");
    assert_eq!(serving.ends_with("-TERM"), Some(0));
}

#[test]
fn a_key_that_cannot_be_is_refused_with_the_rule() {
    let shop = Shop::empty();
    let create = |actor: &str, role: &str, more: &[&str]| {
        let args = ["key", "create", "--name", "x", "--actor", actor, "--role", role];
        shop.daicho(&[&args[..], more].concat())
    };
    create("somebody", "auditor", &[]).exits(2).complains("staff:<log-in>");
    create("system:x", "king", &[]).exits(2).complains("operator, fulfilment, billing");
    let member = "member:01J0000000000000000000000B";
    create(member, "auditor", &[]).exits(3).complains("keys are for");
    let ended = create("system:x", "auditor", &["--expires-on", "2020-01-01"]);
    ended.exits(3).complains("a day to come");
    shop.daicho(&["key", "list"]).exits(0).says("There is no key");
    shop.daicho(&["key", "revoke", "01J0000000000000000000000B"])
        .exits(3)
        .complains("check the id");
}

#[test]
fn settings_come_from_a_file_and_what_is_typed_counts_more() {
    let shop = Shop::empty();
    let file = shop.path("daicho.toml");
    let check = |text: &str, args: &[&str]| {
        std::fs::write(&file, text).unwrap();
        let config = file.to_str().unwrap();
        let base = ["config", "check", "--config", config, "--output", "json"];
        shop.daicho(&[&base[..], args].concat())
    };
    let settings = check("listen = \"127.0.0.1:7500\"\n", &[]).exits(0).json();
    assert_eq!(settings["listen"], json!("127.0.0.1:7500"));
    let settings = check("listen = \"127.0.0.1:7500\"\n", &["--listen", "[::1]:1"]);
    assert_eq!(settings.exits(0).json()["listen"], json!("[::1]:1"));
    check("listn = \"x\"\n", &[]).exits(2).complains("listn");
    check("[limits]\nrequests_max = 0\n", &[]).exits(2).complains("requests_max");
    let nowhere = shop.daicho(&["serve", "--config", "/nowhere/daicho.toml"]).exits(2);
    nowhere.complains("/nowhere/daicho.toml");
}

#[test]
fn settings_of_the_sign_in_are_checked_and_shown_without_their_secrets() {
    let shop = Shop::empty();
    let (file, secret, key) = (shop.path("daicho.toml"), shop.path("secret"), shop.path("key"));
    std::fs::write(&secret, "the-secret-of-the-client\n").unwrap();
    let check = |issuer: &str, digits: &str| {
        std::fs::write(&key, digits).unwrap();
        let text = format!(
            "[sign_in]\nissuer = \"{issuer}\"\nclient_id = \"daicho\"\n\
             client_secret_file = {secret:?}\nsession_key_file = {key:?}\n"
        );
        std::fs::write(&file, text).unwrap();
        shop.daicho(&["config", "check", "--config", file.to_str().unwrap()])
    };
    let (issuer, digits) = ("https://login.example.jp", "0a".repeat(32));
    let shown = check(issuer, &digits).exits(0);
    shown.says("session_minutes = 480");
    let shown = shown.out;
    assert!(shown.contains("client_secret_file") && !shown.contains("the-secret"), "{shown}");
    assert!(!shown.contains(&digits), "{shown}");
    check("http://login.example.jp", &digits).exits(2).complains("sign_in.issuer");
    check(issuer, "0a").exits(2).complains("openssl rand -hex 32");
    std::fs::remove_file(&secret).unwrap();
    check(issuer, &digits).exits(2).complains(secret.to_str().unwrap());
}

#[test]
fn a_machine_that_knows_no_certificate_authority_serves_all_the_same() {
    let shop = Shop::empty();
    let (none, log) = (shop.path("none"), shop.path("log"));
    std::fs::write(&none, "").unwrap();
    let mut command = shop.command(&["serve", "--listen", "127.0.0.1:0", "--output", "json"]);
    command.env("SSL_CERT_FILE", &none).env("SSL_CERT_DIR", shop.path("nowhere"));
    let serving = Serving::logging(command, std::fs::File::create(&log).unwrap().into());
    assert_eq!(serving.status(&[], "/readyz"), "200");
    assert_eq!(serving.ends_with("-TERM"), Some(0));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("install ca-certificates"), "{log}");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let shop = Shop::empty();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    shop.daicho(&["serve", "--listen", &address]).exits(2).complains(&address);
}

#[test]
fn a_webhook_is_made_seen_switched_and_forgotten() {
    let shop = Shop::after_the_main_road();
    let webhook =
        |args: &[&str]| shop.daicho(&[&["webhook"], args, &["--output", "json"]].concat());
    let url = "https://crm.example.jp/daicho";
    let made = webhook(&["create", "crm", url, "--type", "order.placed", "--after", "0"]);
    let made = made.exits(0).json();
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"), "{secret}");
    assert_eq!((&made["behind_by"], &made["types"]), (&json!(21), &json!(["order.placed"])));
    webhook(&["create", "crm", url]).exits(2).complains("already a webhook `crm`");
    webhook(&["create", "x", "http://127.0.0.1:9/"]).exits(2).complains("https");
    webhook(&["create", "near", "http://127.0.0.1:9/", "--private-address"]).exits(0);
    webhook(&["create", "x", url, "--type", "order.eaten"]).exits(2).complains("order.eaten");
    let other = webhook(&["rotate-secret", "crm"]).exits(0).json();
    assert_ne!(other["secret"], made["secret"]);
    assert_eq!(webhook(&["disable", "crm"]).exits(0).json()["disabled"], "switched off");
    shop.daicho(&["webhook", "list"]).exits(0).says("disabled: switched off");
    assert_eq!(webhook(&["enable", "crm"]).exits(0).json()["disabled"], json!(null));
    assert_eq!(webhook(&["parked", "crm"]).exits(0).json(), json!([]));
    for deed in ["resend", "drop"] {
        assert_eq!(webhook(&[deed, "crm", "3"]).exits(0).json()["messages"], json!(0));
    }
    let shown = shop.daicho(&["webhook", "show", "crm"]).exits(0).out;
    assert!(shown.contains(url) && !shown.contains("whsec_"), "{shown}");
    webhook(&["delete", "crm"]).exits(0);
    webhook(&["show", "crm"]).exits(2).complains("there is no webhook `crm`");
}

#[test]
fn a_consumer_is_made_seen_put_elsewhere_and_forgotten() {
    let shop = Shop::after_the_main_road();
    let consumer =
        |args: &[&str]| shop.daicho(&[&["consumer"], args, &["--output", "json"]].concat());
    let made = consumer(&["create", "crm", "--ordered-by", "order", "--type", "order.placed"]);
    assert_eq!(made.exits(0).json()["behind_by"], json!(21));
    consumer(&["create", "crm"]).exits(2).complains("another `ordered_by`");
    consumer(&["create", "x", "--type", "order.eaten"]).exits(2).complains("order.eaten");
    assert_eq!(consumer(&["seek", "crm", "20"]).exits(0).json()["behind_by"], json!(1));
    consumer(&["seek", "crm", "99"]).exits(2).complains("not recorded yet");
    assert_eq!(consumer(&["list"]).exits(0).json()[0]["name"], "crm");
    shop.daicho(&["consumer", "show", "crm"]).exits(0).says("behind by");
    consumer(&["delete", "crm"]).exits(0);
    consumer(&["show", "crm"]).exits(2).complains("there is no consumer `crm`");
}
