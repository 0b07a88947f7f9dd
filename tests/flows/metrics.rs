//! What the functions count, and what watches it.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, Result, ensure};
use metrics::{Figures, Metric};

/// The functions that tell figures, and which.
const TOLD: [(&str, &[Metric]); 5] = [
    ("archive", archive::Summary::METRICS),
    ("detect", detector::Summary::METRICS),
    ("ingest", ingest::Summary::METRICS),
    ("query", query::ReadFromItems::METRICS),
    ("report", reporter::Summary::METRICS),
];

/// What a line says behind a name.
fn behind<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.trim().strip_prefix(name)?.strip_prefix(':').map(str::trim)
}

/// The metrics of ours that the template's alarms look at, with the function of each.
fn watched() -> Result<BTreeSet<(String, String)>> {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/aws/template.yaml");
    let template = fs::read_to_string(template)?;
    let lines: Vec<_> = template.lines().collect();
    let ours = |line: &&[&str]| behind(line[0], "Namespace") == Some("!Ref AWS::StackName");
    let alarms = lines.windows(3).filter(ours).map(|alarm| {
        let name = behind(alarm[1], "MetricName").context("a name follows its namespace")?;
        let of = behind(alarm[2], "Dimensions").context("a dimension follows the name")?;
        let of =
            of.strip_prefix("[{ Name: function, Value: ").and_then(|of| of.strip_suffix(" }]"));
        Ok((of.context("the dimension is the function")?.to_owned(), name.to_owned()))
    });
    alarms.collect()
}

#[test]
fn alarms_look_at_metrics_that_are_told() -> Result<()> {
    let watched = watched()?;
    for (function, name) in &watched {
        let told = TOLD.iter().find(|(told, _)| told == function);
        let (_, metrics) = told.with_context(|| format!("{function} tells no figures"))?;
        ensure!(metrics.iter().any(|metric| metric.name == name), "{function} tells no {name}");
    }
    ensure!(watched.len() >= 3, "alarms are not where they were: {watched:?}");
    Ok(())
}

#[test]
fn every_metric_is_a_number_and_is_explained() -> Result<()> {
    let (day, reason) = ("2026-11-24".parse()?, "a test".to_owned());
    let figures = [
        serde_json::to_value(archive::Summary::default())?,
        serde_json::to_value(detector::Summary::default())?,
        serde_json::to_value(ingest::Summary::default())?,
        serde_json::to_value(query::ReadFromItems { archives_unusable: 1, day, reason })?,
        serde_json::to_value(reporter::Summary::default())?,
    ];
    for ((function, metrics), figures) in TOLD.iter().zip(figures) {
        for metric in *metrics {
            ensure!(figures[metric.name].is_number(), "{function}: {} is a number", metric.name);
            ensure!(metric.help.ends_with('.'), "{function}: {}", metric.name);
        }
        // Whatever is counted is a metric; when to look again is no count, nor is what is told beside one.
        let fields = figures.as_object().context("figures")?;
        let no_counts = ["next", "day", "reason"];
        let counted = fields.keys().filter(|name| !no_counts.contains(&name.as_str())).count();
        ensure!(counted == metrics.len(), "{function} does not tell all: {fields:?}");
    }
    Ok(())
}
