//! The style guide and the invariants of the house, as a test.
//!
//! It reads every manifest and source file of the workspace. A finding names the file and line, the
//! rule and the way out; each rule also has a test that shows it a bad sample.

mod asserts;
mod circles;
mod house;
mod modules;
mod names;
mod rules;
mod source;

use std::{
    fs,
    path::{Path, PathBuf},
};

use house::Edge;
use rules::{Finding, finding};
use source::Source;

const MAIN_JOB: &str = "cargo run --release -- demo";
const TEST_JOB: &str = ".ci/test";
const REQUIREMENTS: usize = 112;
const INVARIANTS: usize = 9;

fn root() -> PathBuf {
    let cli = Path::new(env!("CARGO_MANIFEST_DIR"));
    cli.join("../..").canonicalize().expect("the workspace is there")
}

/// Every file below our source folders with this extension, as (path below the root, text).
fn files(extension: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["events", "projections", "benches", "crates"] {
        collect(&root().join(folder), extension, &mut found);
    }
    found.sort();
    found
}

fn collect(folder: &Path, extension: &str, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            collect(&path, extension, found);
        } else if path.extension().is_some_and(|e| e == extension) {
            let relative = path.strip_prefix(root()).expect("below the root").to_string_lossy();
            let text = fs::read_to_string(&path).expect("a readable file");
            found.push((relative.replace('\\', "/"), text));
        }
    }
}

fn sources() -> Vec<Source> {
    let sources: Vec<_> = files("rs").iter().map(|(path, raw)| Source::new(path, raw)).collect();
    assert!(sources.len() > 10, "the walk finds the sources, not {} files", sources.len());
    sources
}

fn page(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[track_caller]
fn assert_clean(findings: &[Finding]) {
    let line = |f: &Finding| format!("{}: {}\n    way out: {}\n", f.place, f.rule, f.way_out);
    let report: String = findings.iter().map(line).collect();
    assert!(findings.is_empty(), "{} finding(s)\n{report}", findings.len());
}

#[track_caller]
fn assert_all_keep(rule: fn(&Source) -> Vec<Finding>) {
    assert_clean(&sources().iter().flat_map(rule).collect::<Vec<_>>());
}

/// A bad sample: the rule must find exactly `places`.
#[track_caller]
fn assert_finds(rule: fn(&Source) -> Vec<Finding>, path: &str, raw: &str, places: &[&str]) {
    let found = rule(&Source::new(path, raw));
    let found: Vec<_> = found.iter().map(|f| f.place.as_str()).collect();
    assert_eq!(found, places);
}

fn edge(from: &str, to: &str) -> Edge {
    let manifest = ("Cargo.toml".to_owned(), 1);
    Edge { from: from.to_owned(), to: to.to_owned(), is_dev: false, manifest }
}

// ---- what a file keeps ----

#[test]
fn lines_have_at_most_100_columns() {
    assert_all_keep(rules::wide_lines);
}

#[test]
fn a_line_of_101_columns_is_found_and_one_of_100_is_not() {
    let raw = format!("{}\n{}\n", "a".repeat(100), "台".repeat(101));
    assert_finds(rules::wide_lines, "a.rs", &raw, &["a.rs:2"]);
}

#[test]
fn files_have_at_most_600_lines_without_tests() {
    assert_all_keep(rules::long_files);
}

#[test]
fn a_file_of_601_lines_is_found_and_its_tests_do_not_count() {
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(500));
    let long = "//\n".repeat(601);
    assert_finds(rules::long_files, "a.rs", &(long + &tests), &["a.rs:1"]);
    assert_finds(rules::long_files, "a.rs", &("//\n".repeat(600) + &tests), &[]);
}

#[test]
fn functions_have_at_most_60_lines_or_say_why() {
    assert_all_keep(rules::long_functions);
}

