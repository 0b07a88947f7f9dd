//! Visitors who are bound to some sender domains: what they are told is what everybody would be told of a store that
//! holds nothing else.

mod mails;

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use chrono_tz::Tz;
use fastrand::Rng;
use query::{Role, Visitor};
use report::{AuthFailure, Days, Range, Scope, Submission, TlsVersion, domain_of};
use serde_json::{Value, json};
use store::{Positions, Source};
use tests::app::{Answer, App, NOW, settings};
use tests::issuer::Issuer;
use url::form_urlencoded::byte_serialize;

const SENDERS: [&str; 9] = [
    "ann@example.test",
    "bob@example.test",
    "ann@corp.test",
    "office@corp.test",
    "shop@shop.test",
    "root",
    "<>",
    "(unknown)",
    "(other senders)",
];
const ACCOUNTS: [&str; 6] =
    ["", "ann@example.test", "bob@corp.test", "shop@shop.test", "root", "ann@corp.test"];
const CLIENTS: [&str; 5] = ["", "192.0.2.1", "192.0.2.70", "127.0.0.1", "2001:db8::1"];
const MECHANISMS: [&str; 3] = ["", "PLAIN", "LOGIN"];
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

/// The scope of these domains.
pub(crate) fn of(domains: &[&str]) -> Scope {
    Scope::Domains(domains.iter().map(|domain| (*domain).to_owned()).collect())
}

/// A manager who may know of what lies in a scope.
pub(crate) fn bound(scope: Scope) -> Visitor {
    Visitor { subject: "7f3c".to_owned(), name: "ann".to_owned(), role: Role::Manager, scope }
}

