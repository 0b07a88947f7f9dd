//! What is done by and by: closed days are archived, and what has expired is removed.

use std::time::Duration;

use archive::Summary;
use bootstrap::progress;
use chrono_tz::Tz;
use history::{History, HistoryError};
use report::Day;

use crate::clock::Now;
use crate::engine::Engine;
use crate::standing::Watch;

/// How often.
const EVERY: Duration = Duration::from_secs(3600);

/// Archives closed days every hour; by the machine's own clock, as long as that is believed, also
/// removes what has expired.
pub async fn keep_house(
    history: History,
    engine: Option<Engine>,
    watch: Watch,
    now: Now,
    zone: Tz,
) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        keep_once(&history, engine.clone(), &watch, now, zone).await;
    }
}

async fn keep_once(history: &History, engine: Option<Engine>, watch: &Watch, now: Now, zone: Tz) {
    let today = now.today(zone);
    archive_closed(history, today).await;
    // On a day that the user named, what the machine's clock calls expired is still to be looked at.
    if !now.is_fixed() && watch.believes(now.unix()) {
        remove_expired(history, engine, today).await;
    }
}

async fn archive_closed(history: &History, today: Day) {
    let (summary, archived) = archive::run(history, today, |_, _| {}).await;
    match archived {
        Ok(()) => tracing::debug!(?summary, "closed days are archived"),
        Err(error) => tracing::error!(%error, "cannot archive all closed days"),
    }
}

async fn remove_expired(history: &History, engine: Option<Engine>, today: Day) {
    if let Err(error) = archive::remove_expired(history, today).await {
        tracing::error!(%error, "cannot remove old archives");
    }
    let Some(engine) = engine else { return };
    // The engine works on the thread that asks it.
    let swept = tokio::task::spawn_blocking(move || engine.remove_expired()).await;
    if let Ok(Err(error)) = swept {
        tracing::error!(error = format!("{error:#}"), "cannot remove what has expired");
    }
}

/// Archives closed days once, with a bar that shows how far it is.
pub async fn archive_with_bar(
    history: &History,
    today: Day,
) -> (Summary, Result<(), HistoryError>) {
    let days = archive::closed(today).days().count() as u64;
    let progress = progress::days("archiving", days);
    let done = archive::run(history, today, |_, _| progress.inc(1)).await;
    progress.finish_and_clear();
    done
}

#[cfg(test)]
mod tests {
    use std::fs;

    use aws_sdk_dynamodb::types::AttributeValue;
    use chrono_tz::Tz;

    use super::*;
    use crate::home::Home;

    /// Whether what has expired is still there after the house was kept once.
    async fn is_kept(last_ran: i64) -> bool {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("clock"), format!("1 {last_ran}\n")).expect("written");
        let home = Home::own(folder.path(), Tz::UTC).await.expect("a home");
        let engine = home.engine.clone().expect("its engine");
        let expires = (Now::Machine.unix() - 1000).to_string();
        let put = engine.client().put_item().table_name("smtp-auth-report");
        let put = put.item("pk", AttributeValue::S("T#".to_owned()));
        let put = put.item("sk", AttributeValue::S("-".to_owned()));
        put.item("x", AttributeValue::N(expires)).send().await.expect("an item");
        let watch = Watch::over(Some(folder.path()), None);
        keep_once(&home.history, Some(engine.clone()), &watch, Now::Machine, Tz::UTC).await;
        let left = engine.client().scan().table_name("smtp-auth-report").send().await;
        left.expect("items").items().iter().any(|item| item["pk"].as_s().is_ok_and(|pk| pk == "T#"))
    }

    #[tokio::test]
    async fn nothing_expires_by_a_clock_that_is_doubted() {
        let now = Now::Machine.unix();
        assert!(!is_kept(now - 3600).await, "it has expired");
        assert!(is_kept(now - 400 * 86_400).await, "the clock is far ahead");
    }
}