#[test]
fn a_function_of_61_lines_is_found_unless_it_says_why() {
    let function = |inside: usize| format!("fn a(b: [u8; 2]) {{\n{}}}\n", "c();\n".repeat(inside));
    assert_finds(rules::long_functions, "a.rs", &function(58), &[]);
    assert_finds(rules::long_functions, "a.rs", &function(59), &["a.rs:1"]);
    let reason = format!("// long because it is one table\n#[test]\n{}", function(59));
    assert_finds(rules::long_functions, "a.rs", &reason, &[]);
}

#[test]
fn every_file_opens_with_its_purpose() {
    assert_all_keep(rules::nameless_files);
}

#[test]
fn a_file_without_its_purpose_is_found() {
    assert_finds(rules::nameless_files, "a.rs", "use b;\n//! late\n", &["a.rs:1"]);
}

#[test]
fn what_computes_has_no_clock_no_random_source_and_no_float() {
    assert_all_keep(rules::impure_code);
}

#[test]
fn a_clock_or_a_float_is_found_in_code_and_not_in_comments() {
    let raw = "// f64\nlet a = \"f64\";\nlet b: f64;\nlet c = Timestamp::now();\n";
    let places = ["events/src/a.rs:3", "events/src/a.rs:4"];
    assert_finds(rules::impure_code, "events/src/a.rs", raw, &places);
    assert_finds(rules::impure_code, "crates/app/src/a.rs", raw, &[]);
}

#[test]
fn sql_stands_in_the_store_and_in_what_measures_or_serves_its_tests() {
    assert_all_keep(rules::sql_outside_store);
    let may = |path: &str| rules::SQL_HOMES.iter().any(|folder| path.starts_with(folder));
    let strays = files("sql").into_iter().filter(|(path, _)| !may(path));
    let rule = "an SQL file outside the store".to_owned();
    let stray = |(path, _): (String, String)| finding(&path, 1, rule.clone(), "move it there");
    assert_clean(&strays.map(stray).collect::<Vec<_>>());
}

#[test]
fn a_statement_outside_the_store_is_found_and_a_sentence_is_not() {
    let raw = "a(\"select the order\");\nb(r#\"\n  SELECT data\n  FROM log\"#);\n";
    assert_finds(rules::sql_outside_store, "crates/app/src/a.rs", raw, &["crates/app/src/a.rs:2"]);
    assert_finds(rules::sql_outside_store, "crates/store/src/a.rs", raw, &[]);
}

#[test]
fn no_statement_changes_a_row_of_the_log() {
    assert_all_keep(rules::rewritten_log);
    let broken = files("sql").into_iter().filter(|(_, text)| rules::rewrites_log(text));
    assert_clean(&broken.map(|(path, _)| rules::rewriting(&path, 1)).collect::<Vec<_>>());
}

#[test]
fn an_update_of_the_log_is_found_and_its_trigger_is_not() {
    let raw = "a(\"update log\n set data = ?\");\nb(\"CREATE TRIGGER t BEFORE UPDATE ON log\");\n";
    assert_finds(rules::rewritten_log, "crates/store/src/a.rs", raw, &["crates/store/src/a.rs:1"]);
}

#[test]
fn folds_name_every_event_they_pass_over() {
    assert_all_keep(rules::catch_all_arms);
}

#[test]
fn a_catch_all_in_a_fold_is_found_unless_it_says_why() {
    let raw =
        "match a {\n  B(_) => 1,\n  _ => 2,\n  // not ours because it is a text\n  _ => 3,\n}";
    assert_finds(rules::catch_all_arms, "projections/src/a.rs", raw, &["projections/src/a.rs:3"]);
    assert_finds(rules::catch_all_arms, "crates/app/src/a.rs", raw, &[]);
}

// ---- names that stand in one place ----

fn samples() -> Vec<String> {
    let samples = fs::read_dir(root().join("events/published/samples")).expect("samples");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("a sample").file_name();
    samples.map(|entry| name(entry).to_string_lossy().into_owned()).collect()
}

#[test]
fn events_and_commands_are_named_by_their_types() {
    let sources = sources();
    let known = names::known(&samples(), &sources);
    let findings = sources.iter().flat_map(|source| names::quoted_names(source, &known));
    assert_clean(&findings.collect::<Vec<_>>());
}

