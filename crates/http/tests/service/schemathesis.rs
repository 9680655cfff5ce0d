//! schemathesis makes requests from the description, well formed and malformed, and checks every
//! answer against it: the status, the headers, the schema of the body, and that well-formed
//! requests are accepted and malformed ones refused.

use std::path::Path;
use std::process::Command;

use daicho_app::Role;
use daicho_test_servers::{faults, python_packages};
use serde_json::Value;

use crate::support::Running;

const REQUIREMENTS: &str = include_str!("schemathesis/requirements.txt");
const CONFIGURATION: &str = include_str!("schemathesis/schemathesis.toml");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_made_of_the_description_gets_an_answer_outside_of_it() {
    let service = Running::start_with(|settings| {
        settings.limits.requests_a_second = 100_000;
        settings.limits.burst = 100_000;
    })
    .await;
    let description = service.folder.path().join("openapi.json");
    std::fs::write(&description, of_one_book(daicho_http::description()).to_string()).unwrap();
    let configuration = service.folder.path().join("schemathesis.toml");
    std::fs::write(&configuration, CONFIGURATION).unwrap();
    let programs =
        python_packages(Path::new(env!("CARGO_TARGET_TMPDIR")), "schemathesis", REQUIREMENTS);
    let examples = faults::count("examples of an operation and check", 5, 100);
    let mut schemathesis = Command::new(programs.join("schemathesis"));
    schemathesis
        .arg("--config-file")
        .arg(&configuration)
        .arg("run")
        .arg(&description)
        .args(["--url", &service.url, "--checks", "all", "--workers", "1", "--no-color"])
        .args(["--header", &format!("Authorization: Bearer {}", service.keys[&Role::Operator])])
        .args(["--max-examples", &examples.to_string(), "--seed", &faults::seed().to_string()])
        // It would find its own key in the list and revoke it.
        .args(["--exclude-path-regex", "/revoke$"])
        .current_dir(service.folder.path());
    let ran = tokio::task::spawn_blocking(move || schemathesis.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    let summary = said.split("SUMMARY").nth(1).unwrap_or_default();
    eprintln!("schemathesis: {summary}");

    service.end().await;
}

/// The description, narrowed to one book that every request is about.
fn of_one_book(mut description: Value) -> Value {
    let paths = description["paths"].as_object_mut().unwrap();
    *paths = std::mem::take(paths)
        .into_iter()
        .map(|(path, mut item)| {
            for parameters in item.as_object_mut().unwrap().values_mut() {
                if let Some(all) = parameters["parameters"].as_array_mut() {
                    all.retain(|parameter| parameter["name"] != "book");
                }
            }
            (path.replace("{book}", "shop"), item)
        })
        .collect();
    description
}
