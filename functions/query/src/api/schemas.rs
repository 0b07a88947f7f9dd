//! What texts in requests may look like, as the interface's description tells it: exactly what is taken, beside
//! what depends on the day or on what is stored.

use std::collections::BTreeSet;

use chrono_tz::TZ_VARIANTS;
use report::views::filter_text::DOMAIN_LIMIT;
use report::{Kind, NOTE_NAME, NOTE_TEXT, RECIPIENTS, Sort, TlsVersion};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AnyOfBuilder, ArrayBuilder, KnownFormat, Object, ObjectBuilder, OneOfBuilder, Schema,
    SchemaFormat, SchemaType, Type,
};

/// The longest name of a report, in characters.
pub(super) const NAME: usize = 100;
/// The most values of a filter's parameter.
pub(super) const VALUES: usize = 50;
/// The most words in a value that has commas between them.
pub(super) const WORDS: usize = 10;
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
    object.max_length(Some(DOMAIN_LIMIT)).pattern(Some(pattern)).build()
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

/// A line that may be left out.
pub(super) fn line_or_null(most: usize) -> Object {
    let pattern = format!("^[^{CONTROL}]*$");
    text_or_null().max_length(Some(most)).pattern(Some(pattern)).build()
}

/// A name that must be there, and not blank.
pub(super) fn name() -> Object {
    let told = format!("Stands in the mail; one line of at most {NAME} characters.");
    said(NAME).description(Some(told)).build()
}

/// Whom a report goes to.
pub(super) fn recipients() -> Schema {
    let address = text().max_length(Some(report::ADDRESS)).pattern(Some(report::ADDRESS_PATTERN));
    let told = format!("1 to {RECIPIENTS} mail addresses in allowed domains. All see each other.");
    let list = ArrayBuilder::new().items(address.build()).description(Some(told));
    list.min_items(Some(1)).max_items(Some(RECIPIENTS)).build().into()
}

/// A text of a note, which may have to say something.
pub(super) fn noted(field: &str, said: bool) -> Object {
    let told = match field {
        "name" => "What it is called, as in `scanner, 2nd floor`; one line.",
        "owner" => "The mail address of whoever it belongs to.",
        _ => "What else is to be known; one line.",
    };
    let most = if field == "name" { NOTE_NAME } else { NOTE_TEXT };
    let address = report::ADDRESS_PATTERN;
    let (most, pattern) = match (field, said) {
        ("owner", true) => (report::ADDRESS, address.to_owned()),
        ("owner", false) => (report::ADDRESS, format!("^$|{address}")),
        (_, true) => (most, format!("^[^{CONTROL}]*[^{CONTROL}{WHITE}][^{CONTROL}]*$")),
        (_, false) => (most, format!("^[^{CONTROL}]*$")),
    };
    let object = if said { text() } else { text_or_null() };
    object.description(Some(told)).max_length(Some(most)).pattern(Some(pattern)).build()
}

/// A line that must be there, and not blank.
pub(super) fn some_line(most: usize) -> Object {
    said(most).build()
}

fn said(most: usize) -> ObjectBuilder {
    let pattern = format!("^[^{CONTROL}]*[^{CONTROL}{WHITE}][^{CONTROL}]*$");
    text().max_length(Some(most)).pattern(Some(pattern))
}

/// A text that is not empty.
pub(super) fn some_text() -> Object {
    text().min_length(Some(1)).build()
}

/// Any text.
pub(super) fn text_of_any_length() -> Object {
    text().build()
}

/// Yes or no.
pub(super) fn flag() -> Object {
    Object::with_type(Type::Boolean)
}

/// A day.
pub(super) fn date() -> Object {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Date))).build()
}

/// A day that may be left out.
pub(super) fn date_or_null() -> Object {
    text_or_null().format(Some(SchemaFormat::KnownFormat(KnownFormat::Date))).build()
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

/// An order of a table.
pub(super) fn sort() -> Object {
    text().enum_values(Some(Sort::texts())).build()
}

/// What failed logins are told by.
pub(super) fn failed_group() -> Object {
    text().enum_values(Some(["account", "client"])).build()
}

/// Some of these.
fn list(item: Object) -> Schema {
    ArrayBuilder::new().items(item).max_items(Some(VALUES)).build().into()
}

/// Sender domains.
pub(super) fn domains() -> Schema {
    list(domain())
}

/// Names of any kind.
pub(super) fn names() -> Schema {
    list(text().build())
}

/// Kinds of mechanisms.
pub(super) fn kinds() -> Schema {
    list(text().enum_values(Some(Kind::ALL.map(Kind::name))).build())
}

/// One thing that can be turned off.
const OFF: &str = "(TLS1\\.[0-3]|[A-Za-z0-9_-]{1,64})";

/// What is turned off, with commas between.
pub(super) fn off() -> Schema {
    list(text().pattern(Some(format!("^{OFF}(,{OFF}){{0,{}}}$", WORDS - 1))).build())
}

/// What is turned off, each alone.
pub(super) fn off_alone() -> Schema {
    list(text().pattern(Some(format!("^{OFF}$"))).build())
}

/// Countries.
pub(super) fn countries() -> Schema {
    list(text().pattern(Some(r"^([A-Za-z]{2}|\(private\)|\(none\))$")).build())
}

/// Networks: numbers of 32 bits.
pub(super) fn networks() -> Schema {
    const NUMBER: &str = "([1-9][0-9]{0,8}|[1-3][0-9]{9}|4[01][0-9]{8}|42[0-8][0-9]{7}|429[0-3][0-9]{6}|4294[0-8][0-9]{5}|\
                          42949[0-5][0-9]{4}|429496[0-6][0-9]{3}|4294967[01][0-9]{2}|42949672[0-8][0-9]|429496729[0-5])";
    list(text().pattern(Some(format!(r"^(([Aa][Ss])?{NUMBER}|\(private\)|\(none\))$"))).build())
}

/// TLS versions.
pub(super) fn versions() -> Schema {
    list(text().enum_values(Some(TlsVersion::ALL.map(TlsVersion::name))).build())
}

/// Client addresses and networks.
pub(super) fn clients() -> Schema {
    list(one_client("*"))
}

/// A client address or network.
pub(super) fn client() -> Object {
    one_client("+")
}

fn one_client(times: &str) -> Object {
    text().pattern(Some(format!("^([^/]{times}|{})$", network_patterns()))).build()
}

fn network_patterns() -> String {
    const BYTE: &str = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    let v4 = format!(r"({BYTE}\.){{3}}{BYTE}/(3[0-2]|[12]?[0-9])");
    let v6 = "([0-9A-Fa-f]{1,4}:){1,7}:/(12[0-8]|1[01][0-9]|[1-9]?[0-9])";
    format!("{v4}|{v6}")
}

/// A network that clients are in; one address is one of its own.
pub(super) fn client_network() -> Schema {
    let network = text().pattern(Some(format!("^({})$", network_patterns())));
    let address = |format| text().format(Some(SchemaFormat::Custom(String::from(format))));
    let any = AnyOfBuilder::new().item(network.build());
    any.item(address("ipv4").build()).item(address("ipv6").build()).build().into()
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
