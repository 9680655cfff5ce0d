//! Instructions of the hot paths, a ratchet: they do not drift with the machine as times do.
//!
//! Callgrind runs the program of this build (unoptimised but for its dependencies) on a processor
//! of valgrind's own, which has neither SHA nor AVX-512 instructions: on a Xeon that has both the
//! hashes were seen to be computed without. Runs differed by less than 0.3 %. The counts
//! stand in a table for each architecture; `DAICHO_BLESS=1` writes them anew, and the diff is read.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The hot paths of `daicho_benches::hot`.
const PATHS: [&str; 4] = ["append", "lookup", "fold", "page"];
/// More than this above its count, and a path fails.
const ABOVE_PER_CENT: u64 = 3;
/// More than this below, and the count is to be lowered.
const BELOW_PER_CENT: u64 = 10;

fn table() -> PathBuf {
    let name = format!("tests/counts-{}.txt", std::env::consts::ARCH);
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(text: &str) -> BTreeMap<String, u64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let count = |line: &str| {
        let (path, count) = line.split_once(' ').expect("a path and its count");
        (path.to_owned(), count.trim().parse().expect("a number"))
    };
    lines.map(count).collect()
}

fn instructions(path: &str) -> u64 {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("callgrind.out");
    let program = env!("CARGO_BIN_EXE_daicho-benches");
    let work = |command: &mut Command| {
        command.args(["hot", path, "--folder"]).arg(folder.path().join("book"));
    };
    let mut prepare = Command::new(program);
    work(&mut prepare);
    let prepared = prepare.arg("--prepare").status().expect("the benches run");
    assert!(prepared.success(), "{path} is not prepared");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--quiet", "--toggle-collect=*hot*collected*"]);
    valgrind.arg(format!("--callgrind-out-file={}", out.display()));
    work(valgrind.arg(program));
    let ran = valgrind.output();
    let ran = ran.unwrap_or_else(|error| panic!("valgrind is needed (Debian: valgrind): {error}"));
    assert!(ran.status.success(), "{path}: {}", String::from_utf8_lossy(&ran.stderr));
    let text = std::fs::read_to_string(&out).expect("what callgrind wrote");
    let totals = text.lines().filter_map(|line| line.strip_prefix("totals: "));
    let total = totals.map(|total| total.trim().parse::<u64>().expect("a number")).sum();
    assert!(total > 0, "{path}: nothing was collected:\n{}", text.lines().count());
    total
}

/// What is wrong with a count; none if nothing is.
fn complaint(path: &str, known: u64, counted: u64) -> Option<String> {
    if counted > known + known * ABOVE_PER_CENT / 100 {
        return Some(format!(
            "{path}: {counted} instructions instead of {known}: it got slower; if it must be, \
             DAICHO_BLESS=1 writes the count anew and the commit says why"
        ));
    }
    let lower = counted < known - known * BELOW_PER_CENT / 100;
    lower.then(|| {
        format!("{path}: {counted} instructions instead of {known}: keep it, by DAICHO_BLESS=1")
    })
}

#[test]
fn no_hot_path_needs_more_instructions_than_before() {
    let counted: Vec<(&str, u64)> = std::thread::scope(|scope| {
        let counts = PATHS.map(|path| (path, scope.spawn(move || instructions(path))));
        counts.map(|(path, count)| (path, count.join().unwrap())).to_vec()
    });
    if std::env::var_os("DAICHO_BLESS").is_some() {
        let mut text = "# Instructions of each hot path: see counts.rs.\n".to_owned();
        counted.iter().for_each(|(path, count)| writeln!(text, "{path} {count}").unwrap());
        return std::fs::write(table(), text).unwrap();
    }
    let known = std::fs::read_to_string(table()).unwrap_or_else(|error| {
        panic!("{}: {error}: DAICHO_BLESS=1 makes the counts of this machine", table().display())
    });
    let known = read(&known);
    let complaints: Vec<String> = counted
        .into_iter()
        .filter_map(|(path, count)| match known.get(path) {
            Some(&known) => complaint(path, known, count),
            None => Some(format!("{path} is not in the table: DAICHO_BLESS=1")),
        })
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn more_instructions_are_refused_and_far_fewer_are_to_be_kept() {
    assert_eq!(complaint("fold", 1_000, 1_030), None);
    assert!(complaint("fold", 1_000, 1_031).unwrap().contains("slower"));
    assert_eq!(complaint("fold", 1_000, 900), None);
    assert!(complaint("fold", 1_000, 899).unwrap().contains("keep it"));
}
