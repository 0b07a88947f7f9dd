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
    let choices: [(&str, Vec<Value>); 8] = [
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
