//! Short forms for this crate's own tests.

use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// How long anything may take before a test fails.
const WAIT_SECONDS_MAX: u64 = 30;

pub(crate) async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

/// Runs statements on a connection of their own.
pub(crate) async fn run(url: &str, statements: &str) {
    let statements = AssertSqlSafe(statements.to_owned());
    sqlx::raw_sql(statements).execute(&mut connect(url).await).await.unwrap();
}

/// Asks for one text on a connection of its own.
pub(crate) async fn ask(url: &str, question: &'static str) -> String {
    sqlx::query_scalar(question).fetch_one(&mut connect(url).await).await.unwrap()
}

/// Whether anybody listens at the address in `url`.
pub(crate) fn is_listening(url: &str) -> bool {
    let address = url.rsplit('@').next().unwrap().split('/').next().unwrap();
    TcpStream::connect(address.parse::<SocketAddr>().unwrap()).is_ok()
}

#[track_caller]
pub(crate) fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(WAIT_SECONDS_MAX), "waited for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// This test program once more, running one helper that is ignored otherwise.
pub(crate) fn another_process(helper: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([helper, "--exact", "--ignored", "--nocapture"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// The URL in a helper's output.
pub(crate) fn url_in(output: &str) -> &str {
    let words = output.split_whitespace();
    words.into_iter().find(|word| word.starts_with("postgres://")).unwrap()
}
