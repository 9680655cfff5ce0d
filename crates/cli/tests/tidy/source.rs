//! Reads Rust source the way the rules need it: code, comments and texts told apart.
//!
//! A scanner, not a parser: it knows comments, strings, characters and braces, and keeps every
//! character at its place so that a finding can name its line.

use std::ops::Range;

/// Names of modules that are compiled for tests only.
const TEST_FILES: [&str; 5] = ["fixtures.rs", "laws.rs", "samples.rs", "testing.rs", "tests.rs"];

/// What a character of a source file belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Text,
}

/// One Rust file, told apart.
#[derive(Debug)]
pub(crate) struct Source {
    /// Path below the workspace, with `/`.
    pub(crate) path: String,
    /// The file as it stands.
    pub(crate) raw: String,
    /// The code: comments and the inside of texts are blanks.
    pub(crate) code: Vec<char>,
    /// The inside of texts: everything else is a NUL, so that each text is a run of its own.
    texts: Vec<char>,
    /// Where `#[cfg(test)]` items stand.
    tests: Vec<Range<usize>>,
    /// Where lines end.
    line_ends: Vec<usize>,
}

impl Source {
    /// Tells the parts of `raw` apart.
    pub(crate) fn new(path: &str, raw: &str) -> Self {
        let marked = Scanner::scan(raw);
        let keep = |wanted: Kind, blank: char| {
            let pick = |&(c, kind): &(char, Kind)| match c {
                _ if kind == wanted => c,
                '\n' if wanted == Kind::Code => c,
                _ => blank,
            };
            marked.iter().map(pick).collect::<Vec<char>>()
        };
        let code = keep(Kind::Code, ' ');
        let texts = keep(Kind::Text, '\0');
        let tests = test_items(&code);
        let ends = raw.chars().enumerate().filter(|&(_, c)| c == '\n');
        let line_ends = ends.map(|(at, _)| at).collect();
        Self { path: path.to_owned(), raw: raw.to_owned(), code, texts, tests, line_ends }
    }

    /// A file that holds nothing but tests.
    pub(crate) fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        self.path.contains("/tests/") || TEST_FILES.contains(&name)
    }

    /// The code without what is compiled for tests only.
    pub(crate) fn shipped_code(&self) -> String {
        self.without_tests(&self.code, ' ').into_iter().collect()
    }

    /// The file as it stands, with blanks for what is compiled for tests only.
    pub(crate) fn shipped_raw(&self) -> String {
        self.without_tests(&self.raw.chars().collect::<Vec<_>>(), ' ').into_iter().collect()
    }

    /// Each text literal outside tests, with the line it starts on.
    pub(crate) fn shipped_texts(&self) -> Vec<(usize, String)> {
        let texts = self.without_tests(&self.texts, '\0');
        let mut found = Vec::new();
        let mut start = 0;
        for run in texts.split(|&c| c == '\0') {
            if !run.is_empty() {
                found.push((self.line_of(start), run.iter().collect()));
            }
            start += run.len() + 1;
        }
        found
    }

    /// Lines of the file that are not test items.
    pub(crate) fn shipped_lines(&self) -> usize {
        let of_tests: usize =
            self.tests.iter().map(|r| self.line_of(r.end) - self.line_of(r.start) + 1).sum();
        self.raw.lines().count().saturating_sub(of_tests)
    }

    /// The line, from 1, of a character.
    pub(crate) fn line_of(&self, index: usize) -> usize {
        1 + self.line_ends.partition_point(|&end| end < index)
    }

    fn without_tests(&self, chars: &[char], blank: char) -> Vec<char> {
        let in_test = |at: usize| self.tests.iter().any(|range| range.contains(&at));
        let pick = |(at, &c): (usize, &char)| if in_test(at) && c != '\n' { blank } else { c };
        chars.iter().enumerate().map(pick).collect()
    }
}

/// Whether a character may stand in a name.
pub(crate) fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where `word` stands in `code` as a word of its own, as indices of characters.
pub(crate) fn words(code: &[char], word: &str) -> Vec<usize> {
    let wanted: Vec<char> = word.chars().collect();
    let whole = |at: usize| {
        let before = at.checked_sub(1).and_then(|i| code.get(i));
        let after = code.get(at + wanted.len());
        !before.is_some_and(|&c| is_name(c)) && !after.is_some_and(|&c| is_name(c))
    };
    let hits = code.windows(wanted.len()).enumerate().filter(|(_, w)| *w == wanted.as_slice());
    hits.map(|(at, _)| at).filter(|&at| whole(at)).collect()
}

/// The `{ … }` of the item whose head starts at `from`; none when it ends with `;`.
pub(crate) fn body(code: &[char], from: usize) -> Option<Range<usize>> {
    let mut depth = 0_i32;
    for (at, &c) in code.iter().enumerate().skip(from) {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ';' if depth == 0 => return None,
            '{' if depth == 0 => return closing(code, at).map(|end| at..end),
            _ => {}
        }
    }
    None
}

fn closing(code: &[char], open: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, &c) in code.iter().enumerate().skip(open) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

