//! Asserts where the log or money is touched: they stay on in release, and a function that holds
//! one says what must be true of what it was given, of what it writes, or of what it has read back.

use std::ops::Range;

use crate::rules::{Finding, finding};
use crate::source::{Source, body, is_name, words};

/// Folders and files of which at least every second function asserts something.
pub(crate) const ASSERTED_PLACES: [&str; 4] = [
    "crates/domain/src/billing/",
    "crates/store/src/book/",
    "crates/values/src/money.rs",
    "crates/values/src/tax.rs",
];

/// Lines of a body up to which a function without an assert is not counted: getters, constructors
/// of one line and the glue of traits have nothing to assert.
const TRIVIAL_BODY_LINES_MAX: usize = 3;

/// What is counted of a place.
#[derive(Debug, Default)]
struct Count {
    functions: usize,
    asserting: usize,
    /// `file:line` of the counted functions without an assert.
    bare: Vec<String>,
}

/// Finds each place that has no source file, or where fewer than half of the counted functions
/// assert something.
pub(crate) fn bare_places(sources: &[Source], places: &[&str]) -> Vec<Finding> {
    places.iter().filter_map(|place| bare_place(sources, place)).collect()
}

fn bare_place(sources: &[Source], place: &str) -> Option<Finding> {
    let mut count = Count::default();
    for source in sources.iter().filter(|source| source.path.starts_with(place)) {
        add(source, &mut count);
    }
    let Count { functions, asserting, bare } = count;
    if functions == 0 {
        let rule = "no function is there to be counted".to_owned();
        return Some(finding(place, 1, rule, "name the place as it is in ASSERTED_PLACES"));
    }
    let rule = format!(
        "{asserting} of {functions} functions assert something, not every second one; without an \
         assert are {}",
        bare.join(" ")
    );
    let way_out = "assert an invariant before a write and after a read back; what comes from \
                   outside is checked and answered with an error instead";
    (asserting * 2 < functions).then(|| finding(place, 1, rule, way_out))
}

fn add(source: &Source, count: &mut Count) {
    if source.is_test() {
        return;
    }
    let code: Vec<char> = source.shipped_code().chars().collect();
    let bodies = words(&code, "fn").into_iter().filter_map(|at| {
        let named = code.get(at + 3).is_some_and(|&c| is_name(c));
        body(&code, at).filter(|_| named)
    });
    for body in bodies {
        let asserts = asserts_in(&code, &body);
        let lines = source.line_of(body.end).saturating_sub(source.line_of(body.start) + 1);
        if asserts {
            count.asserting += 1;
        } else if lines > TRIVIAL_BODY_LINES_MAX {
            count.bare.push(format!("{}:{}", source.path, source.line_of(body.start)));
        } else {
            continue;
        }
        count.functions += 1;
    }
}

/// Whether `assert!`, `assert_eq!` or `assert_ne!` stands in the body.
fn asserts_in(code: &[char], body: &Range<usize>) -> bool {
    let inside = code.get(body.clone()).unwrap_or_default();
    ["assert", "assert_eq", "assert_ne"].iter().any(|word| {
        let length = word.chars().count();
        words(inside, word).into_iter().any(|at| inside.get(at + length) == Some(&'!'))
    })
}
