//! Who stops a server when no test does: a shell script beside it, so that nothing is left behind
//! even by a test that is killed.

use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::account::Account;
use crate::{binaries, need};

/// Stops a private server when its test lets go of the script's standard input, or dies.
const OF_ONE_TEST: &str = include_str!("watchdog/one_test.sh");
/// Stops the shared server when no process has used it for a while.
pub(crate) const OF_MANY: &str = include_str!("watchdog/many.sh");

/// Watches over a private server. Dropping it stops the server and removes its folder.
#[derive(Debug)]
pub(crate) struct Watchdog {
    script: Child,
    leash: Option<ChildStdin>,
}

impl Watchdog {
    /// Watches over the server that is about to be started in `folder`.
    pub(crate) fn of_one_test(folder: &Path, account: Account) -> Self {
        let mut script = start(OF_ONE_TEST, folder, &[], Stdio::piped(), account);
        let leash = script.stdin.take();
        Self { script, leash }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.leash.take());
        // The test may be panicking already: what goes wrong here says nothing about it.
        let _ = self.script.wait();
    }
}

/// Starts the watchdog of the shared server below `root`. It outlives this process. One that finds
/// another at work ends at once.
#[expect(clippy::zombie_processes, reason = "it outlives this process, and the system reaps it")]
pub(crate) fn start_of_many(root: &Path, linger_seconds: u32, account: Account) {
    // The script could tell nobody that it is missing.
    let flock = Command::new("flock").arg("--version").output();
    need(flock, "run `flock` (Debian: util-linux)");
    start(OF_MANY, root, &[&linger_seconds.to_string()], Stdio::null(), account);
}

/// Runs `script` with the folder, the folder of PostgreSQL's programs and `more` as arguments, in a
/// group of its own (a signal to the test's group does not reach it), holding no output open.
fn start(script: &str, folder: &Path, more: &[&str], input: Stdio, account: Account) -> Child {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new("sh");
    command.args(["-c", script, "daicho-test-servers"]).arg(folder).arg(binaries::folder());
    command.args(more).current_dir("/").process_group(0);
    command.stdin(input).stdout(Stdio::null()).stderr(Stdio::null());
    need(account.run(&mut command).spawn(), "start a watchdog")
}