fn one_of(names: &[&'static str], rng: &mut Rng) -> &'static str {
    names[rng.usize(0..names.len())]
}

/// What was read of logs.
enum Event {
    Sent(Submission<'static>),
    Failed(AuthFailure<'static>),
}

impl Event {
    fn random(rng: &mut Rng) -> Self {
        let time = rng.i64(NOW - 6 * 86_400..NOW);
        let (account, client) = (one_of(&ACCOUNTS, rng), one_of(&CLIENTS, rng));
        if rng.u32(0..4) == 0 {
            return Self::Failed(AuthFailure { time, account, client });
        }
        let (sender, mechanism) = (one_of(&SENDERS, rng), one_of(&MECHANISMS, rng));
        let (tls, messages) = (TlsVersion::ALL[rng.usize(0..6)], rng.u64(1..9));
        // Whoever is bound sees no names of clients, and so they would differ.
        let client_name = "";
        Self::Sent(Submission {
            time,
            sender,
            account,
            mechanism,
            tls,
            client,
            client_name,
            messages,
            recipients: 0,
        })
    }

    fn lies_in(&self, scope: &Scope) -> bool {
        match self {
            Self::Sent(one) => scope.has(domain_of(one.sender, one.account, "(none)")),
            Self::Failed(one) => scope.has_account(one.account),
        }
    }
}

/// Counts events in so many batches, with closed days archived if that is wanted.
async fn counted(events: &[&Event], batches: usize, archived: bool) -> Result<App> {
    let app = App::new().await?;
    for (number, batch) in events.chunks(events.len().div_ceil(batches).max(1)).enumerate() {
        let mut tally = settings(Tz::UTC).tally(NOW);
        for (mark, event) in (1..).zip(batch) {
            match event {
                Event::Sent(submission) => tally.submission(mark, submission),
                Event::Failed(failure) => tally.auth_failure(mark, failure),
            }
        }
        let source = Source::new(format!("batch {number}"));
        app.store.counting().count(&mut tally, &source, &Positions::Offsets).await?;
    }
    if archived {
        archive::run(&app.history, Days::new(Tz::UTC).day_of(NOW), |_, _| {}).await.1?;
    }
    Ok(app)
}

/// What a parameter of the interface is asked with.
fn value(name: &str, rng: &mut Rng) -> Result<&'static str> {
    const DAYS: [&str; 5] = ["2026-11-18", "2026-11-20", "2026-11-22", "2026-11-23", "2026-11-24"];
    Ok(match name {
        "start" | "end" => one_of(&DAYS, rng),
        "domain" => {
            one_of(&["example.test", "corp.test", "shop.test", "(none)", "nobody.test"], rng)
        }
        "sender" => one_of(&SENDERS, rng),
        "account" => one_of(&ACCOUNTS, rng),
        "client" => one_of(&["(none)", "192.0.2.1", "192.0.2.0/26", "127.0.0.1", "x/y"], rng),
        "mechanism" => one_of(&["(none)", "PLAIN", "LOGIN"], rng),
        "tls" => one_of(&["TLS1.0", "TLS1.3", "none", "unknown"], rng),
        "kind" => one_of(&["basic", "unknown"], rng),
        "status" => one_of(&["attention", "all", "historic", "muted"], rng),
        "severity" => one_of(&["medium", "high"], rng),
        "off" => one_of(&["TLS1.0,none", "basic", "unknown", "LOGIN"], rng),
        "country" | "network" => one_of(&["(none)", "(private)"], rng),
        "group" => one_of(
            &["sender", "account", "client", "mechanism", "kind", "tls", "domain", "country"],
            rng,
        ),
        "search" => one_of(&["ann", "test", "192.0.2.64/26", ""], rng),
        "sort" => {
            one_of(&["name", "-legacy", "-TLS1.3.percent", "messages", "-change", "last"], rng)
        }
        "limit" => one_of(&["1", "2", "3", "1000"], rng),
        "format" => one_of(&["json", "csv"], rng),
        "view" => one_of(&["tls-usage", "sending-volume"], rng),
        "id" => NOBODY,
        // Pages are gone through by their own.
        "cursor" => "",
        other => anyhow::bail!("tell what {other} is to be asked with"),
    })
}

/// A question to a path of the interface; of what it takes, always what it needs, and for the rest some.
fn question(path: &str, parameters: &[Value], group: &str, rng: &mut Rng) -> Result<String> {
    let (mut path, mut pairs) = (path.to_owned(), Vec::new());
    for parameter in parameters {
        let name = parameter["name"].as_str().context("a name")?;
        let text = if name == "group" { group } else { value(name, rng)? };
        let text: String = byte_serialize(text.as_bytes()).collect();
        if parameter["in"] == "path" {
            path = path.replace(&format!("{{{name}}}"), &text);
        } else if name != "cursor"
            && (parameter["required"] == true || name == "group" || rng.u32(0..4) == 0)
        {
            pairs.push(format!("{name}={text}"));
        }
    }
    Ok(if pairs.is_empty() { path } else { format!("{path}?{}", pairs.join("&")) })
}

/// What an answer tells, without what belongs to one computation of it: where the next page is.
fn told(answer: &Answer) -> Result<(String, Option<String>)> {
    let header = |name| answer.headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let head = (answer.status, header("content-type"), header("content-disposition"));
    let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) else {
        return Ok((format!("{head:?}\n{}", std::str::from_utf8(&answer.body)?), None));
    };
    let next = body.get_mut("next").map(Value::take).unwrap_or_default();
    let text = format!("{head:?}\n{body}\n{}", next.is_string());
    Ok((text, next.as_str().map(str::to_owned)))
}

/// Asks both, page after page, and gives how many had something to tell.
async fn same(within: (&App, &Visitor), alone: &App, path: &str) -> Result<usize> {
    let (mut here, mut there, mut filled) = (path.to_owned(), path.to_owned(), 0);
    loop {
        let (one, two) = (within.0.get_as(within.1, &here).await?, alone.get(&there).await?);
        let (one, two) = (told(&one)?, told(&two)?);
        ensure!(one.0 == two.0, "{here} as {:?}:\n{}\nand not\n{}", within.1.scope, one.0, two.0);
        filled += usize::from(one.0.contains('@') || one.0.contains("\"messages\":"));
        let (Some(next), Some(other)) = (one.1, two.1) else { return Ok(filled) };
        let more = if path.contains('?') { '&' } else { '?' };
        (here, there) =
            (format!("{path}{more}cursor={next}"), format!("{path}{more}cursor={other}"));
    }
}

/// Every question that a description has, as it is asked in one round.
fn questions(rng: &mut Rng) -> Result<Vec<String>> {
    let document = serde_json::to_value(query::openapi_document())?;
    let mut asked = Vec::new();
    for (path, methods) in document["paths"].as_object().context("paths")? {
        let Some(operation) = methods.get("get") else { continue };
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let groups = match parameters.iter().any(|parameter| parameter["name"] == "group") {
            true => &["sender", "account", "client", "mechanism", "tls", "domain"][..],
            false => &[""],
        };
        for group in groups {
            for _ in 0..if parameters.is_empty() { 1 } else { 6 } {
                asked.push(question(path, &parameters, group, rng)?);
            }
        }
    }
    Ok(asked)
}

/// Mails, notes and mutes of others, which nobody may tell by anything.
async fn of_others(app: &App) -> Result<()> {
    let request = json!({"view": "tls-usage", "recipients": ["ann@example.test"]});
    let schedule = crate::schedules::daily("13:00");
    for scope in [Scope::All, of(&["example.test", "corp.test", "shop.test", "(none)", "x.test"])] {
        let visitor = bound(scope);
        app.send_as(&visitor, "POST", "/v1/report-requests", &request).await?.ok()?;
        app.send_as(&visitor, "POST", "/v1/schedules", &schedule).await?.ok()?;
    }
    let note = json!({"name": "Office"});
    for subject in ["client=192.0.2.1", "client=192.0.2.0/24", "account=root", "account=x@x.test"] {
        app.send("PUT", &format!("/v1/notes?{subject}"), &note).await?.ok()?;
    }
    let mute = json!({"account": "ann@example.test", "reason": "ann@corp.test said so"});
    app.send("POST", "/v1/mutes", &mute).await?.ok()?;
    Ok(())
}

/// Asks a store as each scope, and stores that hold nothing else.
async fn asked_as_each_scope(seed: u64, archived: bool) -> Result<()> {
    let scopes = [
        of(&["example.test"]),
        of(&["corp.test", "(none)"]),
        of(&["shop.test", "nobody.test"]),
        of(&["example.test", "corp.test", "shop.test", "(none)"]),
        Scope::NOTHING,
    ];
    let (mut asked, mut filled) = (BTreeSet::new(), 0);
    let mut rng = Rng::with_seed(seed);
    let events: Vec<_> = (0..rng.usize(30..250)).map(|_| Event::random(&mut rng)).collect();
    let all = counted(&events.iter().collect::<Vec<_>>(), 5, archived).await?;
    of_others(&all).await?;
    for scope in &scopes {
        let own: Vec<_> = events.iter().filter(|event| event.lies_in(scope)).collect();
        let alone = counted(&own, 2, archived).await?;
        let visitor = bound(scope.clone());
        for path in questions(&mut rng)? {
            if path.starts_with("/v1/sources") {
                all.get_as(&visitor, &path).await?.problem(403)?;
                continue;
            }
            filled += same((&all, &visitor), &alone, &path).await?;
            asked.insert(path);
        }
        pages(&all, &alone, &visitor).await?;
    }
    ensure!(asked.len() > 500 && filled > 400, "{} asked, {filled} filled", asked.len());
    Ok(())
}

// Each takes long: so they may run at once.
#[tokio::test]
async fn a_scope_answers_as_a_store_that_holds_nothing_else() -> Result<()> {
    asked_as_each_scope(0, true).await
}

#[tokio::test]
async fn a_scope_answers_so_from_items_alone() -> Result<()> {
    asked_as_each_scope(1, false).await
}

#[tokio::test]
async fn a_scope_answers_so_whatever_was_sent() -> Result<()> {
    asked_as_each_scope(2, true).await
}

/// The pages of the dashboard.
const PAGES: [&str; 25] = [
    "/",
    "/insight",
    "/reports/tls-usage",
    "/reports/sending-volume?start=2026-11-20&domain=corp.test",
    "/reports/sending-volume?tls=TLS1.0",
    "/reports/mechanisms?tls=TLS1.3",
    "/reports/tls-usage/details?limit=2",
    "/reports/tls-usage/details?group=account",
    "/reports/tls-usage/details?group=domain&domain=example.test&domain=corp.test",
    "/reports/sending-volume/details?group=client&open=ann@example.test",
    "/reports/tls-usage/details?open=ann@corp.test",
    "/accounts?account=ann@example.test",
    "/accounts?account=root",
    "/clients?client=192.0.2.0/24",
    "/notes",
    "/plan",
    "/plan?off=basic&group=client&domain=corp.test",
    "/search?search=ann",
    "/search?search=192.0.2.0/24",
    "/failed-logins",
    "/failed-logins?group=client",
    "/report-requests",
    "/schedules",
    "/reports/tls-usage?domain=nobody.test",
    "/reports/tls-usage?domain=shop.test&start=2026-11-24",
];

/// Holds each page against the same for somebody who is bound to nothing, where there is nothing else.
async fn pages(all: &App, alone: &App, visitor: &Visitor) -> Result<()> {
    let free = bound(Scope::All);
    for path in PAGES {
        let (one, two) = (all.get_as(visitor, path).await?, alone.get_as(&free, path).await?);
        let (one, two) = (shown(&one)?, shown(&two)?);
        ensure!(one == two, "{path} as {:?}:\n{one}\nand not\n{two}", visitor.scope);
    }
    for path in ["/sources", "/schedules/new", "/report-requests/new"] {
        let answer = all.get_as(visitor, path).await?;
        let text = String::from_utf8_lossy(&answer.body);
        ensure!((answer.status == 403) == (path == "/sources"), "{path}: {text}");
        for domain in ["example.test", "corp.test", "shop.test"] {
            ensure!(visitor.scope.has(domain) || !text.contains(domain), "{path}: {text}");
        }
    }
    Ok(())
}

/// A page without white space, cursors, and the sources, which nobody sees who is bound.
fn shown(answer: &Answer) -> Result<String> {
    let text = answer.text()?;
    let (begin, end) = ("<section class=\"nothing\">\n<h2>No log was read yet", "</section>");
    let text = match text.split_once(begin) {
        Some((before, rest)) => before.to_owned() + rest.split_once(end).context("its end")?.1,
        None => text,
    };
    let mut parts = text.split("cursor=");
    let first = parts.next().unwrap_or_default().to_owned();
    let behind = parts
        .map(|part| part.trim_start_matches(|c: char| c.is_alphanumeric() || c == '-' || c == '_'));
    let text = behind.fold(first, |text, part| text + "cursor=" + part);
    Ok(text.split_whitespace().collect())
}

/// A number as Postcard writes it, and where it ends.
fn number(bytes: &[u8]) -> Result<usize> {
    Ok(1 + bytes.iter().position(|byte| byte & 0x80 == 0).context("a number")?)
}

#[tokio::test]
async fn a_cursor_leads_into_ones_own_table_only_and_tells_nothing_of_others() -> Result<()> {
    let mut rng = Rng::with_seed(11);
    let events: Vec<_> = (0..200).map(|_| Event::random(&mut rng)).collect();
    let app = counted(&events.iter().collect::<Vec<_>>(), 1, false).await?;
    let (own, other) = (bound(of(&["example.test"])), bound(of(&["corp.test"])));
    let path = "/v1/reports/tls-usage/details?group=account&limit=1";
    let next = async |visitor: &Visitor| {
        let page = app.get_as(visitor, path).await?.ok()?;
        anyhow::Ok(page["next"].as_str().context("a next page")?.to_owned())
    };
    let (mine, theirs) = (next(&own).await?, next(&other).await?);
    let everything = app.get(path).await?.ok()?["next"].as_str().context("a page")?.to_owned();
    for strange in [&theirs, &everything] {
        let refused = app.get_as(&own, &format!("{path}&cursor={strange}")).await?.problem(400)?;
        let nobodys = bound(of(&["nobody.test"]));
        let same = app.get_as(&nobodys, &format!("{path}&cursor={strange}")).await?.problem(400)?;
        assert_eq!(refused, same);
    }
    // One's own question, with the number of a table that others were shown.
    let bytes = |cursor: &str| {
        let (_, rest) = cursor.split_once('-').context("a form")?;
        Ok::<_, anyhow::Error>(base64_simd::URL_SAFE_NO_PAD.decode_to_vec(rest)?)
    };
    let right = app.get_as(&own, &format!("{path}&cursor={mine}")).await?.ok()?;
    let mine_bytes = bytes(&mine)?;
    let question = number(&mine_bytes)?;
    let table = question + number(&mine_bytes[question..])?;
    for strange in [&theirs, &everything] {
        let strange = bytes(strange)?;
        let begins = number(&strange)?;
        let ends = begins + number(&strange[begins..])?;
        let forged =
            [&mine_bytes[..question], &strange[begins..ends], &mine_bytes[table..]].concat();
        let forged = base64_simd::URL_SAFE_NO_PAD.encode_to_string(forged);
        let page = app.get_as(&own, &format!("{path}&cursor=v3-{forged}")).await?.ok()?;
        assert_eq!(page["rows"], right["rows"]);
    }
    // Others' mail changes nothing.
    let mut tally = settings(Tz::UTC).tally(NOW);
    let (account, client, mechanism) = ("ann@corp.test", "192.0.2.1", "PLAIN");
    let sender = "office@corp.test";
    let (time, tls, client_name) = (NOW - 5, TlsVersion::Tls13, "");
    let (messages, recipients) = (3, 0);
    let more = Submission {
        time,
        sender,
        account,
        mechanism,
        tls,
        client,
        client_name,
        messages,
        recipients,
    };
    tally.submission(1, &more);
    app.store.counting().count(&mut tally, &Source::new("more"), &Positions::Offsets).await?;
    assert_eq!(next(&own).await?, mine);
    assert_ne!(next(&other).await?, theirs);
    Ok(())
}

#[tokio::test]
async fn names_of_clients_are_not_told_to_who_is_bound() -> Result<()> {
    let app = App::new().await?;
    let event = json!({"time": "2026-11-23T10:00:00Z", "sender": "ann@example.test", "account": "ann@example.test",
        "tls": "TLS1.0", "client": "192.0.2.1", "client_name": "pc.example.test"});
    app.log("events", &format!("{event}\n")).await?;
    let (free, own) = (bound(Scope::All), bound(of(&["example.test"])));
    for path in [
        "/v1/clients?client=192.0.2.1",
        "/v1/plan",
        "/v1/reports/tls-usage/details?group=client",
        "/plan",
        "/clients?client=192.0.2.1",
    ] {
        let told = async |visitor| app.get_as(visitor, path).await?.text();
        ensure!(told(&free).await?.contains("pc.example.test"), "{path}");
        let text = told(&own).await?;
        ensure!(text.contains("192.0.2.1") && !text.contains("pc.example.test"), "{path}: {text}");
    }
    Ok(())
}

#[tokio::test]
async fn tokens_tell_the_domains_that_they_are_bound_to() -> Result<()> {
    let issuer = Issuer::start(NOW).await?;
    let app = crate::reports::app_with_mail().await?;
    let claims = ["domains", "cognito:groups", "scope"];
    let (today, all) = (Days::new(Tz::UTC).day_of(NOW), ["corp.test", "example.test"]);
    let range = Range::last(today, 7);
    let total = |app: &App, domain: &'static str| {
        let summaries = app.store.summaries();
        async move {
            let days = summaries.rollup(domain, range).await?;
            anyhow::Ok(days.values().map(report::TlsCounts::total).sum::<u64>())
        }
    };
    let totals = [total(&app, "").await?, total(&app, all[0]).await?, total(&app, all[1]).await?];
    let free = app.behind(&issuer)?;
    let asked = async |app: &App, change: Value| {
        let mut claims = issuer.claims(&["readers"]);
        for (name, value) in change.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        let token = format!("Bearer {}", issuer.token(&claims));
        let ask = async |path: &str| {
            let request = axum::http::Request::get(path).header("authorization", &token);
            app.ask(request.body(axum::body::Body::empty())?).await?.ok()
        };
        let (insight, domains) = (ask("/v1/insight").await?, ask("/v1/domains").await?);
        anyhow::Ok((insight["messages"].as_u64().context("messages")?, domains["domains"].clone()))
    };
    // Where no claim was named, nobody is bound.
    assert_eq!(asked(&free, json!({"domains": ["corp.test"]})).await?, (totals[0], json!(all)));
    let app = free.behind_with(&issuer, &claims)?;
    for (change, messages, domains) in [
        (json!({}), 0, json!([])),
        (json!({"domains": []}), 0, json!([])),
        (json!({"domains": ["Corp.test"]}), totals[1], json!(["corp.test"])),
        (json!({"domains": "corp.test example.test nobody.test"}), totals[0], json!(all)),
        (
            json!({"cognito:groups": ["readers", "domain:example.test"]}),
            totals[2],
            json!(["example.test"]),
        ),
        (
            json!({"scope": "smtp-auth-report/read smtp-auth-report/domain:corp.test"}),
            totals[1],
            json!(["corp.test"]),
        ),
        (json!({"cognito:groups": ["readers", "domain:*"]}), totals[0], json!(all)),
        (json!({"cognito:groups": ["readers", "*", "corp.test"]}), 0, json!([])),
    ] {
        let told = asked(&app, change.clone()).await?;
        assert_eq!(told, (messages, domains), "{change}");
    }
    Ok(())
}
