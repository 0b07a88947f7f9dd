//! Parquet files into rows.

use std::ops::ControlFlow;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch, StringArray};
use arrow_schema::ArrowError;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use report::{FailureKey, Field, Filter, Finer, TlsVersion, UsageKey, hour_of};

use crate::besides::{Failed, FinerCounts};
use crate::error::Unusable;
use crate::grain::{self, Grain};
use crate::wanted::Reading;

/// Rows decoded at once: they fit into a core's own cache.
const BATCH: usize = 8192;

/// Hands every row of a file that passes to `each`, in the file's order, until that breaks off.
pub(crate) fn rows(
    file: Bytes,
    reading: &Reading,
    mut each: impl FnMut(UsageKey<'_>, u64) -> ControlFlow<()>,
) -> Result<(), Unusable> {
    let metadata = metadata(&file, reading.grain)?;
    let filter = &reading.filter;
    let groups = metadata.metadata().row_groups();
    let groups = (0..groups.len()).filter(|group| may_pass(&groups[*group], filter)).collect();
    let fields = reading.fields.iter().map(|field| grain::column(*field));
    let columns = fields.chain([reading.grain.count()]);
    let mask = ProjectionMask::columns(metadata.parquet_schema(), columns);
    let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
        .with_row_groups(groups)
        .with_projection(mask)
        .with_batch_size(BATCH)
        .build()
        .map_err(parquet)?;
    for batch in batches {
        let batch = batch.map_err(|error: ArrowError| Unusable::new(error))?;
        if batch_rows(&batch, filter, &mut each)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Hands every row of a file of failed logins to `each`.
pub(crate) fn failures(
    file: Bytes,
    mut each: impl FnMut(&FailureKey<'_>, u64),
) -> Result<(), Unusable> {
    let metadata = metadata(&file, Grain::Failures)?;
    let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
        .with_batch_size(BATCH)
        .build()
        .map_err(parquet)?;
    for batch in batches {
        let batch = batch.map_err(|error: ArrowError| Unusable::new(error))?;
        let columns = Columns::of(&batch)?;
        let hours = Text::of(&batch, grain::HOUR)?;
        for (row, failures) in counts(&batch, Grain::Failures)?.iter().enumerate() {
            let account = columns.get(Field::Username, row);
            let (client, hour) = (columns.get(Field::Client, row), hour_of(hours.get(row)));
            let failures = u64::try_from(*failures).unwrap_or(0);
            each(&FailureKey { account, client, hour }, failures);
        }
    }
    Ok(())
}

/// Every row of a file of failed logins.
pub(crate) fn failed(file: Bytes) -> Result<Failed, Unusable> {
    let mut failed = Failed::new();
    failures(file, |key, failures| {
        let FailureKey { account, client, hour } = *key;
        failed.insert((account.to_owned(), client.to_owned(), hour), failures);
    })?;
    Ok(failed)
}

/// Every row of a file of finer counters.
pub(crate) fn finer(file: Bytes) -> Result<FinerCounts, Unusable> {
    let mut finer = FinerCounts::new();
    let metadata = metadata(&file, Grain::Finer)?;
    let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
        .with_batch_size(BATCH)
        .build()
        .map_err(parquet)?;
    for batch in batches {
        let batch = batch.map_err(|error: ArrowError| Unusable::new(error))?;
        let accounts = Text::of(&batch, grain::column(Field::Username))?;
        let whats = Text::of(&batch, grain::WHAT)?;
        for (row, count) in counts(&batch, Grain::Finer)?.iter().enumerate() {
            let (account, what) = (accounts.get(row), whats.get(row));
            let wrong = || Unusable(format!("it counts {what:?} of {account:?}"));
            let of = Finer::from_name(what).filter(|_| !account.is_empty()).ok_or_else(wrong)?;
            finer.insert((account.to_owned(), of), u64::try_from(*count).unwrap_or(0));
        }
    }
    Ok(finer)
}

/// The column of what is counted.
fn counts(batch: &RecordBatch, grain: Grain) -> Result<&[i64], Unusable> {
    let name = grain.count();
    let column = batch.column_by_name(name).and_then(|c| c.as_primitive_opt::<Int64Type>());
    let column = column.ok_or_else(|| Unusable(format!("it has no column {name}")))?;
    Ok(column.values())
}

/// Reads a file's description of itself, and checks that its columns are ours.
pub(crate) fn metadata(file: &Bytes, grain: Grain) -> Result<ArrowReaderMetadata, Unusable> {
    let metadata = ArrowReaderMetadata::load(file, Default::default()).map_err(parquet)?;
    let fields = metadata.schema().fields();
    if ![true, false].iter().any(|has_hours| fields == grain.schema(*has_hours).fields()) {
        return Err(Unusable("it has other columns than this program writes".to_owned()));
    }
    Ok(metadata)
}

fn parquet(error: ParquetError) -> Unusable {
    Unusable::new(error)
}

/// Whether anything in a row group can pass, by the smallest and largest value of each of its columns.
fn may_pass(group: &RowGroupMetaData, filter: &Filter) -> bool {
    let may_hold = |field, value: &str| {
        let name = grain::column(field);
        let column = group.columns().iter().find(|one| one.column_path().string() == name);
        let Some(statistics) = column.and_then(|column| column.statistics()) else { return true };
        statistics.min_bytes_opt().is_none_or(|min| min <= value.as_bytes())
            && statistics.max_bytes_opt().is_none_or(|max| value.as_bytes() <= max)
    };
    filter.may_pass(may_hold)
}

/// A column of text as it was decoded.
enum Text<'b> {
    Plain(&'b StringArray),
    Repeated {
        keys: &'b [i32],
        values: &'b StringArray,
    },
    /// Not wanted.
    Empty,
}

impl<'b> Text<'b> {
    fn of(batch: &'b RecordBatch, name: &str) -> Result<Self, Unusable> {
        let Some(column) = batch.column_by_name(name) else { return Ok(Self::Empty) };
        let wrong = || Unusable(format!("column {name} is not what this program writes"));
        if column.null_count() > 0 {
            return Err(wrong());
        }
        if let Some(column) = column.as_string_opt::<i32>() {
            return Ok(Self::Plain(column));
        }
        let column = column.as_dictionary_opt::<Int32Type>().ok_or_else(wrong)?;
        let values = column.values().as_string_opt::<i32>().ok_or_else(wrong)?;
        Ok(Self::Repeated { keys: column.keys().values(), values })
    }

    fn get(&self, row: usize) -> &'b str {
        match self {
            Self::Plain(column) => column.value(row),
            Self::Repeated { keys, values } => values.value(place(keys[row])),
            Self::Empty => "",
        }
    }
}

/// A dictionary's keys are never negative.
fn place(key: i32) -> usize {
    usize::try_from(key).unwrap_or(usize::MAX)
}

/// A batch's columns of text.
struct Columns<'b> {
    sender: Text<'b>,
    domain: Text<'b>,
    username: Text<'b>,
    mechanism: Text<'b>,
    tls: Text<'b>,
    client: Text<'b>,
}

impl<'b> Columns<'b> {
    fn of(batch: &'b RecordBatch) -> Result<Self, Unusable> {
        let column = |field| Text::of(batch, grain::column(field));
        Ok(Self {
            sender: column(Field::Sender)?,
            domain: column(Field::Domain)?,
            username: column(Field::Username)?,
            mechanism: column(Field::Mechanism)?,
            tls: column(Field::Tls)?,
            client: column(Field::Client)?,
        })
    }

    fn get(&self, field: Field, row: usize) -> &'b str {
        let column = match field {
            Field::Sender => &self.sender,
            Field::Domain => &self.domain,
            Field::Username => &self.username,
            Field::Mechanism => &self.mechanism,
            Field::Tls => &self.tls,
            Field::Client => &self.client,
        };
        column.get(row)
    }
}

fn batch_rows(
    batch: &RecordBatch,
    filter: &Filter,
    each: &mut impl FnMut(UsageKey<'_>, u64) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, Unusable> {
    let columns = Columns::of(batch)?;
    let messages = counts(batch, Grain::Usage)?;
    let Text::Repeated { keys: tls, values } = &columns.tls else {
        return Err(Unusable("column tls is not what this program writes".to_owned()));
    };
    let versions = values.iter().map(|name| TlsVersion::from_name(name.unwrap_or_default()));
    let versions: Option<Vec<_>> = versions.collect();
    let versions = versions.ok_or_else(|| Unusable("it has unknown TLS versions".to_owned()))?;
    let all = filter.is_all();
    for (row, messages) in messages.iter().enumerate() {
        // Most rows fall at a filter: of those no more is looked at than that takes.
        if !all && !filter.passes(|field| columns.get(field, row)) {
            continue;
        }
        let key = UsageKey {
            domain: columns.domain.get(row),
            sender: columns.sender.get(row),
            username: columns.username.get(row),
            mechanism: columns.mechanism.get(row),
            tls: versions[place(tls[row])],
            client: columns.client.get(row),
        };
        if each(key, u64::try_from(*messages).unwrap_or(0)).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}
