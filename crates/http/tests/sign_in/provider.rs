//! The provider: `oidc-provider` in a process of its own that ends with the test.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use daicho_test_servers::npm_packages;
use serde_json::{Value, json};

/// The files of the provider, with their names.
const SOURCES: [(&str, &str); 3] = [
    ("package.json", include_str!("provider/package.json")),
    ("package-lock.json", include_str!("provider/package-lock.json")),
    ("provider.mjs", include_str!("provider/provider.mjs")),
];
pub(crate) const CLIENT_WITH_SECRET: &str = "secret: client";
pub(crate) const CLIENT_SECRET: &str = "a secret+with%signs/of:all&kinds";

/// Where the claims of a person are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClaimsAre {
    /// In the ID token.
    InTheToken,
    /// At an endpoint of their own, as is usual by the standard.
    BesideIt,
}

/// A running provider.
pub(crate) struct Provider {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    pub(crate) issuer: String,
}

impl Provider {
    /// Starts a provider with these accounts and the roles that it claims for them.
    pub(crate) fn start(claims: ClaimsAre, accounts: &Value) -> Self {
        let said = json!({ "accounts": accounts, "standard": claims == ClaimsAre::BesideIt });
        let mut process = Command::new("node")
            .arg("provider.mjs")
            .arg(said.to_string())
            .current_dir(installed())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node is installed (Debian: nodejs)");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let issuer = lines.next().expect("the provider listens").unwrap();
        Self { process, lines, issuer }
    }

    /// Makes the provider sign with other keys from now on.
    pub(crate) fn rotate_keys(&mut self) {
        writeln!(self.process.stdin.as_mut().unwrap(), "rotate").unwrap();
        // Other lines that it prints come in between.
        let mut lines = self.lines.by_ref().map_while(Result::ok);
        assert!(lines.any(|line| line == "rotated"), "the provider is running");
    }

    /// Stops the provider.
    pub(crate) fn stop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // This fails if it was stopped before.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The folder of the installed packages.
fn installed() -> PathBuf {
    npm_packages(Path::new(env!("CARGO_TARGET_TMPDIR")), "oidc-provider", &SOURCES)
}
