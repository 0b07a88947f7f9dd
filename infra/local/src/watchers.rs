//! Who is told of new items, and of which partitions: what the table's stream and Lambda's event sources are on AWS.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use dynoxide::AttributeValue;
use serde_json::{Value, json};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// Those who watch, a partition each.
#[derive(Default)]
pub(crate) struct Watchers(RwLock<Vec<Watcher>>);

struct Watcher {
    partition: String,
    sender: UnboundedSender<Value>,
}

/// An item of a watched partition.
pub(crate) struct Watched {
    partition: String,
    key: Value,
}

impl Watchers {
    /// One more, who is told of a partition from now on.
    pub(crate) fn add(&self, partition: &str) -> UnboundedReceiver<Value> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|watcher| !watcher.sender.is_closed());
        all.push(Watcher { partition: partition.to_owned(), sender });
        receiver
    }

    /// What there is to tell of an item, if somebody watches its partition.
    pub(crate) fn watched(&self, item: &HashMap<String, AttributeValue>) -> Option<Watched> {
        let (AttributeValue::S(pk), AttributeValue::S(sk)) = (item.get("pk")?, item.get("sk")?)
        else {
            return None;
        };
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().any(|watcher| watcher.partition == *pk).then(|| Watched {
            partition: pk.clone(),
            key: json!({"pk": {"S": pk}, "sk": {"S": sk}}),
        })
    }

    /// Tells all who watch its partition of a new item.
    pub(crate) fn tell(&self, Watched { partition, key }: Watched) {
        let record = json!({
            "eventName": "INSERT",
            "eventSource": "aws:dynamodb",
            "dynamodb": {"Keys": key, "StreamViewType": "KEYS_ONLY"},
        });
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for watcher in all.iter().filter(|watcher| watcher.partition == partition) {
            // Nobody listens any more when the process is about to end.
            let _ = watcher.sender.send(record.clone());
        }
    }
}
