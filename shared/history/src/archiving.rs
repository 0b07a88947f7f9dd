//! Making archives, looking after them, removing them.

use futures_util::TryStreamExt as _;
use object_store::{ObjectStoreExt as _, PutPayload};
use report::{Day, Filter, Range};
use store::{DayState, Rebuilt};

use crate::besides::Besides;
use crate::blocking::blocking;
use crate::error::{HistoryError, Unusable};
use crate::grain::Grain;
use crate::history::History;
use crate::manifest::{self, Manifest};
use crate::rows::DayRows;
use crate::wanted::Reading;
use crate::{read, write};

/// Times that a day is begun again because it was counted into meanwhile.
const ATTEMPTS: usize = 5;

/// How a day's archive stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is none.
    Missing,
    /// The day was counted into since it was made, or it lacks what archives have by now.
    Stale,
    /// It should be usable and is not.
    Broken(Unusable),
    /// It holds everything.
    Current,
}

/// What archiving a day came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Archived {
    /// The day has no usage and needs no archive.
    Empty,
    /// The archive was written.
    Written {
        /// Usage rows in it.
        rows: u64,
        /// Messages in it.
        messages: u64,
        /// Bytes of its files.
        bytes: u64,
    },
    /// The day is being counted into: it was left as it is, for the next time.
    Busy,
    /// There is an archive that the table knows nothing of, of more messages than the table has: it was left as it is.
    /// The table was lost, and the archive is all that is left of the day.
    Unknown {
        /// Messages in the archive.
        archived: u64,
    },
}

