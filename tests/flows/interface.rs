//! Documents that describe the interfaces, held against what the code does.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use logs::{Arrival, LogStream, Sink};
use report::{AuthFailure, Submission};
use serde_json::{Value, json};
use tests::app::{App, NOW, settings};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// `UPDATE=1` writes the file anew.
#[tokio::test]
async fn the_openapi_document_in_the_repository_is_the_one_served() -> Result<()> {
    let served = App::new().await?.get("/openapi.json").await?.ok()?;
    assert_eq!(served["openapi"], "3.1.0");
    let file = root().join("functions/query/openapi.json");
    let text = serde_json::to_string_pretty(&served)? + "\n";
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, &text)?;
    }
    assert_eq!(fs::read_to_string(&file)?, text, "run this test with UPDATE=1");
    Ok(())
}

#[derive(Default)]
struct Counted {
    counted: usize,
    rejected: usize,
}

impl Sink for Counted {
    fn submission(&mut self, _: u64, _: &Submission<'_>) {
        self.counted += 1;
    }

    fn auth_failure(&mut self, _: u64, _: &AuthFailure<'_>) {
        self.counted += 1;
    }

    fn rejected(&mut self, _: u64, _: &[u8], _: &str) {
        self.rejected += 1;
    }
}

fn parser_takes(event: &Value) -> bool {
    let mut stream = LogStream::new(settings(chrono_tz::UTC).logs);
    let mut counted = Counted::default();
    let arrival = Arrival { mark: 0, before: 0, reference: NOW };
    stream.line(event.to_string().as_bytes(), arrival, &mut counted);
    assert!(counted.counted + counted.rejected <= 1);
    counted.counted == 1
}

/// `UPDATE=1` writes them anew.
#[test]
fn the_template_offers_the_formats_that_there_are() -> Result<()> {
    let file = root().join("infra/aws/template.yaml");
    let template = fs::read_to_string(&file)?;
    let (before, parameter) = template.split_once("\n  LogFormat:\n").context("the parameter")?;
    let (head, allowed) = parameter.split_once("AllowedValues: [").context("its values")?;
    let (_, after) = allowed.split_once(']').context("their end")?;
    let names: Vec<_> = logs::Format::ALL.iter().map(|format| format.name()).collect();
    let names = names.join(", ");
    let expected = format!("{before}\n  LogFormat:\n{head}AllowedValues: [{names}]{after}");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, &expected)?;
    }
    assert!(fs::read_to_string(&file)? == expected, "run this test with UPDATE=1: {names}");
    Ok(())
}

#[test]
fn the_event_schema_allows_what_the_parser_takes() -> Result<()> {
    let schema: Value =
        serde_json::from_slice(&fs::read(root().join("shared/logs/event.schema.json"))?)?;
    let validator = jsonschema::validator_for(&schema)?;
    for example in schema["examples"].as_array().into_iter().flatten() {
        assert!(validator.is_valid(example) && parser_takes(example), "{example}");
    }
    let choices: [(&str, Vec<Value>); 10] = [
        ("other", vec![json!(1)]),
        ("event", vec![json!("submission"), json!("auth_failure"), json!("login"), json!(null)]),
        (
            "time",
            vec![
                json!("2026-11-23T11:00:00Z"),
                json!("2026-11-23T11:00:00.5+0100"),
                json!("2026-11-23T11:00:00"),
                json!("2026-11-23"),
                json!(1_795_431_600),
                json!(1_795_431_600.25),
                json!(-1),
                json!(null),
                json!({}),
            ],
        ),
        ("sender", vec![json!("a@example.test"), json!(""), json!(7), json!(null)]),
        ("account", vec![json!("ann"), json!(""), json!([]), json!(null)]),
        (
            "tls",
            ["TLS1.3", "TLSv1.0", "tlsv1", "TLSv1_2", "none", "SSLv3", "", "TLS2", "TLS1.4", "x"]
                .iter()
                .map(|label| json!(label))
                .chain([json!(null), json!(1)])
                .collect(),
        ),
        ("mechanism", vec![json!("plain"), json!(1), json!(null)]),
        ("client_name", vec![json!("pc.example.test"), json!("(pc)"), json!(1), json!(null)]),
        (
            "messages",
            vec![
                json!(1),
                json!(0),
                json!(2.5),
                json!("3"),
                json!(1_000_000_000),
                json!(1_000_000_001),
                json!(null),
            ],
        ),
        // It may be anything: events had fields of their own before there was this one.
        ("recipients", vec![json!(3), json!(["b@example.test"]), json!("x"), json!(null)]),
    ];
    let mut rng = fastrand::Rng::with_seed(1);
    let (mut good, mut bad) = (0, 0);
    for _ in 0..20_000 {
        let mut event = json!({"time": 1_795_431_600, "account": "ann"});
        for (name, values) in &choices {
            match rng.u32(0..6) {
                0 | 1 => event[*name] = values[rng.usize(0..values.len())].clone(),
                2 => {
                    event.as_object_mut().map(|fields| fields.remove(*name));
                }
                _ => {}
            }
        }
        // Without any of these, a line is some other program's JSON.
        if ["event", "sender", "account"].iter().all(|name| event[name].is_null()) {
            continue;
        }
        let valid = validator.is_valid(&event);
        assert_eq!(parser_takes(&event), valid, "{event}");
        *(if valid { &mut good } else { &mut bad }) += 1;
    }
    assert!(good > 1000 && bad > 1000, "{good} good, {bad} bad");
    Ok(())
}