#[test]
fn a_quoted_event_is_found_outside_its_homes() {
    let known = ["order.placed".to_owned(), "order.place".to_owned()].into();
    let raw = "a(\"order.placed\");\nconst NAME: &str = \"order.place\";\nb(\"order.\");\n";
    let places = |path: &str| {
        let found = names::quoted_names(&Source::new(path, raw), &known);
        found.into_iter().map(|finding| finding.place).collect::<Vec<_>>()
    };
    assert_eq!(places("crates/app/src/a.rs"), ["crates/app/src/a.rs:1"]);
    assert!(places("events/src/a.rs").is_empty() && places("crates/app/tests/a.rs").is_empty());
}

#[test]
fn every_test_that_the_requirements_name_is_there() {
    assert_clean(&names::missing_tests(&page("docs/requirements.md"), &sources()));
}

#[test]
fn every_file_that_the_architecture_and_the_how_tos_name_is_there() {
    let how_to = fs::read_dir(root().join("docs/how-to")).expect("how-tos");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("a how-to").file_name();
    let how_to = how_to.map(|entry| format!("docs/how-to/{}", name(entry).to_string_lossy()));
    let pages = how_to.chain(["docs/ARCHITECTURE.md".to_owned(), "README.md".to_owned()]);
    let is_there = |path: &str| root().join(path).exists();
    let missing = |path: String| names::missing_paths(&path, &page(&path), is_there);
    assert_clean(&pages.flat_map(missing).collect::<Vec<_>>());
}

#[test]
fn a_file_that_is_not_there_is_found_and_a_kind_of_file_is_not() {
    let text = "see `crates/a.rs`\nand `crates/b.rs`, `crates/<family>/c.rs`, `a::b` and `docs/`\n";
    let found =
        names::missing_paths("docs/p.md", text, |path| path == "crates/b.rs" || path == "docs");
    let rules: Vec<&str> = found.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["`crates/a.rs` is not there"]);
}

#[test]
fn every_code_of_a_rejection_is_on_the_page_of_commands() {
    assert_clean(&names::missing_codes(&page("docs/commands.md"), &sources()));
}

#[test]
fn a_code_that_is_not_on_the_page_is_found() {
    let raw = "        A = \"a_b\": \"text\",\n        B { c: C }\n            = \"c_d\":\n";
    let sources = [Source::new("crates/domain/src/a.rs", raw)];
    let found = names::missing_codes("| `a_b` | text |", &sources);
    let places: Vec<&str> = found.iter().map(|finding| finding.place.as_str()).collect();
    assert_eq!(places, ["crates/domain/src/a.rs:3"]);
}

#[test]
fn a_test_that_is_not_there_is_found() {
    let sources = [Source::new("crates/domain/src/a.rs", "//! a\nfn b_r1() {}\n")];
    let table = "| R1 | … | `a.rs` `b_r1` |\n| R2 | … | `a.rs` `c_r2`; `d.rs` `e` |\n";
    let found = names::missing_tests(table, &sources);
    let rules: Vec<&str> = found.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["`c_r2` is not there", "`d.rs` is not there"]);
}

// ---- what the house keeps ----

#[test]
fn every_second_function_that_touches_the_log_asserts_something() {
    assert_clean(&asserts::bare_places(&sources(), &asserts::ASSERTED_PLACES));
}

#[test]
fn a_place_with_too_few_asserts_is_found_and_trivial_functions_do_not_count() {
    let bare = "fn a() {\n    b();\n    b();\n    b();\n    b();\n}\n";
    let asserting = "fn c(d: u8) {\n    assert!(d > 0, \"d\");\n}\n";
    let trivial = "fn e() -> u8 {\n    // assert!(false)\n    debug_assert!(true);\n    1\n}\n";
    let of_tests = "#[cfg(test)]\nmod tests {\n    fn f() { assert!(true); }\n}\n";
    let finds = |raw: &str| {
        asserts::bare_places(&[Source::new("crates/a/src/b.rs", raw)], &["crates/a/"]).len()
    };
    assert_eq!(finds(&format!("{bare}{asserting}{trivial}")), 0);
    assert_eq!(finds(&format!("{bare}{bare}{asserting}{of_tests}")), 1);
    assert_eq!(finds(trivial), 1, "a place that counts nothing keeps nothing");
}

