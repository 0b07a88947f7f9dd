//! Names instead of figures: tables by any group, filters, and everything about one account or client.

use anyhow::{Context as _, Result};
use report::Known;
use serde_json::{Value, json};
use tests::app::App;

/// A submission on a day of November.
fn sent(
    day: u32,
    sender: &str,
    account: &str,
    [mechanism, tls, client]: [&str; 3],
    n: u64,
) -> Value {
    json!({"time": format!("2026-11-{day}T10:00:00Z"), "sender": sender, "account": account,
        "mechanism": mechanism, "tls": tls, "client": client, "messages": n})
}

fn failed(day: u32, hour: u32, account: &str, client: &str) -> Value {
    let time = format!("2026-11-{day}T{hour:02}:59:00Z");
    json!({"event": "auth_failure", "time": time, "account": account, "client": client})
}

/// Ann's account is in strange hands: from one address, under several senders, after failed logins.
async fn stolen() -> Result<App> {
    let app = App::new().await?;
    let office = ["PLAIN", "TLS1.3", "192.0.2.10"];
    let strange = ["LOGIN", "TLS1.2", "203.0.113.9"];
    let mut events = vec![
        sent(20, "ann@example.test", "ann@example.test", office, 4),
        sent(21, "ann@example.test", "ann@example.test", office, 3),
        sent(23, "ann@example.test", "ann@example.test", strange, 100),
        sent(23, "ceo@example.test", "ann@example.test", strange, 200),
        sent(23, "billing@corp.test", "ann@example.test", strange, 300),
        sent(23, "bob@example.test", "bob@example.test", office, 7),
        sent(23, "scanner@corp.test", "", ["", "TLS1.0", "192.0.2.77"], 2),
        sent(23, "shop@example.test", "shop@example.test", ["PLAIN", "none", "127.0.0.1"], 5),
        sent(
            23,
            "healthmailbox1@example.test",
            "healthmailbox1@example.test",
            ["LOGIN", "none", "192.0.2.3"],
            9,
        ),
    ];
    events.extend((0..30).map(|_| failed(22, 9, "ann@example.test", "203.0.113.9")));
    events.extend(
        (8..10).cycle().take(3).map(|hour| failed(22, hour, "bob@example.test", "203.0.113.9")),
    );
    events.extend((0..5).map(|_| failed(20, 9, "ann@example.test", "203.0.113.200")));
    let log: String = events.iter().map(|event| format!("{event}\n")).collect();
    app.log("events", &log).await?;
    Ok(app)
}

fn rows(page: &Value, group: &str) -> Vec<(String, u64)> {
    let rows = page["rows"].as_array().into_iter().flatten();
    let row = |row: &Value| {
        (row[group].as_str().unwrap_or("?").to_owned(), row["messages"].as_u64().unwrap_or(0))
    };
    rows.map(row).collect()
}

