//! What texts in requests may look like, as the interface's description tells it: exactly what is taken, beside
//! what depends on the day or on what is stored.

use std::collections::BTreeSet;

use chrono_tz::TZ_VARIANTS;
use report::{Group, RECIPIENTS, Sort};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    ArrayBuilder, Object, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};

/// The longest name of a report, in characters.
pub(super) const NAME: usize = 100;
/// The longest sender domain, in characters.
pub(super) const DOMAIN: usize = 255;
/// The longest idempotency key, in bytes.
pub(super) const KEY: usize = 255;

/// White space, as a part of a class in a pattern. Engines differ about `\s`.
const WHITE: &str =
    r"\u0009-\u000D\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000";
/// Control characters, the same way.
const CONTROL: &str = r"\u0000-\u001F\u007F-\u009F";

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn text_or_null() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]))
}

fn with_domain(object: ObjectBuilder) -> Object {
    let pattern = format!("^[^{CONTROL}{WHITE}@/\\\\<>\"']*$");
    object.max_length(Some(DOMAIN)).pattern(Some(pattern)).build()
}

/// A sender domain among the parameters.
pub(super) fn domain() -> Object {
    with_domain(text())
}

/// A sender domain in a body.
pub(super) fn domain_or_null() -> Object {
    with_domain(text_or_null().description(Some("One sender domain; by default, or empty, all.")))
}

/// A name that may be left out.
pub(super) fn name_or_null() -> Object {
    let pattern = format!("^[^{CONTROL}]*$");
    let told = format!("Stands in the mail; one line of at most {NAME} characters.");
    text_or_null().description(Some(told)).max_length(Some(NAME)).pattern(Some(pattern)).build()
}

/// A name that must be there, and not blank.
pub(super) fn name() -> Object {
    let pattern = format!("^[^{CONTROL}]*[^{CONTROL}{WHITE}][^{CONTROL}]*$");
    let told = format!("Stands in the mail; one line of at most {NAME} characters.");
    text().description(Some(told)).max_length(Some(NAME)).pattern(Some(pattern)).build()
}

/// Whom a report goes to.
pub(super) fn recipients() -> Schema {
    let address = text().max_length(Some(report::ADDRESS)).pattern(Some(report::ADDRESS_PATTERN));
    let told = format!("1 to {RECIPIENTS} mail addresses in allowed domains. All see each other.");
    let list = ArrayBuilder::new().items(address.build()).description(Some(told));
    list.min_items(Some(1)).max_items(Some(RECIPIENTS)).build().into()
}

/// A time of day.
pub(super) fn time() -> Object {
    let time = text().description(Some("As in `08:00`."));
    time.pattern(Some("^([01][0-9]|2[0-3]):[0-5][0-9]$")).build()
}

/// A time zone.
pub(super) fn zone() -> Object {
    // A set: some names are there twice.
    let names: BTreeSet<_> = TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
    let names = names.into_iter().map(Value::from).chain([Value::Null]);
    let told = "The time zone of `time`, as in `Europe/Berlin`; by default that of the service.";
    text_or_null().description(Some(told)).enum_values(Some(names)).build()
}

/// An order of senders.
pub(super) fn sort() -> Object {
    text().enum_values(Some(Sort::all().map(|sort| sort.written(Group::Sender)))).build()
}

/// An idempotency key.
pub(super) fn key() -> Object {
    let pattern = format!("^[!-~]([ -~]{{0,{}}}[!-~])?$", KEY - 2);
    text().min_length(Some(1)).max_length(Some(KEY)).pattern(Some(pattern)).build()
}

/// One of these words.
pub(super) fn word<const N: usize>(words: [&str; N]) -> Object {
    text().enum_values(Some(words)).build()
}

/// Nothing.
pub(super) fn null() -> Object {
    Object::with_type(Type::Null)
}

/// A day of the month.
pub(super) fn day() -> RefOr<Schema> {
    let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(31));
    let last = text().enum_values(Some(["last"]));
    let day = OneOfBuilder::new().item(number.build()).item(last.build());
    let day = day.description(Some("1 to 31 (the last day of a shorter month), or `last`."));
    Schema::from(day.build()).into()
}
