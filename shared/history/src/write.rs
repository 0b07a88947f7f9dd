//! Rows into Parquet files.

use std::sync::Arc;

use arrow_array::builder::{Int64Builder, StringBuilder, StringDictionaryBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use report::{Field, TlsCounts, TlsVersion, UsageKey};

use crate::besides::Besides;
use crate::grain::{self, Grain};
use crate::rows::DayRows;

/// Rows handed to the writer at once.
const BATCH: usize = 8192;
/// Rows of a row group of the usage file: small, so that one sender's are found quickly.
const USAGE_GROUP: usize = 32_768;
/// Rows of a row group of the senders file, which is mostly read whole.
const SENDERS_GROUP: usize = 262_144;
/// Zstandard's own default.
const LEVEL: i32 = 3;

fn properties(grain: Grain) -> Result<WriterProperties, ParquetError> {
    let columns = 0..i32::try_from(grain.fields().len()).unwrap_or(0);
    let sorted = columns.map(|column_idx| SortingColumn {
        column_idx,
        descending: false,
        nulls_first: false,
    });
    let group = match grain {
        Grain::Usage | Grain::Failures | Grain::Finer => USAGE_GROUP,
        Grain::Senders => SENDERS_GROUP,
    };
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(LEVEL)?))
        .set_max_row_group_row_count(Some(group))
        .set_sorting_columns(Some(sorted.collect()));
    // Neighbours begin alike, and hardly any value comes twice in many rows: no dictionary helps.
    for field in [Field::Sender, Field::Username] {
        let name = grain::column(field);
        properties = properties
            .set_column_dictionary_enabled(ColumnPath::from(name), false)
            .set_column_encoding(ColumnPath::from(name), Encoding::DELTA_BYTE_ARRAY);
    }
    Ok(properties.build())
}

/// A column under construction.
enum Text {
    Plain(StringBuilder),
    Repeated(StringDictionaryBuilder<Int32Type>),
}

/// A file under construction.
struct Sheet {
    schema: SchemaRef,
    texts: Vec<Text>,
    messages: Int64Builder,
    waiting: usize,
    writer: ArrowWriter<Vec<u8>>,
}

impl Sheet {
    fn new(grain: Grain) -> Result<Self, ParquetError> {
        let schema = Arc::new(grain.schema(true));
        let text = |field: &Field| {
            if grain::repeats(*field) {
                Text::Repeated(StringDictionaryBuilder::new())
            } else {
                Text::Plain(StringBuilder::new())
            }
        };
        let mut texts: Vec<_> = grain.fields().iter().map(text).collect();
        texts.extend(grain.further().map(|_| Text::Repeated(StringDictionaryBuilder::new())));
        let properties = properties(grain)?;
        let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties))?;
        Ok(Self { schema, texts, messages: Int64Builder::new(), waiting: 0, writer })
    }

    fn row<const N: usize>(&mut self, texts: [&str; N], messages: u64) -> Result<(), ParquetError> {
        for (column, text) in self.texts.iter_mut().zip(texts) {
            match column {
                Text::Plain(column) => column.append_value(text),
                Text::Repeated(column) => column.append_value(text),
            }
        }
        self.messages.append_value(i64::try_from(messages).unwrap_or(i64::MAX));
        self.waiting += 1;
        if self.waiting == BATCH { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), ParquetError> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.texts.len() + 1);
        for column in &mut self.texts {
            columns.push(match column {
                Text::Plain(column) => Arc::new(column.finish()),
                Text::Repeated(column) => Arc::new(column.finish()),
            });
        }
        columns.push(Arc::new(self.messages.finish()));
        self.waiting = 0;
        self.writer.write(&RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }

    fn finish(mut self) -> Result<Vec<u8>, ParquetError> {
        self.write()?;
        self.writer.into_inner()
    }
}

/// The files of a day.
pub(crate) struct Files {
    /// In the order of [`Grain::ALL`].
    pub(crate) all: [Vec<u8>; 4],
    pub(crate) messages: u64,
}

/// Writes the files from rows that are in order.
pub(crate) fn files(rows: &DayRows, besides: &Besides) -> Result<Files, ParquetError> {
    let (mut usage, mut senders) = (Sheet::new(Grain::Usage)?, Sheet::new(Grain::Senders)?);
    let mut sum = TlsCounts::default();
    let mut of: Option<UsageKey<'_>> = None;
    let mut messages: u64 = 0;
    for (key, count) in rows.iter() {
        let tls = key.tls.name();
        let texts = [key.sender, key.domain, key.username, key.mechanism, tls, key.client];
        usage.row(texts, count)?;
        messages = messages.saturating_add(count);
        if let Some(of) = of
            && (of.sender, of.domain) != (key.sender, key.domain)
        {
            add_sums(&mut senders, &of, &sum)?;
            sum = TlsCounts::default();
        }
        of = Some(key);
        sum.add(key.tls, count);
    }
    if let Some(of) = of {
        add_sums(&mut senders, &of, &sum)?;
    }
    let mut failures = Sheet::new(Grain::Failures)?;
    for ((account, client, hour), count) in &besides.failed {
        let hour = hour.map_or(String::new(), |hour| format!("{hour:02}"));
        failures.row([account, client, &hour], *count)?;
    }
    let mut finer = Sheet::new(Grain::Finer)?;
    for ((account, of), count) in &besides.finer {
        finer.row([account, of.name()], *count)?;
    }
    let all = [usage.finish()?, senders.finish()?, failures.finish()?, finer.finish()?];
    Ok(Files { all, messages })
}

fn add_sums(to: &mut Sheet, of: &UsageKey<'_>, sum: &TlsCounts) -> Result<(), ParquetError> {
    let mut versions = TlsVersion::ALL;
    versions.sort_unstable_by_key(|version| version.name());
    for version in versions.into_iter().filter(|version| sum.get(*version) > 0) {
        to.row([of.sender, of.domain, version.name()], sum.get(version))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use report::Finer;

    use super::*;
    use crate::read;

    #[test]
    fn what_is_counted_besides_messages_is_read_as_it_was_written() {
        let mut besides = Besides::default();
        for (account, client, hour, failures) in
            [("", "192.0.2.1", Some(7), 3), ("ann", "", None, 1), ("ann", "", Some(23), 2)]
        {
            besides.failed.insert((account.to_owned(), client.to_owned(), hour), failures);
        }
        for (account, of, count) in
            [("ann", Finer::Night, 4), ("ann", Finer::Recipients, 900), ("bob", Finer::Night, 1)]
        {
            besides.finer.insert((account.to_owned(), of), count);
        }
        for besides in [besides, Besides::default()] {
            let files = files(&DayRows::default(), &besides).expect("files");
            let [_, _, failures, finer] = files.all;
            assert_eq!(read::finer(finer.clone().into()), Ok(besides.finer));
            assert_eq!(read::failed(failures.into()), Ok(besides.failed));
            assert!(read::failed(finer.into()).is_err(), "it has other columns");
        }
    }
}
