//! The stored form of each list, pinned: a row that changes forces a new VERSION, so that no
//! release takes the rows of another for its own.
//!
//! `DAICHO_PIN=1 cargo test -p daicho-projections --test fingerprints` writes the file anew, and
//! still refuses a changed form under an old version.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use daicho_projections::all;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fingerprints.txt")
}

/// The pinned version and fingerprint of each list.
fn pinned() -> BTreeMap<String, (u32, String)> {
    let text = std::fs::read_to_string(path()).unwrap_or_default();
    text.lines()
        .map(|line| {
            let mut words = line.split(' ').map(str::to_owned);
            let mut word = || words.next().expect("a line is `name version fingerprint`");
            (word(), (word().parse().expect("a version"), word()))
        })
        .collect()
}

#[test]
fn a_changed_row_or_column_has_a_new_version() {
    let pinned = pinned();
    let mut lines = String::new();
    for list in all() {
        let (name, version, fingerprint) = (list.name(), list.version(), list.fingerprint());
        if let Some((old_version, old_fingerprint)) = pinned.get(name) {
            assert!(version >= *old_version, "{name}: a version never falls");
            assert!(
                version > *old_version || fingerprint == *old_fingerprint,
                "the stored form of `{name}` changed: raise its VERSION above {old_version}, \
                 then pin it with DAICHO_PIN=1"
            );
        }
        lines += &format!("{name} {version} {fingerprint}\n");
    }
    if std::env::var_os("DAICHO_PIN").is_some() {
        std::fs::write(path(), lines).unwrap();
        return;
    }
    assert_eq!(
        std::fs::read_to_string(path()).unwrap_or_default(),
        lines,
        "tests/fingerprints.txt is not of this release: pin it with DAICHO_PIN=1 and read the diff"
    );
}
