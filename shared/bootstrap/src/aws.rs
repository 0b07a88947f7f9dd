//! Clients of AWS, with what Lambda puts into the environment.
//!
//! Lambda hands region and credentials over in variables, so the SDK's search for them, which takes
//! most of a cold start, is left out.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig as SdkRetries;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, Region, SharedAsyncSleep, SharedCredentialsProvider,
};
use aws_sdk_dynamodb::{Client, Config as ClientConfig};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_types::SdkConfig;
#[cfg(feature = "channels")]
use channels::{Channel, Channels, EventBridge, Sns, Way};
#[cfg(feature = "channels")]
use detect::{Pace, Severity};
use object_store::aws::AmazonS3Builder;
use object_store::client::{HttpClient, HttpConnector};
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use store::{Store, Writing};

#[cfg(feature = "channels")]
use crate::config::{AlertTargets, Site};
use crate::config::{Archive, BUCKET, ConfigError, Settings, Table};
#[cfg(feature = "ses")]
use crate::config::{MAIL_FROM, SesMail};

/// Requests that are throttled or fail for the moment are made so often, with growing pauses.
const ATTEMPTS: u32 = 8;
/// How long a connection, and a function's attempt at a request, are waited for. AWS answers in milliseconds: who does not by
/// then is not there any more, and another attempt finds somebody else.
const CONNECTION: Duration = Duration::from_secs(3);
const ATTEMPT: Duration = Duration::from_secs(5);
/// The same for what a person starts, on whatever line.
const ATTEMPT_OF_A_PERSON: Duration = Duration::from_secs(60);
/// Counter items written at once.
const CONCURRENCY: usize = 32;

fn variable(name: &str, expected: &str) -> Result<String, ConfigError> {
    std::env::var(name)
        .map_err(|_| ConfigError::Missing { name: name.to_owned(), expected: expected.to_owned() })
}

/// What Lambda says about itself and its role.
struct Identity {
    region: String,
    key: String,
    secret: String,
    session: Option<String>,
}

impl Identity {
    fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            region: variable("AWS_REGION", "an AWS region, as in eu-west-1")?,
            key: variable("AWS_ACCESS_KEY_ID", "the access key's id")?,
            secret: variable("AWS_SECRET_ACCESS_KEY", "the access key")?,
            session: std::env::var("AWS_SESSION_TOKEN").ok(),
        })
    }
}

/// How long AWS is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    attempt: Duration,
    request: Duration,
}

impl Patience {
    /// That of a person's program: 60 seconds an attempt, 5 minutes a request with all its attempts.
    pub const OF_A_PERSON: Self =
        Self { attempt: ATTEMPT_OF_A_PERSON, request: Duration::from_secs(300) };

    /// That of a function: 5 seconds an attempt, and `request` with all its attempts, which must be less than the function may
    /// run, or Lambda ends it before it can tell what did not answer.
    #[must_use]
    pub const fn of_function(request: Duration) -> Self {
        Self { attempt: ATTEMPT, request }
    }
}

/// What all clients of the SDK have in common.
///
/// # Errors
/// A variable that Lambda sets is missing.
pub fn sdk_config(patience: Patience) -> Result<SdkConfig, ConfigError> {
    Ok(sdk_config_of(Identity::from_env()?, patience))
}

fn sdk_config_of(identity: Identity, patience: Patience) -> SdkConfig {
    let Identity { region, key, secret, session } = identity;
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECTION)
        .operation_attempt_timeout(patience.attempt)
        .operation_timeout(patience.request)
        .build();
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let credentials = Credentials::new(key, secret, session, None, "environment");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(SdkRetries::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(timeouts)
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .http_client(http)
        .build()
}

/// Mail by SES.
#[cfg(feature = "ses")]
pub(crate) fn mailer(
    settings: &Settings<'_>,
    patience: Patience,
) -> Result<mailer::Mailer, ConfigError> {
    let SesMail { from, size_limit, configuration_set } = settings.read()?;
    let endpoint = std::env::var("AWS_ENDPOINT_URL_SESV2").ok();
    // SES has a limit of its own.
    let limit = size_limit.unwrap_or(usize::MAX);
    let ses = mailer::Ses::new(&sdk_config(patience)?, endpoint, configuration_set, limit);
    mailer::Mailer::new(&from, Arc::new(ses)).map_err(|_| settings.invalid(&MAIL_FROM, from))
}

/// Where alerts go.
#[cfg(feature = "channels")]
pub(crate) fn channels(
    settings: &Settings<'_>,
    patience: Patience,
) -> Result<Channels, ConfigError> {
    let AlertTargets { topic, bus } = settings.read()?;
    let Site { dashboard } = settings.read()?;
    if topic.is_none() && bus.is_none() {
        return Ok(Channels::default());
    }
    let sdk = sdk_config(patience)?;
    let endpoint = |name: &str| std::env::var(name).ok();
    let channel = |name: &str, form, pace, way: Arc<dyn Way>| Channel {
        name: name.to_owned(),
        form,
        pace,
        each: pace == Pace::Machine,
        least: Severity::Medium,
        way,
    };
    let topic = topic.map(|topic| {
        let sns = Sns::new(&sdk, endpoint("AWS_ENDPOINT_URL_SNS"), topic);
        channel("topic", "sns", Pace::People, Arc::new(sns))
    });
    let bus = bus.map(|bus| {
        let bus = EventBridge::new(&sdk, endpoint("AWS_ENDPOINT_URL_EVENTBRIDGE"), bus);
        channel("bus", "eventbridge", Pace::Machine, Arc::new(bus))
    });
    Ok(Channels { all: topic.into_iter().chain(bus).collect(), dashboard })
}

