//! Circles between the files of one crate: whoever reads one file of a circle must read them all.
//!
//! What counts as an arrow from one file to another, and what is not seen, is said in
//! `modules.rs`. A `mod x;` is no arrow, and neither is a public import in the face of a folder
//! (`lib.rs`, `mod.rs`, a file that declares modules): it only hands on what others define.

use std::collections::{BTreeMap, BTreeSet};

use crate::modules::{Arrows, Crate};
use crate::rules::{Finding, finding};
use crate::source::Source;

/// Crates whose files may stand in circles, each with the reason.
pub(crate) const CIRCLES_ALLOWED: [(&str, &str); 2] = [
    ("crates/simulator", "its files are the parts of one world, which they all read and change"),
    ("crates/test-vfs", "a VFS of SQLite is one table of functions over disk, image and faults"),
];

const ROOTS: [&str; 2] = ["/src/lib.rs", "/src/main.rs"];

/// Every circle in a crate that may have none, and every crate that may have some and has none.
pub(crate) fn circles(sources: &[Source], allowed: &[(&str, &str)]) -> Vec<Finding> {
    let mut of_crates: BTreeMap<&str, Vec<Finding>> = BTreeMap::new();
    for (folder, root) in roots(sources) {
        let arrows = Crate::read(root, sources).arrows();
        let found = circles_of(&arrows).into_iter().map(|circle| describe(&circle, &arrows));
        of_crates.entry(folder).or_default().extend(found);
    }
    for (folder, _) in allowed {
        if of_crates.insert(folder, Vec::new()).is_none_or(|found| found.is_empty()) {
            let rule = "has no circle, though it may".to_owned();
            let way_out = "take its row out of CIRCLES_ALLOWED";
            of_crates.insert(folder, vec![finding(folder, 1, rule, way_out)]);
        }
    }
    of_crates.into_values().flatten().collect()
}

/// Every shipped file below a root's folder that no module of it declares: nobody looks at it.
pub(crate) fn undeclared(sources: &[Source]) -> Vec<Finding> {
    let roots = roots(sources);
    let crates: Vec<_> = roots.iter().map(|(_, root)| Crate::read(root, sources)).collect();
    let read: BTreeSet<_> = crates.iter().flat_map(Crate::files).collect();
    let below = |path: &str| roots.iter().any(|(of, _)| path.starts_with(&format!("{of}/src/")));
    let unread = sources.iter().filter(|source| !source.is_test() && below(&source.path));
    let unread = unread.filter(|source| !read.contains(source.path.as_str()));
    let rule = "no module declares this file".to_owned();
    let way_out = "declare it by `mod` in the file above it, or delete it";
    unread.map(|source| finding(&source.path, 1, rule.clone(), way_out)).collect()
}

/// The folder of each crate with a root file of it.
fn roots(sources: &[Source]) -> Vec<(&str, &str)> {
    let root = |source: &'_ Source| ROOTS.iter().find(|root| source.path.ends_with(*root)).copied();
    let of = |source| root(source).and_then(|root| source.path.strip_suffix(root));
    sources.iter().filter_map(|source| Some((of(source)?, source.path.as_str()))).collect()
}

/// The files that lead to each other, circle by circle.
fn circles_of(arrows: &Arrows) -> Vec<BTreeSet<&str>> {
    let mut found: Vec<BTreeSet<&str>> = Vec::new();
    for file in arrows.keys() {
        let ahead = reachable(arrows, file);
        let known = found.iter().any(|circle| circle.contains(file.as_str()));
        if !known && ahead.contains(file.as_str()) {
            let leads_back = |other: &&str| reachable(arrows, other).contains(file.as_str());
            found.push(ahead.into_iter().filter(leads_back).collect());
        }
    }
    found
}

fn reachable<'a>(arrows: &'a Arrows, from: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(file) = open.pop() {
        let next = arrows.get(file).into_iter().flat_map(BTreeMap::keys);
        open.extend(next.filter(|next| reached.insert(next.as_str())).map(String::as_str));
    }
    reached
}

fn describe(circle: &BTreeSet<&str>, arrows: &Arrows) -> Finding {
    let first = circle.first().copied().unwrap_or_default();
    let inside = arrows.iter().filter(|(from, _)| circle.contains(from.as_str()));
    let lines = inside.flat_map(|(from, to)| {
        let to = to.iter().filter(|(to, _)| circle.contains(to.as_str()));
        to.map(move |(to, names)| {
            let names = names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            format!("\n    {from} -> {to}: {names}")
        })
    });
    let rule = format!("a circle of {} files{}", circle.len(), lines.collect::<String>());
    let way_out = "move what both need to a file of its own, or to the lower of the two";
    finding(first, 1, rule, way_out)
}
