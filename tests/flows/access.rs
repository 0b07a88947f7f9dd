//! Who may ask the one-machine service, and by what name.

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::routing::get;
use local::web::{Access, guarded};
use tower::ServiceExt as _;

async fn ask(access: &Access, headers: &[(&str, &str)]) -> Result<(StatusCode, HeaderMap)> {
    let router = Router::new().route("/", get(async || "pages"));
    let mut request = Request::get("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = guarded(router, access.clone()).oneshot(request.body(Body::empty())?).await?;
    Ok((response.status(), response.headers().clone()))
}

#[tokio::test]
async fn a_token_lets_scripts_and_browsers_in() -> Result<()> {
    let token = "0123456789abcdef:0123";
    let access = Access::Token(token.into());
    let password =
        |text: &str| format!("Basic {}", base64_simd::STANDARD.encode_to_string(text.as_bytes()));
    for good in [
        format!("Bearer {token}"),
        format!("bearer  {token}"),
        password(&format!("ann:{token}")),
        password(&format!(":{token}")),
    ] {
        let (status, _) = ask(&access, &[("authorization", &good)]).await?;
        assert_eq!(status, StatusCode::OK, "{good}");
    }
    for bad in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer x".to_owned(),
        format!("Bearer {token}x"),
        format!("Basic {token}"),
        password(token),
        password("ann:"),
        password(&format!("{token}:ann")),
        "Basic %%%".to_owned(),
        format!("Digest {token}"),
    ] {
        let (status, _) = ask(&access, &[("authorization", &bad)]).await?;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{bad}");
    }
    let (_, script) = ask(&access, &[("accept", "application/json")]).await?;
    let (_, browser) = ask(&access, &[("accept", "text/html,*/*;q=0.8")]).await?;
    let schemes = |headers: &HeaderMap| {
        let values = headers.get_all(header::WWW_AUTHENTICATE).iter();
        values.filter_map(|value| value.to_str().ok().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(schemes(&script), ["Bearer"]);
    assert_eq!(schemes(&browser)[1..], ["Basic realm=\"smtp-auth-report\", charset=\"UTF-8\""]);
    Ok(())
}

#[tokio::test]
async fn without_a_token_only_this_machine_names_it() -> Result<()> {
    for host in [
        "localhost:8025",
        "LocalHost",
        "127.0.0.1:8025",
        "[::1]:8025",
        "[::1]",
        "[0:0:0:0:0:0:0:1]:1",
        "127.8.8.8",
    ] {
        let (status, _) = ask(&Access::Loopback, &[("host", host)]).await?;
        assert_eq!(status, StatusCode::OK, "{host}");
    }
    for host in [
        "",
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8025",
        "192.0.2.1",
        "[::1]evil.example",
        "[::1]:8025evil.example",
        "[::1]:",
        "[::1",
        "::1",
        "[127.0.0.1]",
        "[::1%25lo]",
        "localhost:8025:evil.example",
        "localhost:evil.example",
        "localhost:+80",
        "localhost:65536",
        "localhost:",
        "localhost/evil.example",
        "evil.example@localhost",
        "localhost@evil.example",
        "127.1",
        "0x7f.0.0.1",
        "localhost, evil.example",
        "localhost evil.example",
    ] {
        let (status, _) = ask(&Access::Loopback, &[("host", host)]).await?;
        assert_eq!(status, StatusCode::MISDIRECTED_REQUEST, "{host}");
    }
    // One after the other, neither hides the other.
    for hosts in [["localhost", "evil.example"], ["evil.example", "localhost"]] {
        let (status, _) = ask(&Access::Loopback, &hosts.map(|host| ("host", host))).await?;
        assert_eq!(status, StatusCode::MISDIRECTED_REQUEST, "{hosts:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_target_with_a_name_must_be_this_machine_too() -> Result<()> {
    let router = Router::new().route("/", get(async || "pages"));
    for (target, host, status) in [
        ("http://localhost:8025/", "localhost:8025", StatusCode::OK),
        ("http://evil.example/", "localhost", StatusCode::MISDIRECTED_REQUEST),
        ("http://localhost/", "evil.example", StatusCode::MISDIRECTED_REQUEST),
    ] {
        let request = Request::get(target).header("host", host).body(Body::empty())?;
        let response = guarded(router.clone(), Access::Loopback).oneshot(request).await?;
        assert_eq!(response.status(), status, "{target} {host}");
    }
    Ok(())
}
