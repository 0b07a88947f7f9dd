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

/// A file that was read before, or is read for the first time now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFile {
    /// The name under which its records are counted: the same for the same content.
    pub source: String,
    /// Whether it was read before.
    pub known: bool,
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

    /// The file that begins with `head`: the first 4,096 bytes, or all if it is shorter.
    ///
    /// # Errors
    /// A request failed.
    pub async fn identify(&self, head: &[u8]) -> Result<KnownFile, StoreError> {
        let head = &head[..head.len().min(FINGERPRINT)];
        let found = self.find(head).await?;
        let known = found.is_some();
        let source = found.unwrap_or_else(|| format!("file:{}", checksum(head)));
        Ok(KnownFile { source, known })
    }

    /// Makes a file known by its beginning, which may have grown since it was last read.
    ///
    /// # Errors
    /// A request failed.
    pub async fn remember(
        &self,
        head: &[u8],
        file: &KnownFile,
        now: i64,
    ) -> Result<(), StoreError> {
        let head = &head[..head.len().min(FINGERPRINT)];
        let mut item = keys::key(&partition(head), &file.source);
        item.insert("length".to_owned(), items::of_number(head.len()));
        item.insert("checksum".to_owned(), items::of_text(checksum(head)));
        item.insert(EXPIRES.to_owned(), items::of_number(now + LIFE));
        self.0.put(item).await
    }

    /// The source of a file that was read before, by its beginning.
    ///
    /// A file that was shorter when it was read before is recognised as long as it still begins with
    /// what it was. Two files are different if their beginnings differ anywhere.
    ///
    /// # Errors
    /// A request failed.
    pub async fn find(&self, head: &[u8]) -> Result<Option<String>, StoreError> {
        let head = &head[..head.len().min(FINGERPRINT)];
        let partition = partition(head);
        let mut pages = self.0.pages(&partition);
        let mut best: Option<(usize, String)> = None;
        while let Some(page) = pages.next().await {
            for item in page? {
                let (length, known) =
                    (items::number(&item, "length"), items::text(&item, "checksum"));
                let source = items::text(&item, "sk");
                if let (Some(length), Some(known), Some(source)) = (length, known, source)
                    && let Some(begin) = head.get(..usize::try_from(length).unwrap_or(usize::MAX))
                    && checksum(begin) == known
                    && best.as_ref().is_none_or(|(longest, _)| begin.len() > *longest)
                {
                    best = Some((begin.len(), source.to_owned()));
                }
            }
        }
        Ok(best.map(|(_, source)| source))
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
