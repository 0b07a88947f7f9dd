//! Damage of days that have no archive yet shows too, as far as their items tell.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use local::verify::verify;
use report::{Day, Range};
use tests::app::{App, NOW};

type Item = std::collections::HashMap<String, AttributeValue>;

fn today() -> Day {
    report::Days::new(chrono_tz::UTC).day_of(NOW)
}

fn submission(sender: &str, account: &str, client: &str) -> String {
    format!(
        "{{\"event\":\"submission\",\"time\":\"2026-11-24T10:00:00Z\",\"sender\":\"{sender}\",\"account\":\"{account}\",\
         \"mechanism\":\"PLAIN\",\"tls\":\"TLS1.3\",\"client\":\"{client}\"}}\n"
    )
}

fn failure(account: &str, client: &str) -> String {
    format!(
        "{{\"event\":\"auth_failure\",\"time\":\"2026-11-24T10:00:00Z\",\"account\":\"{account}\",\"client\":\"{client}\"}}\n"
    )
}

/// What is found, in words.
async fn told(app: &App) -> Result<Vec<String>> {
    let range = Range { start: today(), end: today() };
    let found = verify(&app.store, &app.history, range, Duration::ZERO).await?;
    ensure!(found.unprotected == BTreeSet::from([today()]), "{found:?}");
    Ok(found.faults.iter().map(ToString::to_string).collect())
}

/// The day's pages of usage (`U`) or failed logins (`F`).
async fn pages(app: &App, kind: char) -> Result<Vec<Item>> {
    let partition = AttributeValue::S(format!("{kind}#{}", today()));
    let pages = app.engine.client().query().table_name("table");
    let pages = pages.key_condition_expression("pk = :pk");
    let pages = pages.expression_attribute_values(":pk", partition).send().await?;
    Ok(pages.items().to_vec())
}

async fn put(app: &App, item: &Item) -> Result<()> {
    let put = app.engine.client().put_item().table_name("table");
    put.set_item(Some(item.clone())).send().await?;
    Ok(())
}

/// The same page with each counter's name as `damaged` gives it; how many differ.
fn renamed(page: &Item, damaged: impl Fn(&str) -> String) -> (Item, usize) {
    let mut differ = 0;
    let rename = |(name, value): (&String, &AttributeValue)| {
        let other = if name.contains('\t') { damaged(name) } else { name.clone() };
        differ += usize::from(other != *name);
        (other, value.clone())
    };
    let page = page.iter().map(rename).collect();
    (page, differ)
}

#[tokio::test]
async fn names_that_nobody_counted_under_show() -> Result<()> {
    let app = App::new().await?;
    let log = [
        submission("ann@example.test", "ann@example.test", "192.0.2.1"),
        submission("bob@example.test", "bob", "2001:db8::1"),
        submission("news@example.test", "ann@example.test", "192.0.2.9"),
        failure("guess", "198.51.100.7"),
    ];
    app.log("log", &log.concat()).await?;
    assert_eq!(told(&app).await?, [""; 0]);
    for (kind, name, damaged) in [
        // Cleaning leaves no such names.
        ('U', "PLAIN\t3\t192.0.2.1", "PLaIN\t3\t192.0.2.1"),
        ('U', "192.0.2.1", "192.0.2.q"),
        ('U', "192.0.2.1", "192.0.2.1\u{1}"),
        ('F', "guess", "gUess"),
        // Nobody was admitted under these.
        ('U', "2001:db8::1", "2001:db8::3"),
        ('U', "192.0.2.9", "192.0.2.8"),
        ('F', "guess", "guers"),
        ('F', "198.51.100.7", "198.51.100.6"),
    ] {
        for page in pages(&app, kind).await? {
            let (other, differ) = renamed(&page, |counter| counter.replace(name, damaged));
            assert_eq!(differ, 1, "{name}");
            put(&app, &other).await?;
            let faults = told(&app).await?;
            ensure!(faults.len() == 1, "{damaged:?}: {faults:?}");
            put(&app, &page).await?;
        }
        assert_eq!(told(&app).await?, [""; 0], "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn names_on_pages_to_which_they_do_not_lead_show() -> Result<()> {
    let app = App::new().await?;
    let sender = |n: usize| {
        let sender = format!("user{n}@example.test");
        submission(&sender, &sender, &format!("192.0.2.{}", n % 250))
    };
    let log: String = (0..400).map(sender).collect();
    app.log("log", &log).await?;
    assert_eq!(told(&app).await?, [""; 0]);
    // Addresses of others, which are as good as these.
    let one_bit = |name: &str| {
        let (rest, digit) = name.split_at(name.len() - 1);
        let digit = digit.as_bytes().first().map_or('0', |digit| char::from(digit ^ 1));
        format!("{rest}{digit}")
    };
    let mut differ = 0;
    for page in pages(&app, 'U').await? {
        let (other, of_page) = renamed(&page, one_bit);
        put(&app, &other).await?;
        differ += of_page;
    }
    let faults = told(&app).await?;
    let first = faults.first().context("none")?;
    ensure!(first.contains("192.0.2."), "{first}");
    assert_eq!(differ, 400);
    ensure!(faults.len() > 360 && faults.len() <= 400, "{} of {differ}", faults.len());
    Ok(())
}
