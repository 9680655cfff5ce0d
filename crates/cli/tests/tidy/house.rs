//! The rules that the workspace as a whole keeps: which crate may lean on which.
//!
//! The table is the diagram of `docs/ARCHITECTURE.md`; a new edge is a decision (an ADR) first.

use std::{path::Path, process::Command};

use serde_json::Value;

use crate::rules::{Finding, finding};

/// Which of our crates each of ours may name.
const EDGES: [(&str, &[&str]); 15] = [
    ("daicho-test-servers", &[]),
    ("daicho-test-vfs", &[]),
    ("daicho-values", &[]),
    ("daicho-store", &[]),
    ("daicho-events", &["daicho-values"]),
    ("daicho-domain", &["daicho-events", "daicho-values"]),
    ("daicho-projections", &["daicho-events", "daicho-values"]),
    ("daicho-documents", &["daicho-events", "daicho-values"]),
    (
        "daicho-app",
        &[
            "daicho-domain",
            "daicho-documents",
            "daicho-events",
            "daicho-projections",
            "daicho-store",
            "daicho-values",
        ],
    ),
    ("daicho-simulator", &["daicho-app", "daicho-domain", "daicho-events", "daicho-values"]),
    ("daicho-deliveries", &["daicho-app"]),
    ("daicho-sign-in", &["daicho-app"]),
    ("daicho-http", &["daicho-app", "daicho-deliveries", "daicho-sign-in"]),
    ("daicho", &["daicho-app", "daicho-http", "daicho-simulator"]),
    (
        "daicho-benches",
        &[
            "daicho-app",
            "daicho-events",
            "daicho-projections",
            "daicho-simulator",
            "daicho-store",
            "daicho-test-servers",
            "daicho-values",
        ],
    ),
];
/// What the tests of any crate may lean on, and besides them only the benches on the first, which
/// are measured on a server of their own.
const TEST_CRATES: [&str; 2] = ["daicho-test-servers", "daicho-test-vfs"];
/// Who may name sqlx or SQLite: the store, the benches that measure what is below it, the servers
/// for tests, which make a database for each, and the disk for tests, which stands under SQLite.
const SQL_CRATES: [&str; 4] =
    ["daicho-store", "daicho-benches", "daicho-test-servers", "daicho-test-vfs"];
/// Crates that compute and never touch the world …
const PURE: [&str; 5] =
    ["daicho-values", "daicho-events", "daicho-domain", "daicho-projections", "daicho-documents"];
/// … and what they therefore do not name. Tests of theirs may.
const WORLD: [&str; 9] = [
    "async-trait",
    "fastrand",
    "getrandom",
    "rand",
    "rand_chacha",
    "rand_core",
    "reqwest",
    "sqlx",
    "tokio",
];

/// One dependency as a manifest names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edge {
    /// The package that names it.
    pub(crate) from: String,
    /// The package that is named.
    pub(crate) to: String,
    /// Only for its tests.
    pub(crate) is_dev: bool,
    /// `file:line` parts of the manifest.
    pub(crate) manifest: (String, usize),
}

/// Every dependency of every package of the workspace, as cargo reads the manifests.
pub(crate) fn edges(root: &Path) -> Vec<Edge> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let packages = list(&metadata, "packages");
    assert!(!packages.is_empty(), "the workspace has packages");
    packages.iter().flat_map(|package| edges_of(root, package)).collect()
}

fn edges_of(root: &Path, package: &Value) -> Vec<Edge> {
    let manifest = text(package, "manifest_path");
    let toml = std::fs::read_to_string(&manifest).expect("the manifest is there");
    let root = root.canonicalize().expect("the workspace is there");
    let relative = Path::new(&manifest).strip_prefix(root).expect("a package of the workspace");
    let relative = relative.to_string_lossy().replace('\\', "/");
    let edge = |dependency: &Value| {
        let to = text(dependency, "name");
        let line = 1 + toml.lines().position(|line| line.starts_with(&to)).unwrap_or(0);
        let is_dev = dependency.get("kind").and_then(Value::as_str) == Some("dev");
        Edge { from: text(package, "name"), to, is_dev, manifest: (relative.clone(), line) }
    };
    list(package, "dependencies").iter().map(edge).collect()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).expect("a list in cargo's answer")
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).expect("a text in cargo's answer").to_owned()
}

fn broken(edge: &Edge, way_out: &'static str) -> Finding {
    let (path, line) = &edge.manifest;
    finding(path, *line, format!("{} may not lean on {}", edge.from, edge.to), way_out)
}

/// Our crates lean on each other only as the diagram says, in tests too; only there may each use
/// the servers and the disk for tests.
pub(crate) fn forbidden_edges(edges: &[Edge]) -> Vec<Finding> {
    let ours = |name: &str| name == "daicho" || name.starts_with("daicho-");
    let of_tests = |edge: &Edge| edge.is_dev && TEST_CRATES.contains(&edge.to.as_str());
    let listed = |edge: &Edge| {
        EDGES.iter().any(|(from, to)| *from == edge.from && to.contains(&edge.to.as_str()))
    };
    let allowed = |edge: &Edge| listed(edge) || of_tests(edge);
    let way_out = "go through the crate between them; a new edge needs an ADR and a line in EDGES";
    let forbidden = edges.iter().filter(|edge| ours(&edge.to) && !allowed(edge));
    forbidden.map(|edge| broken(edge, way_out)).collect()
}

/// Only the store speaks to a database.
pub(crate) fn forbidden_sqlx(edges: &[Edge]) -> Vec<Finding> {
    let is_sql = |name: &str| {
        name.starts_with("sqlx") || name == "rusqlite" || name.starts_with("libsqlite3")
    };
    let outside = |edge: &&Edge| is_sql(&edge.to) && !SQL_CRATES.contains(&edge.from.as_str());
    let way_out = "ask the store through its traits";
    edges.iter().filter(outside).map(|edge| broken(edge, way_out)).collect()
}

/// What only computes names neither a runtime nor a random source.
pub(crate) fn forbidden_world(edges: &[Edge]) -> Vec<Finding> {
    let is_pure = |edge: &&Edge| PURE.contains(&edge.from.as_str()) && !edge.is_dev;
    let touches = |edge: &&Edge| WORLD.contains(&edge.to.as_str());
    let way_out = "take what it gives as an argument; the edge reads the world";
    edges.iter().filter(is_pure).filter(touches).map(|edge| broken(edge, way_out)).collect()
}