#[test]
fn no_files_of_a_crate_stand_in_a_circle_but_where_the_table_allows_it() {
    assert_clean(&circles::circles(&sources(), &circles::CIRCLES_ALLOWED));
}

#[test]
fn every_file_is_declared_by_a_module() {
    assert_clean(&circles::undeclared(&sources()));
}

#[test]
fn a_file_that_no_module_declares_is_found() {
    let files = ["lib.rs", "b.rs", "c.rs", "tests.rs"].map(|name| format!("a/src/{name}"));
    let sources =
        files.map(|path| Source::new(&path, if path.ends_with("lib.rs") { "mod b;" } else { "" }));
    let found = circles::undeclared(&sources);
    assert_eq!(found.iter().map(|f| f.place.as_str()).collect::<Vec<_>>(), ["a/src/c.rs:1"]);
}

/// What is found in a crate `a` of these files.
fn circles_in(files: &[(&str, &str)]) -> Vec<String> {
    let source = |(name, raw): &(&str, &str)| Source::new(&format!("a/src/{name}"), raw);
    let sources: Vec<_> = files.iter().map(source).collect();
    circles::circles(&sources, &[]).into_iter().map(|finding| finding.rule).collect()
}

#[test]
fn a_circle_is_found_with_its_files_and_the_names_that_make_it() {
    let found = circles_in(&[
        ("lib.rs", "mod b;\nmod c;\nmod d;"),
        ("b.rs", "use crate::c::C;\npub struct B(C);"),
        ("c.rs", "pub struct C;\nfn f(d: crate::d::D) -> usize { super::d::size(&d) }"),
        ("d.rs", "pub struct D(Vec<super::b::B>);\npub fn size(d: &D) -> usize { d.0.len() }"),
    ]);
    let expected = "a circle of 3 files\n    a/src/b.rs -> a/src/c.rs: C\n    \
                    a/src/c.rs -> a/src/d.rs: D, size\n    a/src/d.rs -> a/src/b.rs: B";
    assert_eq!(found, [expected]);
}

/// Each pair names the other: `b.rs` by the first text, `c.rs` by the second.
#[test]
fn a_circle_is_found_whichever_way_the_names_take() {
    let roots = ["mod b;\nmod c;\npub use b::{B, b};\npub use c::*;", "mod b;\nmod c;"];
    let ways = [
        (0, "use crate::C;", "use crate::B;"),
        (0, "fn f(_: crate::C) {}", "fn f() { crate::b(); }"),
        (1, "use super::c::{self as other, C};", "use super::b; fn f() -> b::B { b::B }"),
        (1, "mod inside { use super::super::c::*; fn f(_: C) {} }", "use crate::b::B as Other;"),
        (1, "fn f() { use crate::c::C; }", "fn f() { assert_eq!(crate::b::B, crate::b::B); }"),
        (1, "#[serde(with = \"crate::c::C\")] struct D;", "impl From<crate::b::B> for C {}"),
        (1, "use crate::c::Made;", "data! { pub struct Made { b: crate::b::B, } }"),
        (1, "use crate::c::OrderId;", "ids! { /// One.\nOrderId \"order\", }\nuse crate::b::B;"),
    ];
    for (root, b, c) in ways {
        let b = format!("pub struct B;\npub fn b() {{}}\n{b}");
        let c = format!("pub struct C;\n{c}");
        let root = roots.get(root).expect("one of them");
        assert_eq!(
            circles_in(&[("lib.rs", root), ("b.rs", &b), ("c.rs", &c)]).len(),
            1,
            "{b}\n{c}"
        );
    }
    let macros = [("lib.rs", "#[macro_use]\nmod b;\nmod c;"), ("c.rs", "pub struct C;\nmade!(C);")];
    let b = ("b.rs", "macro_rules! made { ($a:ident) => {}; }\nfn f(_: crate::c::C) {}");
    assert_eq!(circles_in(&[macros[0], macros[1], b]).len(), 1, "a macro is a name too");
}

