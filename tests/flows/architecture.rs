//! The arrows between the crates, as Cargo sees them, and between their modules.

mod circles;
mod modules;

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// What each package may use of the others.
const ARROWS: [(&str, &[&str]); 21] = [
    ("report", &[]),
    ("geo", &[]),
    ("detect", &["report"]),
    ("logs", &["report"]),
    ("store", &["detect", "report"]),
    ("history", &["report", "store"]),
    ("mailer", &[]),
    ("channels", &["detect", "mailer", "report"]),
    ("samples", &[]),
    ("metrics", &[]),
    ("unpack", &[]),
    ("bootstrap", &["channels", "detect", "geo", "logs", "mailer", "metrics", "report", "store"]),
    ("operator", &["bootstrap", "history", "report", "store"]),
    ("archive", &["bootstrap", "history", "metrics", "report"]),
    ("detector", &["bootstrap", "channels", "detect", "history", "metrics", "report", "store"]),
    ("ingest", &["bootstrap", "logs", "metrics", "report", "store", "unpack"]),
    ("query", &["bootstrap", "channels", "detect", "history", "metrics", "report", "store"]),
    ("reporter", &["bootstrap", "channels", "history", "mailer", "metrics", "report", "store"]),
    (
        "smtp-auth-report",
        &[
            "archive",
            "bootstrap",
            "channels",
            "detect",
            "detector",
            "history",
            "ingest",
            "logs",
            "mailer",
            "operator",
            "query",
            "report",
            "reporter",
            "samples",
            "store",
            "unpack",
        ],
    ),
    ("smtp-auth-report-aws", &["bootstrap", "ingest", "operator", "report", "store", "unpack"]),
    (
        "tests",
        &[
            "archive",
            "bootstrap",
            "channels",
            "detect",
            "detector",
            "geo",
            "history",
            "ingest",
            "logs",
            "mailer",
            "metrics",
            "query",
            "report",
            "reporter",
            "samples",
            "smtp-auth-report",
            "store",
            "unpack",
        ],
    ),
];

/// What Cargo knows of the workspace.
fn metadata() -> Result<Value> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn packages() -> Result<BTreeMap<String, Vec<String>>> {
    let metadata = metadata()?;
    let packages = metadata["packages"].as_array().context("packages")?;
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let uses = |package: &Value| {
        let uses = package["dependencies"].as_array().into_iter().flatten();
        (name(package), uses.map(name).collect())
    };
    Ok(packages.iter().map(uses).collect())
}

#[test]
fn crates_use_only_what_the_design_lets_them() -> Result<()> {
    let packages = packages()?;
    let known: Vec<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(packages.len(), known.len(), "{:?}", packages.keys());
    for (name, allowed) in ARROWS {
        for used in packages.get(name).with_context(|| name.to_owned())? {
            let ours = known.contains(&used.as_str());
            assert!(!ours || allowed.contains(&used.as_str()), "{name} must not use {used}");
        }
    }
    Ok(())
}

#[test]
fn the_pure_crates_are_held_to_the_same_bans() -> Result<()> {
    let bans = |name: &str| {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared");
        std::fs::read_to_string(format!("{root}/{name}/clippy.toml"))
    };
    for name in ["detect", "geo", "logs"] {
        assert_eq!(bans(name)?, bans("report")?, "{name}");
    }
    Ok(())
}

#[test]
fn the_pure_crates_name_no_platform_and_one_crate_each_names_a_service() -> Result<()> {
    for (name, uses) in packages()? {
        let platform = |used: &String| used.starts_with("aws-") || used.starts_with("lambda");
        if ["geo", "logs", "metrics", "report", "unpack"].contains(&name.as_str()) {
            let foreign = |used: &&String| platform(used) || *used == "tokio";
            assert_eq!(uses.iter().find(foreign), None, "{name}");
        }
        if name != "history" {
            assert!(!uses.contains(&"parquet".to_owned()), "{name}");
        }
        if ["archive", "history", "ingest", "query", "reporter"].contains(&name.as_str()) {
            assert!(!uses.contains(&"aws-sdk-dynamodb".to_owned()), "{name}");
        }
        for (service, own) in [
            ("aws-sdk-sesv2", "mailer"),
            ("aws-sdk-sns", "channels"),
            ("aws-sdk-eventbridge", "channels"),
        ] {
            assert!(name == own || !uses.contains(&service.to_owned()), "{name}");
        }
    }
    Ok(())
}
