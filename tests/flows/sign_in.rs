//! Who is let in, and who is not.

use anyhow::{Context as _, Result, ensure};
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tests::app::{Answer, App, BASE, NOW};
use tests::issuer::{CLIENT, Issuer};
use url::Url;
use url::form_urlencoded;

async fn app() -> Result<(App, Issuer)> {
    let issuer = Issuer::start(NOW).await?;
    Ok((App::new().await?.behind(&issuer)?, issuer))
}

async fn ask(
    app: &App,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Answer> {
    let mut request =
        Request::builder().method(method).uri(path).header("host", "report.example.test");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.ask(request.body(Body::from(body.to_owned()))?).await
}

async fn with_token(app: &App, path: &str, token: &str) -> Result<Answer> {
    ask(app, "GET", path, &[("authorization", &format!("Bearer {token}"))], "").await
}

/// As a browser opens a page.
async fn open(app: &App, path: &str, cookie: &str) -> Result<Answer> {
    let headers =
        [("accept", "text/html,*/*;q=0.8"), ("sec-fetch-mode", "navigate"), ("cookie", cookie)];
    let headers = if cookie.is_empty() { &headers[..2] } else { &headers };
    ask(app, "GET", path, headers, "").await
}

#[tokio::test]
async fn only_tokens_that_can_be_believed_let_in() -> Result<()> {
    let (app, issuer) = app().await?;
    let claims = |change: Value| {
        let mut claims = issuer.claims(&["readers"]);
        for (name, value) in change.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        claims
    };
    let without = |name: &str| {
        let mut claims = issuer.claims(&["readers"]);
        claims.as_object_mut().map(|claims| claims.remove(name));
        claims
    };
    for good in [
        claims(json!({})),
        claims(json!({"aud": ["other", CLIENT]})),
        claims(json!({"aud": "scripts"})),
        claims(json!({"exp": NOW - 20})),
        claims(json!({"nbf": NOW + 20, "exp": 1_795_525_200.5})),
        {
            let mut claims = without("aud");
            claims["client_id"] = json!("scripts");
            claims
        },
    ] {
        let answer = with_token(&app, "/v1/insight", &issuer.token(&good)).await?;
        assert_eq!(answer.status, StatusCode::OK, "{good}");
    }
    let good = issuer.token(&claims(json!({})));
    let header = |change: Value| {
        let mut header = json!({"alg": "EdDSA", "typ": "JWT", "kid": "first"});
        for (name, value) in change.as_object().into_iter().flatten() {
            header[name] = value.clone();
        }
        issuer.token_with(&header, &claims(json!({})))
    };
    let stranger = Issuer::start(NOW).await?;
    let (signed, signature) = good.rsplit_once('.').context("a token")?;
    let parts: Vec<_> = good.split('.').collect();
    let more = base64_simd::URL_SAFE_NO_PAD
        .encode_to_string(claims(json!({"cognito:groups": ["managers"]})).to_string());
    let bad = [
        ("nothing", String::new()),
        ("a word", "x".to_owned()),
        ("two dots", "..".to_owned()),
        ("expired", issuer.token(&claims(json!({"exp": NOW - 40})))),
        ("for ever", issuer.token(&without("exp"))),
        ("at a strange time", issuer.token(&claims(json!({"exp": "tomorrow"})))),
        ("not yet", issuer.token(&claims(json!({"nbf": NOW + 40})))),
        ("for others", issuer.token(&claims(json!({"aud": "other"})))),
        ("for nobody", issuer.token(&without("aud"))),
        ("of another issuer", issuer.token(&claims(json!({"iss": "https://evil.example"})))),
        ("of no issuer", issuer.token(&without("iss"))),
        ("of no one", issuer.token(&without("sub"))),
        ("signed by a stranger", stranger.token(&claims(json!({})))),
        ("unsigned", format!("{signed}.")),
        ("with half a signature", format!("{signed}.{}", &signature[..40])),
        ("changed after it was signed", format!("{}.{more}.{}", parts[0], parts[2])),
        ("alg=none", header(json!({"alg": "none"}))),
        ("alg=None", header(json!({"alg": "None"}))),
        ("alg=HS256", header(json!({"alg": "HS256"}))),
        ("alg=RS256", header(json!({"alg": "RS256"}))),
        ("of an unknown key", header(json!({"kid": "another"}))),
        ("with critical extensions", header(json!({"crit": ["b64"], "b64": false}))),
        ("endless", format!("{good}{}", "A".repeat(20_000))),
    ];
    let first = with_token(&app, "/v1/insight", "").await?.problem(401)?;
    for (what, token) in bad {
        let answer = with_token(&app, "/v1/insight", &token).await?;
        // All the same: nothing tells what was wrong.
        assert_eq!(answer.problem(401)?, first, "{what}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer", "{what}");
    }
    for header in ["Basic YW5uOg==", "Bearer", &good, &format!("Digest {good}")] {
        let answer = ask(&app, "GET", "/v1/insight", &[("authorization", header)], "").await?;
        answer.problem(401)?;
    }
    Ok(())
}

/// Every path, as something asks for it that sends nothing to show who it is.
#[tokio::test]
async fn nothing_answers_strangers() -> Result<()> {
    let (app, _) = app().await?;
    let document: Value = serde_json::to_value(query::openapi_document())?;
    let paths = document["paths"].as_object().context("paths")?;
    let mut asked = 0;
    for (path, methods) in paths {
        let path =
            path.replace("{view}", "tls-usage").replace("{sender}", "a").replace("{id}", "1");
        for method in methods.as_object().context("methods")?.keys() {
            let answer = ask(&app, &method.to_uppercase(), &path, &[], "{}").await?;
            if path == "/healthz" {
                assert_eq!(answer.status, StatusCode::OK);
            } else {
                answer.problem(401)?;
                asked += 1;
            }
        }
    }
    assert!(asked >= 17, "{asked}");
    for page in [
        "/",
        "/insight",
        "/reports/tls-usage",
        "/schedules",
        "/schedules/new",
        "/nowhere",
        "/openapi.json",
    ] {
        ask(&app, "GET", page, &[], "").await?.problem(401)?;
        let there = open(&app, page, "").await?;
        assert_eq!(there.status, StatusCode::UNAUTHORIZED, "{page}");
        let to: String = form_urlencoded::byte_serialize(page.as_bytes()).collect();
        assert_eq!(way_in(&there)?, format!("/sign-in?to={to}"));
    }
    for form in ["/schedules", "/report-requests", "/schedules/1/delete"] {
        let answer = ask(&app, "POST", form, &[("accept", "text/html")], "").await?;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{form}");
    }
    for header in ["strict-transport-security", "content-security-policy", "x-content-type-options"]
    {
        for path in ["/", "/healthz", "/sign-in"] {
            assert!(open(&app, path, "").await?.headers.contains_key(header), "{header} of {path}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn readers_look_and_managers_send() -> Result<()> {
    let (app, issuer) = app().await?;
    let token = |groups: &[&str]| issuer.token(&issuer.claims(groups));
    let (nobody, reader, manager) =
        (token(&["staff"]), token(&["readers"]), token(&["staff", "managers"]));
    with_token(&app, "/v1/insight", &nobody).await?.problem(403)?;
    with_token(&app, "/v1/insight", &reader).await?.ok()?;
    for path in ["/v1/report-requests", "/v1/schedules", "/v1/schedules/1", "/v1/report-requests/1"]
    {
        let problem = with_token(&app, path, &reader).await?.problem(403)?;
        assert!(
            problem["detail"].as_str().is_some_and(|told| told.contains("manager")),
            "{problem}"
        );
    }
    let request = json!({"view": "tls-usage", "recipients": ["ann@example.test"]}).to_string();
    let json = ("content-type", "application/json");
    let (as_reader, as_manager) = (format!("Bearer {reader}"), format!("Bearer {manager}"));
    let by_reader = [("authorization", as_reader.as_str()), json];
    let by_manager = [("authorization", as_manager.as_str()), json];
    ask(&app, "POST", "/v1/report-requests", &by_reader, &request).await?.problem(403)?;
    let made = ask(&app, "POST", "/v1/report-requests", &by_manager, &request).await?;
    assert_eq!(made.status, StatusCode::ACCEPTED);
    // Pages show readers nothing that they may not have.
    let page = |token: &str| format!("__Host-session={token}");
    let shown = open(&app, "/", &page(&manager)).await?.text()?;
    assert!(shown.contains("Reports by mail") && shown.contains("ann@example.test"));
    assert!(shown.contains("/schedules") && shown.contains("Sign out"));
    let shown = open(&app, "/", &page(&reader)).await?.text()?;
    assert!(!shown.contains("Reports by mail") && !shown.contains("/schedules"), "{shown}");
    assert!(
        !open(&app, "/reports/tls-usage", &page(&reader)).await?.text()?.contains("Request report")
    );
    let refused = open(&app, "/schedules", &page(&reader)).await?;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(String::from_utf8(refused.body)?.contains("role manager"));
    // Whoever may see nothing can leave, and come back as somebody else.
    let refused = String::from_utf8(open(&app, "/", &page(&nobody)).await?.body)?;
    assert!(refused.contains("Sign in again") && refused.contains("action=\"/sign-out\""));
    let (session, own) = (page(&nobody), ("sec-fetch-site", "same-origin"));
    let left = ask(&app, "POST", "/sign-out", &[("cookie", &session), own], "").await?;
    assert_eq!(left.status, StatusCode::SEE_OTHER);
    Ok(())
}

#[tokio::test]
async fn keys_are_kept_and_exchanged() -> Result<()> {
    let (app, issuer) = app().await?;
    let token = issuer.token(&issuer.claims(&["readers"]));
    for _ in 0..5 {
        with_token(&app, "/v1/insight", &token).await?.ok()?;
    }
    assert_eq!(issuer.asked(), 1);
    // Tokens that name keys which nobody has make it ask no more than once a minute.
    app.clock().set(NOW + 100);
    let header = json!({"alg": "EdDSA", "kid": "made up"});
    let forged = issuer.token_with(&header, &issuer.claims(&["managers"]));
    for _ in 0..5 {
        with_token(&app, "/v1/insight", &forged).await?.problem(401)?;
    }
    assert_eq!(issuer.asked(), 2);
    // A new key is known as soon as it is seen.
    issuer.rotate("second")?;
    app.clock().set(NOW + 200);
    let fresh = issuer.token(&issuer.claims(&["readers"]));
    with_token(&app, "/v1/insight", &fresh).await?.ok()?;
    with_token(&app, "/v1/insight", &token).await?.problem(401)?;
    assert_eq!(issuer.asked(), 3);
    // What the provider withdrew is forgotten after an hour; what it does not answer, after a day.
    let mut lasting = issuer.claims(&["readers"]);
    lasting["exp"] = json!(NOW + 1_000_000);
    let (lasting, old) = (issuer.token(&lasting), issuer.clone());
    old.rotate("third")?;
    with_token(&app, "/v1/insight", &lasting).await?.ok()?;
    app.clock().set(NOW + 200 + 3600);
    with_token(&app, "/v1/insight", &lasting).await?.problem(401)?;
    let mut last = issuer.claims(&["readers"]);
    last["exp"] = json!(NOW + 1_000_000);
    let last = issuer.token(&last);
    issuer.go_away(true);
    app.clock().set(NOW + 10_000);
    with_token(&app, "/v1/insight", &last).await?.ok()?;
    app.clock().set(NOW + 100_000);
    for _ in 0..3 {
        with_token(&app, "/v1/insight", &last).await?.problem(503)?;
    }
    let asked = issuer.asked();
    issuer.go_away(false);
    app.clock().set(NOW + 100_010);
    with_token(&app, "/v1/insight", &last).await?.ok()?;
    assert_eq!(issuer.asked(), asked + 1);
    Ok(())
}

#[tokio::test]
async fn a_provider_that_fails_is_not_asked_for_every_visitor() -> Result<()> {
    let (app, issuer) = app().await?;
    let token = issuer.token(&issuer.claims(&["readers"]));
    issuer.go_away(true);
    for _ in 0..20 {
        with_token(&app, "/v1/insight", &token).await?.problem(503)?;
        ensure!(open(&app, "/sign-in", "").await?.status == StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(issuer.visited(), 1);
    app.clock().set(NOW + 10);
    with_token(&app, "/v1/insight", &token).await?.problem(503)?;
    assert_eq!(issuer.visited(), 2);
    issuer.go_away(false);
    with_token(&app, "/v1/insight", &token).await?.problem(503)?;
    app.clock().set(NOW + 20);
    with_token(&app, "/v1/insight", &token).await?.ok()?;
    assert_eq!(issuer.visited(), 3);
    Ok(())
}

/// Where a page leads those who have to sign in.
fn way_in(answer: &Answer) -> Result<String> {
    ensure!(answer.status == StatusCode::UNAUTHORIZED, "{}", answer.status);
    let page = std::str::from_utf8(&answer.body)?;
    let (_, rest) = page.split_once("content=\"0; url=").context("a way")?;
    Ok(rest.split('"').next().unwrap_or_default().to_owned())
}

/// The value that a response gives a cookie.
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let set = headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    let mut pairs = set.filter_map(|line| line.split(';').next()?.split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
}

/// A sign-in that was begun: its cookie, and what the provider was asked.
async fn begun(app: &App, path: &str) -> Result<(String, Url)> {
    let begun = open(app, path, "").await?;
    ensure!(begun.status == StatusCode::SEE_OTHER, "{}", begun.status);
    let cookie = cookie(&begun.headers, "__Host-sign-in").context("a cookie")?;
    Ok((format!("__Host-sign-in={cookie}"), begun.headers["location"].to_str()?.parse()?))
}

fn parameter(url: &Url, name: &str) -> String {
    url.query_pairs()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

#[tokio::test]
async fn browsers_are_led_to_the_provider_and_back() -> Result<()> {
    let (app, issuer) = app().await?;
    let to = "/reports/tls-usage?start=2026-11-20&domain=example.test";
    let led = way_in(&open(&app, to, "").await?)?;
    let (cookie_, there) = begun(&app, &led).await?;
    assert!(there.as_str().starts_with(&format!("{}/authorize?", issuer.url())));
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", &format!("{BASE}/signed-in")),
        ("code_challenge_method", "S256"),
        ("scope", "openid email profile"),
    ] {
        assert_eq!(parameter(&there, name), value);
    }
    let mut claims = issuer.claims(&["managers"]);
    claims["nonce"] = json!(parameter(&there, "nonce"));
    issuer.grant(claims);
    let back = format!("/signed-in?code=the-code&state={}", parameter(&there, "state"));
    let done = open(&app, &back, &cookie_).await?;
    assert_eq!((done.status, done.headers["location"].to_str()?), (StatusCode::SEE_OTHER, to));
    assert_eq!(cookie(&done.headers, "__Host-sign-in").as_deref(), Some(""));
    // The code was exchanged with the secret behind the challenge.
    let form = issuer.exchanged().pop().context("a form")?;
    let fields: Vec<_> = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let field = |name: &str| {
        fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    };
    assert_eq!((field("code"), field("client_id")), (Some("the-code"), Some(CLIENT)));
    let verifier = field("code_verifier").context("a verifier")?;
    let digest = ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes());
    let challenge = base64_simd::URL_SAFE_NO_PAD.encode_to_string(digest.as_ref());
    assert_eq!(challenge, parameter(&there, "code_challenge"));
    // The session lasts as long as its token.
    let session = cookie(&done.headers, "__Host-session").context("a session")?;
    let session = format!("other=1; __Host-session={session}");
    let page = open(&app, to, &session).await?.text()?;
    assert!(page.contains("<bdi>ann@example.test</bdi>"));
    ask(&app, "GET", "/v1/insight", &[("cookie", &session)], "").await?.ok()?;
    app.clock().set(NOW + 3700);
    assert_eq!(way_in(&open(&app, to, &session).await?)?, led);
    app.clock().set(NOW);
    // And can be left.
    let own = [("cookie", session.as_str()), ("sec-fetch-site", "same-origin")];
    let left = ask(&app, "POST", "/sign-out", &own, "").await?;
    assert_eq!(cookie(&left.headers, "__Host-session").as_deref(), Some(""));
    assert_eq!(left.headers["location"], "/signed-out");
    let page = open(&app, "/signed-out", "").await?.text()?;
    assert!(
        page.contains(&format!("{}/logout?client_id={CLIENT}&#38;post_logout", issuer.url())),
        "{page}"
    );
    Ok(())
}

#[tokio::test]
async fn a_sign_in_ends_where_it_was_begun() -> Result<()> {
    let (app, issuer) = app().await?;
    let (cookie_, there) = begun(&app, "/sign-in?to=//evil.example").await?;
    let state = parameter(&there, "state");
    let granted = |nonce: &str| {
        let mut claims = issuer.claims(&["managers"]);
        claims["nonce"] = json!(nonce);
        issuer.grant(claims);
    };
    granted(&parameter(&there, "nonce"));
    let right = format!("/signed-in?code=c&state={state}");
    // In another browser; after another one was begun there; with a state that somebody made up.
    let (other, _) = begun(&app, "/sign-in").await?;
    let state_and_more = format!("/signed-in?code=c&state={state}x");
    for (path, cookie_) in [
        (right.as_str(), ""),
        (right.as_str(), other.as_str()),
        (state_and_more.as_str(), cookie_.as_str()),
        ("/signed-in?code=c", cookie_.as_str()),
        ("/signed-in", "__Host-sign-in=..."),
    ] {
        let refused = open(&app, path, cookie_).await?;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path} {cookie_}");
        assert_eq!(cookie(&refused.headers, "__Host-session"), None);
        assert!(String::from_utf8(refused.body)?.contains("href=\"/sign-in\""));
    }
    assert!(issuer.exchanged().is_empty());
    // The provider's token answers another question, or is for somebody else.
    granted("another");
    assert_eq!(open(&app, &right, &cookie_).await?.status, StatusCode::BAD_REQUEST);
    let mut claims = issuer.claims(&["managers"]);
    claims["nonce"] = json!(parameter(&there, "nonce"));
    claims["aud"] = json!("other");
    issuer.grant(claims.clone());
    assert_eq!(open(&app, &right, &cookie_).await?.status, StatusCode::BAD_REQUEST);
    // It would not fit into a cookie.
    claims["aud"] = json!(CLIENT);
    claims["padding"] = json!("x".repeat(4000));
    issuer.grant(claims);
    assert_eq!(open(&app, &right, &cookie_).await?.status, StatusCode::BAD_REQUEST);
    // The provider said no, in words that could be anything.
    let no = format!("/signed-in?state={state}&error=access_denied&error_description=%3Cscript%3E");
    let refused = open(&app, &no, &cookie_).await?;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(!String::from_utf8(refused.body)?.contains("<script>"));
    // At last it is right, and leads to this service alone.
    granted(&parameter(&there, "nonce"));
    let done = open(&app, &right, &cookie_).await?;
    assert_eq!(done.headers["location"], "/");
    Ok(())
}

#[tokio::test]
async fn other_sites_cannot_use_a_session() -> Result<()> {
    let (app, issuer) = app().await?;
    let session = format!("__Host-session={}", issuer.token(&issuer.claims(&["managers"])));
    let body = json!({"view": "tls-usage", "recipients": ["ann@example.test"]}).to_string();
    let form = "view=tls-usage&recipients=ann%40example.test";
    for (site, status) in
        [("cross-site", 403), ("same-site", 403), ("none", 403), ("same-origin", 202)]
    {
        let headers = [
            ("cookie", session.as_str()),
            ("sec-fetch-site", site),
            ("content-type", "application/json"),
        ];
        let answer = ask(&app, "POST", "/v1/report-requests", &headers, &body).await?;
        assert_eq!(answer.status.as_u16(), status, "{site}");
        let answer = ask(&app, "POST", "/report-requests", &headers[..2], form).await?;
        assert_eq!(answer.status.as_u16(), if status == 202 { 303 } else { status }, "{site}");
        let answer = ask(&app, "POST", "/sign-out", &headers[..2], "").await?;
        assert_eq!(answer.status.as_u16(), if status == 202 { 303 } else { status }, "{site}");
    }
    // A script's token is no cookie: no site can make a browser send it.
    let bearer = format!("Bearer {}", issuer.token(&issuer.claims(&["managers"])));
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let answer = ask(&app, "POST", "/v1/report-requests", &headers, &body).await?;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    Ok(())
}