#[test]
fn a_parent_that_names_its_children_in_its_own_code_makes_a_circle_with_them() {
    let child = ("b/c.rs", "pub struct C;\nfn f(_: super::B) {}");
    let circle = |parent: &str, file: &str| {
        circles_in(&[("lib.rs", "mod b;"), (file, &format!("mod c;\n{parent}")), child]).len()
    };
    for file in ["b.rs", "b/mod.rs"] {
        assert_eq!(circle("pub struct B(c::C);", file), 1);
        assert_eq!(circle("use c::C;\npub struct B;", file), 1);
        assert_eq!(circle("pub use c::C;\npub struct B;", file), 0, "it only hands on");
        assert_eq!(circle("pub(crate) use c::C;\npub struct B;", file), 0, "it only hands on");
    }
}

#[test]
fn what_only_looks_like_a_circle_is_none() {
    let c = "pub struct C;\nimpl C { pub fn d(&self) {} }\nuse crate::b::B;";
    let nones = [
        // A name behind a re-export belongs to the file that defines it.
        ("pub struct B;\nuse crate::D;", "use crate::B;"),
        ("pub struct B;\n#[cfg(test)]\nmod tests { use crate::c::C; }", c),
        ("pub struct B;\n#[cfg(test)]\nuse crate::c::{C};", c),
        ("pub struct B;\n/// Beside [`crate::c::C`].\nfn f() {}", c),
        ("pub struct B;\nuse other::c::C;\nfn f(_: ::c::C, _: C) {}", c),
        ("pub struct B;\nfn f(c: &impl Fn()) { c.d(); }", c),
        ("pub struct B;\nuse crate::c;", c),
    ];
    for (b, c) in nones {
        let lib = "mod b;\nmod c;\nmod d;\npub use b::B;\npub use d::D;";
        let files = [("lib.rs", lib), ("b.rs", b), ("c.rs", c), ("d.rs", "pub struct D;")];
        assert_eq!(circles_in(&files), [""; 0], "{b}\n{c}");
    }
    let tests = ("b/tests.rs", "use crate::c::C;");
    let lib = ("lib.rs", "mod b;\nmod c;");
    let b = ("b.rs", "#[cfg(test)]\nmod tests;\npub struct B;");
    assert_eq!(circles_in(&[lib, b, tests, ("c.rs", c)]), [""; 0], "a file of tests");
}

#[test]
fn a_crate_of_the_table_may_have_circles_and_must_have_one() {
    let sources = |b: &str| {
        let lib = Source::new("a/src/lib.rs", "mod b;\npub struct A;");
        [lib, Source::new("a/src/b.rs", b)]
    };
    let found = |sources: &[Source]| circles::circles(sources, &[("a", "because")]).len();
    assert_eq!(found(&sources("fn f(_: crate::A) {}")), 1, "the row is no longer needed");
    let [_, b] = sources("pub struct B(super::A);");
    let lib = Source::new("a/src/lib.rs", "mod b;\npub struct A(Vec<b::B>);");
    assert_eq!(found(&[lib, b]), 0);
}

#[test]
fn crates_lean_on_each_other_as_the_diagram_says() {
    assert_clean(&house::forbidden_edges(&house::edges(&root())));
}

#[test]
fn an_edge_that_is_not_in_the_diagram_is_found() {
    let edges = [edge("daicho-app", "daicho-store"), edge("daicho", "daicho-store")];
    assert_eq!(house::forbidden_edges(&edges).len(), 1);
    assert_eq!(house::forbidden_edges(&[edge("daicho-new", "daicho-app")]).len(), 1);
}

#[test]
fn the_servers_and_the_disk_for_tests_are_for_tests_only() {
    for name in ["daicho-test-servers", "daicho-test-vfs"] {
        let shipped = edge("daicho-store", name);
        assert_eq!(house::forbidden_edges(std::slice::from_ref(&shipped)).len(), 1);
        assert_eq!(house::forbidden_edges(&[Edge { is_dev: true, ..shipped }]).len(), 0);
    }
}

