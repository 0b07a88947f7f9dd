//! The interface behind AWS API Gateway: events of an HTTP API (payload format 2.0) are read as requests, and responses
//! written as its answers.
//!
//! `lambda_http` does that, but it panics at what is no address, collects bodies of any length, and makes an address of
//! the path that the gateway has decoded. So what strangers write is looked at first, and the address is made here:
//! the path encoded again as a whole, and the query as it was sent, where what strangers are called stands. AWS Lambda takes
//! an answer of 6 MB at most, in which four bytes stand for three of what is no text: whoever asks for more is told how to get it.

use std::borrow::Cow;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse as _, Response};
use base64_simd::STANDARD;
use futures_util::StreamExt as _;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use lambda_http::request::LambdaRequest;
use lambda_http::tower::ServiceExt as _;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::{RawValue, to_raw_value};
use url::Url;

use crate::api::problem::Problem;
use crate::dashboard::problem_page;
use crate::routes::with_headers;

/// The most bytes of an answer that AWS Lambda takes, as JSON.
pub const MOST: usize = 6_291_556;

/// What cannot stand in a path, or means something else there.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What `router` answers to an event of the gateway: JSON of [`MOST`] bytes at most.
///
/// # Errors
/// The event is none of an HTTP API's.
pub async fn answer(router: &Router, event: Box<RawValue>) -> serde_json::Result<Box<RawValue>> {
    let request = match serde_json::from_str(event.get()) {
        Ok(event) => request(event),
        Err(error) => {
            serde_json::from_str::<Form>(event.get())?;
            tracing::warn!(%error, "an event is no request");
            let allowed = "it must have a method and headers as HTTP has them";
            Err(Problem::parameter("request", "", allowed))
        }
    };
    let request = match request {
        Ok(request) => request,
        // Whoever asks like this is told so before anybody looks who it is.
        Err(problem) => return written(with_headers(problem.into_response()).await).await,
    };
    let (uri, headers) = (request.uri().clone(), request.headers().clone());
    let Ok(response) = router.clone().oneshot(request).await;
    let (parts, body) = response.into_parts();
    let too_large = Problem::AnswerTooLarge {
        compressed: parts.headers.contains_key(header::CONTENT_ENCODING),
    };
    let problem = match collected(body).await {
        Ok(Some(body)) => {
            let written = written(Response::from_parts(parts, Body::from(body))).await?;
            if written.get().len() <= MOST {
                return Ok(written);
            }
            too_large
        }
        Ok(None) => too_large,
        Err(error) => {
            tracing::error!(%error, "an answer broke off");
            Problem::Unavailable
        }
    };
    written(with_headers(problem_page::shown(problem, &uri, &headers)).await).await
}

/// What every event of an HTTP API has, whatever stands in its request.
#[derive(Deserialize)]
struct Form {
    #[serde(rename = "requestContext")]
    _request_context: Context,
}

#[derive(Deserialize)]
struct Context {
    #[serde(rename = "http")]
    _http: IgnoredAny,
}

/// A request, as the gateway hands it over.
fn request(mut event: ApiGatewayV2httpRequest) -> Result<Request, Problem> {
    let path = event.raw_path.replace("/".to_owned()).unwrap_or_default();
    let uri = uri(&path, &event.raw_query_string.take().unwrap_or_default())?;
    if let Some(host) = event.headers.get(header::HOST) {
        let host = String::from_utf8_lossy(host.as_bytes());
        if !names_a_host(&host) {
            return Err(Problem::parameter(
                "host",
                &host,
                "it must name a host, and may name a port",
            ));
        }
    }
    let body = event.body.take().unwrap_or_default();
    let body = if std::mem::take(&mut event.is_base64_encoded) {
        let wrong = |_| Problem::parameter("body", "", "it must be base64");
        Body::from(STANDARD.decode_to_vec(body).map_err(wrong)?)
    } else {
        Body::from(body)
    };
    // It becomes a part of an address, too.
    event.headers.remove("x-forwarded-proto");
    let mut request = lambda_http::Request::from(LambdaRequest::ApiGatewayV2(event)).map(|_| body);
    // Without a host: links are made of the service's own address.
    *request.uri_mut() = uri;
    Ok(request)
}

/// What is asked for, without a host.
fn uri(path: &str, query: &str) -> Result<Uri, Problem> {
    if !path.starts_with('/') {
        return Err(Problem::parameter("path", path, "it must begin with /"));
    }
    let path = utf8_percent_encode(path, ENCODED);
    let target = if query.is_empty() { path.to_string() } else { format!("{path}?{query}") };
    let read = Uri::try_from(target).ok();
    // What comes after a number sign would be left out without a word.
    let read = read.filter(|_| !query.contains('#'));
    let allowed = "it must be percent-encoded, and not have more than 65,000 bytes";
    read.ok_or_else(|| Problem::parameter("query", query, allowed))
}

