//! What the table remembers of a day's archive, and what stands beside it for whom the table is lost to.

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use report::Day;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::blocking::blocking;
use crate::error::Unusable;
use crate::grain::Grain;

/// Raised when the files change so that older programs must not read them.
const FORMAT: u32 = 1;
/// The name of a manifest's copy.
const COPY: &str = "_manifest.json";

/// A day's archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    format: u32,
    /// The day's revision when the archiver began to read it.
    pub(crate) revision: u64,
    /// Rows of the usage file.
    pub(crate) rows: u64,
    /// The messages in it.
    pub(crate) messages: u64,
    usage: Object,
    senders: Object,
    /// None of archives that were written before there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failures: Option<Object>,
    /// None of archives that were written before there was one: then nothing of it was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    finer: Option<Object>,
}

/// One of its files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Object {
    bytes: u64,
    sha256: String,
}

impl Manifest {
    pub(crate) fn new(
        revision: u64,
        rows: u64,
        messages: u64,
        [usage, senders, failures, finer]: [&[u8]; 4],
    ) -> Self {
        let (usage, senders) = (Object::of(usage), Object::of(senders));
        let (failures, finer) = (Some(Object::of(failures)), Some(Object::of(finer)));
        Self { format: FORMAT, revision, rows, messages, usage, senders, failures, finer }
    }

    /// Whether it has failed logins.
    pub(crate) const fn has_failures(&self) -> bool {
        self.failures.is_some()
    }

    /// Whether it has finer counters.
    pub(crate) const fn has_finer(&self) -> bool {
        self.finer.is_some()
    }

    pub(crate) fn read(text: &str) -> Result<Self, Unusable> {
        let manifest: Self = serde_json::from_str(text)
            .map_err(|error| Unusable(format!("its manifest cannot be read: {error}")))?;
        if manifest.format != FORMAT {
            return Err(Unusable(format!("it has format {}, not {FORMAT}", manifest.format)));
        }
        Ok(manifest)
    }

    pub(crate) fn write(&self) -> String {
        // Numbers and texts: writing them to memory cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Fetches one of the files: the very bytes that the archiver wrote, or none.
    pub(crate) async fn fetch(
        &self,
        objects: &dyn ObjectStore,
        day: Day,
        grain: Grain,
    ) -> Result<Bytes, Unusable> {
        self.check(self.get(objects, day, grain).await?, day, grain).await
    }

    /// What stands where one of the files is, if it has as many bytes.
    pub(crate) async fn get(
        &self,
        objects: &dyn ObjectStore,
        day: Day,
        grain: Grain,
    ) -> Result<Bytes, Unusable> {
        let (path, object) = (path(day, grain), self.object(grain)?);
        let found = objects.get(&path).await.map_err(Unusable::new)?;
        // Before it is in memory: what stands there now may be anything.
        if found.meta.size != object.bytes {
            let (size, bytes) = (found.meta.size, object.bytes);
            return Err(Unusable(format!("{path} has {size} bytes, not {bytes}")));
        }
        found.bytes().await.map_err(Unusable::new)
    }

    /// The same bytes, if they are the very ones that the archiver wrote.
    pub(crate) async fn check(
        &self,
        bytes: Bytes,
        day: Day,
        grain: Grain,
    ) -> Result<Bytes, Unusable> {
        let expected = self.object(grain)?.clone();
        let checked = blocking(move || (Object::of(&bytes) == expected).then_some(bytes)).await;
        checked.ok_or_else(|| {
            let path = path(day, grain);
            Unusable(format!("{path} has another checksum than its manifest says"))
        })
    }

    fn object(&self, grain: Grain) -> Result<&Object, Unusable> {
        let lacks = |what: &str| Unusable(format!("it has no {what}"));
        match grain {
            Grain::Usage => Ok(&self.usage),
            Grain::Senders => Ok(&self.senders),
            Grain::Failures => self.failures.as_ref().ok_or_else(|| lacks("failed logins")),
            Grain::Finer => self.finer.as_ref().ok_or_else(|| lacks("finer counters")),
        }
    }
}

impl Object {
    fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, sha256: checksum(bytes) }
    }
}