#[test]
fn only_the_store_and_what_measures_or_serves_its_tests_name_sqlx() {
    assert_clean(&house::forbidden_sqlx(&house::edges(&root())));
}

#[test]
fn sqlx_in_another_crate_is_found() {
    let edges = [edge("daicho-store", "sqlx"), edge("daicho-app", "sqlx")];
    assert_eq!(house::forbidden_sqlx(&edges).len(), 1);
    let edges = [edge("daicho-test-vfs", "libsqlite3-sys"), edge("daicho", "libsqlite3-sys")];
    assert_eq!(house::forbidden_sqlx(&edges).len(), 1);
}

#[test]
fn what_computes_names_no_runtime_and_no_random_source() {
    assert_clean(&house::forbidden_world(&house::edges(&root())));
}

#[test]
fn a_runtime_in_the_domain_is_found() {
    let edges = [edge("daicho-domain", "tokio"), edge("daicho-app", "tokio")];
    assert_eq!(house::forbidden_world(&edges).len(), 1);
}

/// The one package that may be unsafe: a VFS of SQLite is a table of C functions.
const UNSAFE_PACKAGE: &str = "crates/test-vfs/Cargo.toml";

#[test]
fn every_package_keeps_the_lints_of_the_workspace() {
    let lax = |(path, text): &(String, String)| {
        path != UNSAFE_PACKAGE && !text.contains("[lints]\nworkspace = true\n")
    };
    let manifests = files("toml").into_iter().filter(|(path, _)| path.ends_with("Cargo.toml"));
    let rule = "a package without the workspace's lints".to_owned();
    let found =
        |(path, _): (String, String)| finding(&path, 1, rule.clone(), "add `lints.workspace`");
    assert_clean(&manifests.filter(lax).map(found).collect::<Vec<_>>());
}

/// The lines `name = "level"` of two tables of a manifest, without their reasons.
fn lints(manifest: &str, tables: &str) -> Vec<String> {
    let table = |kind: &str| -> Vec<String> {
        let after = manifest.split(&format!("[{tables}.{kind}]\n")).nth(1).unwrap_or_default();
        let lines = after.lines().take_while(|line| !line.starts_with('['));
        let lines = lines.filter_map(|line| line.split('#').next()).map(str::trim);
        lines.filter(|line| !line.is_empty()).map(|line| format!("{kind} {line}")).collect()
    };
    [table("rust"), table("clippy")].concat()
}

/// What of the workspace's lints a package that lists its own does not keep.
fn lints_not_kept(package: &str) -> Vec<String> {
    let ours = lints(&page("Cargo.toml"), "workspace.lints");
    assert!(ours.len() > 10, "the workspace has lints");
    let kept = lints(package, "lints");
    ours.into_iter().filter(|lint| !kept.contains(lint)).collect()
}

#[test]
fn the_package_that_may_be_unsafe_keeps_every_other_lint_and_gives_reasons() {
    let package = page(UNSAFE_PACKAGE);
    assert_eq!(lints_not_kept(&package), ["rust unsafe_code = \"forbid\""]);
    for own in ["rust unsafe_code = \"deny\"", "clippy undocumented_unsafe_blocks = \"deny\""] {
        assert!(lints(&package, "lints").contains(&own.to_owned()), "{own}");
    }
}

#[test]
fn a_lint_that_is_left_out_is_found() {
    let package = page(UNSAFE_PACKAGE).replace("todo = \"warn\"\n", "");
    assert!(lints_not_kept(&package).contains(&"clippy todo = \"warn\"".to_owned()));
}

/// The binary form is for derived data only, and one file knows it: so it can be exchanged.
fn bincode_findings(sources: &[Source]) -> Vec<Finding> {
    let place = |source: &Source| rules::names_bincode(source).map(|l| (source.path.clone(), l));
    let places: Vec<_> = sources.iter().filter_map(place).collect();
    let rule = "a second file names bincode".to_owned();
    let way_out = "use the one file that packs and unpacks derived data (docs/adr/0002)";
    let second = places.into_iter().skip(1);
    second.map(|(path, line)| finding(&path, line, rule.clone(), way_out)).collect()
}

