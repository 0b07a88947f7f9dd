//! Notes about accounts and clients: written, looked up, imported and exported, shown.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use history::History;
use report::{NOTES, Note, Subject};
use serde_json::{Value, json};
use store::{Store, Writing};
use tests::app::{Answer, App, NOW};
use tests::audit::audited;
use tests::fault;
use tests::issuer::Issuer;

const PATH: &str = "/v1/notes";
const HEADER: &str = "kind,subject,name,owner,note\r\n";
/// Text that would do harm if it were taken for more than text.
const HOSTILE: &str = "=1+1\"><script>alert(1)</script>\u{202e}'; {{7*7}} & x";

async fn put(app: &App, about: &str, body: &Value) -> Result<Answer> {
    app.send("PUT", &format!("{PATH}?{about}"), body).await
}

async fn import(app: &App, asked: &str, csv: impl Into<Body>) -> Result<Answer> {
    let request = Request::post(format!("{PATH}/import{asked}")).header("content-type", "text/csv");
    app.ask(request.body(csv.into())?).await
}

async fn export(app: &App) -> Result<String> {
    app.get(&format!("{PATH}?format=csv")).await?.text()
}

/// What is noted, page by page.
async fn subjects(app: &App, asked: &str) -> Result<Vec<String>> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("{PATH}?{asked}{cursor}")).await?.ok()?;
        let notes = page["notes"].as_array().context("notes")?.iter();
        all.extend(notes.map(|note| note["subject"].as_str().unwrap_or_default().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(all),
        }
    }
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn page(app: &App, path: &str) -> Result<String> {
    let request = Request::get(path).header("accept", "text/html");
    app.ask(request.body(Body::empty())?).await?.text()
}

async fn form(app: &App, path: &str, headers: [(&str, &str); 2], body: String) -> Result<Answer> {
    let mut request = Request::post(path).header("accept", "text/html");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    app.ask(request.body(Body::from(body))?).await
}

/// Sends a form as a page of this service does.
async fn send(app: &App, path: &str, fields: &[(&str, &str)]) -> Result<Answer> {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let own = ("sec-fetch-site", "same-origin");
    form(app, path, [own, ("content-type", "application/x-www-form-urlencoded")], body).await
}

/// Sends a file as the page of notes does.
async fn upload(app: &App, site: &str, file: &str, dry_run: bool) -> Result<Answer> {
    let part = |name: &str, text: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let body = part("file", file) + &part("dry_run", &dry_run.to_string()) + "--b--\r\n";
    let media_type = ("content-type", "multipart/form-data; boundary=b");
    form(app, "/notes/import", [("sec-fetch-site", site), media_type], body).await
}

