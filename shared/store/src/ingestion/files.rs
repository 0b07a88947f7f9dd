//! Files known by what is in them, whatever they are called and however they are compressed.

use futures_util::StreamExt as _;

use crate::dynamo::error::StoreError;
use crate::dynamo::items::{self, EXPIRES};
use crate::dynamo::keys;
use crate::dynamo::table::Table;

/// Bytes at the beginning of a file by which it is known.
pub const FINGERPRINT: usize = 4096;
/// Seconds that a file is remembered after it was last read.
const LIFE: i64 = 92 * 86_400;

/// A file, by the name under which its records are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFile {
    /// The same for the same content, whatever the file is called.
    pub source: String,
    /// Whether it was read before.
    pub known: bool,
}

/// A file that was read before, and may be the one that is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The name under which its records are counted.
    pub source: String,
    /// Whether the file that is looked at begins as this one did, and goes at least as far as what was compared.
    /// If not, only the first line is known to be the same: it may be a shorter copy.
    pub begins_alike: bool,
}

/// Knows files by their beginnings. Touches known files and nothing else.
#[derive(Clone, Debug)]
pub struct Files(Table);

impl Files {
    /// The partitions that it touches, as a policy names them.
    pub const PARTITIONS: &[&str] = &["K#*"];

    pub(crate) fn new(table: Table) -> Self {
        Self(table)
    }

    /// Files that were read before and may be the one that begins with `head`, the likeliest first: the first 4,096
    /// bytes, or all if it is shorter.
    ///
    /// A file that was shorter when it was read before begins alike as long as it still begins with what it was.
    ///
    /// # Errors
    /// A request failed.
    pub async fn candidates(&self, head: &[u8]) -> Result<Vec<Candidate>, StoreError> {
        let head = &head[..head.len().min(FINGERPRINT)];
        let partition = partition(head);
        let mut pages = self.0.pages(&partition);
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page? {
                let (length, known) =
                    (items::number(&item, "length"), items::text(&item, "checksum"));
                let source = items::text(&item, "sk");
                let (Some(length), Some(known), Some(source)) = (length, known, source) else {
                    continue;
                };
                let begin = head.get(..usize::try_from(length).unwrap_or(usize::MAX));
                let begins_alike = match begin {
                    Some(begin) if checksum(begin) == known => true,
                    Some(_) => continue,
                    None => false,
                };
                found.push((begins_alike, length, source.to_owned()));
            }
        }
        found.sort_by(|one, other| other.cmp(one));
        let candidate = |(begins_alike, _, source)| Candidate { source, begins_alike };
        Ok(found.into_iter().map(candidate).collect())
    }

    /// The name under which a file is counted that is none of the `others`, though it may begin like them: `head`
    /// is how it begins, and `text` more of it, as much as can be had.
    #[must_use]
    pub fn name(head: &[u8], text: &[u8], others: &[Candidate]) -> String {
        let head = checksum(&head[..head.len().min(FINGERPRINT)]);
        let first = format!("file:{head}");
        let second = format!("{first}-{}", checksum(text));
        let numbered = (2..).map(|number| format!("{second}-{number}"));
        [first, second.clone()]
            .into_iter()
            .chain(numbered)
            .find(|name| others.iter().all(|other| other.source != *name))
            .unwrap_or(second)
    }

    /// Makes a file known by its beginning, which may have grown since it was last read.
    ///
    /// # Errors
    /// A request failed.
    pub async fn remember(&self, head: &[u8], source: &str, now: i64) -> Result<(), StoreError> {
        let head = &head[..head.len().min(FINGERPRINT)];
        let mut item = keys::key(&partition(head), source);
        item.insert("length".to_owned(), items::of_number(head.len()));
        item.insert("checksum".to_owned(), items::of_text(checksum(head)));
        item.insert(EXPIRES.to_owned(), items::of_number(now + LIFE));
        self.0.put(item).await
    }
}

fn partition(head: &[u8]) -> String {
    let line = head.iter().position(|byte| *byte == b'\n').unwrap_or(head.len());
    keys::known_files(&checksum(&head[..line]))
}

fn checksum(bytes: &[u8]) -> String {
    let mut checksum = keys::checksum(bytes);
    checksum.truncate(32);
    checksum
}
