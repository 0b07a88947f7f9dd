//! The table itself.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    TimeToLiveSpecification,
};

use crate::dynamo::keys::EXPIRES;
use crate::{Store, StoreError};

impl Store {
    /// Makes the table if there is none: for engines on one machine. In AWS the template makes it.
    ///
    /// # Errors
    /// A request failed.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        if self.healthy().await.is_ok() {
            return Ok(());
        }
        let wrong = |error| StoreError::request("CreateTable", &error);
        let mut request = self
            .client
            .create_table()
            .table_name(&self.table)
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
            .table_name(&self.table)
            .time_to_live_specification(expiry.build().map_err(wrong)?)
            .send()
            .await
            .map_err(|error| StoreError::request("UpdateTimeToLive", &error))?;
        Ok(())
    }

    /// Whether the table answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn healthy(&self) -> Result<(), StoreError> {
        self.client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(crate::dynamo::keys::key("META", "zone")))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| StoreError::request("GetItem", &error))
    }
}