#[tokio::test]
async fn a_note_is_written_looked_up_and_deleted() -> Result<()> {
    let app = App::new().await?;
    assert_eq!(app.get(PATH).await?.ok()?, json!({"notes": [], "next": null}));
    let scanner = json!({"name": "Scanner, 2nd floor", "owner": "Ann@EXAMPLE.test", "note": " ask facilities "});
    let written = put(&app, "account=Scanner", &scanner).await?.ok()?;
    let expected = json!({"kind": "account", "subject": "scanner", "name": "Scanner, 2nd floor",
        "owner": "Ann@example.test", "note": "ask facilities"});
    assert_eq!(written, expected);
    put(&app, "client=203.0.113.0/24", &json!({"name": "Branch"})).await?.ok()?;
    put(&app, "client=203.0.113.9", &json!({"note": "till", "owner": null})).await?.ok()?;
    assert_eq!(subjects(&app, "").await?, ["scanner", "203.0.113.0/24", "203.0.113.9"]);
    for (asked, found) in [
        ("account=SCANNER", "scanner"),
        ("client=203.0.113.9", "203.0.113.9"),
        ("client=203.0.113.10", "203.0.113.0/24"),
        ("client=203.0.113.0/24", "203.0.113.0/24"),
        ("search=FACILIT", "scanner"),
        ("search=ann@example.test", "scanner"),
        ("search=TILL", "203.0.113.9"),
    ] {
        assert_eq!(subjects(&app, asked).await?, [found], "{asked}");
    }
    for asked in ["account=scan", "client=198.51.100.1", "client=203.0.113.0/25", "search=nobody"] {
        assert_eq!(subjects(&app, asked).await?, [""; 0], "{asked}");
    }
    // Written again it says that alone.
    put(&app, "account=scanner", &json!({"name": "Scanner"})).await?.ok()?;
    let one = app.get(&format!("{PATH}?account=scanner")).await?.ok()?;
    assert_eq!(one["notes"][0]["owner"], "");
    let delete = format!("{PATH}?account=scanner");
    assert_eq!(app.send("DELETE", &delete, &json!({})).await?.status, StatusCode::NO_CONTENT);
    app.send("DELETE", &delete, &json!({})).await?.problem(404)?;
    assert_eq!(subjects(&app, "").await?, ["203.0.113.0/24", "203.0.113.9"]);
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_noted_is_told_and_nothing_is_written() -> Result<()> {
    let app = App::new().await?;
    let name = json!({"name": "x"});
    for (about, body, parameter) in [
        ("", &name, "account"),
        ("account=a&client=192.0.2.1", &name, "client"),
        ("account=", &name, "account"),
        ("account=(none)", &name, "account"),
        ("account=a%09b", &name, "account"),
        ("client=mx.example.test", &name, "client"),
        ("client=192.0.2.0/33", &name, "client"),
        ("account=a&x=1", &name, "x"),
        ("account=a", &json!({}), "name"),
        ("account=a", &json!({"name": " "}), "name"),
        ("account=a", &json!({"name": "two\nlines"}), "name"),
        ("account=a", &json!({"name": "x".repeat(81)}), "name"),
        ("account=a", &json!({"note": "x".repeat(501)}), "note"),
        ("account=a", &json!({"owner": "ann"}), "owner"),
        ("account=a", &json!({"owner": 7}), "owner"),
        ("account=a", &json!({"phone": "7"}), "phone"),
    ] {
        let problem = put(&app, about, body).await?.problem(400)?;
        assert_eq!(problem["parameter"], parameter, "{about} {body}: {problem}");
    }
    for asked in ["account=a&client=192.0.2.1", "client=192.0.2.0/33", "cursor=abc", "limit=0"] {
        app.get(&format!("{PATH}?{asked}")).await?.problem(400)?;
    }
    app.send("POST", PATH, &name).await?.problem(405)?;
    assert_eq!(export(&app).await?, HEADER);
    Ok(())
}

#[tokio::test]
async fn readers_read_and_managers_write() -> Result<()> {
    let issuer = Issuer::start(NOW).await?;
    let app = App::new().await?;
    put(&app, "account=scanner", &json!({"name": "Scanner"})).await?.ok()?;
    let app = app.behind(&issuer)?;
    let token = |group: &str| format!("Bearer {}", issuer.token(&issuer.claims(&[group])));
    let (reader, manager) = (token("readers"), token("managers"));
    let changes = RefCell::new(Vec::new());
    let ask = async |method: &str, path: &str, token: &str, media_type: &str, body: &str| {
        let request = Request::builder().method(method).uri(path).header("authorization", token);
        let request = request.header("content-type", media_type);
        let asked = app.ask(request.body(Body::from(body.to_owned()))?);
        let (answer, told) = audited(asked).await?;
        changes.borrow_mut().extend(told);
        anyhow::Ok(answer)
    };
    let (json, csv) = ("application/json", "text/csv");
    let body = json!({"name": "Other"}).to_string();
    let sheet = format!("{HEADER}account,printer,Printer,,\r\n");
    let about = format!("{PATH}?account=scanner");
    let import = format!("{PATH}/import");
    let dry = format!("{PATH}/import?dry_run=true");
    for (method, path, media_type, body) in [
        ("PUT", &about, json, body.as_str()),
        ("DELETE", &about, json, ""),
        ("POST", &import, csv, sheet.as_str()),
        ("POST", &dry, csv, sheet.as_str()),
    ] {
        let refused = ask(method, path, &reader, media_type, body).await?.problem(403)?;
        ensure!(refused["detail"].as_str().is_some_and(|told| told.contains("manager")));
        ask(method, path, "", media_type, body).await?.problem(401)?;
    }
    let read = ask("GET", PATH, &reader, json, "").await?.ok()?;
    assert_eq!(read["notes"][0]["name"], "Scanner");
    ask("GET", &format!("{PATH}?format=csv"), &reader, json, "").await?.text()?;
    ask("PUT", &about, &manager, json, &body).await?.ok()?;
    ask("POST", &import, &manager, csv, &sheet).await?.ok()?;
    ask("POST", &dry, &manager, csv, &sheet).await?.ok()?;
    assert_eq!(ask("DELETE", &about, &manager, json, "").await?.status, StatusCode::NO_CONTENT);
    // Who changed what is logged, and nothing that was refused, only read or only tried.
    let changes = changes
        .take()
        .into_iter()
        .map(|mut told| ["action", "id", "subject", "name"].map(|field| told[field].take()));
    let expected = [
        ["note written", "account scanner", "7f3c", "ann@example.test"],
        ["note imported", "account printer", "7f3c", "ann@example.test"],
        ["note deleted", "account scanner", "7f3c", "ann@example.test"],
    ];
    assert_eq!(json!(changes.collect::<Vec<_>>()), json!(expected));

    // Pages show readers the notes, and no way to change them.
    let open = async |path: &str, group: &str| {
        let session = format!("__Host-session={}", issuer.token(&issuer.claims(&[group])));
        let request = Request::get(path).header("accept", "text/html").header("cookie", session);
        let request = request.header("sec-fetch-mode", "navigate");
        app.ask(request.header("host", "report.example.test").body(Body::empty())?).await
    };
    for path in ["/notes", "/accounts?account=printer"] {
        let (seen, may) = (open(path, "readers").await?.text()?, open(path, "managers").await?);
        ensure!(seen.contains("Printer") && !seen.contains("/notes/"), "{path}: {seen}");
        ensure!(may.text()?.contains("/notes/edit?account=printer"), "{path}");
    }
    for path in ["/notes/edit?account=printer", "/notes/delete?account=printer"] {
        assert_eq!(open(path, "readers").await?.status, StatusCode::FORBIDDEN, "{path}");
        open(path, "managers").await?.text()?;
    }
    Ok(())
}

#[tokio::test]
async fn an_import_tells_what_it_did_line_by_line() -> Result<()> {
    let app = App::new().await?;
    put(&app, "account=same", &json!({"name": "Same"})).await?.ok()?;
    put(&app, "account=other", &json!({"name": "Before", "note": "x"})).await?.ok()?;
    let sheet = "\u{feff}Subject;Kind;Name;Owner;Note\r\n\
        same;account;Same;;\r\n\
        other;account;After;;\r\n\
        new;account;New;ann@example.test;\"semi;colon\"\r\n\
        203.0.113.0/24;client;Branch;;\r\n\
        mx.example.test;client;MX;;\r\n\
        bad;account;Bad;nobody;\r\n\
        new;account;Again;;\r\n";
    let mut expected = json!({"dry_run": true, "created": 2, "changed": 1, "unchanged": 1, "refused": [
        {"line": 6, "reason": "subject (mx.example.test): it must be an address, or a network as in 203.0.113.0/24 or 2001:db8::/32"},
        {"line": 7, "reason": "owner: nobody is no mail address as in ann@example.org (in ASCII, without a display name)"},
        {"line": 8, "reason": "subject: it stands in line 4 already"},
    ]});
    assert_eq!(import(&app, "?dry_run=true", sheet).await?.ok()?, expected);
    assert_eq!(subjects(&app, "").await?, ["other", "same"]);
    expected["dry_run"] = json!(false);
    assert_eq!(import(&app, "", sheet).await?.ok()?, expected);
    assert_eq!(subjects(&app, "").await?, ["new", "other", "same", "203.0.113.0/24"]);
    let other = app.get(&format!("{PATH}?account=other")).await?.ok()?;
    assert_eq!(
        (&other["notes"][0]["name"], &other["notes"][0]["note"]),
        (&json!("After"), &json!(""))
    );
    let again = import(&app, "", sheet).await?.ok()?;
    assert_eq!(
        (&again["created"], &again["changed"], &again["unchanged"]),
        (&json!(0), &json!(0), &json!(4))
    );

    for (sheet, told) in
        [("", "kind is missing"), ("account,a,x,,\n", "none of them"), ("a\u{0}b", "none of them")]
    {
        let problem = import(&app, "", sheet).await?.problem(400)?;
        ensure!(
            problem["detail"].as_str().is_some_and(|detail| detail.contains(told)),
            "{problem}"
        );
    }
    let large = "x".repeat((5 << 20) + 1);
    import(&app, "", large).await?.problem(413)?;
    import(&app, "?dry_run=yes", sheet).await?.problem(400)?;
    let body = json!({"name": "x"});
    let problem = app.send("POST", &format!("{PATH}/import"), &body).await?.problem(415)?;
    assert_eq!(problem["title"], "The body must be CSV");
    // No other body may be as large.
    put(&app, "account=a", &json!({"note": "x".repeat(1 << 20)})).await?.problem(413)?;
    Ok(())
}

#[tokio::test]
async fn what_was_exported_is_imported_without_a_change() -> Result<()> {
    let app = App::new().await?;
    let texts = [HOSTILE, "'=1", "''=1", "\"", "a,b;c", "\u{200b}=1", "+1", "\u{e4}\u{1f600}", "'"];
    for (number, text) in texts.iter().enumerate() {
        let body = json!({"name": text, "owner": "=ann+x@example.test", "note": texts[(number + 1) % texts.len()]});
        put(&app, &format!("account={}", encoded(text)), &body).await?.ok()?;
        put(&app, &format!("client=2001:db8::{number}"), &json!({"note": text})).await?.ok()?;
    }
    let csv = export(&app).await?;
    for line in csv.lines() {
        ensure!(!line.split(',').any(|cell| cell.starts_with(['=', '+', '-', '@'])), "{line}");
    }
    for file in [csv.clone(), format!("\u{feff}{csv}")] {
        let told = import(&app, "", file).await?.ok()?;
        let all = 2 * texts.len();
        assert_eq!(
            told,
            json!({"dry_run": false, "created": 0, "changed": 0, "unchanged": all, "refused": []})
        );
    }
    let other = App::new().await?;
    import(&other, "", csv.clone()).await?.ok()?;
    assert_eq!(export(&other).await?, csv);
    let negotiated = Request::get(PATH).header("accept", "text/csv").body(Body::empty())?;
    let negotiated = app.ask(negotiated).await?;
    assert_eq!(negotiated.headers["content-disposition"], "attachment; filename=\"notes.csv\"");
    assert_eq!(negotiated.text()?, csv);
    Ok(())
}

#[tokio::test]
async fn hostile_notes_are_text_and_nothing_else() -> Result<()> {
    let app = App::new().await?;
    let event = json!({"time": "2026-11-24T08:00:00Z", "sender": "a@example.test", "account": HOSTILE,
        "client": "203.0.113.9", "messages": 1});
    app.log("events", &format!("{event}\n")).await?;
    let account = HOSTILE.to_lowercase();
    let body = json!({"name": HOSTILE, "owner": "o'neil&co@example.test", "note": HOSTILE});
    put(&app, &format!("account={}", encoded(&account)), &body).await?.ok()?;
    put(&app, "client=203.0.113.0/24", &body).await?.ok()?;
    for path in [
        "/notes".to_owned(),
        format!("/notes?search={}", encoded(HOSTILE)),
        format!("/notes/edit?account={}", encoded(&account)),
        format!("/notes/delete?account={}", encoded(&account)),
        "/notes/edit?client=203.0.113.9".to_owned(),
        format!("/accounts?account={}", encoded(&account)),
        "/clients?client=203.0.113.9".to_owned(),
    ] {
        let text = page(&app, &path).await?;
        ensure!(!text.contains("<script>alert"), "{path}: {text}");
        ensure!(text.contains("203.0.113.0/24") || text.contains("alert(1)"), "{path}: {text}");
        // Fields hold what is edited; what is read shows that something would turn the text around.
        let is_field = path.contains("/edit") || path.contains("search=");
        ensure!(is_field || !text.contains('\u{202e}'), "{path}");
    }
    let sheet = format!("{HEADER}{HOSTILE},a,x,,\r\naccount,{HOSTILE}\u{7}\t,x,,\r\n");
    let told = upload(&app, "same-origin", &sheet, true).await?.text()?;
    ensure!(!told.contains("<script>alert") && !told.contains('\u{202e}'), "{told}");
    ensure!(told.contains("kind (=1+1"), "{told}");
    Ok(())
}

#[tokio::test]
async fn forms_write_import_and_delete_and_those_of_other_sites_do_nothing() -> Result<()> {
    let app = App::new().await?;
    ensure!(page(&app, "/notes").await?.contains("No notes yet"));
    let edit = "/notes/edit?client=203.0.113.0/24";
    ensure!(page(&app, "/clients?client=203.0.113.0/24").await?.contains("Write note"));
    ensure!(page(&app, edit).await?.contains("Write note: <bdi>203.0.113.0/24"));
    let wrong = [("name", "Branch"), ("owner", "nobody"), ("note", "one\r\n\r\n two ")];
    let again = send(&app, edit, &wrong).await?;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    let again = String::from_utf8(again.body)?;
    ensure!(again.contains("id=\"owner-fault\"") && again.contains("value=\"nobody\""), "{again}");
    ensure!(again.contains(">one two</textarea>"), "{again}");
    let saved =
        send(&app, edit, &[("name", "Branch"), ("owner", " "), ("note", "one\r\n\r\n two ")])
            .await?;
    assert_eq!(saved.headers["location"], "/notes?done=saved");
    let list = page(&app, "/notes?done=saved").await?;
    ensure!(list.contains("The note was saved.") && list.contains("one two"), "{list}");
    let shown = page(&app, "/clients?client=203.0.113.9").await?;
    ensure!(shown.contains("Branch") && shown.contains("Noted about the network"), "{shown}");
    ensure!(shown.contains("Write note"), "it has none of its own");
    let own = page(&app, "/clients?client=203.0.113.0/24").await?;
    ensure!(own.contains("Edit note") && !own.contains("Noted about the network"), "{own}");

    let sheet = format!("{HEADER}account,scanner,Scanner,,\r\nsender,x,x,,\r\n");
    for (site, status) in [("cross-site", 403), ("same-site", 403), ("same-origin", 200)] {
        let answer = upload(&app, site, &sheet, true).await?;
        assert_eq!(answer.status.as_u16(), status, "{site}");
    }
    let media_type = ("content-type", "application/x-www-form-urlencoded");
    let other = ("sec-fetch-site", "cross-site");
    for path in [edit, "/notes/delete?client=203.0.113.0/24"] {
        let answer = form(&app, path, [other, media_type], "name=Evil".to_owned()).await?;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(subjects(&app, "").await?, ["203.0.113.0/24"]);
    let told = upload(&app, "same-origin", &sheet, false).await?.text()?;
    ensure!(told.contains("<th scope=\"row\">3</th>") && told.contains("kind (sender)"), "{told}");
    assert_eq!(subjects(&app, "").await?, ["scanner", "203.0.113.0/24"]);
    let unread = upload(&app, "same-origin", "x,y\r\n", false).await?;
    assert_eq!(unread.status, StatusCode::BAD_REQUEST);
    ensure!(String::from_utf8(unread.body)?.contains("The file was not read: its first line"));
    // A file may be as large as one that a script sends.
    let large = format!("{sheet}{}", ",,,,\r\n".repeat(600_000));
    upload(&app, "same-origin", &large, false).await?.text()?;

    let gone = send(&app, "/notes/delete?account=scanner", &[]).await?;
    assert_eq!(gone.headers["location"], "/notes?done=deleted");
    assert_eq!(
        send(&app, "/notes/delete?account=scanner", &[]).await?.status,
        StatusCode::NOT_FOUND
    );
    Ok(())
}

#[tokio::test]
async fn ten_thousand_notes_are_all_and_no_more() -> Result<()> {
    let app = App::new().await?;
    let mut sheet = HEADER.to_owned();
    let text = "x".repeat(200);
    for number in 0..NOTES {
        let _ = write!(sheet, "account,user{number:05},Name {number},ann@example.test,{text}\r\n");
    }
    let told = import(&app, "", sheet.clone()).await?.ok()?;
    assert_eq!((&told["created"], &told["refused"]), (&json!(NOTES), &json!([])));
    put(&app, "account=new", &json!({"name": "x"})).await?.problem(409)?;
    put(&app, "account=user00001", &json!({"name": "x"})).await?.ok()?;
    let more = format!("{HEADER}account,new,x,,\r\naccount,user00002,y,,\r\n");
    let told = import(&app, "", more).await?.ok()?;
    assert_eq!((&told["created"], &told["changed"]), (&json!(0), &json!(1)));
    assert_eq!(told["refused"][0]["line"], 2);
    let many = format!("{sheet}account,new,x,,\r\n");
    import(&app, "", many).await?.problem(400)?;
    let all = subjects(&app, "limit=1000").await?;
    ensure!(all.len() == NOTES && all.is_sorted(), "{}", all.len());
    assert_eq!(export(&app).await?.lines().count(), NOTES + 1);
    let shown = page(&app, "/notes?search=user0000").await?;
    ensure!(shown.contains("10,000 in all") && shown.len() < 100_000, "{}", shown.len());
    Ok(())
}

#[tokio::test]
async fn what_another_process_writes_is_seen_and_what_nobody_wrote_is_not_read_again() -> Result<()>
{
    let app = App::new().await?;
    put(&app, "account=a", &json!({"name": "Before"})).await?.ok()?;
    let note = |name: &str| Note::new(Subject::account("a")?, name, "", "");
    let other = Store::new(app.engine.client(), "table", Writing::Transactions).notes();
    assert_eq!(other.all().await?.len(), 1);
    let name = async || {
        let page = app.get(&format!("{PATH}?account=a")).await?.ok()?;
        Ok::<_, anyhow::Error>(page["notes"][0]["name"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(name().await?, "Before");
    other.put(&note("After")?).await?;
    assert_eq!(name().await?, "After");
    put(&app, "account=b", &json!({"name": "B"})).await?.ok()?;
    let all = other.all().await?;
    assert_eq!(all.len(), 2);
    ensure!(Arc::ptr_eq(&all, &other.all().await?), "nothing was written");
    ensure!(
        other.delete(&Subject::account("a")?).await?
            && !other.delete(&Subject::account("a")?).await?
    );
    assert_eq!(name().await?, "");
    // Many at once, each in a process of its own: every one is written.
    let writers = (0..20).map(|number| {
        let notes = Store::new(app.engine.client(), "table", Writing::Transactions).notes();
        async move {
            let subject = Subject::account(&format!("c{number}"))?;
            notes.put(&Note::new(subject, "x", "", "")?).await?;
            Ok::<_, anyhow::Error>(())
        }
    });
    futures_util::future::try_join_all(writers).await?;
    assert_eq!(subjects(&app, "search=c").await?.len(), 20);
    Ok(())
}

#[tokio::test]
async fn an_import_that_breaks_off_tells_what_is_not_written_and_goes_on_when_sent_again()
-> Result<()> {
    let app = App::new().await?;
    let (engine, objects) = (app.engine.clone(), Arc::clone(&app.objects));
    // Two transactions of three are made.
    let store = fault::store_that_dies(&engine, Writing::Transactions, 2);
    let dying = App::over(engine, &store, History::new(&store, Arc::clone(&objects)), objects);
    let mut sheet = HEADER.to_owned();
    for number in 0..250 {
        let _ = write!(sheet, "account,user{number:03},x,,\r\n");
    }
    let told = import(&dying, "", sheet.clone()).await?.ok()?;
    let refused = told["refused"].as_array().context("lines")?;
    assert_eq!((&told["created"], refused.len()), (&json!(198), 52));
    assert_eq!(
        refused[0],
        json!({"line": 200, "reason": "the store did not answer: import the file again"})
    );
    assert_eq!(subjects(&app, "limit=1000").await?.len(), 198);
    import(&dying, "", sheet.clone()).await?.problem(503)?;
    let told = import(&app, "", sheet).await?.ok()?;
    assert_eq!((&told["created"], &told["unchanged"]), (&json!(52), &json!(198)));
    Ok(())
}

#[tokio::test]
async fn notes_outlive_what_they_are_about() -> Result<()> {
    let app = App::new().await?;
    put(&app, "account=a", &json!({"name": "A"})).await?.ok()?;
    app.clock().set(NOW + 400 * 86_400);
    app.engine.remove_expired()?;
    assert_eq!(subjects(&app, "").await?, ["a"]);
    Ok(())
}
