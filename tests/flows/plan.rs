//! The plan: who would be refused if something were turned off.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tests::app::App;

fn sent(date: &str, account: &str, used: [&str; 3], n: u64) -> Value {
    let [mechanism, tls, client] = used;
    json!({"time": format!("{date}T10:00:00Z"), "sender": account, "account": account,
        "mechanism": mechanism, "tls": tls, "client": client, "messages": n})
}

/// A printer that cannot do better, a script that was mended on 3 November, and people who need nothing.
async fn office() -> Result<App> {
    let app = App::new().await?;
    let events = [
        sent("2026-10-01", "printer@corp.test", ["LOGIN", "TLS1.0", "192.0.2.9"], 8),
        sent("2026-11-03", "script@example.test", ["PLAIN", "TLS1.1", "192.0.2.5"], 5),
        sent("2026-11-14", "printer@corp.test", ["LOGIN", "TLS1.0", "192.0.2.9"], 4),
        sent("2026-11-20", "script@example.test", ["PLAIN", "TLS1.3", "192.0.2.5"], 6),
        sent("2026-11-21", "printer@corp.test", ["LOGIN", "TLS1.0", "192.0.2.9"], 2),
        sent("2026-11-21", "printer@corp.test", ["LOGIN", "TLS1.2", "192.0.2.10"], 6),
        sent("2026-11-22", "ann@example.test", ["XOAUTH2", "TLS1.3", "192.0.2.77"], 9),
        sent("2026-11-22", "bob@example.test", ["", "unknown", "192.0.2.78"], 3),
    ];
    let log: String = events.iter().map(|event| format!("{event}\n")).collect();
    app.log("events", &log).await?;
    Ok(app)
}

#[tokio::test]
async fn it_tells_who_would_be_refused_and_how_that_falls() -> Result<()> {
    let app = office().await?;
    let plan = app.get("/v1/plan?off=TLS1.0,TLS1.1,none").await?.ok()?;
    assert_eq!(app.get("/v1/plan").await?.ok()?, plan, "what should be given up anyway");
    assert_eq!(
        (&plan["messages"], &plan["refused"], &plan["percent"]),
        (&json!(26), &json!(2), &json!(7.69))
    );
    assert_eq!((&plan["unknown"], &plan["unknown_percent"]), (&json!(3), &json!(11.54)));
    assert_eq!(plan["accounts"], json!({"refused": 1, "all": 4}));
    assert_eq!(plan["clients"], json!({"refused": 1, "all": 5}));
    assert_eq!(
        (&plan["before"], &plan["change"], &plan["last"]),
        (&json!(4), &json!(-50.0), &json!("2026-11-21"))
    );
    let days = plan["days"].as_array().context("days")?;
    let used: Vec<_> = days.iter().filter(|day| day["messages"] != 0).collect();
    assert_eq!(days.len(), 90);
    let expected = [("2026-10-01", 8), ("2026-11-03", 5), ("2026-11-14", 4), ("2026-11-21", 2)];
    let expected = expected.map(|(date, n)| json!({"date": date, "accounts": 1, "messages": n}));
    assert_eq!(used, expected.iter().collect::<Vec<_>>());
    let row = json!({"account": "printer@corp.test", "messages": 2, "all": 8, "percent": 25.0,
        "before": 4, "change": -50.0, "first": "2026-10-01", "last": "2026-11-21",
        "days": [0, 0, 0, 2, 0, 0, 0], "mechanisms": [{"name": "LOGIN", "messages": 2}],
        "clients": [{"name": "192.0.2.9", "messages": 2}], "more_clients": 0});
    assert_eq!((&plan["rows"], &plan["next"]), (&json!([row]), &Value::Null));
    Ok(())
}

