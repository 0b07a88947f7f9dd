//! Clients of AWS, with what Lambda puts into the environment.
//!
//! Lambda hands region and credentials over in variables, so the SDK's search for them, which takes
//! most of a cold start, is left out.

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::{Client, Config as ClientConfig};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use store::{Store, Writing};

use crate::{Config, ConfigError};

/// Requests that are throttled or fail for the moment are made so often, with growing pauses.
const ATTEMPTS: u32 = 8;
/// Counter items written at once.
const CONCURRENCY: usize = 32;

fn variable(name: &'static str, expected: &'static str) -> Result<String, ConfigError> {
    std::env::var(name).map_err(|_| ConfigError::Missing { name, expected })
}

/// The table in DynamoDB; `AWS_ENDPOINT_URL_DYNAMODB` names another endpoint.
///
/// # Errors
/// A variable that Lambda sets is missing.
pub fn store(config: &Config) -> Result<Store, ConfigError> {
    let region = variable("AWS_REGION", "an AWS region, as in eu-west-1")?;
    let key = variable("AWS_ACCESS_KEY_ID", "the access key's id")?;
    let secret = variable("AWS_SECRET_ACCESS_KEY", "the access key")?;
    let session = std::env::var("AWS_SESSION_TOKEN").ok();
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let mut client = ClientConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(Credentials::new(key, secret, session, None, "environment"))
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .http_client(http);
    if let Ok(endpoint) = std::env::var("AWS_ENDPOINT_URL_DYNAMODB") {
        client = client.endpoint_url(endpoint);
    }
    let writing = Writing::Single { concurrency: CONCURRENCY };
    Ok(Store::new(Client::from_conf(client.build()), config.table.clone(), writing))
}