/// Asks web servers over TLS; a request is given up after `wait`, or once nothing comes for 5 seconds, and never led elsewhere. One is enough for a
/// process: reading this machine's certificates takes a good part of its start.
///
/// # Errors
/// This machine has no certificates to check others by.
pub fn http(wait: Duration) -> Result<reqwest::Client, reqwest::Error> {
    // The same TLS as that of the SDK's client. Somebody else having chosen before is as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    builder.connect_timeout(CONNECTION).read_timeout(ATTEMPT).timeout(wait).build()
}

/// The client for S3 that is there already.
#[derive(Debug)]
struct Shared(reqwest::Client);

impl HttpConnector for Shared {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

/// The table in DynamoDB.
pub(crate) fn store(settings: &Settings<'_>, patience: Patience) -> Result<Store, ConfigError> {
    store_of(settings.read::<Table>()?.name, patience)
}

/// The table of this name in DynamoDB; `AWS_ENDPOINT_URL_DYNAMODB` names another endpoint.
///
/// # Errors
/// A variable that Lambda sets is missing.
pub fn store_of(table: impl Into<String>, patience: Patience) -> Result<Store, ConfigError> {
    let mut client = ClientConfig::from(&sdk_config(patience)?).to_builder();
    if let Ok(endpoint) = std::env::var("AWS_ENDPOINT_URL_DYNAMODB") {
        client = client.endpoint_url(endpoint);
    }
    let writing = Writing::Single { concurrency: CONCURRENCY };
    Ok(Store::new(Client::from_conf(client.build()), table, writing))
}

/// The bucket of the archives in S3, asked through `http`.
pub(crate) fn archives(
    settings: &Settings<'_>,
    http: reqwest::Client,
    wait: Duration,
) -> Result<Arc<dyn ObjectStore>, ConfigError> {
    let Archive { bucket } = settings.read()?;
    let Identity { region, key, secret, session } = Identity::from_env()?;
    let retries = RetryConfig { retry_timeout: wait, ..RetryConfig::default() };
    let mut s3 = AmazonS3Builder::new()
        .with_http_connector(Shared(http))
        .with_retry(retries)
        .with_bucket_name(&bucket)
        .with_region(region)
        .with_access_key_id(key)
        .with_secret_access_key(secret);
    if let Some(session) = session {
        s3 = s3.with_token(session);
    }
    if let Ok(endpoint) = std::env::var("AWS_ENDPOINT_URL_S3") {
        s3 = s3.with_allow_http(endpoint.starts_with("http:")).with_endpoint(endpoint);
    }
    Ok(Arc::new(s3.build().map_err(|_| settings.invalid(&BUCKET, bucket))?))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::net::TcpListener;
    use tokio::time::Instant;

    use super::*;

    /// Takes connections, and never answers on any. Counts them.
    async fn silent() -> (SocketAddr, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a place");
        let (address, taken) = (listener.local_addr().expect("an address"), Arc::default());
        let count: Arc<AtomicUsize> = Arc::clone(&taken);
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((connection, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                open.push(connection);
            }
        });
        (address, taken)
    }

    fn identity() -> Identity {
        let text = str::to_owned;
        Identity { region: text("eu-west-1"), key: text("k"), secret: text("s"), session: None }
    }

    #[tokio::test(start_paused = true)]
    async fn a_table_that_does_not_answer_is_given_up_before_the_function_is() {
        let (address, taken) = silent().await;
        let patience = Patience::of_function(Duration::from_secs(20));
        let config = ClientConfig::from(&sdk_config_of(identity(), patience)).to_builder();
        let client = Client::from_conf(config.endpoint_url(format!("http://{address}")).build());
        let began = Instant::now();
        let asked = client.describe_table().table_name("t").send().await;
        assert!(asked.is_err());
        let waited = began.elapsed();
        assert!(waited <= Duration::from_secs(21), "{waited:?}");
        assert!(taken.load(Ordering::SeqCst) > 1, "a new connection is tried after each attempt");
    }

    #[cfg(feature = "ses")]
    #[tokio::test(start_paused = true)]
    async fn a_large_mail_has_more_time_than_other_requests() {
        use mailer::Transport as _;
        let (address, _) = silent().await;
        let sdk = sdk_config_of(identity(), Patience::of_function(Duration::from_secs(20)));
        let ses = mailer::Ses::new(&sdk, Some(format!("http://{address}")), None, usize::MAX);
        let began = Instant::now();
        let (from, to) = ("reports@example.test".to_owned(), "ann@example.test".to_owned());
        let id = "1@example.test".to_owned();
        let mail = mailer::Message { id, from, recipients: vec![to], bytes: vec![b'.'; 1_000_000] };
        assert!(matches!(ses.send(mail).await, Err(mailer::SendError::Temporary(_))));
        let waited = began.elapsed();
        assert!((Duration::from_secs(30)..Duration::from_secs(60)).contains(&waited), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_web_server_that_says_nothing_is_given_up_before_the_whole_time_is_over() {
        let (address, _) = silent().await;
        let http = http(Duration::from_secs(60)).expect("certificates");
        let began = Instant::now();
        assert!(http.get(format!("http://{address}")).send().await.is_err());
        let waited = began.elapsed();
        assert!(waited <= Duration::from_secs(6), "{waited:?}");
    }
}
