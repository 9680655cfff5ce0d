//! A rebuild whose process is killed, at whatever moment: the next one ends, and nothing is wrong.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::support::Shop;

/// Events of the life; some seconds of a rebuild in little memory.
const EVENTS: &str = "900";
const REBUILD: [&str; 7] =
    ["projections", "rebuild", "--all", "--memory", "64KiB", "--output", "json"];

fn digests(shop: &Shop) -> Vec<String> {
    let compared = shop.daicho(&["projections", "compare", "--output", "json"]).exits(0).json();
    let live = |list: &Value| list["live"].as_str().unwrap().to_owned();
    compared.as_array().unwrap().iter().map(live).collect()
}

#[test]
fn a_rebuild_that_was_killed_is_followed_by_one_that_ends_with_the_same_lists() {
    let shop = Shop::without_books();
    let life = ["simulate", "--book", "shop", "--events", EVENTS, "--seed", "3"];
    shop.daicho(&life).exits(0);
    let expected = digests(&shop);
    for milliseconds in [30, 100, 300, 900] {
        let mut child = shop.command(&REBUILD).stdout(Stdio::null()).spawn().unwrap();
        // Wherever it is by then: every moment must do.
        std::thread::sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(digests(&shop), expected, "killed after {milliseconds} ms");
    }
    let rebuilt = shop.daicho(&REBUILD).exits(0).json();
    assert_eq!(rebuilt["lists"].as_array().unwrap().len(), expected.len());
    assert_eq!(digests(&shop), expected);
}
