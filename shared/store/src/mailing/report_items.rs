//! Reports as attributes of items: what is asked for, and by whom.

use aws_sdk_dynamodb::types::AttributeValue;
use report::{Contents, Day, Filter, Group, Range, ReportRequest, Scope, Status, View};

use crate::dynamo::items::{self, EXPIRES, Item};

/// The forms of what is bound to some sender domains, and of what has a table or filters of its own. Whoever does not know
/// them would mail more than was asked for, and must not take it for his own; what has neither is as it was.
const BOUND: u64 = 2;
pub(crate) const FORM: u64 = 3;
/// What stands for a scope where nothing is bound, in the latest form.
const ALL: &str = "all";

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
    if let Some(domain) = contents.domain() {
        item.insert("domain".to_owned(), items::of_text(domain));
    }
    if let Some(name) = &contents.name {
        item.insert("name".to_owned(), items::of_text(name));
    }
    let recipients = contents.recipients.iter().map(items::of_text).collect();
    item.insert("recipients".to_owned(), AttributeValue::L(recipients));
    if let Some(domains) = contents.scope.domains() {
        let domains = domains.iter().map(items::of_text).collect();
        item.insert("scope".to_owned(), AttributeValue::L(domains));
        item.insert(items::FORM.to_owned(), items::of_number(BOUND));
    }
    if !contents.is_usual() {
        item.insert("group".to_owned(), items::of_text(contents.group.name()));
        let filters = contents.filters().into_iter().map(|(name, values)| {
            (name, AttributeValue::L(values.iter().map(items::of_text).collect()))
        });
        item.insert("filter".to_owned(), AttributeValue::M(filters.collect()));
        item.entry("scope".to_owned()).or_insert_with(|| items::of_text(ALL));
        item.insert(items::FORM.to_owned(), items::of_number(FORM));
    }
}

/// Reads what [`write_contents`] wrote.
pub(crate) fn read_contents(item: &Item) -> Option<Contents> {
    let recipients = item.get("recipients")?.as_l().ok()?;
    let recipients = recipients.iter().map(|recipient| recipient.as_s().ok().cloned());
    let (group, only) = read_table(item)?;
    Some(Contents {
        view: View::from_name(items::text(item, "view")?)?,
        group,
        only,
        name: items::text(item, "name").map(str::to_owned),
        recipients: recipients.collect::<Option<_>>()?,
        scope: read_scope(item)?,
    })
}

/// Reads which table there is, and of which usage; none if it cannot be read, which must not be taken for all.
fn read_table(item: &Item) -> Option<(Group, Filter)> {
    let mut only = Filter::of_domain(items::text(item, "domain"));
    if items::number(item, items::FORM) != Some(FORM) {
        return Some((Group::Sender, only));
    }
    for (name, values) in item.get("filter")?.as_m().ok()? {
        let name = Contents::FILTERS.iter().find(|known| *known == name)?;
        for value in values.as_l().ok()? {
            only.give(name, value.as_s().ok()?).ok()?;
        }
    }
    Some((Group::from_name(items::text(item, "group")?)?, only))
}

/// Reads the scope; none if it cannot be read, which must not be taken for all.
fn read_scope(item: &Item) -> Option<Scope> {
    let form = items::number(item, items::FORM);
    let Some(domains) = item.get("scope") else {
        return form.is_none_or(|form| form < BOUND).then_some(Scope::All);
    };
    if form == Some(FORM) && items::text(item, "scope") == Some(ALL) {
        return Some(Scope::All);
    }
    let domains = domains.as_l().ok()?.iter().map(|domain| domain.as_s().ok().cloned());
    domains.collect::<Option<_>>().map(Scope::Domains)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_as_it_was_written_and_never_taken_for_all() {
        let of = |scope: Scope| Contents {
            view: View::TlsUsage,
            group: Group::Sender,
            only: Filter::default(),
            name: None,
            recipients: vec!["ann@a.test".to_owned()],
            scope,
        };
        let some = Scope::Domains(["(none)", "a.test"].map(str::to_owned).into());
        for scope in [Scope::All, Scope::NOTHING, some] {
            let (contents, mut item) = (of(scope.clone()), Item::new());
            write_contents(&mut item, &contents);
            assert_eq!(read_contents(&item), Some(contents));
            // Earlier versions know no scope, and no form but the first.
            assert_eq!(items::is_later(&item, 1), scope != Scope::All);
            assert!(!items::is_later(&item, BOUND));
            if item.contains_key("scope") {
                for wrong in
                    [items::of_text("a.test"), AttributeValue::L(vec![items::of_number(1)])]
                {
                    item.insert("scope".to_owned(), wrong);
                    assert_eq!(read_contents(&item), None);
                }
                item.remove("scope");
                assert_eq!(read_contents(&item), None);
            }
        }
    }

    #[test]
    fn a_table_of_its_own_is_read_as_it_was_written_and_never_taken_for_another() {
        let mut only = Filter::of_domain(Some("a.test"));
        for (name, value) in [
            ("sender", "<>"),
            ("account", "(none)"),
            ("client", "192.0.2.0/24"),
            ("mechanism", "(none)"),
            ("kind", "basic"),
            ("tls", "TLS1.0"),
            ("tls", "none"),
            ("off", "LOGIN"),
            ("country", "DE"),
            ("network", "AS64500"),
        ] {
            only.give(name, value).expect("a value");
        }
        let plain = Contents {
            view: View::TlsUsage,
            group: Group::Account,
            only: Filter::default(),
            name: None,
            recipients: vec!["ann@a.test".to_owned()],
            scope: Scope::All,
        };
        let bound = Scope::Domains(["a.test".to_owned()].into());
        for contents in [
            Contents { group: Group::Sender, only: only.clone(), ..plain.clone() },
            Contents { only, scope: bound, ..plain.clone() },
            plain,
        ] {
            let mut item = Item::new();
            write_contents(&mut item, &contents);
            assert_eq!(read_contents(&item), Some(contents));
            // Versions that do not know it leave it alone.
            assert!(items::is_later(&item, BOUND) && !items::is_later(&item, FORM));
            for lost in ["group", "filter", "scope"] {
                let mut damaged = item.clone();
                damaged.insert(lost.to_owned(), items::of_text("x"));
                assert_eq!(read_contents(&damaged), None, "{lost}");
                damaged.remove(lost);
                assert_eq!(read_contents(&damaged), None, "{lost}");
            }
        }
    }
}
