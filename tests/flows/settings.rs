//! What the template tells the functions, and what they read.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Result, ensure};
use bootstrap::{
    AlertTargets, Archive, Days, Detection, Logs, Meaning, Metrics, People, Reports, Section,
    SesMail, Setting, Table,
};

/// The variables that the template sets.
fn set() -> Result<BTreeSet<String>> {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/aws/template.yaml");
    let template = fs::read_to_string(template)?;
    let depth = |line: &str| line.len() - line.trim_start().len();
    let (mut set, mut above) = (BTreeSet::new(), None);
    for line in template.lines() {
        if line.trim() == "Variables:" {
            above = Some(depth(line));
        } else if above.is_some_and(|above| depth(line) <= above) {
            above = None;
        } else if above.is_some_and(|above| depth(line) == above + 2)
            && let Some((name, _)) = line.trim().split_once(':')
        {
            set.insert(name.to_owned());
        }
    }
    Ok(set)
}

#[test]
fn functions_read_what_the_template_sets() -> Result<()> {
    let sections: [Vec<&'static Setting>; 11] = [
        AlertTargets::settings(),
        Archive::settings(),
        Days::settings(),
        Detection::settings(),
        Logs::settings(),
        Meaning::settings(),
        Metrics::settings(),
        People::settings(),
        Reports::settings(),
        SesMail::settings(),
        Table::settings(),
    ];
    let read: BTreeSet<_> = sections.concat().iter().map(|setting| setting.variable).collect();
    let set = set()?;
    ensure!(set.len() > 15, "variables are not where they were: {set:?}");
    for name in set {
        // RUST_LOG is for the logger alone.
        ensure!(name == "RUST_LOG" || read.contains(name.as_str()), "nobody reads {name}");
    }
    Ok(())
}