impl History {
    /// Looks whether a day has a current archive, reading the whole of it.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn standing(&self, day: Day) -> Result<Standing, HistoryError> {
        let state = self.state(Range { start: day, end: day }).await?;
        if state.days.get(&day).is_none_or(|state| state.archive.is_none()) {
            return Ok(Standing::Missing);
        }
        let manifest = match state.manifest(day) {
            None => return Ok(Standing::Stale),
            Some(Err(error)) => return Ok(Standing::Broken(error)),
            Some(Ok(manifest)) => manifest,
        };
        let is_whole = manifest.has_failures() && manifest.has_finer();
        if !is_whole || !self.has_copy(day, &manifest).await {
            return Ok(Standing::Stale);
        }
        for grain in Grain::ALL {
            let file = manifest.fetch(&*self.objects, day, grain).await;
            if let Err(error) = file.and_then(|file| read::metadata(&file, grain).map(|_| ())) {
                return Ok(Standing::Broken(error));
            }
        }
        Ok(Standing::Current)
    }

    /// Writes a day's archive from its items, whatever archive it has.
    ///
    /// # Errors
    /// The table did not answer, or the objects cannot be written. The archive is as it was, or is not used.
    pub async fn archive(&self, day: Day) -> Result<Archived, HistoryError> {
        for _ in 0..ATTEMPTS {
            let before = self.day_state(day).await?;
            if matches!(before.rebuilt, Some(Rebuilt::Begun(_))) {
                return Ok(Archived::Busy);
            }
            let rows = DayRows::read(&self.usage, day, &Filter::default()).await?;
            let besides = self.besides(day).await?;
            if before.archive.is_none()
                && let Some(archived) = self.archived(day).await
                && archived > rows.iter().map(|(_, messages)| messages).sum()
            {
                tracing::error!(
                    %day,
                    archived,
                    "an archive that has more messages than the table is left as it is: if the table was lost, rebuild it"
                );
                return Ok(Archived::Unknown { archived });
            }
            if rows.is_empty() && besides.is_empty() && before.archive.is_none() {
                return Ok(Archived::Empty);
            }
            if let Some(written) = self.write(day, &before, rows, besides).await? {
                return Ok(written);
            }
        }
        Ok(Archived::Busy)
    }

    /// Writes rows, in order, as the archive of a day that nothing was ever counted into: for stores that
    /// are made up.
    ///
    /// # Errors
    /// As [`archive`](Self::archive), and if the day was counted into.
    pub async fn archive_rows(&self, day: Day, rows: DayRows) -> Result<Archived, HistoryError> {
        let before = self.day_state(day).await?;
        if before.revision > 0 {
            return Err(HistoryError::Archive(format!("{day} has items of its own")));
        }
        Ok(self.write(day, &before, rows, Besides::default()).await?.unwrap_or(Archived::Busy))
    }

    /// Writes the archive; none if the day is no longer in the state that the rows were read in.
    async fn write(
        &self,
        day: Day,
        before: &DayState,
        rows: DayRows,
        besides: Besides,
    ) -> Result<Option<Archived>, HistoryError> {
        let (rows, files) =
            blocking(move || (rows.len() as u64, write::files(&rows, &besides))).await;
        let files = files.map_err(HistoryError::archive)?;
        // Stale before it is born: not worth replacing what is there.
        if self.day_state(day).await?.revision != before.revision {
            return Ok(None);
        }
        let (messages, revision) = (files.messages, before.revision);
        let manifest =
            Manifest::new(revision, rows, messages, files.all.each_ref().map(Vec::as_slice));
        let bytes = files.all.iter().map(Vec::len).sum::<usize>() as u64;
        let files = Grain::ALL.into_iter().map(|grain| manifest::path(day, grain)).zip(files.all);
        let copy = (manifest::copy_path(day), manifest.write().into_bytes());
        for (path, file) in files.chain([copy]) {
            let payload = PutPayload::from(file);
            self.objects.put(&path, payload).await.map_err(HistoryError::archive)?;
        }
        let put = self.days.put_archive(day, before.archive.as_deref(), manifest.write()).await?;
        Ok(put.then_some(Archived::Written { rows, messages, bytes }))
    }

    /// Whether the manifest has a copy beside the files.
    async fn has_copy(&self, day: Day, manifest: &Manifest) -> bool {
        let copy = manifest::copy(&*self.objects, day).await;
        copy.is_ok_and(|copy| copy.is_some_and(|copy| copy == *manifest))
    }

    /// The messages in a day's usage file, whoever wrote it; none if there is no such file that can be read.
    async fn archived(&self, day: Day) -> Option<u64> {
        let path = manifest::path(day, Grain::Usage);
        let file = self.objects.get(&path).await.ok()?.bytes().await.ok()?;
        blocking(move || {
            let mut sum = 0_u64;
            let read = read::rows(file, &Reading::whole(&Filter::default()), |_, messages| {
                sum = sum.saturating_add(messages);
                std::ops::ControlFlow::Continue(())
            });
            read.ok().map(|()| sum)
        })
        .await
    }

    async fn day_state(&self, day: Day) -> Result<DayState, HistoryError> {
        let mut days = self.days.states(Range { start: day, end: day }).await?;
        Ok(days.remove(&day).unwrap_or_default())
    }

    /// Removes the objects of all days before `oldest`; gives how many days had any.
    ///
    /// # Errors
    /// The objects cannot be listed or removed.
    pub async fn remove_before(&self, oldest: Day) -> Result<usize, HistoryError> {
        let mut days = std::collections::BTreeSet::new();
        for grain in Grain::ALL {
            let folder = object_store::path::Path::from(grain.name());
            let found = self.objects.list(Some(&folder)).map_err(HistoryError::archive);
            let found: Vec<_> = found.try_collect().await?;
            for object in found {
                let day = manifest::day_of(&object.location).filter(|day| *day < oldest);
                if let Some(day) = day {
                    match self.objects.delete(&object.location).await {
                        // Somebody else removes them too.
                        Ok(()) | Err(object_store::Error::NotFound { .. }) => days.insert(day),
                        Err(error) => return Err(HistoryError::archive(error)),
                    };
                }
            }
        }
        Ok(days.len())
    }
}