fn test_items(code: &[char]) -> Vec<Range<usize>> {
    const MARK: &str = "#[cfg(test)]";
    let mark: Vec<char> = MARK.chars().collect();
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, window) in code.windows(mark.len()).enumerate() {
        let inside = found.last().is_some_and(|range| range.contains(&at));
        if inside || window != mark.as_slice() {
            continue;
        }
        let head = at + mark.len();
        let semicolon =
            || code.iter().skip(head).position(|&c| c == ';').map(|length| head + length);
        let end = 1 + body(code, head).map(|range| range.end).or_else(semicolon).unwrap_or(head);
        let is_import = code.get(end) == Some(&';');
        found.push(at..end + usize::from(is_import));
    }
    found
}

/// Walks a file once and marks each character.
struct Scanner {
    chars: Vec<char>,
    at: usize,
    marked: Vec<(char, Kind)>,
}

impl Scanner {
    fn scan(raw: &str) -> Vec<(char, Kind)> {
        let mut scanner = Self { chars: raw.chars().collect(), at: 0, marked: Vec::new() };
        while scanner.at < scanner.chars.len() {
            scanner.step();
        }
        scanner.marked
    }

    fn step(&mut self) {
        if self.sees("//") {
            while self.peek(0).is_some_and(|c| c != '\n') {
                self.take(1, Kind::Comment);
            }
        } else if self.sees("/*") {
            self.block_comment();
        } else if let Some(hashes) = self.raw_text_hashes() {
            self.raw_text(hashes);
        } else if self.sees("\"") {
            self.text();
        } else if self.sees("'") {
            self.character();
        } else {
            self.take(1, Kind::Code);
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while self.peek(0).is_some() {
            if self.sees("/*") {
                depth += 1;
                self.take(2, Kind::Comment);
            } else if self.sees("*/") {
                depth -= 1;
                self.take(2, Kind::Comment);
            } else {
                self.take(1, Kind::Comment);
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// `r"`, `r#"`, `br##"` …: how many hashes, when one starts here.
    fn raw_text_hashes(&self) -> Option<usize> {
        let before = self.at.checked_sub(1).and_then(|i| self.chars.get(i));
        let starts = self.sees("r\"") || self.sees("r#");
        let prefixed = before.is_some_and(|&c| is_name(c) && c != 'b' && c != 'c');
        if !starts || prefixed {
            return None;
        }
        let hashes = self.chars.iter().skip(self.at + 1).take_while(|&&c| c == '#').count();
        (self.peek(1 + hashes) == Some('"')).then_some(hashes)
    }

    fn raw_text(&mut self, hashes: usize) {
        let end = format!("\"{}", "#".repeat(hashes));
        self.take(2 + hashes, Kind::Code);
        while self.peek(0).is_some() && !self.sees(&end) {
            self.take(1, Kind::Text);
        }
        self.take(1 + hashes, Kind::Code);
    }

    fn text(&mut self) {
        self.take(1, Kind::Code);
        while self.peek(0).is_some_and(|c| c != '"') {
            let escaped = self.sees("\\");
            self.take(if escaped { 2 } else { 1 }, Kind::Text);
        }
        self.take(1, Kind::Code);
    }

    /// A character literal, or else the quote of a lifetime.
    fn character(&mut self) {
        let escaped = self.peek(1) == Some('\\');
        if !escaped && self.peek(2) != Some('\'') {
            return self.take(1, Kind::Code);
        }
        self.take(1, Kind::Code);
        self.take(if escaped { 2 } else { 1 }, Kind::Text);
        while self.peek(0).is_some_and(|c| c != '\'') {
            self.take(1, Kind::Text);
        }
        self.take(1, Kind::Code);
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn sees(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(i, c)| self.peek(i) == Some(c))
    }

    fn take(&mut self, count: usize, kind: Kind) {
        for &c in self.chars.iter().skip(self.at).take(count) {
            self.marked.push((c, kind));
        }
        self.at += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(raw: &str) -> String {
        Source::new("x.rs", raw).code.into_iter().collect()
    }

    #[test]
    fn comments_and_texts_are_not_code() {
        let raw = "a /* b /* c */ */ \"d\\\"e\" 'f' '\\'' r#\"g\"h\"# <'i> // j\nk";
        let code = code(raw);
        for gone in ["b", "c", "d", "e", "f", "g", "h", "j"] {
            assert!(!code.contains(gone), "{gone} in {code}");
        }
        for kept in ["a", "<'i>", "k"] {
            assert!(code.contains(kept), "{kept} not in {code}");
        }
        assert_eq!(code.chars().count(), raw.chars().count());
    }

    #[test]
    fn texts_come_with_their_line() {
        let source = Source::new("x.rs", "let a = \"one\";\nlet b = r\"two\";");
        assert_eq!(source.shipped_texts(), [(1, "one".to_owned()), (2, "two".to_owned())]);
    }

    #[test]
    fn a_test_module_is_not_shipped() {
        let raw = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { \"{\"; }\n}\nfn c() {}\n";
        let source = Source::new("x.rs", raw);
        let shipped = source.shipped_code();
        assert!(shipped.contains("fn a") && shipped.contains("fn c"), "{shipped}");
        assert!(!shipped.contains("fn b"), "{shipped}");
        assert_eq!(source.shipped_lines(), 2);
    }

    #[test]
    fn words_are_whole() {
        let code: Vec<char> = "f64 of64 f64x (f64)".chars().collect();
        assert_eq!(words(&code, "f64"), [0, 15]);
    }
}