#[tokio::test]
async fn anything_can_be_turned_off_for_anybody() -> Result<()> {
    let app = office().await?;
    for (asked, refused, unknown, accounts) in [
        ("off=basic", 14, 3, 2),
        ("off=LOGIN", 8, 3, 1),
        ("off=login,XOAUTH2", 17, 3, 2),
        ("off=unknown", 3, 0, 1),
        ("off=TLS1.0&off=basic", 14, 3, 2),
        ("off=basic&domain=corp.test", 8, 0, 1),
        ("off=basic&account=ann@example.test", 0, 0, 0),
        ("off=TLS1.1&start=2026-11-01", 5, 3, 1),
        ("off=EXTERNAL", 0, 3, 0),
    ] {
        let plan = app.get(&format!("/v1/plan?{asked}")).await?.ok()?;
        let told = (&plan["refused"], &plan["unknown"], &plan["accounts"]["refused"]);
        assert_eq!(told, (&json!(refused), &json!(unknown), &json!(accounts)), "{asked}: {plan}");
        // What is told of the rows, their table and the evidence are the same messages.
        let rows = plan["rows"].as_array().into_iter().flatten();
        assert_eq!(
            rows.filter_map(|row| row["messages"].as_u64()).sum::<u64>(),
            refused,
            "{asked}"
        );
        let export = app.get(&format!("/v1/reports/detailed?{asked}")).await?.text()?;
        let counts =
            export.lines().skip(1).filter_map(|line| line.rsplit(',').next()?.parse::<u64>().ok());
        assert_eq!(counts.sum::<u64>(), refused, "{asked}");
    }
    let last = app.get("/v1/plan?off=TLS1.1").await?.ok()?;
    assert_eq!((&last["refused"], &last["last"]), (&json!(0), &json!("2026-11-03")));
    for wrong in ["off=TLS1.4", "off=a%20b", "group=domain", "off=TLS1.0,", "off="] {
        app.get(&format!("/v1/plan?{wrong}")).await?.problem(400)?;
    }
    // Each value has a bound, and how many values there are.
    let ten = ["EXTERNAL"; 10].join(",");
    app.get(&format!("/v1/plan?{}", vec![format!("off={ten}"); 50].join("&"))).await?.ok()?;
    app.get(&format!("/v1/plan?off={ten},EXTERNAL")).await?.problem(400)?;
    app.get(&format!("/v1/plan?{}", vec!["off=EXTERNAL"; 51].join("&"))).await?.problem(400)?;
    Ok(())
}

#[tokio::test]
async fn it_is_a_page_and_a_csv_file_too() -> Result<()> {
    let app = office().await?;
    let csv = app.get("/v1/plan?off=basic&format=csv&sort=name").await?.text()?;
    let expected = "Account,Refused messages,All messages,Share %,Before,Change %,First day,Last day,Mechanisms,Client addresses,Client name,Noted name,Owner\r\n\
        printer@corp.test,8,8,100.00,4,100.00,2026-10-01,2026-11-21,LOGIN,192.0.2.10 192.0.2.9,,,\r\n\
        script@example.test,6,6,100.00,0,,2026-11-03,2026-11-20,PLAIN,192.0.2.5,,,\r\n";
    assert_eq!(csv, expected);
    let page = app.get("/plan").await?.text()?;
    for told in [
        "Without TLS1.0, TLS1.1 and No TLS, 2 of 26 messages would have been refused",
        "1 of 4",
        "/accounts?account=printer%40corp.test",
        "/clients?client=192.0.2.9",
        "Of 3 messages (11.54\u{a0}%) the logs do not tell",
        "smtpd_tls_loglevel = 1",
        "value=\"TLS1.0\" checked",
        "50.00\u{a0}% fewer than in",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let page = app.get("/plan?off=TLS1.1").await?.text()?;
    assert!(
        page.contains("nothing would have been refused in these days: none since 3 Nov 2026"),
        "{page}"
    );
    let page = app.get("/plan?off=EXTERNAL").await?.text()?;
    assert!(page.contains("nothing would have been refused in all days that are kept"), "{page}");
    // What is turned off stands in hundreds of links: as one value each.
    let page = app.get("/plan?off=TLS1.1&off=basic").await?.text()?;
    assert!(
        page.contains("/schedules/new?view=tls-usage&#38;group=account&#38;off=TLS1.1%2Cbasic")
    );
    assert!(page.contains("off=TLS1.1%2Cbasic") && !page.contains("off=basic"), "{page}");
    assert!(app.get("/").await?.text()?.contains("href=\"/plan\""));
    Ok(())
}
