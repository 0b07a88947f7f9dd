//! What is written: changes of an item, and the conditions of writes.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::dynamo::items::{EXPIRES, Item};

/// Under which condition an item is written. Whoever makes one names it, and the race that it closes.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(super) text: String,
    pub(super) names: HashMap<String, String>,
    pub(super) values: Item,
}

impl Condition {
    /// A condition expression of DynamoDB.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), names: HashMap::new(), values: Item::new() }
    }

    /// There is no such item.
    pub(crate) fn no_item() -> Self {
        Self::new("attribute_not_exists(pk)")
    }

    /// The attribute that the text calls by this `#place`: some names are words of DynamoDB's own.
    pub(crate) fn name(mut self, place: &str, attribute: &str) -> Self {
        self.names.insert(place.to_owned(), attribute.to_owned());
        self
    }

    /// The value that the text calls by this `:place`.
    pub(crate) fn value(mut self, place: &str, value: AttributeValue) -> Self {
        self.values.insert(place.to_owned(), value);
        self
    }

    /// Both this and the other, which calls nothing else by the same place.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.text = format!("({}) AND ({})", self.text, other.text);
        self.names.extend(other.names);
        self.values.extend(other.values);
        self
    }
}

/// A change of one item, attribute by attribute; it makes the item if there is none.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    key: Item,
    /// Actions by the keyword of their clause.
    adds: Vec<String>,
    deletes: Vec<String>,
    sets: Vec<String>,
    removes: Vec<String>,
    names: HashMap<String, String>,
    values: Item,
    condition: Option<Condition>,
}

/// A change as DynamoDB takes it, alone or in a transaction.
pub(super) struct Expressions {
    pub(super) key: Item,
    pub(super) update: String,
    pub(super) condition: Option<String>,
    pub(super) names: HashMap<String, String>,
    /// None if there are none: DynamoDB refuses an empty map.
    pub(super) values: Option<Item>,
}

impl Change {
    pub(crate) fn of(key: Item) -> Self {
        let (names, values) = (HashMap::new(), Item::new());
        let (adds, deletes, sets, removes) = (vec![], vec![], vec![], vec![]);
        Self { key, adds, deletes, sets, removes, names, values, condition: None }
    }

    /// Adds to a number, or elements to a set.
    pub(crate) fn add(mut self, attribute: impl Into<String>, amount: AttributeValue) -> Self {
        let (name, value) = (self.name(attribute), self.value(amount));
        self.adds.push(format!("{name} {value}"));
        self
    }

    /// Takes elements out of a set.
    pub(crate) fn delete(mut self, attribute: impl Into<String>, elements: AttributeValue) -> Self {
        let (name, value) = (self.name(attribute), self.value(elements));
        self.deletes.push(format!("{name} {value}"));
        self
    }

    pub(crate) fn set(mut self, attribute: impl Into<String>, value: AttributeValue) -> Self {
        let (name, value) = (self.name(attribute), self.value(value));
        self.sets.push(format!("{name} = {value}"));
        self
    }

    pub(crate) fn remove(mut self, attribute: impl Into<String>) -> Self {
        let name = self.name(attribute);
        self.removes.push(name);
        self
    }

    /// Sets when the item expires.
    pub(crate) fn expires(self, at: AttributeValue) -> Self {
        self.set(EXPIRES, at)
    }

    /// Makes the change only under this condition as well.
    pub(crate) fn only_if(mut self, condition: Condition) -> Self {
        self.condition = Some(match self.condition {
            Some(others) => others.and(condition),
            None => condition,
        });
        self
    }

    fn name(&mut self, attribute: impl Into<String>) -> String {
        let place = format!("#n{}", self.names.len());
        self.names.insert(place.clone(), attribute.into());
        place
    }

    fn value(&mut self, value: AttributeValue) -> String {
        let place = format!(":v{}", self.values.len());
        self.values.insert(place.clone(), value);
        place
    }

    pub(super) fn into_expressions(self) -> Expressions {
        let Self { key, adds, deletes, sets, removes, mut names, mut values, condition } = self;
        let clauses = [("ADD", adds), ("DELETE", deletes), ("SET", sets), ("REMOVE", removes)];
        let clauses = clauses.iter().filter(|(_, actions)| !actions.is_empty());
        let clauses = clauses.map(|(keyword, actions)| format!("{keyword} {}", actions.join(", ")));
        let update = clauses.collect::<Vec<_>>().join(" ");
        let condition = condition.map(|condition| {
            names.extend(condition.names);
            values.extend(condition.values);
            condition.text
        });
        let values = (!values.is_empty()).then_some(values);
        Expressions { key, update, condition, names, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::items::of_number;
    use crate::dynamo::keys;

    #[test]
    fn a_change_is_one_expression_whose_every_place_is_filled() {
        let change = Change::of(keys::zone())
            .add("a\tb", of_number(1))
            .set("status", of_number(2))
            .add("c", of_number(3))
            .remove("lease")
            .only_if(Condition::new("#p < :first").name("#p", "p1").value(":first", of_number(4)))
            .only_if(Condition::new("attribute_not_exists(f)"));
        let Expressions { update, condition, names, values, .. } = change.into_expressions();
        assert_eq!(update, "ADD #n0 :v0, #n2 :v2 SET #n1 = :v1 REMOVE #n3");
        assert_eq!(condition.as_deref(), Some("(#p < :first) AND (attribute_not_exists(f))"));
        let mut places: Vec<_> = names.into_iter().collect();
        places.sort();
        let filled = [("#n0", "a\tb"), ("#n1", "status"), ("#n2", "c"), ("#n3", "lease")];
        let filled = filled.into_iter().chain([("#p", "p1")]);
        let filled: Vec<_> = filled.map(|(p, n)| (p.to_owned(), n.to_owned())).collect();
        assert_eq!(places, filled);
        assert_eq!(values.map(|values| values.len()), Some(4));
    }
}