/// Whether this names a host, with a port or without, and nothing else.
fn names_a_host(text: &str) -> bool {
    let ends_it = |c: char| c.is_ascii_control() || " /\\?#@".contains(c);
    !text.is_empty() && !text.contains(ends_it) && Url::parse(&format!("https://{text}/")).is_ok()
}

/// A body as one; none if it has more bytes than an answer can.
async fn collected(body: Body) -> Result<Option<Vec<u8>>, axum::Error> {
    let (mut pieces, mut whole) = (body.into_data_stream(), Vec::new());
    while let Some(piece) = pieces.next().await {
        whole.extend_from_slice(&piece?);
        if whole.len() > MOST {
            return Ok(None);
        }
    }
    Ok(Some(whole))
}

/// A response whose body is all there, as the gateway takes it.
async fn written(response: Response) -> serde_json::Result<Box<RawValue>> {
    let (parts, body) = lambda_http::IntoResponse::into_response(response).await.into_parts();
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = parts.status.as_u16().into();
    for name in parts.headers.keys() {
        let values = parts.headers.get_all(name).iter();
        let values: Vec<_> =
            values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        if name == header::SET_COOKIE {
            answer.cookies = values.into_iter().map(Cow::into_owned).collect();
        } else {
            // Only one of several values would be written.
            let values = HeaderValue::from_str(&values.join(", "));
            answer.headers.extend(values.ok().map(|values| (name.clone(), values)));
        }
    }
    answer.is_base64_encoded = matches!(body, lambda_http::Body::Binary(_));
    answer.body = Some(body);
    to_raw_value(&answer)
}

#[cfg(test)]
mod tests {
    use axum::response::AppendHeaders;
    use axum::routing::get;
    use serde_json::{Value, json};

    use super::*;

    fn event(path: &str, query: &str, headers: &Value) -> Value {
        let http = json!({"method": "GET"});
        json!({"rawPath": path, "rawQueryString": query, "headers": headers, "requestContext": {"http": http}})
    }

    async fn answered(router: &Router, event: Value) -> Value {
        let event = to_raw_value(&event).expect("JSON");
        let answer = answer(router, event).await.expect("an answer");
        assert!(answer.get().len() <= MOST);
        serde_json::from_str(answer.get()).expect("JSON")
    }

    fn problem(answer: &Value) -> Value {
        assert_eq!(answer["headers"]["content-type"], "application/problem+json");
        assert_eq!(answer["headers"]["x-content-type-options"], "nosniff");
        serde_json::from_str(answer["body"].as_str().expect("a text")).expect("JSON")
    }

    #[test]
    fn a_path_is_what_was_decoded_and_never_more() {
        for path in
            ["/", "/v1/a b", "/a?b=c", "/a#b", "/a%41", "/\u{e4}", "/a{\"<>|^`\\}", "//a/../b\n"]
        {
            let read = uri(path, "x=%20").expect("a path");
            assert_eq!(read.query(), Some("x=%20"));
            assert!(read.authority().is_none());
            let decoded = percent_encoding::percent_decode_str(read.path()).decode_utf8();
            assert_eq!(decoded.expect("UTF-8"), path);
        }
        for path in ["", "*", "v1", "https://example.test/"] {
            assert!(uri(path, "").is_err(), "{path}");
        }
    }

    #[test]
    fn a_query_is_taken_as_it_is_or_not_at_all() {
        let mut refused = 0;
        for character in (0..=0x2ff).filter_map(char::from_u32) {
            let query = format!("a={character}b");
            match uri("/", &query) {
                Ok(uri) => assert_eq!(uri.query(), Some(query.as_str())),
                Err(_) => refused += 1,
            }
        }
        // Control characters, a blank, and the four that never stand in an address.
        assert_eq!(refused, 33 + 1 + 4);
        assert!(uri("/", &"a".repeat(66_000)).is_err());
        assert!(uri("/", &"a".repeat(65_000)).is_ok());
    }

    #[test]
    fn a_host_is_a_name_or_an_address() {
        for host in
            ["example.test", "example.test:443", "192.0.2.1", "[2001:db8::1]:8443", "localhost"]
        {
            assert!(names_a_host(host), "{host}");
        }
        for host in [
            "",
            "a b",
            "a/b",
            "a\\b",
            "a?b",
            "a#b",
            "a@b",
            "[::1",
            "999.1.1.1",
            "a:99999",
            "a^b",
            "a\tb",
            ":1",
        ] {
            assert!(!names_a_host(host), "{host}");
        }
    }

