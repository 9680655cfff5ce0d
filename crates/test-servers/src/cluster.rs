//! One server and its folder: data, socket, log, and what is needed to connect.
//!
//! It listens on 127.0.0.1 for whoever knows its random password, and on a socket in a folder that
//! its account alone may enter.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::account::Account;
use crate::ports::free_port;
use crate::random::random_hex;
use crate::{binaries, need};

/// The superuser of every server.
const USER: &str = "daicho";
/// The database that every server starts with.
pub(crate) const MAINTENANCE_DATABASE: &str = "postgres";
/// Ports to try before giving up.
const START_ATTEMPTS: u32 = 8;
/// How long a start may take, seconds.
const START_SECONDS_MAX: &str = "60";
/// What a test should meet is what production has, but for the size; `syncfs` syncs a thousand
/// files after a crash with one call, not a thousand.
pub(crate) const SETTINGS: &str = "\
listen_addresses = '127.0.0.1'
fsync = on
synchronous_commit = on
full_page_writes = on
recovery_init_sync_method = syncfs
max_connections = 300
shared_buffers = 32MB
timezone = 'UTC'
log_timezone = 'UTC'
";

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Everybody is cut off, what is committed is written out.
    Fast,
    /// As if the process had been killed: what is committed comes back from the write-ahead log.
    Immediate,
}

/// A database server in a folder of its own.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// Holds `data`, `socket`, `log` and `access`.
    folder: PathBuf,
    account: Account,
    binaries: PathBuf,
    port: u16,
    password: String,
}

impl Cluster {
    /// Makes a cluster in the new or empty `folder`, with these options of `initdb`, and starts it.
    pub(crate) fn create(folder: &Path, initdb: &[&str]) -> Self {
        let mut cluster = Self {
            folder: folder.to_owned(),
            account: Account::of_servers(),
            binaries: binaries::folder(),
            port: 0,
            password: random_hex(),
        };
        make_private_folder(folder, cluster.account);
        make_private_folder(&folder.join("socket"), cluster.account);
        cluster.initialise(initdb);
        for attempt in 1..=START_ATTEMPTS {
            cluster.port = free_port();
            cluster.configure(&[]);
            match cluster.try_start() {
                Ok(()) => break,
                Err(why) => assert!(attempt < START_ATTEMPTS, "{why}"),
            }
        }
        cluster.remember();
        cluster
    }

    /// The server that runs in `folder`; none when it does not, or was left in the making.
    pub(crate) fn running(folder: &Path) -> Option<Self> {
        let access = fs::read_to_string(folder.join("access")).ok()?;
        let (port, password) = access.trim().split_once(' ')?;
        let cluster = Self {
            folder: folder.to_owned(),
            account: Account::of_servers(),
            binaries: binaries::folder(),
            port: port.parse().ok()?,
            password: password.to_owned(),
        };
        UnixStream::connect(cluster.socket()).ok().map(|_| cluster)
    }

    /// Stops whatever still runs in `folder` and removes it.
    pub(crate) fn clear(folder: &Path) {
        if !folder.exists() {
            return;
        }
        let pg_ctl = binaries::folder().join("pg_ctl");
        let data = folder.join("data");
        let mut stop = Command::new(pg_ctl);
        stop.args(["stop", "-s", "-m", "immediate", "-D"]).arg(data).stderr(Stdio::null());
        // It fails where nothing runs, which is what is wanted.
        let _ = Account::of_servers().run(&mut stop).current_dir("/").status();
        need(fs::remove_dir_all(folder), "remove a server that was left behind");
    }

    /// How a client reaches `database`.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// Writes the settings of the next start; of two values of one setting the later counts.
    pub(crate) fn configure(&self, settings: &[(&str, &str)]) {
        let mut text = SETTINGS.to_owned();
        let socket = self.folder.join("socket");
        let own = [("port", &*self.port.to_string()), ("unix_socket_directories", &path(&socket))];
        for (name, value) in own.iter().chain(settings) {
            need(writeln!(text, "{name} = '{}'", value.replace('\'', "''")), "write a setting");
        }
        let file = self.folder.join("data/postgresql.conf");
        need(fs::write(file, text), "write the server's settings");
    }

    /// Starts the server on its port; returns when it takes connections.
    pub(crate) fn start(&self) {
        if let Err(why) = self.try_start() {
            panic!("{why}");
        }
    }