#[tokio::test]
async fn a_table_has_a_row_for_whatever_is_asked_for() -> Result<()> {
    let app = stolen().await?;
    let table = "/v1/reports/tls-usage/details";
    for (asked, name, first, rows_in_all, total) in [
        ("group=account", "account", ("ann@example.test", 607), 5, 630),
        ("group=client", "client", ("203.0.113.9", 600), 5, 630),
        ("group=mechanism", "mechanism", ("LOGIN", 609), 3, 630),
        ("group=kind", "kind", ("basic", 628), 2, 630),
        ("kind=basic&group=mechanism", "mechanism", ("LOGIN", 609), 2, 628),
        ("kind=unknown", "sender", ("scanner@corp.test", 2), 1, 2),
        ("off=TLS1.0,none&group=client", "client", ("192.0.2.3", 9), 3, 16),
        ("group=tls", "version", ("TLS1.2", 600), 4, 630),
        ("group=domain", "domain", ("example.test", 328), 2, 630),
        ("account=ann@example.test", "sender", ("billing@corp.test", 300), 3, 607),
        ("account=ANN@example.test&group=client", "client", ("203.0.113.9", 600), 2, 607),
        ("client=203.0.113.0/24", "sender", ("billing@corp.test", 300), 3, 600),
        ("group=client&search=192.0.2.64/26", "client", ("192.0.2.77", 2), 1, 2),
        ("mechanism=(none)", "sender", ("scanner@corp.test", 2), 1, 2),
        ("mechanism=plain&tls=none&tls=TLS1.3&group=client", "client", ("192.0.2.10", 14), 2, 19),
        (
            "domain=corp.test&domain=example.test&group=domain",
            "domain",
            ("example.test", 328),
            2,
            630,
        ),
        (
            "sender=ann@example.test&sender=bob@example.test",
            "sender",
            ("ann@example.test", 107),
            2,
            114,
        ),
    ] {
        let page = app.get(&format!("{table}?{asked}")).await?.ok()?;
        let found = rows(&page, name);
        assert_eq!(
            found.first().map(|(name, n)| (name.as_str(), *n)),
            Some(first),
            "{asked}: {page}"
        );
        assert_eq!(
            (found.len(), found.iter().map(|(_, n)| n).sum::<u64>()),
            (rows_in_all, total),
            "{asked}"
        );
        // The chart, the CSV file and the export tell of the same messages.
        let filter: Vec<_> = asked
            .split('&')
            .filter(|pair| !pair.starts_with("group=") && !pair.starts_with("search="))
            .collect();
        if asked.contains("search=") {
            continue;
        }
        let chart = app.get(&format!("/v1/reports/tls-usage?{}", filter.join("&"))).await?.ok()?;
        assert_eq!(chart["total"], total, "{asked}");
        let csv = app.get(&format!("{table}?{asked}&format=csv")).await?.text()?;
        let sum = |csv: &str| -> u64 {
            let head = csv.lines().next().unwrap_or_default();
            let at = head.split(',').position(|head| head == "Message count");
            let count = |line: &str| line.split(',').nth(at?)?.parse::<u64>().ok();
            csv.lines().skip(1).filter_map(count).sum()
        };
        assert_eq!((csv.lines().count(), sum(&csv)), (rows_in_all + 1, total), "{asked}: {csv}");
        let export =
            app.get(&format!("/v1/reports/detailed?{}", filter.join("&"))).await?.text()?;
        assert_eq!(sum(&export), total, "{asked}: {export}");
    }
    Ok(())
}

#[tokio::test]
async fn an_account_and_a_client_are_told_with_who_failed_before() -> Result<()> {
    let app = stolen().await?;
    let ann = app.get("/v1/accounts?account=Ann@example.test").await?.ok()?;
    assert_eq!((&ann["account"], &ann["messages"]), (&json!("ann@example.test"), &json!(607)));
    assert_eq!(ann["senders"].as_array().map(Vec::len), Some(3));
    assert_eq!(ann["clients"][0], json!({"name": "203.0.113.9", "messages": 600}));
    let failed = json!({"failures": 35, "more": 0, "names": [
        {"name": "203.0.113.9", "failures": 30, "last": "2026-11-22", "last_hour": 9, "succeeded": "2026-11-23"},
        {"name": "203.0.113.200", "failures": 5, "last": "2026-11-20", "last_hour": 9, "succeeded": null},
    ]});
    assert_eq!(ann["failed_logins"], failed);
    // The day behind the range tells that the last day's failures led somewhere.
    let then =
        app.get("/v1/accounts?account=ann@example.test&start=2026-11-22&end=2026-11-22").await?;
    let then = then.ok()?;
    assert_eq!(
        (&then["messages"], &then["failed_logins"]["names"][0]["succeeded"]),
        (&json!(0), &json!("2026-11-23"))
    );
    let strange = app.get("/v1/clients?client=203.0.113.9").await?.ok()?;
    assert_eq!((&strange["client"], &strange["messages"]), (&json!("203.0.113.9"), &json!(600)));
    let tried = strange["failed_logins"]["names"].as_array().context("names")?;
    let tried: Vec<_> =
        tried.iter().map(|one| (one["name"].clone(), one["failures"].clone())).collect();
    assert_eq!(
        tried,
        [(json!("ann@example.test"), json!(30)), (json!("bob@example.test"), json!(3))]
    );
    let network = app.get("/v1/clients?client=203.0.113.0/24").await?.ok()?;
    assert_eq!(
        (&network["messages"], &network["failed_logins"]["failures"]),
        (&json!(600), &json!(38))
    );
    let nobody = app.get("/v1/clients?client=198.51.100.1").await?.ok()?;
    assert_eq!((&nobody["messages"], &nobody["failed_logins"]["failures"]), (&json!(0), &json!(0)));
    Ok(())
}