    #[tokio::test]
    async fn what_is_no_request_reaches_nobody() {
        let router = Router::new().fallback(|| async { "reached" });
        let host = json!({"host": "example.test"});
        assert_eq!(answered(&router, event("/", "a=b", &host)).await["body"], "reached");
        for wrong in [
            event("/", "a b", &host),
            event("*", "", &host),
            event("/", "", &json!({"host": "a b"})),
            event("/", "", &json!({"a b": "c"})),
            event("/", "", &json!({"a": "b\nc"})),
            json!({"requestContext": {"http": {}}}),
        ] {
            let answer = answered(&router, wrong).await;
            assert_eq!(
                (&answer["statusCode"], &problem(&answer)["status"]),
                (&json!(400), &json!(400))
            );
        }
        let mut odd = event("/", "", &host);
        odd["requestContext"]["http"]["method"] = json!("A B");
        assert_eq!(answered(&router, odd).await["statusCode"], 400);
        let mut odd = event("/", "", &host);
        (odd["body"], odd["isBase64Encoded"]) = (json!("?"), json!(true));
        assert_eq!(answered(&router, odd).await["statusCode"], 400);
        for odd in [json!({}), json!({"requestContext": {}}), json!([1]), json!("x"), Value::Null] {
            let odd = to_raw_value(&odd).expect("JSON");
            assert!(super::answer(&router, odd).await.is_err(), "it is none of an HTTP API's");
        }
        // It is no part of an address here.
        let odd = event("/", "", &json!({"host": "example.test", "x-forwarded-proto": "a b"}));
        assert_eq!(answered(&router, odd).await["body"], "reached");
    }

    #[tokio::test]
    async fn a_request_and_its_answer_are_whole() {
        let told = |request: Request| async {
            let (parts, body) = request.into_parts();
            let told = format!("{} {} {:?}", parts.method, parts.uri, parts.headers.get("cookie"));
            let body = axum::body::to_bytes(body, MOST).await.unwrap_or_default();
            let headers =
                [("vary", "a"), ("vary", "b"), ("set-cookie", "c=d"), ("set-cookie", "e=f")];
            (AppendHeaders(headers), format!("{told} {body:?}"))
        };
        let router = Router::new().fallback(told);
        let mut asked = event("/a b", "c=%20&c", &json!({"host": "example.test"}));
        asked["requestContext"]["http"]["method"] = json!("POST");
        (asked["body"], asked["cookies"]) = (json!("g"), json!(["h=i", "j=k"]));
        let answer = answered(&router, asked).await;
        assert_eq!(answer["body"], r#"POST /a%20b?c=%20&c Some("h=i; j=k") b"g""#);
        assert_eq!(answer["headers"]["vary"], "a, b");
        assert_eq!(answer["cookies"], json!(["c=d", "e=f"]));
    }

    #[tokio::test]
    async fn an_answer_is_whole_or_tells_that_it_is_too_large() {
        let (text, binary) = (MOST - 1_000, (MOST - 1_000) / 4 * 3);
        let said = |letter: &str, length| {
            let text = letter.repeat(length);
            get(|| async move { text })
        };
        let gzip = [(header::CONTENT_ENCODING, "gzip")];
        let large = move || async move { (gzip, vec![0xff; binary + 1_000]) };
        let broken = || async {
            let pieces = [Ok("begun"), Err(std::io::Error::other("broken"))];
            Body::from_stream(futures_util::stream::iter(pieces))
        };
        let router = Router::new()
            .route("/text", said("a", text))
            .route("/quotes", said("\"", text))
            .route("/longer", said("a", MOST + 1))
            .route("/binary", get(move || async move { vec![0xff_u8; binary] }))
            .route("/gzip", get(large))
            .route("/broken", get(broken));
        let asked = |path| event(path, "", &json!({"host": "example.test"}));
        let answer = answered(&router, asked("/text")).await;
        assert_eq!(answer["body"].as_str().map(str::len), Some(text));
        let answer = answered(&router, asked("/binary")).await;
        let decoded = STANDARD.decode_to_vec(answer["body"].as_str().unwrap_or_default());
        assert_eq!(
            (&answer["isBase64Encoded"], decoded.ok()),
            (&json!(true), Some(vec![0xff; binary]))
        );
        for (path, way) in [("/quotes", true), ("/longer", true), ("/gzip", false)] {
            let answer = answered(&router, asked(path)).await;
            let problem = problem(&answer);
            assert_eq!(problem["type"], "urn:smtp-auth-report:problem:answer-too-large", "{path}");
            let detail = problem["detail"].as_str().unwrap_or_default();
            assert_eq!(detail.contains("Accept-Encoding: gzip"), way, "{path}: {detail}");
            assert!(detail.contains("limit") && detail.contains("/v1/report-requests"), "{detail}");
            assert_eq!(answer["headers"]["content-encoding"], Value::Null);
        }
        assert_eq!(answered(&router, asked("/broken")).await["statusCode"], 503);
    }
}
