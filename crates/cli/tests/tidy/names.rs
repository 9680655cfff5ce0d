//! Names that stand in one place: stored names and commands in code, tests in the requirements.

use std::collections::BTreeSet;

use crate::rules::{Finding, finding};
use crate::source::Source;

/// Where stored names and names of commands are written out: events with their tables, the paths of
/// the service, which name the command that each leads to, and benches, which may not name the
/// domain.
const HOMES: [&str; 3] = ["events/", "crates/http/src/resources.rs", "benches/"];
/// Folders at the root of the repository that pages name files of.
const ROOT_FOLDERS: [&str; 8] = [
    "benches/",
    "crates/",
    "deploy/",
    "docs/",
    "events/",
    "projections/",
    "replay-fixtures/",
    ".ci/",
];
/// Constants that give a command its names.
const CONSTANTS: [&str; 2] = ["const NAME: ", "const FORMER_NAMES: "];

/// Every stored name, from the published samples, and every name of a command.
pub(crate) fn known(samples: &[String], sources: &[Source]) -> BTreeSet<String> {
    let stored = samples.iter().filter_map(|file| file.split(".v").next().map(str::to_owned));
    let commands = sources.iter().filter(|source| source.path.starts_with("crates/domain/src/"));
    let commands = commands.flat_map(|source| {
        let texts = source.shipped_texts().into_iter();
        texts.filter(|(line, _)| gives_a_name(source, *line)).map(|(_, text)| text)
    });
    let known = stored.chain(commands).filter(|name| name.contains('.')).collect::<BTreeSet<_>>();
    assert!(known.len() > 60, "only {} names are known", known.len());
    known
}

fn gives_a_name(source: &Source, line: usize) -> bool {
    let text = source.raw.lines().nth(line - 1).unwrap_or_default();
    CONSTANTS.iter().any(|constant| text.contains(constant))
}

/// The name of an event or command in quotes: the constant of its type would be found by the
/// compiler when it changes, a text is not.
pub(crate) fn quoted_names(source: &Source, known: &BTreeSet<String>) -> Vec<Finding> {
    if source.is_test() || HOMES.iter().any(|home| source.path.starts_with(home)) {
        return Vec::new();
    }
    let texts = source.shipped_texts().into_iter();
    let quoted = texts.filter(|(line, text)| known.contains(text) && !gives_a_name(source, *line));
    let found = |(line, text): (usize, String)| {
        let rule = format!("`{text}` in quotes");
        finding(
            &source.path,
            line,
            rule,
            "name its type: `OrderPlaced::STORED`, `PlaceOrder::NAME`",
        )
    };
    quoted.map(found).collect()
}

/// Tests that the table of requirements names and that are not there: `path` `name` `name` ….
pub(crate) fn missing_tests(table: &str, sources: &[Source]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, row) in table.lines().enumerate().filter(|(_, row)| row.starts_with('|')) {
        let mut file: Option<&Source> = None;
        for name in row.split('`').skip(1).step_by(2) {
            if name.ends_with(".rs") {
                let below = format!("crates/domain/src/{name}");
                file = sources.iter().find(|source| source.path == name || source.path == below);
                if file.is_none() {
                    found.push(missing(index, name));
                }
            } else if let Some(file) = file
                && !file.raw.contains(&format!("fn {name}("))
                && !file.raw.contains(&format!("{name} "))
            {
                found.push(missing(index, name));
            }
        }
    }
    found
}

/// Paths in backticks that begin at the root of the repository and lead nowhere. A path with
/// `<placeholders>` leads to a kind of file, not to one.
pub(crate) fn missing_paths(
    page: &str,
    text: &str,
    is_there: impl Fn(&str) -> bool,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for path in line.split('`').skip(1).step_by(2).filter(|text| is_path(text)) {
            if !is_there(path.trim_end_matches('/')) {
                let rule = format!("`{path}` is not there");
                found.push(finding(page, index + 1, rule, "name the file as it is"));
            }
        }
    }
    found
}

fn is_path(text: &str) -> bool {
    let from_root = |folder: &&str| text.starts_with(*folder);
    ROOT_FOLDERS.iter().any(from_root) && !text.contains(['<', '*', ' ', '{', '$'])
}

/// Codes of rejections that the page of commands does not have.
pub(crate) fn missing_codes(page: &str, sources: &[Source]) -> Vec<Finding> {
    let domain = sources.iter().filter(|source| source.path.starts_with("crates/domain/src/"));
    let codes = domain.filter(|source| !source.is_test()).flat_map(|source| {
        let lines = source.raw.lines().enumerate();
        let lines = lines.filter(|(_, line)| !line.trim_start().starts_with("//"));
        lines.filter_map(|(index, line)| Some((&source.path, index, code(line)?)))
    });
    let missing = codes.filter(|(_, _, code)| !page.contains(&format!("`{code}`")));
    let found = |(path, index, code): (&String, usize, &str)| {
        let rule = format!("the code `{code}` is not on the page");
        finding(path, index + 1, rule, "write it and its text in docs/commands.md")
    };
    missing.map(found).collect()
}

/// The code in a line of `rejections!`: `Name { … } = "code":`.
fn code(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("= \"")?;
    let (code, after) = rest.split_once('"')?;
    let is_code = !code.is_empty() && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    (is_code && after.trim_start().starts_with(':')).then_some(code)
}

fn missing(index: usize, name: &str) -> Finding {
    let rule = format!("`{name}` is not there");
    finding("docs/requirements.md", index + 1, rule, "name the file and the test as they are")
}
