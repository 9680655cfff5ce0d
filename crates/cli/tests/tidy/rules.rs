//! The rules that one Rust file can keep or break.
//!
//! Each is a function from a file to its findings, so that a test can show it a bad sample.

use crate::source::{Source, body, is_name, words};

/// Columns a line may have.
pub(crate) const LINE_COLUMNS_MAX: usize = 100;
/// Lines a function may have, from `fn` to its closing brace.
pub(crate) const FUNCTION_LINES_MAX: usize = 60;
/// Lines a file may have, tests not counted.
pub(crate) const FILE_LINES_MAX: usize = 600;

/// Crates that compute and never touch the world.
const PURE: [&str; 4] = ["events/", "crates/domain/", "projections/", "crates/documents/"];

/// Where SQL may stand: in the store, in the benches that measure below it, and in the servers for
/// tests, which make a database for each.
pub(crate) const SQL_HOMES: [&str; 3] = ["crates/store/", "benches/", "crates/test-servers/"];

/// A broken rule, where it is broken and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// `file:line`.
    pub(crate) place: String,
    /// The rule.
    pub(crate) rule: String,
    /// The way out.
    pub(crate) way_out: &'static str,
}

/// A finding in `path` at `line`.
pub(crate) fn finding(path: &str, line: usize, rule: String, way_out: &'static str) -> Finding {
    Finding { place: format!("{path}:{line}"), rule, way_out }
}

/// Lines fit on a screen; a line with an address may be longer, since that cannot be broken.
pub(crate) fn wide_lines(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, line) in source.raw.lines().enumerate() {
        let columns = line.chars().count();
        if columns > LINE_COLUMNS_MAX && !line.contains("://") {
            let rule = format!("{columns} columns; a line has at most {LINE_COLUMNS_MAX}");
            found.push(finding(&source.path, index + 1, rule, "break the line; run `cargo fmt`"));
        }
    }
    found
}

/// A file holds one idea.
pub(crate) fn long_files(source: &Source) -> Vec<Finding> {
    let lines = source.shipped_lines();
    if source.is_test() || lines <= FILE_LINES_MAX {
        return Vec::new();
    }
    let rule = format!("{lines} lines without tests; a file has at most {FILE_LINES_MAX}");
    vec![finding(&source.path, 1, rule, "give the second idea a file of its own")]
}

/// A function fits on a screen, or says why it does not.
pub(crate) fn long_functions(source: &Source) -> Vec<Finding> {
    let lines: Vec<&str> = source.raw.lines().collect();
    let mut found = Vec::new();
    for at in words(&source.code, "fn") {
        let named = source.code.get(at + 3).is_some_and(|&c| is_name(c));
        let Some(range) = body(&source.code, at).filter(|_| named) else { continue };
        let first = source.line_of(at);
        let length = source.line_of(range.end) - first + 1;
        if length <= FUNCTION_LINES_MAX || says_why(&lines, first, "// long because ") {
            continue;
        }
        let rule = format!("a function of {length} lines; it has at most {FUNCTION_LINES_MAX}");
        let way_out = "split it, or put `// long because …` above it";
        found.push(finding(&source.path, first, rule, way_out));
    }
    found
}

/// Whether the comments and attributes above `line` (from 1), or the line itself, hold `mark`.
fn says_why(lines: &[&str], line: usize, mark: &str) -> bool {
    let is_head =
        |text: &&&str| text.trim_start().starts_with("//") || text.trim().starts_with('#');
    let above = lines.iter().take(line.saturating_sub(1)).rev().take_while(is_head);
    above.chain(lines.get(line - 1)).any(|text| text.contains(mark))
}

/// Every file says what it is for.
pub(crate) fn nameless_files(source: &Source) -> Vec<Finding> {
    if source.raw.starts_with("//!") {
        return Vec::new();
    }
    let rule = "a file opens with its purpose".to_owned();
    vec![finding(&source.path, 1, rule, "begin it with `//!` and two sentences")]
}

