//! Report requests as items: what is written, read and changed.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use report::{Contents, Day, Range, ReportRequest, Status, View};

use crate::StoreError;
use crate::dynamo::keys::{self, EXPIRES, Item};
use crate::dynamo::update::Change;
use crate::mailing::report_requests::REPORT_REQUESTS;

/// Seconds that a request is kept.
const LIFE: i64 = 92 * 86_400;

pub(crate) fn held_until(item: &Item) -> i64 {
    keys::instant(item, "until").unwrap_or(0)
}

pub(crate) fn item(request: &ReportRequest) -> Item {
    let mut item = keys::key(REPORT_REQUESTS, &request.id);
    write_contents(&mut item, &request.contents);
    let text = |text: &str| AttributeValue::S(text.to_owned());
    item.insert("start".to_owned(), text(&request.range.start.to_string()));
    item.insert("end".to_owned(), text(&request.range.end.to_string()));
    item.insert("created".to_owned(), keys::of_number(request.created));
    item.insert("status".to_owned(), text(request.status.name()));
    item.insert("attempts".to_owned(), keys::of_number(request.attempts));
    if let Some(schedule) = &request.schedule {
        item.insert("schedule".to_owned(), text(schedule));
    }
    item.insert(EXPIRES.to_owned(), keys::of_number(request.created.saturating_add(LIFE)));
    item
}

pub(crate) fn read(item: &Item) -> Result<ReportRequest, StoreError> {
    let wrong = || StoreError::Item {
        key: format!("{REPORT_REQUESTS} {}", keys::text(item, "sk").unwrap_or("?")),
        expected: "a report request",
    };
    let day = |name| keys::text(item, name).and_then(|text| text.parse::<Day>().ok());
    let text = |name| keys::text(item, name).map(str::to_owned);
    let request = || {
        Some(ReportRequest {
            id: text("sk")?,
            contents: read_contents(item)?,
            range: Range { start: day("start")?, end: day("end")? },
            schedule: text("schedule"),
            created: keys::instant(item, "created")?,
            status: Status::from_name(keys::text(item, "status")?)?,
            attempts: u32::try_from(keys::number(item, "attempts")?).ok()?,
            reason: text("reason"),
            ended: keys::instant(item, "ended"),
            message_id: text("message_id"),
            messages: keys::number(item, "messages"),
        })
    };
    request().ok_or_else(wrong)
}

/// Writes what a report holds as attributes of an item.
pub(crate) fn write_contents(item: &mut Item, contents: &Contents) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    item.insert("view".to_owned(), text(contents.view.name()));
    if let Some(domain) = &contents.domain {
        item.insert("domain".to_owned(), text(domain));
    }
    if let Some(name) = &contents.name {
        item.insert("name".to_owned(), text(name));
    }
    let recipients = contents.recipients.iter().map(|recipient| text(recipient)).collect();
    item.insert("recipients".to_owned(), AttributeValue::L(recipients));
}

/// Reads what [`write_contents`] wrote.
pub(crate) fn read_contents(item: &Item) -> Option<Contents> {
    let recipients = item.get("recipients")?.as_l().ok()?;
    let recipients = recipients.iter().map(|recipient| recipient.as_s().ok().cloned());
    Some(Contents {
        view: View::from_name(keys::text(item, "view")?)?,
        domain: keys::text(item, "domain").map(str::to_owned),
        name: keys::text(item, "name").map(str::to_owned),
        recipients: recipients.collect::<Option<_>>()?,
    })
}

/// A change of one request, attribute by attribute.
pub(crate) struct RequestChange {
    change: Change,
    sets: Vec<String>,
    removes: Vec<String>,
}

/// A request's attributes that are changed. Expressions call them `#` and the name: some are words of
/// DynamoDB's own.
const NAMES: [&str; 8] =
    ["status", "lease", "until", "attempts", "reason", "ended", "message_id", "messages"];

pub(crate) fn changed(id: &str) -> RequestChange {
    let key = keys::key(REPORT_REQUESTS, id);
    let (names, values) = (HashMap::new(), Item::new());
    let change = Change { key, update: String::new(), condition: None, names, values };
    RequestChange { change, sets: Vec::new(), removes: Vec::new() }
}

impl RequestChange {
    pub(crate) fn put(mut self, name: &'static str, value: AttributeValue) -> Self {
        self.sets.push(format!("#{name} = :{name}"));
        self.given(&format!(":{name}"), value)
    }

    pub(crate) fn set(self, name: &'static str, text: &str) -> Self {
        self.put(name, AttributeValue::S(text.to_owned()))
    }

    pub(crate) fn remove(mut self, name: &'static str) -> Self {
        self.removes.push(format!("#{name}"));
        self
    }

    pub(crate) fn given(mut self, place: &str, value: AttributeValue) -> Self {
        self.change.values.insert(place.to_owned(), value);
        self
    }

    pub(crate) fn only_if(mut self, condition: &str) -> Self {
        self.change.condition = Some(condition.to_owned());
        self
    }

    /// Condition **mine**: closes the race with the one who took over after the lease had run out.
    pub(crate) fn only_by(self, token: &str) -> Self {
        self.given(":token", AttributeValue::S(token.to_owned())).only_if("#lease = :token")
    }

    pub(crate) fn build(mut self) -> Change {
        self.change.update = format!("SET {}", self.sets.join(", "));
        if !self.removes.is_empty() {
            self.change.update += &format!(" REMOVE {}", self.removes.join(", "));
        }
        // DynamoDB refuses names that are not used.
        let condition = self.change.condition.as_deref().unwrap_or_default();
        let names = NAMES.map(|name| (format!("#{name}"), name.to_owned())).into_iter();
        let used = |name: &str| self.change.update.contains(name) || condition.contains(name);
        self.change.names = names.filter(|(name, _)| used(name)).collect();
        self.change
    }
}