    /// The same, but no file of the server may grow beyond `kib`: to it, the disk is full then.
    pub(crate) fn start_with_files_up_to(&self, kib: u32) {
        let mut command = Command::new("sh");
        // In blocks of 512 bytes.
        let limited = "ulimit -f \"$1\" && shift && exec \"$@\"";
        command.args(["-c", limited, "sh"]).arg((kib * 2).to_string());
        let pg_ctl = self.pg_ctl("start");
        command.arg(pg_ctl.get_program()).args(pg_ctl.get_args());
        command.args(["-t", START_SECONDS_MAX, "-l"]).arg(self.folder.join("log"));
        need(self.run(&mut command), "start with a limit on files");
    }

    /// Makes the server, once started again, one that only follows another: it reads, and takes no
    /// writes.
    pub(crate) fn make_standby(&self) {
        write_private(&self.folder.join("data/standby.signal"), "", self.account);
    }

    /// Hands a private file of ours to the server, beside its settings; answers with its path.
    pub(crate) fn put(&self, name: &str, text: &str) -> PathBuf {
        let file = self.folder.join("data").join(name);
        write_private(&file, text, self.account);
        file
    }

    /// Stops the server; returns when it is gone.
    pub(crate) fn stop(&self, stop: Stop) {
        let mode = match stop {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        };
        let mut command = self.pg_ctl("stop");
        let stopped = self.run(command.args(["-m", mode]));
        assert!(stopped.is_ok(), "the test's PostgreSQL does not stop: {stopped:?}");
    }

    fn initialise(&self, more: &[&str]) {
        let password = self.folder.join("password");
        write_private(&password, &self.password, self.account);
        let mut command = Command::new(self.binaries.join("initdb"));
        command.args(["--no-sync", "--no-instructions", "--encoding=UTF8", "--locale=C"]);
        command.args(["--auth-local=trust", "--auth-host=scram-sha-256", "--username", USER]);
        command
            .args(more)
            .arg("--pwfile")
            .arg(&password)
            .arg("--pgdata")
            .arg(self.folder.join("data"));
        need(self.run(&mut command), "make a data folder");
    }

    fn try_start(&self) -> Result<(), String> {
        let log = self.folder.join("log");
        let mut command = self.pg_ctl("start");
        let started = self.run(command.args(["-t", START_SECONDS_MAX, "-l"]).arg(&log));
        started.map_err(|why| {
            let log = fs::read_to_string(&log).unwrap_or_default();
            format!("the test's PostgreSQL does not start: {why}\n{log}")
        })
    }

    /// Leaves what the next process needs to connect, whole or not at all.
    fn remember(&self) {
        let draft = self.folder.join("access.draft");
        write_private(&draft, &format!("{} {}\n", self.port, self.password), self.account);
        need(fs::rename(draft, self.folder.join("access")), "leave what is needed to connect");
    }

    fn pg_ctl(&self, action: &str) -> Command {
        let mut command = Command::new(self.binaries.join("pg_ctl"));
        command.args([action, "-s", "-w", "-D"]).arg(self.folder.join("data"));
        command
    }

    /// Runs a program of the server to its end, in surroundings that are always the same.
    fn run(&self, command: &mut Command) -> Result<(), String> {
        let system_path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", system_path).env("LC_ALL", "C").env("TZ", "UTC");
        command.current_dir(&self.folder).stdin(Stdio::null());
        let output = self.account.run(command).output();
        let output = output.map_err(|error| format!("in {}: {error}", self.folder.display()))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)))
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("socket").join(format!(".s.PGSQL.{}", self.port))
    }
}

/// Makes a folder that `account` alone may enter.
fn make_private_folder(folder: &Path, account: Account) {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    need(made, "make a folder");
    account.give(folder);
}

fn write_private(file: &Path, text: &str, account: Account) {
    let mut options = fs::OpenOptions::new();
    let opened = options.write(true).create(true).truncate(true).mode(0o600).open(file);
    need(opened.and_then(|mut file| file.write_all(text.as_bytes())), "write a private file");
    account.give(file);
}

fn path(path: &Path) -> String {
    path.to_str().map_or_else(|| panic!("{} is not UTF-8", path.display()), str::to_owned)
}