/// No clock, no random source and no float where results must be the same in ten years.
pub(crate) fn impure_code(source: &Source) -> Vec<Finding> {
    const CLOCK: &str = "take a `Moment`: the clock and random numbers come in from the edge";
    const FLOAT: &str = "use `rust_decimal` for amounts and integers for counts";
    const BANNED: [(&str, &str); 9] = [
        ("f32", FLOAT),
        ("f64", FLOAT),
        ("SystemTime", CLOCK),
        ("Instant::now", CLOCK),
        ("Timestamp::now", CLOCK),
        ("Zoned::now", CLOCK),
        ("getrandom", CLOCK),
        ("rand", CLOCK),
        ("tokio", "compute here, wait in `app`"),
    ];
    if !PURE.iter().any(|folder| source.path.starts_with(folder)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (word, way_out) in BANNED {
        for at in words(&source.code, word) {
            let rule = format!("`{word}` in a crate that only computes");
            found.push(finding(&source.path, source.line_of(at), rule, way_out));
        }
    }
    found
}

/// SQL stands in its homes.
pub(crate) fn sql_outside_store(source: &Source) -> Vec<Finding> {
    let home = SQL_HOMES.iter().any(|folder| source.path.starts_with(folder));
    if home || source.is_test() {
        return Vec::new();
    }
    let statements = source.shipped_texts().into_iter().filter(|(_, text)| is_statement(text));
    let rule = "an SQL statement outside the store".to_owned();
    let way_out = "ask the store through its traits; put the statement in `crates/store`";
    statements.map(|(line, _)| finding(&source.path, line, rule.clone(), way_out)).collect()
}

fn is_statement(text: &str) -> bool {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase() + " ";
    let starts = [
        "insert into ",
        "insert or ",
        "delete from ",
        "create table ",
        "create index ",
        "create unique index ",
        "create trigger ",
        "drop table ",
        "drop index ",
        "alter table ",
        "pragma ",
        "begin immediate ",
        "vacuum into ",
    ];
    starts.iter().any(|start| flat.starts_with(start))
        || (flat.starts_with("select ") && flat.contains(" from "))
        || (flat.starts_with("update ") && flat.contains(" set "))
        || (flat.starts_with("with ") && flat.contains(" as ("))
}

/// No statement of ours changes or removes a row of the log.
pub(crate) fn rewritten_log(source: &Source) -> Vec<Finding> {
    if source.is_test() {
        return Vec::new();
    }
    let texts = source.shipped_texts().into_iter();
    let broken = texts.filter(|(_, text)| rewrites_log(text));
    broken.map(|(line, _)| rewriting(&source.path, line)).collect()
}

/// The finding of [`rewritten_log`], for `.sql` files too.
pub(crate) fn rewriting(path: &str, line: usize) -> Finding {
    let rule = "a statement that changes or removes a row of the log".to_owned();
    finding(path, line, rule, "append an event that corrects it")
}

/// Whether an SQL text updates, deletes or replaces rows of the table `log`.
pub(crate) fn rewrites_log(text: &str) -> bool {
    let separate = |c: char| if is_name(c) { c } else { ' ' };
    let spaced: String = text.chars().map(separate).collect();
    let flat = format!(" {} ", spaced.split_whitespace().collect::<Vec<_>>().join(" "));
    let banned = [" update log ", " delete from log ", " replace into log ", " truncate log "];
    banned.iter().any(|statement| flat.to_lowercase().contains(statement))
}

/// A new event must break the build wherever it must be thought about.
pub(crate) fn catch_all_arms(source: &Source) -> Vec<Finding> {
    let home = ["crates/domain/src/state/", "projections/src/"];
    if !home.iter().any(|folder| source.path.starts_with(folder)) || source.is_test() {
        return Vec::new();
    }
    let code: Vec<char> = source.shipped_code().chars().collect();
    let lines: Vec<&str> = source.raw.lines().collect();
    let mut found = Vec::new();
    for at in words(&code, "_") {
        let rest: String = code.iter().skip(at + 1).take(8).collect();
        let line = source.line_of(at);
        if !rest.trim_start().starts_with("=>") || says_why(&lines, line, "// not ours because ") {
            continue;
        }
        let rule = "`_ =>` in a fold".to_owned();
        let way_out = "name the variants; for an enum of others, `// not ours because …` above it";
        found.push(finding(&source.path, line, rule, way_out));
    }
    found
}

/// Whether a file names the binary form of derived data.
pub(crate) fn names_bincode(source: &Source) -> Option<usize> {
    words(&source.code, "bincode").first().map(|&at| source.line_of(at))
}
