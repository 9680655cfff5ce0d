//! What the binary says of itself. The help of the top level is kept as a file: `DAICHO_BLESS=1`
//! writes it anew, for review.

use crate::support::{Ran, command};

const HELP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/help.txt");

fn daicho(args: &[&str]) -> Ran {
    command(args).output().unwrap().into()
}

#[test]
fn the_help_is_the_one_that_was_reviewed() {
    let help = daicho(&["--help"]).exits(0).out;
    if std::env::var_os("DAICHO_BLESS").is_some() {
        std::fs::write(HELP, &help).unwrap();
    }
    let reviewed = std::fs::read_to_string(HELP).unwrap();
    assert_eq!(help, reviewed, "review the help and write it anew with DAICHO_BLESS=1");
}

#[test]
fn the_help_of_a_list_names_its_columns() {
    let help = daicho(&["orders", "list", "--help"]).exits(0);
    help.says("  placed_on       business day of the order\n");
    let help = daicho(&["members", "list", "--help"]).exits(0);
    help.says("  requested_on     business day of the request or migration\n");
}

#[test]
fn a_shell_gets_completions() {
    daicho(&["completions", "bash"]).exits(0).says("_daicho()");
    daicho(&["completions", "fish"]).exits(0).says("complete -c daicho");
}

#[test]
fn every_command_has_a_name_and_a_schema() {
    let commands = daicho(&["run", "--schema", "--output", "json"]).exits(0).json();
    let commands = commands.as_array().unwrap();
    assert!(commands.len() > 20, "{}", commands.len());
    for command in commands {
        assert_ne!(command["description"], "", "{command}");
        let schema = daicho(&["run", "--schema", command["command"].as_str().unwrap()]);
        assert_eq!(schema.exits(0).json()["type"], "object", "{command}");
    }
}

#[test]
fn a_schema_leaves_out_what_the_ledger_makes() {
    let name = "member.request_registration";
    let schema = daicho(&["run", "--schema", name]).exits(0).json();
    assert_eq!(schema["properties"]["name"]["type"], "string");
    assert!(schema["properties"].get("email_index").is_none());
    let required: Vec<_> = schema["required"].as_array().unwrap().iter().collect();
    assert!(!required.contains(&&serde_json::json!("member")), "{required:?}");
}
