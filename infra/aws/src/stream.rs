//! The Kinesis stream, written to in order.

use anyhow::{Context as _, Result};
use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::Builder;
use aws_sdk_kinesis::error::DisplayErrorContext;
use aws_sdk_kinesis::primitives::Blob;
use libdeflater::{CompressionLvl, Compressor};

/// The most bytes of a record, with some room for its key.
pub(crate) const RECORD: usize = (1 << 20) - 1024;

/// Gzip, which the function that reads records inflates.
pub(crate) fn compressed(text: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::default());
    let mut gzip = vec![0; compressor.gzip_compress_bound(text.len())];
    // There is room for whatever comes of it.
    let length = compressor.gzip_compress(text, &mut gzip).unwrap_or(0);
    gzip.truncate(length);
    gzip
}

/// A stream, which takes records one after the other: so they stay in order, whatever is tried again.
pub(crate) struct Stream {
    client: Client,
    name: String,
    /// The last record's sequence number.
    last: Option<String>,
}

impl Stream {
    /// The stream of this name; `AWS_ENDPOINT_URL_KINESIS` names another endpoint.
    pub(crate) fn open(name: &str) -> Result<Self> {
        let mut config = Builder::from(&bootstrap::sdk_config()?);
        if let Ok(endpoint) = std::env::var("AWS_ENDPOINT_URL_KINESIS") {
            config = config.endpoint_url(endpoint);
        }
        let client = Client::from_conf(config.build());
        Ok(Self { client, name: name.to_owned(), last: None })
    }

    /// Writes a record behind those that were written before with the same key.
    pub(crate) async fn put(&mut self, key: &str, data: Vec<u8>) -> Result<()> {
        let size = data.len();
        let put = self
            .client
            .put_record()
            .stream_name(&self.name)
            .partition_key(key)
            .set_sequence_number_for_ordering(self.last.take())
            .data(Blob::new(data));
        let put =
            put.send().await.map_err(|error| anyhow::anyhow!("{}", DisplayErrorContext(error)));
        let put = put.with_context(|| {
            format!("the stream {} did not take a record of {size} bytes", self.name)
        })?;
        self.last = Some(put.sequence_number);
        Ok(())
    }
}
