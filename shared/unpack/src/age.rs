//! Which of several files of a log is the older, by their names alone.

use std::cmp::Reverse;

/// What compressions add to names.
const SUFFIXES: [&str; 8] = [".gz", ".bz2", ".xz", ".zst", ".lz4", ".lz", ".lzma", ".Z"];
/// The most digits of a rotation's number: what is longer is a date.
const NUMBER: usize = 5;

/// The order of files: of one folder and log each after the other, the oldest of each first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Order<'a> {
    folder: &'a str,
    /// The name without what rotation and compression added to it.
    log: String,
    age: Age<'a>,
}

/// How old a file of a log is: oldest first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Age<'a> {
    /// `mail.log-20261123`, `mail-2026-11-23.log`.
    Date(&'a str),
    /// `mail.log.2`, which was `mail.log.1` before.
    Number(Reverse<u32>),
    /// `mail.log.old`.
    Old,
    /// `mail.log`.
    Present,
}

impl<'a> Order<'a> {
    /// The place of a file with this name, which may have folders.
    pub(crate) fn of(path: &'a str) -> Self {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let stripped = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix));
        let name = stripped.unwrap_or(name);
        // At the end, or before it: `mail.1.log` is of the same log as `mail.log.1`.
        let dot = name.rfind('.').filter(|at| *at > 0).unwrap_or(name.len());
        let (stem, ending) = name.split_at(dot);
        let at_end = aged(name).map(|(log, age)| (log.to_owned(), age));
        let found = at_end.or_else(|| aged(stem).map(|(log, age)| (format!("{log}{ending}"), age)));
        let (log, age) = found.unwrap_or_else(|| (name.to_owned(), Age::Present));
        Self { folder, log, age }
    }
}

/// A name without its mark of age at the end, if it has one.
fn aged(name: &str) -> Option<(&str, Age<'_>)> {
    if let Some(stem) = name.strip_suffix(".old") {
        return Some((stem, Age::Old));
    }
    let is_part = |byte: &u8| byte.is_ascii_digit() || b"-_.:T".contains(byte);
    let marked = name.bytes().rev().take_while(|byte| is_part(byte)).count();
    let (_, mark) = name.split_at(name.len() - marked);
    let begins = mark.find(|first: char| first.is_ascii_digit())?;
    let (separator, mark) = mark.split_at(begins);
    let stem = name.get(..name.len() - mark.len() - 1).filter(|stem| !stem.is_empty())?;
    let digits = mark.bytes().filter(u8::is_ascii_digit).count();
    match separator.bytes().last()? {
        b'.' | b'-' | b'_' if digits > NUMBER => Some((stem, Age::Date(mark))),
        // Numbers behind other signs count parts upwards as often as downwards.
        b'.' => Some((stem, Age::Number(Reverse(mark.parse().ok()?)))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_each_log_comes_first() {
        let expected = [
            "log/auth.log.1.gz",
            "log/auth.log",
            "log/mail.log-20261121.xz",
            "log/mail.log-20261122.gz",
            "log/mail.log.10.gz",
            "log/mail.log.2.gz",
            "log/mail.log.1",
            "log/mail.log",
            "log/part-01",
            "log/part-02",
            "mx1/20261121.log",
            "mx1/20261122.log",
            "mx1/maillog.old",
            "mx1/maillog",
        ];
        let mut names = expected;
        names.reverse();
        names.sort_by(|one, other| Order::of(one).cmp(&Order::of(other)));
        assert_eq!(names, expected);
        for (older, younger) in [("mail.1.log", "mail.log"), ("mail-2026-11-23.log.gz", "mail.log")]
        {
            assert!(Order::of(older) < Order::of(younger), "{older}");
        }
    }
}
