//! Update expressions, written once.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnValuesOnConditionCheckFailure, Update, builders::UpdateBuilder,
};

use crate::counting::counter_pages::FULL;
use crate::dynamo::keys::{self, EXPIRES, Item};

/// An update of one item: adds to numbers and sets, sets attributes, under a condition.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) key: Item,
    pub(crate) update: String,
    pub(crate) condition: Option<String>,
    pub(crate) names: HashMap<String, String>,
    pub(crate) values: Item,
}

impl Change {
    /// `ADD`s these amounts and sets the item's expiry.
    pub(crate) fn add(
        key: Item,
        amounts: impl IntoIterator<Item = (&'static str, AttributeValue)>,
        expiry: AttributeValue,
    ) -> Self {
        let mut values = Item::from([(":expires".to_owned(), expiry)]);
        let mut adds = Vec::new();
        for (name, amount) in amounts {
            adds.push(format!("{name} :{name}"));
            values.insert(format!(":{name}"), amount);
        }
        let update = format!("ADD {} SET {EXPIRES} = :expires", adds.join(", "));
        Self { key, update, condition: None, names: HashMap::new(), values }
    }

    /// `ADD`s amounts to attributes of any name and sets the item's expiry.
    pub(crate) fn add_named(
        key: Item,
        amounts: impl IntoIterator<Item = (String, AttributeValue)>,
        expiry: AttributeValue,
    ) -> Self {
        let mut change = Self::add(key, [], expiry);
        let mut adds = Vec::new();
        for (number, (name, amount)) in amounts.into_iter().enumerate() {
            adds.push(format!("#n{number} :n{number}"));
            change.names.insert(format!("#n{number}"), name);
            change.values.insert(format!(":n{number}"), amount);
        }
        change.update = format!("ADD {} SET {EXPIRES} = :expires", adds.join(", "));
        change
    }

    /// Condition **open**: only while the page is not marked as full.
    ///
    /// Closes the race of a writer with one who closes the page: positions of a full page never change.
    pub(crate) fn while_open(mut self) -> Self {
        let others = self.condition.map_or(String::new(), |others| format!(" AND ({others})"));
        self.condition = Some(format!("attribute_not_exists({FULL}){others}"));
        self
    }

    /// Condition **not counted yet**: moves a source's position from before `first` to `last`.
    ///
    /// Closes the race of two writers with the same records, and of a writer with its own past: only
    /// one of them moves the position over `first`.
    pub(crate) fn once(mut self, attribute: &str, first: Vec<u8>, last: Vec<u8>) -> Self {
        self.update.push_str(", #p = :last");
        self.condition = Some("attribute_not_exists(#p) OR #p < :first".to_owned());
        self.names.insert("#p".to_owned(), attribute.to_owned());
        self.values.insert(":first".to_owned(), keys::bytes(first));
        self.values.insert(":last".to_owned(), keys::bytes(last));
        self
    }

    /// The same as a part of a transaction.
    pub(crate) fn into_update(self, table: &str) -> UpdateBuilder {
        Update::builder()
            .table_name(table)
            .set_key(Some(self.key))
            .update_expression(self.update)
            .set_condition_expression(self.condition)
            .set_expression_attribute_names(none_if_empty(self.names))
            .set_expression_attribute_values(Some(self.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}

/// DynamoDB refuses an empty map of names.
pub(crate) fn none_if_empty(names: HashMap<String, String>) -> Option<HashMap<String, String>> {
    (!names.is_empty()).then_some(names)
}
