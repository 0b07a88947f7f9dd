//! Reports as attributes of items: what is asked for, and by whom.

use aws_sdk_dynamodb::types::AttributeValue;
use report::{Contents, Day, Range, ReportRequest, Status, View};

use crate::dynamo::items::{self, EXPIRES, Item};

/// Seconds that a request is kept.
const LIFE: i64 = 92 * 86_400;

/// Writes a request that nobody has worked on yet.
pub(crate) fn write(request: &ReportRequest) -> Item {
    let mut item = Item::new();
    write_contents(&mut item, &request.contents);
    item.insert("start".to_owned(), items::of_text(request.range.start.to_string()));
    item.insert("end".to_owned(), items::of_text(request.range.end.to_string()));
    item.insert("created".to_owned(), items::of_number(request.created));
    if let Some(schedule) = &request.schedule {
        item.insert("schedule".to_owned(), items::of_text(schedule));
    }
    item.insert(EXPIRES.to_owned(), items::of_number(request.created.saturating_add(LIFE)));
    item
}

/// Reads a request, and how far it has come.
pub(crate) fn read(item: &Item) -> Option<ReportRequest> {
    let day = |name| items::text(item, name).and_then(|text| text.parse::<Day>().ok());
    let text = |name| items::text(item, name).map(str::to_owned);
    Some(ReportRequest {
        id: text("sk")?,
        contents: read_contents(item)?,
        range: Range { start: day("start")?, end: day("end")? },
        schedule: text("schedule"),
        created: items::instant(item, "created")?,
        status: Status::from_name(items::text(item, "status")?)?,
        attempts: u32::try_from(items::number(item, "attempts")?).ok()?,
        reason: text("reason"),
        ended: items::instant(item, "ended"),
        message_id: text("message_id"),
        messages: items::number(item, "messages"),
    })
}

/// Writes what a report holds as attributes of an item.
pub(crate) fn write_contents(item: &mut Item, contents: &Contents) {
    item.insert("view".to_owned(), items::of_text(contents.view.name()));
    if let Some(domain) = &contents.domain {
        item.insert("domain".to_owned(), items::of_text(domain));
    }
    if let Some(name) = &contents.name {
        item.insert("name".to_owned(), items::of_text(name));
    }
    let recipients = contents.recipients.iter().map(items::of_text).collect();
    item.insert("recipients".to_owned(), AttributeValue::L(recipients));
}

/// Reads what [`write_contents`] wrote.
pub(crate) fn read_contents(item: &Item) -> Option<Contents> {
    let recipients = item.get("recipients")?.as_l().ok()?;
    let recipients = recipients.iter().map(|recipient| recipient.as_s().ok().cloned());
    Some(Contents {
        view: View::from_name(items::text(item, "view")?)?,
        domain: items::text(item, "domain").map(str::to_owned),
        name: items::text(item, "name").map(str::to_owned),
        recipients: recipients.collect::<Option<_>>()?,
    })
}
