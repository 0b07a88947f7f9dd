//! No module uses what uses it, and no file is longer than a sitting.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::metadata;
use super::modules::{Modules, Uses, circles};

/// The most lines of a source file, without those of its tests.
const LINES: usize = 400;

/// The roots of every crate: package, and file.
fn roots() -> Result<Vec<(String, PathBuf)>> {
    let metadata = metadata()?;
    let mut roots = Vec::new();
    for package in metadata["packages"].as_array().context("packages")? {
        let name = package["name"].as_str().context("a name")?;
        for target in package["targets"].as_array().context("targets")? {
            let root = target["src_path"].as_str().context("a path")?;
            roots.push((name.to_owned(), PathBuf::from(root)));
        }
    }
    Ok(roots)
}

/// A file's path within the workspace.
fn within(file: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(""));
    file.strip_prefix(root).unwrap_or(file).to_string_lossy().into_owned()
}

/// The arrows of a circle, each with what shows it.
fn arrows(circle: &BTreeSet<PathBuf>, uses: &Uses) -> String {
    let inside = uses.iter().filter(|((from, to), _)| circle.contains(from) && circle.contains(to));
    inside.fold(String::new(), |mut told, ((from, to), path)| {
        let _ = writeln!(told, "  {} uses {}: {path}", within(from), within(to));
        told
    })
}

#[test]
fn no_module_uses_what_uses_it() -> Result<()> {
    let mut told = String::new();
    for (package, root) in roots()? {
        let modules = Modules::read(&root, &|file| fs::read_to_string(file).ok())?;
        let uses = modules.uses();
        for circle in circles(&uses) {
            let _ = write!(told, "{package}:\n{}", arrows(&circle, &uses));
        }
    }
    assert!(told.is_empty(), "circles between modules\n{told}");
    Ok(())
}

/// The lines of a file up to its tests, which stand last.
fn lines(source: &str) -> usize {
    source.lines().take_while(|line| *line != "#[cfg(test)]").count()
}

#[test]
fn no_source_file_is_longer_than_a_sitting() -> Result<()> {
    let mut long = BTreeMap::new();
    let mut folders: BTreeSet<_> =
        roots()?.into_iter().filter_map(|(_, root)| Some(root.parent()?.to_owned())).collect();
    // Flows and benchmarks are tests.
    folders.retain(|folder| folder.ends_with("src"));
    let mut open: Vec<_> = folders.into_iter().collect();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|end| end == "rs")
                && path.file_name().is_some_and(|name| name != "tests.rs")
            {
                let lines = lines(&fs::read_to_string(&path)?);
                if lines > LINES {
                    long.insert(within(&path), lines);
                }
            }
        }
    }
    assert!(long.is_empty(), "longer than {LINES} lines without tests: {long:?}");
    Ok(())
}

/// The circles of a crate that is made up.
fn found(files: &[(&str, &str)]) -> Result<Vec<Vec<String>>> {
    let source = |file: &Path| {
        let known = files.iter().find(|(name, _)| Path::new(name) == file);
        known.map(|(_, source)| (*source).to_owned())
    };
    let modules = Modules::read(Path::new("src/lib.rs"), &source)?;
    let name = |file: PathBuf| file.to_string_lossy().replace("src/", "").replace(".rs", "");
    let circles = circles(&modules.uses()).into_iter();
    Ok(circles.map(|circle| circle.into_iter().map(name).collect()).collect())
}