/// Where a day's file is.
pub(crate) fn path(day: Day, grain: Grain) -> Path {
    let name = grain.name();
    Path::from(format!("{name}/dt={day}/{name}.parquet"))
}

/// Where a copy of the manifest is, as far as tools that read Parquet are concerned hidden by its name.
pub(crate) fn copy_path(day: Day) -> Path {
    Path::from(format!("{}/dt={day}/{COPY}", Grain::Usage.name()))
}

/// The copy of a day's manifest, if there is one.
pub(crate) async fn copy(
    objects: &dyn ObjectStore,
    day: Day,
) -> Result<Option<Manifest>, Unusable> {
    let copy = match objects.get(&copy_path(day)).await {
        Ok(found) => found.bytes().await,
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(Unusable::new(error)),
    };
    let text = String::from_utf8(copy.map_err(Unusable::new)?.to_vec());
    Manifest::read(&text.map_err(Unusable::new)?).map(Some)
}

/// SHA-256 in hexadecimal.
pub(crate) fn checksum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The day of a file; none for what is no file of an archive.
pub(crate) fn day_of(path: &Path) -> Option<Day> {
    let mut parts = path.parts();
    let (folder, day, file) = (parts.next()?, parts.next()?, parts.next()?);
    let is_file = file.as_ref() == format!("{}.parquet", folder.as_ref()).as_str();
    let is_copy = file.as_ref() == COPY && folder.as_ref() == Grain::Usage.name();
    let ours = parts.next().is_none() && (is_file || is_copy);
    day.as_ref().strip_prefix("dt=")?.parse().ok().filter(|_| ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_tell_their_day() {
        let day: Day = "2026-11-20".parse().expect("a date");
        for grain in Grain::ALL {
            assert_eq!(day_of(&path(day, grain)), Some(day));
        }
        assert_eq!(day_of(&copy_path(day)), Some(day));
        assert_eq!(path(day, Grain::Usage).as_ref(), "usage/dt=2026-11-20/usage.parquet");
        for other in ["usage/dt=2026-11-20/x", "usage/2026-11-20/usage.parquet", "usage", "a/b/c/d"]
        {
            assert_eq!(day_of(&Path::from(other)), None, "{other}");
        }
    }

    #[test]
    fn manifests_round_trip_and_refuse_other_formats() {
        let manifest = Manifest::new(3, 2, 9, [b"usage", b"senders", b"failures", b"finer"]);
        let text = manifest.write();
        assert_eq!(Manifest::read(&text), Ok(manifest));
        let later = text.replace("\"format\":1", "\"format\":2");
        let error = Manifest::read(&later).expect_err("another format");
        assert_eq!(error.to_string(), "it has format 2, not 1");
        assert!(Manifest::read("{}").is_err());
    }

    #[test]
    fn a_manifest_of_the_first_version_is_read() {
        let text = r#"{"format":1,"revision":3,"rows":2,"messages":9,
            "usage":{"bytes":5,"sha256":"0b8e9e995a8d0a1e1bd28a3a6fc1e0dbdba1d6a9a4f2f3cc1e7d9a3f7f7a0001"},
            "senders":{"bytes":7,"sha256":"0b8e9e995a8d0a1e1bd28a3a6fc1e0dbdba1d6a9a4f2f3cc1e7d9a3f7f7a0002"}}"#;
        let manifest = Manifest::read(text).expect("a manifest");
        assert_eq!((manifest.revision, manifest.rows, manifest.messages), (3, 2, 9));
        assert!(!manifest.has_failures() && !manifest.has_finer());
        let compact: String = text.split_whitespace().collect();
        assert_eq!(manifest.write(), compact, "and still written the same");
    }

    #[test]
    fn a_manifest_without_finer_counters_is_read() {
        let manifest = Manifest::new(3, 2, 9, [b"usage", b"senders", b"failures", b"finer"]);
        let text = manifest.write();
        let (before, _) = text.split_once(",\"finer\":").expect("it stands last");
        let before = format!("{before}}}");
        let manifest = Manifest::read(&before).expect("a manifest");
        assert!(manifest.has_failures() && !manifest.has_finer());
        assert_eq!(manifest.write(), before, "and still written the same");
    }
}
