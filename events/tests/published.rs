//! The published form of every event version: what the world reads is written down beside the code,
//! and a change that would break a reader, or an old book, fails here.
//!
//! `DAICHO_BLESS=1 cargo test -p daicho-events --test published` writes what is new (and new
//! prose).
//! It never rewrites the structure of a published version or a sample: that is a new version.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its files has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use daicho_events::{Event, PUBLISHED, Published};
use serde_json::Value;

fn folder(kind: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("published").join(kind)
}

fn every() -> impl Iterator<Item = &'static Published> {
    PUBLISHED.iter().copied().flatten()
}

fn blessing() -> bool {
    std::env::var_os("DAICHO_BLESS").is_some_and(|value| value == "1")
}

/// The committed text of a published version; written first where it is new and we are blessing.
fn committed(kind: &str, published: &Published, generated: &str) -> String {
    let path = folder(kind).join(format!("{}.json", published.event_type));
    if blessing() && !path.exists() {
        fs::create_dir_all(folder(kind)).unwrap();
        fs::write(&path, generated).unwrap();
    }
    fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!("{} is not published ({error}): run this test with DAICHO_BLESS=1", path.display())
    })
}

/// A schema without its prose: what a reader depends on.
fn structure(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let prose = |name: &str, value: &Value| {
                matches!(name, "title" | "description") && value.is_string()
            };
            let kept = members.iter().filter(|(name, value)| !prose(name, value));
            Value::Object(kept.map(|(name, value)| (name.clone(), structure(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(structure).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => schema.clone(),
    }
}

#[test]
fn no_published_version_changes_its_structure() {
    for published in every() {
        let generated = published.schema().to_value();
        let pretty = format!("{}\n", serde_json::to_string_pretty(&generated).unwrap());
        let committed_text = committed("schemas", published, &pretty);
        let before: Value = serde_json::from_str(&committed_text).unwrap();
        assert_eq!(
            structure(&before),
            structure(&generated),
            "{} is published and cannot change: write a new version with an upcaster",
            published.event_type
        );
        if blessing() {
            let path = folder("schemas").join(format!("{}.json", published.event_type));
            fs::write(path, pretty).unwrap();
        } else {
            assert_eq!(committed_text, pretty, "the prose changed: run with DAICHO_BLESS=1");
        }
    }
}

#[test]
fn a_changed_structure_would_be_seen() {
    let schema = every().next().unwrap().schema().to_value();
    let mut other = schema.clone();
    other["properties"]["surprise"] = serde_json::json!({ "type": "string" });
    assert_ne!(structure(&schema), structure(&other));
    let mut prose = schema.clone();
    prose["description"] = "other words".into();
    assert_eq!(structure(&schema), structure(&prose));
}

#[test]
fn every_sample_ever_published_is_still_read() {
    for published in every() {
        let event_type = published.event_type;
        let text = committed("samples", published, &published.sample());
        let event = Event::decode(event_type.name, event_type.version, &text)
            .unwrap_or_else(|error| panic!("{event_type}: {error}"));
        assert_eq!(event.event_type().name, event_type.name);
        if published.current {
            assert_eq!(event.to_json(), text, "{event_type} is written byte for byte as published");
        }
    }
}

#[test]
fn nothing_that_was_published_disappears() {
    let known: BTreeSet<String> =
        every().map(|published| format!("{}.json", published.event_type)).collect();
    for kind in ["schemas", "samples"] {
        for entry in fs::read_dir(folder(kind)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(known.contains(&name), "{kind}/{name} was published and is not known any more");
        }
    }
}

#[test]
fn each_stored_name_has_one_version_that_is_written() {
    let mut current = BTreeSet::new();
    for published in every().filter(|published| published.current) {
        assert!(current.insert(published.event_type.name), "{}", published.event_type);
    }
    let names: BTreeSet<&str> = every().map(|published| published.event_type.name).collect();
    assert_eq!(names, current, "every name has a version written today");
}

#[test]
fn an_event_of_version_1_goes_up_with_what_it_did_not_know() {
    let old = every().find(|p| p.event_type.to_string() == "shop.configured.v1").unwrap();
    let event = Event::decode("shop.configured", 1, &old.sample()).unwrap();
    let Event::Shop(daicho_events::shop::ShopEvent::Configured(shop)) = &event else {
        panic!("{event:?}");
    };
    assert_eq!(shop.quote_valid_days, daicho_events::shop::QUOTE_VALID_DAYS_DEFAULT);
    assert_eq!(event.event_type().version, 2, "it is written as the version of today");
}

#[test]
fn an_unknown_name_or_version_is_an_error_that_names_it() {
    let error = Event::decode("order.teleported", 1, "{}").unwrap_err().to_string();
    assert!(error.contains("order.teleported"), "{error}");
    let error = Event::decode("order.placed", 9, "{}").unwrap_err().to_string();
    assert!(error.contains("version 9 of `order.placed`"), "{error}");
}