#[tokio::test]
async fn the_servers_own_are_named_and_are_no_legacy_clients() -> Result<()> {
    let app = stolen().await?;
    let page =
        app.get("/v1/reports/tls-usage/details?group=client&client=127.0.0.1").await?.ok()?;
    assert_eq!(page["rows"][0]["origin"], "machine", "{page}");
    let page = app.get("/v1/reports/tls-usage/details?search=healthmailbox").await?.ok()?;
    assert_eq!(page["rows"][0]["origin"], "health_check", "{page}");
    assert_eq!(app.get("/v1/clients?client=127.0.0.1").await?.ok()?["origin"], "machine");
    let client = app.get("/clients?client=127.0.0.1").await?.text()?;
    assert!(client.contains("the mail server&#39;s own machine"), "{client}");
    let table =
        app.get("/reports/tls-usage/details?group=client&client=127.0.0.1").await?.text()?;
    assert!(table.contains("this machine itself") && !table.contains("n alarm"), "{table}");
    let overview = app.get("/").await?.text()?;
    assert!(overview.contains("scanner@<wbr>corp.test"), "{overview}");
    assert!(!overview.contains("healthmailbox1"), "{overview}");
    Ok(())
}

#[tokio::test]
async fn everything_that_is_named_leads_to_its_page() -> Result<()> {
    let app = stolen().await?;
    // From the table by account to the account, from there to the address, from there to the other account it tried.
    let mut path = "/reports/sending-volume/details?group=account".to_owned();
    for (text, begin) in [
        ("ann@", "/accounts?account=ann%40example.test"),
        ("203.0.113.9", "/clients?client=203.0.113.9"),
        ("bob@", "/accounts?account=bob%40example.test"),
        ("192.0.2.10", "/clients?client=192.0.2.10"),
    ] {
        let page = app.get(&path).await?.text()?;
        assert!(page.contains(text), "{path} has {text}");
        let link = page.split("href=\"").find(|link| link.starts_with(begin));
        let link = link.with_context(|| format!("{path} has no link to {begin}: {page}"))?;
        path = link.split('"').next().unwrap_or_default().replace("&#38;", "&");
    }
    let ann = app.get("/accounts?account=ann@example.test").await?.text()?;
    for told in
        ["ceo@<wbr>example.test", "35 failed logins at this account", "on 23 Nov 2026", "LOGIN"]
    {
        assert!(ann.contains(told), "{told}: {ann}");
    }
    for (path, status) in
        [("/accounts", 400), ("/clients?client=1/2/3", 400), ("/accounts?account=%ff", 200)]
    {
        assert_eq!(app.get(path).await?.status.as_u16(), status, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn filters_stand_above_the_page_and_can_be_taken_away() -> Result<()> {
    let app = stolen().await?;
    let path =
        "/reports/tls-usage/details?client=203.0.113.0/24&account=ann@example.test&tls=TLS1.2";
    let page = app.get(path).await?.text()?;
    for told in
        ["203.0.113.0/24", "Remove<span class=\"unseen\"> the filter Account ann@example.test"]
    {
        assert!(page.contains(told), "{told}: {page}");
    }
    let left = page.split("href=\"").filter(|link| link.contains("Remove"));
    let left: Vec<_> = left.filter_map(|link| link.split('"').next()).collect();
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(left[1].contains("account=") && !left[1].contains("client="), "{left:?}");
    Ok(())
}

#[tokio::test]
async fn failed_logins_have_names_and_who_was_let_in_stands_first() -> Result<()> {
    let app = stolen().await?;
    let all = app.get("/v1/failed-logins").await?.ok()?;
    assert_eq!((&all["failures"], &all["more"]), (&json!(38), &json!(0)));
    let days = all["days"].as_array().context("days")?;
    let days: u64 = days.iter().filter_map(|day| day["failures"].as_u64()).sum();
    assert_eq!(days, 38);
    let expected = json!([
        {"account": "ann@example.test", "failures": 35, "first": "2026-11-20", "first_hour": 9,
            "last": "2026-11-22", "last_hour": 9, "others": 2, "succeeded": 1},
        {"account": "bob@example.test", "failures": 3, "first": "2026-11-22", "first_hour": 8,
            "last": "2026-11-22", "last_hour": 9, "others": 1, "succeeded": 0},
    ]);
    assert_eq!(all["rows"], expected);
    let clients = app.get("/v1/failed-logins?group=client&limit=1").await?.ok()?;
    assert_eq!(
        (&clients["rows"][0]["client"], &clients["rows"][0]["others"]),
        (&json!("203.0.113.9"), &json!(2))
    );
    assert_eq!(clients["more"], 1);
    let next = clients["next"].as_str().context("a cursor")?;
    let second =
        app.get(&format!("/v1/failed-logins?group=client&limit=1&cursor={next}")).await?.ok()?;
    assert_eq!(second["rows"][0]["client"], "203.0.113.200");
    assert_eq!((&second["more"], &second["next"]), (&json!(0), &Value::Null));
    app.get(&format!("/v1/failed-logins?cursor={next}")).await?.problem(400)?;
    for (filter, failures) in [
        ("account=bob@example.test", 3),
        ("client=203.0.113.9", 33),
        ("client=203.0.113.0/25&account=ann@example.test", 30),
        ("start=2026-11-20&end=2026-11-20", 5),
        ("client=198.51.100.1", 0),
    ] {
        let found = app.get(&format!("/v1/failed-logins?{filter}")).await?.ok()?;
        assert_eq!(found["failures"], failures, "{filter}");
    }
    let csv = app.get("/v1/failed-logins?format=csv&group=client").await?.text()?;
    assert_eq!(csv.lines().nth(1), Some("203.0.113.9,33,2026-11-22,2026-11-22,2,1,8,9"), "{csv}");
    let page = app.get("/failed-logins").await?.text()?;
    for told in [
        "1 client address",
        "35",
        "20 Nov 2026, 9 to 10 h",
        "/accounts?account=ann%40example.test",
        "Download CSV",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let page = app.get("/failed-logins?group=client&account=nobody@example.test").await?.text()?;
    assert!(page.contains("No failed logins in these days"), "{page}");
    assert!(app.get("/").await?.text()?.contains("href=\"/failed-logins\""));
    Ok(())
}

#[tokio::test]
async fn a_row_tells_its_days_its_mechanisms_and_how_it_changed() -> Result<()> {
    let app = stolen().await?;
    let table = "/v1/reports/sending-volume/details?start=2026-11-22&end=2026-11-23";
    let page = app.get(&format!("{table}&group=account")).await?.ok()?;
    let row = |name: &str| {
        let rows = page["rows"].as_array().into_iter().flatten();
        rows.clone().find(|row| row["account"] == name).cloned().unwrap_or_default()
    };
    let ann = json!({"account": "ann@example.test", "messages": 600, "before": 7, "change": 8471.43,
        "first": "2026-11-20", "last": "2026-11-23", "days": [0, 600],
        "mechanisms": [{"name": "LOGIN", "messages": 600}]});
    assert_eq!(row("ann@example.test"), ann);
    let bob = row("bob@example.test");
    assert_eq!(
        (&bob["before"], &bob["change"], &bob["days"]),
        (&json!(0), &Value::Null, &json!([0, 7]))
    );
    // Of the days before the first that are kept nobody knows.
    let quarter = "/v1/reports/sending-volume/details?start=2026-08-30&group=account";
    let page = app.get(quarter).await?.ok()?;
    assert_eq!(
        (&page["rows"][0]["before"], &page["rows"][0]["change"]),
        (&Value::Null, &Value::Null)
    );
    for (sort, first) in [
        ("-change", "bob@example.test"),
        ("change", "ann@example.test"),
        ("first", "ann@example.test"),
        ("-last", "ann@example.test"),
    ] {
        let page = app.get(&format!("{table}&group=account&sort={sort}")).await?.ok()?;
        assert_eq!(page["rows"][0]["account"], first, "{sort}: {page}");
    }
    let csv = app.get(&format!("{table}&group=account&format=csv")).await?.text()?;
    let line = csv.lines().find(|line| line.starts_with("ann@"));
    assert_eq!(line, Some("ann@example.test,600,7,8471.43,2026-11-20,2026-11-23,LOGIN"), "{csv}");
    let html = app.get(&format!("{}&group=account", &table[3..])).await?.text()?;
    for told in ["×86", "new", "20 Nov 2026", "class=\"picture\"", "LOGIN"] {
        assert!(html.contains(told), "{told}: {html}");
    }
    Ok(())
}

#[tokio::test]
async fn one_search_finds_senders_accounts_and_addresses() -> Result<()> {
    let app = stolen().await?;
    let names = |found: &Value, group: &str, name: &str| -> Vec<String> {
        let rows = found[group]["rows"].as_array().into_iter().flatten();
        rows.filter_map(|row| row[name].as_str()).map(str::to_owned).collect()
    };
    let found = app.get("/v1/search?search=ANN@").await?.ok()?;
    assert_eq!(names(&found, "senders", "sender"), ["ann@example.test"]);
    assert_eq!(names(&found, "accounts", "account"), ["ann@example.test"]);
    assert_eq!(names(&found, "clients", "client"), [""; 0]);
    let found = app.get("/v1/search?search=203.0.113.0/24").await?.ok()?;
    assert_eq!(names(&found, "clients", "client"), ["203.0.113.9"]);
    assert_eq!(found["senders"], json!({"rows": [], "more": 0}));
    let found = app.get("/v1/search?search=example.test&limit=1").await?.ok()?;
    assert_eq!((&found["senders"]["more"], &found["accounts"]["more"]), (&json!(4), &json!(3)));
    app.get("/v1/search").await?.problem(400)?;
    let page = app.get("/search?search=203.0.113.0%2F24").await?.text()?;
    for told in ["1 client address", "/clients?client=203.0.113.9"] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let page = app.get("/search?search=%3Cscript%3E").await?.text()?;
    assert!(page.contains("No name has") && !page.contains("<script>"), "{page}");
    assert!(app.get("/search").await?.text()?.contains("Whom do you look for?"));
    assert!(app.get("/").await?.text()?.contains("action=\"/search\""));
    Ok(())
}

/// The office is at home, and the stranger abroad.
fn known() -> Result<Known> {
    let countries = geo::testing::countries(&[
        ("192.0.2.0/24", "DE", "Germany"),
        ("203.0.113.0/24", "AQ", "Antarctica"),
    ]);
    let networks = geo::testing::networks(&[("203.0.113.0/25", 64500, "Example Transit")]);
    let files = [("country.mmdb", countries), ("asn.mmdb", networks)];
    let files = files.map(|(name, bytes)| (name.to_owned(), bytes)).into();
    // Tests may use no other addresses.
    let geo = geo::Geo::open(files)?.with_documentation();
    Ok(Known { places: Some(bootstrap::places(geo)), ..Known::default() })
}

#[tokio::test]
async fn countries_and_networks_are_told_where_somebody_knows_them() -> Result<()> {
    let app = stolen().await?;
    let table = "/v1/reports/tls-usage/details";
    let client = format!("{table}?group=client");
    let nobody = app.get(&client).await?.ok()?;
    assert_eq!(
        (&nobody["rows"][0]["client"], &nobody["rows"][0]["place"]),
        (&json!("203.0.113.9"), &Value::Null)
    );
    assert!(!app.get(&client[3..]).await?.text()?.contains("group=country"));
    let app = app.knowing(known()?);
    let page = app.get(&client).await?.ok()?;
    let place = json!({"country": {"code": "AQ", "name": "Antarctica"},
        "network": {"number": 64500, "name": "Example Transit"}});
    assert_eq!(page["rows"][0]["place"], place);
    assert_eq!(app.get("/v1/clients?client=203.0.113.9").await?.ok()?["place"], place);
    for (asked, group, expected) in [
        ("group=country", "country", vec![("AQ", 600), ("DE", 25), ("(private)", 5)]),
        ("group=network", "network", vec![("AS64500", 600), ("", 25), ("(private)", 5)]),
        ("country=aq&group=account", "account", vec![("ann@example.test", 600)]),
        ("network=64500&group=client", "client", vec![("203.0.113.9", 600)]),
        ("network=(none)&country=DE&group=country", "country", vec![("DE", 25)]),
        ("country=(private)&group=client", "client", vec![("127.0.0.1", 5)]),
        ("country=FR", "sender", vec![]),
    ] {
        let page = app.get(&format!("{table}?{asked}")).await?.ok()?;
        let expected: Vec<_> = expected.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
        assert_eq!(rows(&page, group), expected, "{asked}: {page}");
    }
    let page = app.get(&format!("{table}?group=country")).await?.ok()?;
    assert_eq!(page["rows"][0]["place"]["country"]["name"], "Antarctica");
    let html = app.get(&client[3..]).await?.text()?;
    for told in ["group=country", "Antarctica, AS64500 Example Transit"] {
        assert!(html.contains(told), "{told}: {html}");
    }
    let html = app.get("/clients?client=203.0.113.9").await?.text()?;
    assert!(html.contains("Antarctica, AS64500 Example Transit"), "{html}");
    Ok(())
}

#[tokio::test]
async fn a_client_has_the_name_that_the_server_logged_and_what_was_noted() -> Result<()> {
    let app = App::new().await?;
    let named = |day: u32, client: &str, name: &str, tls: &str| {
        let mut event =
            sent(day, "printer@corp.test", "printer@corp.test", ["LOGIN", tls, client], 2);
        event["client_name"] = json!(name);
        format!("{event}\n")
    };
    let log = named(20, "192.0.2.9", "(claimed)", "TLS1.0")
        + &named(21, "192.0.2.9", "printer-2.office.example", "TLS1.0")
        + &named(22, "192.0.2.9", "(someone-else)", "TLS1.0")
        + &named(22, "192.0.2.10", "(laptop)", "TLS1.3")
        + &named(23, "192.0.2.11", "", "TLS1.3");
    app.log("events", &log).await?;
    let clients = "/v1/reports/tls-usage/details?group=client&sort=name";
    let name = |page: &Value, at: usize| page["rows"][at]["client_name"].clone();
    let page = app.get(clients).await?.ok()?;
    let names = [0, 1, 2].map(|at| name(&page, at));
    assert_eq!(names, [json!("(laptop)"), Value::Null, json!("printer-2.office.example")]);
    let note =
        json!({"name": "Printer, 2nd floor", "owner": "facilities@corp.test", "note": "call 17"});
    for subject in ["account=printer@corp.test", "client=192.0.2.8/30"] {
        app.send("PUT", &format!("/v1/notes?{subject}"), &note).await?.ok()?;
    }
    let page = app.get(clients).await?.ok()?;
    assert_eq!(page["rows"][2]["noted"], note);
    assert_eq!(app.get("/v1/accounts?account=printer@corp.test").await?.ok()?["noted"], note);
    assert_eq!(
        app.get("/v1/clients?client=192.0.2.9").await?.ok()?["client_name"],
        "printer-2.office.example"
    );
    let plan = app.get("/v1/plan?off=TLS1.0").await?.ok()?;
    let row = &plan["rows"][0];
    assert_eq!(
        (&row["noted"], &row["clients"][0]["client_name"]),
        (&note, &json!("printer-2.office.example"))
    );
    let csv = app.get("/v1/plan?off=TLS1.0&format=csv").await?.text()?;
    assert!(csv.contains(",192.0.2.9,,\"Printer, 2nd floor\",facilities@corp.test\r\n"), "{csv}");
    let html = app.get("/plan?off=TLS1.0").await?.text()?;
    for told in [
        "Printer, 2nd floor",
        "printer-2.office.example",
        "<bdi>facilities@corp.test</bdi></summary>",
        "- printer@corp.test (Printer, 2nd floor): 6 messages, the last on 22 Nov 2026",
    ] {
        assert!(html.contains(told), "{told}: {html}");
    }
    let html = app.get("/reports/tls-usage/details?group=client").await?.text()?;
    assert!(html.contains("<bdi>printer-2.office.example</bdi>"), "{html}");
    let found = app.get("/v1/search?search=2nd").await?.ok()?;
    assert_eq!(found["noted"].as_array().map(Vec::len), Some(2), "{found}");
    assert_eq!(found["noted"][0]["subject"], "printer@corp.test");
    assert!(app.get("/search?search=2nd").await?.text()?.contains("call 17"));
    Ok(())
}