#[test]
fn one_file_alone_knows_the_binary_form() {
    assert_clean(&bincode_findings(&sources()));
}

#[test]
fn a_second_file_that_knows_the_binary_form_is_found() {
    let sources = ["a.rs", "b.rs"].map(|path| Source::new(path, "use bincode::serde;"));
    assert_eq!(bincode_findings(&sources).len(), 1);
}

// ---- what the pages keep ----

#[test]
fn the_readme_names_two_commands_and_both_can_be_run() {
    let readme = page("README.md");
    assert!(readme.contains(MAIN_JOB), "README.md names the main job: `{MAIN_JOB}`");
    assert!(readme.contains(TEST_JOB), "README.md names the test command: `{TEST_JOB}`");
    let run = page(".ci/run");
    assert!(run.contains(TEST_JOB), ".ci/run runs the README's test command `{TEST_JOB}`");
    assert!(page(TEST_JOB).starts_with("#!"), "{TEST_JOB} is a script");
}

#[cfg(unix)]
#[test]
fn the_scripts_may_be_executed() {
    use std::os::unix::fs::PermissionsExt;
    for script in [".ci/run", TEST_JOB] {
        let mode = fs::metadata(root().join(script)).expect(script).permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{script} is executable: `chmod +x {script}`");
    }
}

/// Numbers `1..=count` that do not open exactly one line of `text` as `prefix` + number + `suffix`.
fn misnumbered(text: &str, count: usize, prefix: &str, suffix: &str) -> Vec<usize> {
    let opens = |n: usize, line: &str| line.starts_with(&format!("{prefix}{n}{suffix}"));
    let once = |n: usize| text.lines().filter(|line| opens(n, line)).count() == 1;
    (1..=count).filter(|&n| !once(n)).collect()
}

#[test]
fn every_requirement_has_one_row() {
    let missing = misnumbered(&page("docs/requirements.md"), REQUIREMENTS, "| R", " |");
    assert!(missing.is_empty(), "docs/requirements.md: not exactly one row for {missing:?}");
}

#[test]
fn the_architecture_numbers_its_invariants() {
    let text = page("docs/ARCHITECTURE.md");
    let invariants = text.split("## Invariants").nth(1).unwrap_or_default();
    let invariants = invariants.split("\n## ").next().unwrap_or_default();
    let missing = misnumbered(invariants, INVARIANTS, "| ", " |");
    assert!(missing.is_empty(), "docs/ARCHITECTURE.md: no invariant {missing:?}");
}

#[test]
fn a_missing_or_doubled_number_is_found() {
    assert_eq!(misnumbered("| R1 | a\n| R3 | b\n| R3 | c\n", 3, "| R", " |"), [2, 3]);
}

/// Links of a Markdown page to files that are not there, as (line, target).
fn dead_links(folder: &Path, text: &str) -> Vec<(usize, String)> {
    let mut dead = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for link in line.split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap_or_default();
            let outside = target.is_empty() || target.contains("://");
            if !outside && !folder.join(target).exists() {
                dead.push((index + 1, target.to_owned()));
            }
        }
    }
    dead
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut pages = Vec::new();
    collect(&root().join("docs"), "md", &mut pages);
    pages.extend(["README.md", "CHANGELOG.md"].map(|path| (path.to_owned(), page(path))));
    assert!(pages.len() > 10, "the walk finds the pages");
    let mut found = Vec::new();
    for (path, text) in pages {
        let file = root().join(&path);
        for (line, target) in dead_links(file.parent().unwrap_or(&file), &text) {
            let rule = format!("a link to `{target}`, which is not there");
            found.push(finding(&path, line, rule, "mend the link or write the page"));
        }
    }
    assert_clean(&found);
}

#[test]
fn a_dead_link_is_found() {
    let text = "[a](README.md#b) [c](https://d) [e](#f)\n[g](h/i.md)\n";
    assert_eq!(dead_links(&root(), text), [(2, "h/i.md".to_owned())]);
}