#[test]
fn circles_are_found_however_they_are_written() -> Result<()> {
    let two = "mod a;\nmod b;\n";
    let uses_b = "use crate::b::B;\npub struct A(B);";
    for (how, b) in [
        ("use", "use crate::a::A;\npub struct B(A);"),
        (
            "use in a group, under another name",
            "use super::{a::{self, A as Other}};\npub struct B(Other);",
        ),
        ("everything", "use crate::a::*;\npub struct B(A);"),
        ("a path in a type", "pub struct B(Option<crate::a::A>);"),
        ("a path in a function", "pub struct B; fn f() { if true { super::a::f() } }"),
        ("a use in a function", "pub struct B; impl B { fn f() { use crate::a::f; f() } }"),
        ("a path in a macro", "pub struct B; fn f() { println!(\"{}\", [crate::a::f()]); }"),
        ("a path in an attribute", "#[derive(X)] #[x(y = super::a::A)] pub struct B;"),
        ("a path in a trait's bound", "pub struct B; pub fn f(_: impl crate::a::A) {}"),
        ("within a module", "pub struct B; mod inner { use super::super::a::A; }"),
    ] {
        let files = [("src/lib.rs", two), ("src/a.rs", uses_b), ("src/b.rs", b)];
        assert_eq!(found(&files)?, [["a", "b"]], "{how}");
    }
    // Through the root, which defines a thing or takes it on.
    for root in ["mod a; pub use a::A; pub struct B;", "mod a; pub struct B; fn f() { a::f() }"] {
        let files = [("src/lib.rs", root), ("src/a.rs", "use crate::B; pub struct A(B);")];
        assert_eq!(found(&files)?, [["a", "lib"]], "{root}");
    }
    let files = [
        ("src/lib.rs", "mod a; mod b; pub use a::A; pub use b::*;"),
        ("src/a.rs", "use crate::B; pub struct A(B);"),
        ("src/b.rs", "pub struct B;"),
    ];
    assert_eq!(found(&files)?, [["a", "lib"]], "a sibling through the root");
    // A macro declares it, out of a list.
    let files = [
        ("src/lib.rs", "mod list;"),
        ("src/list/mod.rs", "pub trait T {} macro_rules! all { () => {} } all! { a::A, b::B, }"),
        ("src/list/a.rs", "use super::T; pub struct A;"),
        ("src/list/b.rs", "pub struct B;"),
    ];
    assert_eq!(found(&files)?, [["list/a", "list/mod"]], "a module in a list");
    // Folders, and a circle of three that has a circle of two beside it.
    let files = [
        ("src/lib.rs", "mod a; mod d; mod e;"),
        ("src/a/mod.rs", "pub mod b; mod c; pub fn a() { b::b() }"),
        ("src/a/b.rs", "pub fn b() { super::c::c() }"),
        ("src/a/c.rs", "pub fn c() { crate::a::a() }"),
        ("src/d.rs", "pub fn d() { crate::e::e(); crate::a::b::b() }"),
        ("src/e.rs", "pub fn e() { crate::d::d() }"),
    ];
    assert_eq!(found(&files)?, [vec!["a/b", "a/c", "a/mod"], vec!["d", "e"]]);
    Ok(())
}

#[test]
fn what_is_no_circle_is_not_taken_for_one() -> Result<()> {
    let root = "mod a; mod b; pub use a::{A, a}; pub use b::B as Other;";
    let a = "use crate::b::{B, self}; pub struct A(B); pub fn a() { b::b() }";
    for (why, b) in [
        ("nothing", "pub struct B; pub fn b() {}"),
        ("tests", "pub struct B; pub fn b() {} #[cfg(test)] mod tests { use crate::a::A; }"),
        ("a test's import", "pub struct B; #[cfg(test)] use crate::a::A;"),
        ("documentation", "/// As [`crate::a::A`], but `crate::a::a()`.\npub struct B;"),
        ("a text", "pub struct B; pub fn b() { println!(\"crate::a::A\") }"),
        ("who may see it", "pub(in crate::a) struct B; pub(super) fn b() {} pub(crate) struct C;"),
        ("another crate", "use a::A; use ::a::a; pub struct B(A);"),
        (
            "what a macro says where it is used",
            "pub struct B; macro_rules! b { () => { $crate::a::A } }",
        ),
        ("a variable", "pub struct B; pub fn b(a: u8) -> u8 { a.max(1) }"),
        ("itself", "pub struct B; pub fn b() { self::b(); crate::b::b() }"),
    ] {
        let files = [("src/lib.rs", root), ("src/a.rs", a), ("src/b.rs", b)];
        assert_eq!(found(&files)?, Vec::<Vec<String>>::new(), "{why}");
    }
    // A root that only takes on, and names that go in circles themselves.
    let files = [
        ("src/lib.rs", "mod a; pub use a::*;"),
        ("src/a.rs", "use self::x as y; use self::y as x; use x::z;"),
    ];
    assert_eq!(found(&files)?, Vec::<Vec<String>>::new());
    Ok(())
}

#[test]
fn lines_of_tests_do_not_count() {
    assert_eq!(lines("a\nb\n\n#[cfg(test)]\nmod tests {\n}\n"), 3);
    assert_eq!(lines("a\n    #[cfg(test)]\nb"), 3);
}
