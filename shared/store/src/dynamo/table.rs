//! The table itself.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    TimeToLiveSpecification,
};

use crate::dynamo::error::StoreError;
use crate::dynamo::items::EXPIRES;
use crate::dynamo::keys;

/// How counters are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// One request an item, this many at once: the cheapest on AWS.
    Single {
        /// Requests under way at once.
        concurrency: usize,
    },
    /// A hundred items a request: twice the write units on AWS, a tenth of the time on one machine.
    Transactions,
}

/// The table, and how it is reached.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(super) client: Client,
    pub(super) name: Arc<str>,
    pub(crate) writing: Writing,
}

impl Table {
    pub(crate) fn new(client: Client, name: &str, writing: Writing) -> Self {
        Self { client, name: Arc::from(name), writing }
    }

    /// Makes the table if there is none.
    pub(crate) async fn create(&self) -> Result<(), StoreError> {
        if self.answers().await.is_ok() {
            return Ok(());
        }
        let wrong = |error| StoreError::unbuilt("CreateTable", &error);
        let mut request = self
            .client
            .create_table()
            .table_name(&*self.name)
            .billing_mode(BillingMode::PayPerRequest);
        for (name, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
            let key = KeySchemaElement::builder().attribute_name(name).key_type(kind);
            let text = AttributeDefinition::builder()
                .attribute_name(name)
                .attribute_type(ScalarAttributeType::S);
            request = request
                .key_schema(key.build().map_err(wrong)?)
                .attribute_definitions(text.build().map_err(wrong)?);
        }
        request.send().await.map_err(|error| StoreError::request("CreateTable", &error))?;
        let expiry = TimeToLiveSpecification::builder().attribute_name(EXPIRES).enabled(true);
        self.client
            .update_time_to_live()
            .table_name(&*self.name)
            .time_to_live_specification(expiry.build().map_err(wrong)?)
            .send()
            .await
            .map_err(|error| StoreError::request("UpdateTimeToLive", &error))?;
        Ok(())
    }

    /// Whether the table answers.
    pub(crate) async fn answers(&self) -> Result<(), StoreError> {
        let get = self.client.get_item().table_name(&*self.name).set_key(Some(keys::zone()));
        get.send().await.map(|_| ()).map_err(|error| StoreError::request("GetItem", &error))
    }
}
