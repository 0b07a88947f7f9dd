//! Counters that no batch has written so: what their day tells of them without its archive.
//!
//! A bit that turns over in a counter's name makes another name, mostly. What a name must agree with is stored without it:
//! its page is the one to which its checksum leads, cleaning leaves it as it is, and what it claims was admitted before it
//! was counted.

use futures_util::StreamExt as _;
use report::{
    Day, FailureKey, Finer, FinerKey, UsageKey, admitted_for_failure, admitted_for_usage,
    is_clean_failure, is_clean_finer, is_clean_usage,
};

use crate::counting::admission::Admitted;
use crate::counting::counter_names;
use crate::counting::counter_pages::{counters, leads_to};
use crate::dynamo::error::StoreError;
use crate::dynamo::items;
use crate::dynamo::keys;
use crate::dynamo::table::Table;

/// Hands every such counter of a day to `each`, as a person may read it. Without `admitted`, nothing is said of claims.
pub(crate) async fn of_day(
    table: &Table,
    day: Day,
    admitted: Option<&Admitted>,
    mut each: impl FnMut(String),
) -> Result<(), StoreError> {
    of_usage(table, day, admitted, &mut each).await?;
    of_failures(table, day, admitted, &mut each).await?;
    of_finer(table, day, &mut each).await
}

async fn of_usage(
    table: &Table,
    day: Day,
    admitted: Option<&Admitted>,
    each: &mut impl FnMut(String),
) -> Result<(), StoreError> {
    let partition = keys::usage(day);
    let mut buffer = String::new();
    let mut pages = table.pages(&partition);
    while let Some(page) = pages.next().await {
        for item in page? {
            let sort_key = items::text(&item, "sk").unwrap_or_default();
            let (domain, place) = sort_key.split_once('\t').unwrap_or_default();
            for (name, _) in counters(&item) {
                let wrong = || StoreError::Item { key: partition.clone(), expected: "usage" };
                let key = counter_names::read(domain, name, &mut buffer).ok_or_else(wrong)?;
                let claims = admitted.zip(admitted_for_usage(&key));
                let is_admitted = claims.is_none_or(|(all, (owner, claim))| all.has(&owner, claim));
                if !(leads_to(name, place) && is_clean_usage(&key) && is_admitted) {
                    let UsageKey { sender, username, mechanism, client, .. } = key;
                    let tls = key.tls.name();
                    each(format!("{sender} {username} {mechanism} {tls} {client}"));
                }
            }
        }
    }
    Ok(())
}

async fn of_failures(
    table: &Table,
    day: Day,
    admitted: Option<&Admitted>,
    each: &mut impl FnMut(String),
) -> Result<(), StoreError> {
    let partition = keys::failures(day);
    let mut pages = table.pages(&partition);
    while let Some(page) = pages.next().await {
        for item in page? {
            let place = items::text(&item, "sk").unwrap_or_default();
            for (name, failures) in counters(&item) {
                let Some((key, _)) = FailureKey::read(name).zip(failures) else {
                    return Err(StoreError::Item { key: partition, expected: "failures" });
                };
                let FailureKey { account, client, .. } = key;
                let claims = admitted.zip(admitted_for_failure(account, client));
                let is_admitted = claims.is_none_or(|(all, (owner, claim))| all.has(&owner, claim));
                if !(leads_to(name, place) && is_clean_failure(account, client) && is_admitted) {
                    each(format!("failed logins of {account} from {client}"));
                }
            }
        }
    }
    Ok(())
}

async fn of_finer(
    table: &Table,
    day: Day,
    each: &mut impl FnMut(String),
) -> Result<(), StoreError> {
    let partition = keys::finer(day);
    let mut pages = table.pages(&partition);
    while let Some(page) = pages.next().await {
        for item in page? {
            let place = items::text(&item, "sk").unwrap_or_default();
            for (name, count) in counters(&item) {
                let Some((FinerKey { account, of }, _)) = FinerKey::read(name).zip(count) else {
                    return Err(StoreError::Item { key: partition, expected: "finer counters" });
                };
                if !(leads_to(name, place) && is_clean_finer(account)) {
                    each(match of {
                        Finer::Night => format!("messages of {account} at night"),
                        Finer::Recipients => format!("recipients of {account}"),
                    });
                }
            }
        }
    }
    Ok(())
}
