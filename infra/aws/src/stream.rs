//! The Kinesis stream, written to in order.

use anyhow::{Result, anyhow};
use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::Builder;
use aws_sdk_kinesis::primitives::Blob;
use bootstrap::Patience;
use libdeflater::{CompressionLvl, Compressor};
use store::why_failed;

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
        let mut config = Builder::from(&bootstrap::sdk_config(Patience::OF_A_PERSON)?);
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
        let put = put.send().await.map_err(|error| {
            let (name, why) = (&self.name, why_failed("the stream", &error));
            anyhow!("the stream {name} did not take a record of {size} bytes: {why}")
        })?;
        self.last = Some(put.sequence_number);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_kinesis::config::{BehaviorVersion, Credentials, Region};

    use super::*;

    #[tokio::test]
    async fn an_error_of_the_stream_is_one_line() {
        let http = aws_smithy_http_client::Builder::new().build_http();
        let config = Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .http_client(http)
            .endpoint_url("http://127.0.0.1:9")
            .retry_config(aws_sdk_kinesis::config::retry::RetryConfig::disabled());
        let client = Client::from_conf(config.build());
        let mut stream = Stream { client, name: "mail".to_owned(), last: None };
        let error = stream.put("key", b"line".to_vec()).await.expect_err("nobody is there");
        let told = format!("{error:#}");
        let expected =
            "the stream mail did not take a record of 4 bytes: the stream was not reached: ";
        assert!(told.starts_with(expected), "{told}");
        assert!(
            !told.contains('\n') && told.len() < 300 && !told.contains("DispatchFailure"),
            "{told}"
        );
    }
}
