//! A function on AWS Lambda: what it is told, whom it asks, and what it tells.

use std::sync::Arc;
use std::time::Duration;

use metrics::Figures;
use object_store::ObjectStore;
#[cfg(feature = "geo")]
use object_store::ObjectStoreExt as _;
use store::Store;

use crate::aws::{self, Patience};
#[cfg(feature = "geo")]
use crate::config::Meaning;
use crate::config::{ConfigError, Environment, Metrics, Section, Settings, Source};
use crate::log::log_for_machines;

/// A function that has begun.
#[derive(Clone, Debug)]
pub struct Function {
    name: &'static str,
    namespace: Arc<str>,
    patience: Patience,
}

impl Function {
    /// Begins to log. Its requests to DynamoDB, SES, SNS and EventBridge are given up after `patience`, with all their attempts:
    /// less than the function may run.
    ///
    /// # Errors
    /// What every function is told makes no sense.
    pub fn start(name: &'static str, patience: Duration) -> Result<Self, ConfigError> {
        log_for_machines();
        let Metrics { namespace } = settings().read()?;
        let patience = Patience::of_function(patience);
        Ok(Self { name, namespace: namespace.into(), patience })
    }

    /// What it is told by its variables.
    ///
    /// # Errors
    /// The first one of the section that is missing or makes no sense.
    pub fn read<S: Section>(&self) -> Result<S, ConfigError> {
        settings().read()
    }

    /// The table in DynamoDB; `AWS_ENDPOINT_URL_DYNAMODB` names another endpoint.
    ///
    /// # Errors
    /// `TABLE_NAME`, or a variable that Lambda sets, is missing.
    pub fn store(&self) -> Result<Store, ConfigError> {
        aws::store(&settings(), self.patience)
    }

    /// The bucket of the archives in S3, asked through `http`; `AWS_ENDPOINT_URL_S3` names another endpoint. A
    /// request is not tried again once `wait` is over.
    ///
    /// # Errors
    /// `ARCHIVE_BUCKET`, or a variable that Lambda sets, is missing.
    pub fn archives(
        &self,
        http: reqwest::Client,
        wait: Duration,
    ) -> Result<Arc<dyn ObjectStore>, ConfigError> {
        aws::archives(&settings(), http, wait)
    }

    /// What is known beside the logs: `MECHANISM_KINDS`, and what databases below `geo/` in the bucket of archives tell.
    /// Those that are not there, or of no use, are logged, and are no reason not to work.
    ///
    /// # Errors
    /// A variable cannot be used.
    #[cfg(feature = "geo")]
    pub async fn known(&self, objects: &dyn ObjectStore) -> Result<report::Known, ConfigError> {
        let meaning: Meaning = self.read()?;
        let mut databases = Vec::new();
        for name in &meaning.geo {
            let at = object_store::path::Path::from(format!("geo/{name}"));
            let read = async { objects.get(&at).await?.bytes().await };
            match read.await {
                Ok(bytes) => databases.push((name.clone(), bytes.into())),
                Err(error) => tracing::warn!(name, %error, "a database of places cannot be read"),
            }
        }
        Ok(meaning.clone().known(databases).unwrap_or_else(|error| {
            tracing::warn!(%error, "no database of places is used");
            report::Known { kinds: meaning.kinds, places: None }
        }))
    }

    /// Mail by SES, from `MAIL_FROM`; `AWS_ENDPOINT_URL_SESV2` names another endpoint.
    ///
    /// # Errors
    /// `MAIL_FROM` is missing or cannot be used, or a variable that Lambda sets is missing.
    #[cfg(feature = "ses")]
    pub fn mailer(&self) -> Result<mailer::Mailer, ConfigError> {
        aws::mailer(&settings(), self.patience)
    }

    /// Where alerts go: to SNS at `ALERT_TOPIC` and to EventBridge at `ALERT_BUS`, as far as these are set, with links to
    /// `DASHBOARD_URL`; `AWS_ENDPOINT_URL_SNS` and `AWS_ENDPOINT_URL_EVENTBRIDGE` name other endpoints.
    ///
    /// # Errors
    /// A variable cannot be used, or one that Lambda sets is missing.
    #[cfg(feature = "channels")]
    pub fn channels(&self) -> Result<channels::Channels, ConfigError> {
        aws::channels(&settings(), self.patience)
    }

    /// Tells figures, at `now` in seconds since 1970, where CloudWatch takes them.
    pub fn tell(&self, figures: &impl Figures, now: i64) {
        println!("{}", metrics::emf(&self.namespace, self.name, figures, now));
    }
}

fn settings() -> Settings<'static> {
    Settings::of([&Environment as &dyn Source])
}
