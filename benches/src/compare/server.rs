//! A PostgreSQL of the benches' own on the measured disk, with fsync on; a process of ours holds
//! it, so that its programs can be told to sync slowly.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use daicho_test_servers::{PostgresServer, programs_folder};
use sqlx::{AssertSqlSafe, Connection as _};

use crate::append::connect;
use crate::error::BenchError;

/// PostgreSQL's own defaults where the servers of the tests are smaller.
const SETTINGS: [(&str, &str); 1] = [("shared_buffers", "128MB")];
/// What a server's folder must hold.
const PROGRAMS: [&str; 3] = ["postgres", "initdb", "pg_ctl"];
/// For everybody to enter: the server runs under another account than root.
const OPEN_MODE: u32 = 0o755;

/// The server that is measured on.
pub(crate) struct Server {
    url: String,
    databases: u32,
    /// The process that holds a server of ours, and its leash.
    held: Option<(Child, Option<ChildStdin>)>,
}

impl Server {
    /// One that runs already: its URL names a database from which others can be made.
    pub(crate) fn at(url: &str) -> Self {
        Self { url: url.to_owned(), databases: 0, held: None }
    }

    /// Has a process of `program` start one with its data below `folder`.
    pub(crate) fn start(
        program: &Path,
        folder: &Path,
        shim: Option<&Path>,
    ) -> Result<Self, BenchError> {
        fs::set_permissions(folder, Permissions::from_mode(OPEN_MODE))?;
        let mut command = Command::new(program);
        command.arg("serve").env("TMPDIR", folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(shim) = shim {
            command.env("DAICHO_POSTGRES_BIN", wrapped(folder, shim)?);
        }
        let mut child = command.spawn()?;
        let mut url = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut url)?;
        }
        let url = url.trim().to_owned();
        if url.is_empty() {
            child.wait()?;
            return Err(BenchError::Child("no PostgreSQL to measure on".to_owned()));
        }
        let leash = child.stdin.take();
        Ok(Self { url, databases: 0, held: Some((child, leash)) })
    }

    /// Refuses a server whose data would be on another disk than the measured one.
    pub(crate) async fn check_below(&self, folder: &Path) -> Result<(), BenchError> {
        let mut connection = connect(&self.url).await?;
        let asked = sqlx::query_scalar("SELECT current_setting('data_directory')");
        let data: String = asked.fetch_one(&mut connection).await?;
        connection.close().await?;
        let folder = folder.canonicalize()?;
        if Path::new(&data).canonicalize()?.starts_with(&folder) {
            return Ok(());
        }
        let folder = folder.display();
        Err(BenchError::Child(format!(
            "the server's data is in {data}, not below {folder}: give a --folder of a shorter path"
        )))
    }

    /// Makes an empty database and drops the one before; answers with its URL.
    pub(crate) async fn fresh_database(&mut self) -> Result<String, BenchError> {
        let name = |number: u32| format!("daicho_bench_{number}");
        let mut connection = connect(&self.url).await?;
        let before = name(self.databases);
        self.databases += 1;
        let fresh = name(self.databases);
        for statement in [
            format!("DROP DATABASE IF EXISTS {before} WITH (FORCE)"),
            format!("DROP DATABASE IF EXISTS {fresh} WITH (FORCE)"),
            format!("CREATE DATABASE {fresh}"),
            // What the one before left to be written is not of the next measurement.
            "CHECKPOINT".to_owned(),
        ] {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
        }
        connection.close().await?;
        let (server, parameters) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let (server, _) = server.rsplit_once('/').unwrap_or((server, ""));
        let parameters =
            if parameters.is_empty() { String::new() } else { format!("?{parameters}") };
        Ok(format!("{server}/{fresh}{parameters}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some((child, leash)) = &mut self.held {
            drop(leash.take());
            let _ = child.wait();
        }
    }
}

/// Programs of PostgreSQL that begin with the shim, in a folder of their own.
fn wrapped(folder: &Path, shim: &Path) -> Result<PathBuf, BenchError> {
    let (programs, wrapped) = (programs_folder(), folder.join("programs"));
    fs::create_dir_all(&wrapped)?;
    for name in PROGRAMS {
        let preload = if name == "initdb" { "" } else { &*shim.to_string_lossy() };
        let program = programs.join(name);
        let script =
            format!("#!/bin/sh\nLD_PRELOAD='{preload}' exec '{}' \"$@\"\n", program.display());
        let path = wrapped.join(name);
        fs::write(&path, script)?;
        fs::set_permissions(&path, Permissions::from_mode(OPEN_MODE))?;
    }
    Ok(wrapped)
}

/// Holds a server until standard input ends; prints its URL first.
///
/// # Errors
/// An output that is gone.
pub fn serve() -> Result<(), BenchError> {
    let server = PostgresServer::private();
    server.restart_with(&SETTINGS);
    let mut out = std::io::stdout();
    writeln!(out, "{}", server.url("postgres"))?;
    out.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
