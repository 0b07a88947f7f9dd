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
use report::{TlsVersion, UsageKey};

use crate::{Grain, Unusable, Wanted, write};

/// Rows decoded at once: they fit into a core's own cache.
const BATCH: usize = 8192;

/// Hands every wanted row of a file to `each`, in the file's order, until that breaks off.
pub(crate) fn rows(
    file: Bytes,
    wanted: &Wanted,
    mut each: impl FnMut(UsageKey<'_>, u64) -> ControlFlow<()>,
) -> Result<(), Unusable> {
    let metadata = metadata(&file, wanted.grain)?;
    let groups = metadata.metadata().row_groups();
    let groups = (0..groups.len()).filter(|group| may_hold(&groups[*group], wanted)).collect();
    let columns: &[&str] = match wanted.grain {
        Grain::Usage => &["sender", "domain", "account", "mechanism", "tls", "client", "messages"],
        Grain::Senders if wanted.domain.is_some() => &["sender", "domain", "tls", "messages"],
        Grain::Senders => &["sender", "tls", "messages"],
    };
    let mask = ProjectionMask::columns(metadata.parquet_schema(), columns.iter().copied());
    let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
        .with_row_groups(groups)
        .with_projection(mask)
        .with_batch_size(BATCH)
        .build()
        .map_err(parquet)?;
    for batch in batches {
        let batch = batch.map_err(|error: ArrowError| Unusable::new(error))?;
        if batch_rows(&batch, wanted, &mut each)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Reads a file's description of itself, and checks that its columns are ours.
pub(crate) fn metadata(file: &Bytes, grain: Grain) -> Result<ArrowReaderMetadata, Unusable> {
    let metadata = ArrowReaderMetadata::load(file, Default::default()).map_err(parquet)?;
    if metadata.schema().fields() != write::schema(grain).fields() {
        return Err(Unusable("it has other columns than this program writes".to_owned()));
    }
    Ok(metadata)
}

fn parquet(error: ParquetError) -> Unusable {
    Unusable::new(error)
}

/// Whether a row group can hold the wanted sender, by the smallest and largest one in it.
fn may_hold(group: &RowGroupMetaData, wanted: &Wanted) -> bool {
    let Some(sender) = wanted.sender.as_deref().map(str::as_bytes) else { return true };
    let senders = group.columns().iter().find(|column| column.column_path().string() == "sender");
    let Some(statistics) = senders.and_then(|column| column.statistics()) else { return true };
    statistics.min_bytes_opt().is_none_or(|min| min <= sender)
        && statistics.max_bytes_opt().is_none_or(|max| sender <= max)
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

fn batch_rows(
    batch: &RecordBatch,
    wanted: &Wanted,
    each: &mut impl FnMut(UsageKey<'_>, u64) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, Unusable> {
    let column = |name| Text::of(batch, name);
    let (senders, domains, clients) = (column("sender")?, column("domain")?, column("client")?);
    let (accounts, mechanisms, tls) = (column("account")?, column("mechanism")?, column("tls")?);
    let messages = batch.column_by_name("messages").and_then(|c| c.as_primitive_opt::<Int64Type>());
    let messages = messages.ok_or_else(|| Unusable("it has no column messages".to_owned()))?;
    let Text::Repeated { keys: tls, values } = tls else {
        return Err(Unusable("column tls is not what this program writes".to_owned()));
    };
    let versions = values.iter().map(|name| TlsVersion::from_name(name.unwrap_or_default()));
    let versions: Option<Vec<_>> = versions.collect();
    let versions = versions.ok_or_else(|| Unusable("it has unknown TLS versions".to_owned()))?;
    for (row, messages) in messages.values().iter().enumerate() {
        let (sender, domain) = (senders.get(row), domains.get(row));
        let passed = wanted.sender.as_deref().is_none_or(|wanted| wanted == sender)
            && wanted.domain.as_deref().is_none_or(|wanted| wanted == domain);
        if !passed {
            continue;
        }
        let key = UsageKey {
            domain,
            sender,
            account: accounts.get(row),
            mechanism: mechanisms.get(row),
            tls: versions[place(tls[row])],
            client: clients.get(row),
        };
        if each(key, u64::try_from(*messages).unwrap_or(0)).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}