/// A value for each field that is drawn, or none.
fn drawn(rng: &mut fastrand::Rng, good: &Value, choices: &[(&str, Vec<Value>)]) -> Value {
    let mut body = good.clone();
    for (name, values) in choices {
        match rng.u32(0..12) {
            0 | 1 => body[*name] = values[rng.usize(0..values.len())].clone(),
            2 => {
                body.as_object_mut().map(|fields| fields.remove(*name));
            }
            _ => {}
        }
    }
    body
}

/// A validator of one of the document's own schemas, or of what stands at a place in it.
fn validator(document: &Value, schema: &Value) -> Result<jsonschema::Validator> {
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    Ok(jsonschema::options().should_validate_formats(true).build(&schema)?)
}

#[tokio::test]
async fn bodies_that_the_description_allows_are_taken_and_no_others() -> Result<()> {
    let document = serde_json::to_value(query::openapi_document())?;
    let strings = |values: &[&str]| values.iter().map(|value| json!(value)).collect::<Vec<_>>();
    let long = "\u{e4}".repeat(101);
    let many: Vec<_> = (0..51).map(|number| format!("a{number}@corp.test")).collect();
    let others = [json!(null), json!(7), json!(true), json!([]), json!({})];
    let with_others = |values: &[&str]| [strings(values), others.to_vec()].concat();
    let shared = [
        ("unknown", vec![json!(1), json!(null)]),
        ("view", with_others(&["sending-volume", "detailed", "", " tls-usage"])),
        (
            "name",
            with_others(&[
                "",
                " ",
                " a ",
                "a\nb",
                "a\u{85}b",
                "\u{2003}",
                &long,
                &long[..200],
                "x",
            ]),
        ),
        (
            "domain",
            with_others(&[
                "",
                "(none)",
                "a b",
                "a\u{a0}b",
                "a@b",
                "a/b",
                "B\u{fc}cher.test",
                &long,
                "\u{feff}",
            ]),
        ),
        (
            "recipients",
            [
                &others[..],
                &[
                    json!(["ann@example.test", "ann@example.test"]),
                    json!([""]),
                    json!(["ann"]),
                    json!([7]),
                ],
                &[
                    json!([" ann@corp.test"]),
                    json!(["ann@corp.test\n"]),
                    json!(["\"a b\"@corp.test"]),
                ],
                &[
                    json!(["a..b@corp.test"]),
                    json!(["Ann <ann@corp.test>"]),
                    json!(many),
                    json!(many[..50]),
                ],
                &[
                    json!([format!("{}@corp.test", "a".repeat(64))]),
                    json!([format!("{}@corp.test", "a".repeat(65))]),
                ],
            ]
            .concat(),
        ),
    ];
    let dates =
        with_others(&["2026-11-20", "2026-11-31", "2026-1-2", "yesterday", "", " 2026-11-20"]);
    let later =
        with_others(&["2027-01-31", "2027-02-30", "2027-1-2", "tomorrow", "", "2027-01-31 "]);
    let of_requests = [("start", dates.clone()), ("end", dates)];
    let of_schedules = [
        ("frequency", with_others(&["daily", "weekly", "monthly", "yearly", ""])),
        ("weekday", with_others(&["monday", "sunday", "Monday", "mon", ""])),
        (
            "day",
            [
                &others[..],
                &[
                    json!(1),
                    json!(31),
                    json!(0),
                    json!(32),
                    json!(1.0),
                    json!(1.5),
                    json!("last"),
                    json!("1"),
                ],
            ]
            .concat(),
        ),
        (
            "time",
            with_others(&["00:00", "23:59", "24:00", "8:00", "08:00:00", "08:00\n", " 08:00", ""]),
        ),
        ("zone", with_others(&["Europe/Berlin", "UTC", "europe/berlin", "Berlin", "", " UTC"])),
        ("first_date", later.clone()),
        ("expires", with_others(&["2029-01-31", "2029-02-30", ""])),
        ("paused", with_others(&["true", ""])),
    ];
    let good = json!({"view": "tls-usage", "recipients": ["ann@example.test"]});
    let daily = json!({"name": "x", "view": "tls-usage", "recipients": ["ann@example.test"], "frequency": "daily",
        "time": "08:00"});
    let mut rng = fastrand::Rng::with_seed(3);
    let note = json!({"name": "x", "owner": "", "note": ""});
    let long_text = "\u{e4}".repeat(501);
    let lines = ["", " ", " a ", "a\nb", "a\u{85}b", "\u{2003}", "x", &long[..160], &long[..162]];
    let owners =
        ["", " ", "ann@corp.test", " ann@corp.test", "ann", "ann@corp.test\n", "a..b@corp.test"];
    let of_notes = [
        ("unknown", vec![json!(1), json!(null)]),
        ("name", with_others(&lines)),
        ("owner", with_others(&owners)),
        ("note", [with_others(&lines), strings(&[&long_text, &long_text[..1000]])].concat()),
    ];
    let mute = json!({"account": "scanner", "reason": "x"});
    let networks = [
        "192.0.2.1",
        "192.0.2.0/24",
        "192.0.2.0/33",
        "2001:db8::1",
        "2001:DB8::/32",
        "2001:db8::1/32",
        "here",
        "",
    ];
    let of_mutes = [
        ("unknown", vec![json!(1), json!(null)]),
        ("account", with_others(&lines)),
        ("kind", with_others(&["spread", "Spread", ""])),
        ("network", with_others(&networks)),
        ("sender", with_others(&lines)),
        ("until", with_others(&["2026-12-24", "2026-11-31", "2026-1-2", "", " 2026-12-24"])),
        ("reason", [with_others(&lines), strings(&[&long_text, &long[..202]])].concat()),
    ];
    let whole = |own: &[(&'static str, Vec<Value>)]| [&shared[..], own].concat();
    for (path, method, good, choices) in [
        ("/v1/report-requests", "post", good, whole(&of_requests)),
        ("/v1/schedules", "post", daily, whole(&of_schedules)),
        ("/v1/notes", "put", note, of_notes.to_vec()),
        ("/v1/mutes", "post", mute, of_mutes.to_vec()),
    ] {
        let schema = &document["paths"][path][method]["requestBody"]["content"]["application/json"]
            ["schema"];
        let validator = validator(&document, schema)?;
        let about =
            if method == "put" { format!("{path}?account=scanner") } else { path.to_owned() };
        let (mut taken, mut refused) = (0, 0);
        let mut app = App::new().await?;
        for number in 0..4000 {
            if number % 200 == 0 {
                // There may be 250 schedules, and as many requests a day.
                app = App::new().await?;
            }
            let body = drawn(&mut rng, &good, &choices);
            let allowed = validator.is_valid(&body);
            let answer = app.send(&method.to_uppercase(), &about, &body).await?;
            let status = answer.status.as_u16();
            let told = String::from_utf8_lossy(&answer.body);
            // What the description cannot tell: which day it is, and which end comes first.
            if told.contains("future") || told.contains("after end") {
                continue;
            }
            assert_eq!(status < 300, allowed, "{path}: {body}: {told}");
            assert!(allowed || status == 400, "{path}: {body}: {told}");
            *(if allowed { &mut taken } else { &mut refused }) += 1;
        }
        assert!(taken > 200 && refused > 500, "{path}: {taken} taken, {refused} refused");
    }
    Ok(())
}

#[tokio::test]
async fn parameters_that_the_description_allows_are_taken_and_no_others() -> Result<()> {
    let document = serde_json::to_value(query::openapi_document())?;
    let app = App::new().await?;
    let long = "\u{e4}".repeat(256);
    let values = [
        "",
        " ",
        "a",
        "2026-11-20",
        "2026-11-31",
        "2026-1-2",
        "1",
        "0",
        "1000",
        "1001",
        "+5",
        "-1",
        "1.5",
        "csv",
        "json",
        "CSV",
        "sender",
        "-sender",
        "-TLS1.0.percent",
        "TLS1.0.percent",
        "legacy",
        "size",
        "--sender",
        "example.test",
        "a b",
        "a@b",
        "(none)",
        "\u{a0}",
        "\n",
        &long,
        &long[..510],
    ];
    let mut asked = 0;
    for path in [
        "/v1/reports/tls-usage/details",
        "/v1/reports/sending-volume",
        "/v1/report-requests",
        "/v1/insight",
        "/v1/notes",
    ] {
        let parameters =
            document["paths"][path]["get"]["parameters"].as_array().context("parameters")?;
        for parameter in parameters.iter().filter(|parameter| parameter["in"] == "query") {
            let name = parameter["name"].as_str().context("a name")?;
            let validator = validator(&document, &parameter["schema"])?;
            for value in values {
                // A cursor is the server's own.
                if name == "cursor" && !value.is_empty() {
                    continue;
                }
                let number = value.parse::<i64>().ok().filter(|number| number.to_string() == value);
                // Of what can be given several times, one is a list of one.
                let allowed = validator.is_valid(&json!(value))
                    || validator.is_valid(&json!([value]))
                    || number.is_some_and(|number| validator.is_valid(&json!(number)));
                let encoded: String =
                    url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
                let answer = app.get(&format!("{path}?{name}={encoded}")).await?;
                let told = String::from_utf8_lossy(&answer.body);
                assert_eq!(answer.status.is_success(), allowed, "{path} {name}={value:?}: {told}");
                asked += 1;
            }
        }
    }
    assert!(asked > 200, "{asked}");
    Ok(())
}
