//! A view's totals agree, over random data: chart, days and table tell the same.

use anyhow::{Context as _, Result};
use chrono_tz::Tz;
use fastrand::Rng;
use serde_json::Value;
use tests::app::App;
use tests::traffic::{self, Kind};

fn sum(rows: &Value, name: &str) -> u64 {
    let rows = rows.as_array().into_iter().flatten();
    rows.map(|row| row[name].as_u64().unwrap_or(0)).sum()
}

/// Messages per TLS version, added up over rows that hold `tls`.
fn versions(rows: &Value) -> Vec<u64> {
    let mut sums = vec![0; 6];
    for row in rows.as_array().into_iter().flatten() {
        for (sum, share) in sums.iter_mut().zip(row["tls"].as_array().into_iter().flatten()) {
            *sum += share["messages"].as_u64().unwrap_or(0);
        }
    }
    sums
}

#[tokio::test]
async fn chart_days_and_table_agree() -> Result<()> {
    for seed in 0..8 {
        let mut rng = Rng::with_seed(seed);
        let zone = [Tz::UTC, Tz::America__St_Johns][rng.usize(0..2)];
        let app = App::in_zone(zone).await?;
        for (number, kind) in
            [Kind::Postfix, Kind::PostfixQuiet, Kind::Exim, Kind::Json].iter().enumerate()
        {
            let log = traffic::log(*kind, "mx1", 60, zone, &mut rng);
            app.log(&number.to_string(), &(log.lines.join("\n") + "\n")).await?;
        }
        let domains = app.get("/v1/domains").await?.ok()?;
        let domains = domains["domains"].as_array().context("domains")?.clone();
        let (mut of_domains, mut of_all) = (0, 0);
        for domain in domains.iter().filter_map(Value::as_str).chain([""]) {
            let asked = format!("start=2026-11-20&end=2026-11-24&domain={domain}");
            let get = async |path: &str| app.get(&format!("{path}{asked}")).await?.ok();
            let volume = get("/v1/reports/sending-volume?").await?;
            let tls = get("/v1/reports/tls-usage?").await?;
            let volume_rows = get("/v1/reports/sending-volume/details?limit=1000&").await?;
            let tls_rows = get("/v1/reports/tls-usage/details?limit=1000&").await?;
            let total = volume["total"].as_u64().context("total")?;
            assert_eq!(sum(&volume["volume"], "messages"), total, "{seed} {domain}");
            assert_eq!(tls["total"], total);
            assert_eq!(sum(&tls["days"], "messages"), total);
            assert_eq!(sum(&tls["tls"], "messages"), total);
            assert_eq!(sum(&volume_rows["rows"], "messages"), total);
            assert_eq!(sum(&tls_rows["rows"], "messages"), total);
            let chart: Vec<u64> = tls["tls"]
                .as_array()
                .context("tls")?
                .iter()
                .map(|share| share["messages"].as_u64().unwrap_or(0))
                .collect();
            let kinds = get("/v1/reports/mechanisms?").await?;
            let by_kind = get("/v1/reports/sending-volume/details?group=kind&").await?;
            assert_eq!(kinds["total"], total);
            assert_eq!(sum(&kinds["days"], "messages"), total);
            for share in kinds["kinds"].as_array().context("kinds")? {
                let of_kind = |row: &&Value| row["kind"] == share["kind"];
                let rows = by_kind["rows"].as_array().context("rows")?;
                let row = rows.iter().find(of_kind);
                let messages = row.map_or(0, |row| row["messages"].as_u64().unwrap_or(0));
                assert_eq!(share["messages"], messages, "{seed} {domain} {share}");
                let days = kinds["days"].as_array().context("days")?.iter();
                let of_days = days.flat_map(|day| day["kinds"].as_array().into_iter().flatten());
                let of_days = of_days.filter(of_kind).map(|share| share["messages"].as_u64());
                assert_eq!(of_days.flatten().sum::<u64>(), messages);
            }
            assert_eq!(versions(&tls["days"]), chart);
            assert_eq!(versions(&tls_rows["rows"]), chart);
            *(if domain.is_empty() { &mut of_all } else { &mut of_domains }) += total;
        }
        assert!(of_all > 0);
        assert_eq!(of_domains, of_all, "every message belongs to one domain");

        let insight = app.get("/v1/insight/details").await?.ok()?;
        let rows = app.get("/v1/reports/tls-usage/details?limit=1000").await?.ok()?;
        let rows = rows["rows"].as_array().context("rows")?;
        assert_eq!(insight["senders"], rows.len());
        assert_eq!(insight["messages"], of_all);
        assert_eq!(sum(&insight["volume"], "messages"), of_all);
        for row in rows {
            let sender = row["sender"].as_str().context("sender")?;
            let sender: String = sender.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let details = app.get(&format!("/v1/senders?sender={sender}")).await?.ok()?;
            assert_eq!(details["tls"], row["tls"], "{row}");
            for part in ["days", "accounts", "mechanisms", "clients"] {
                assert_eq!(sum(&details[part], "messages"), row["messages"], "{part} of {row}");
            }
        }
    }
    Ok(())
}
