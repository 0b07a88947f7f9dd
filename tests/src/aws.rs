//! AWS as functions see it: DynamoDB is the embedded engine or another implementation, S3, SES, SNS and EventBridge are
//! moto's. Each function's key stands for its role, and what its policies do not allow is denied.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::form_urlencoded;

use crate::locked;
use crate::policy::{Policy, Wish};
use crate::tables::Tables;

/// The region of everything.
pub const REGION: &str = "eu-west-1";
const ACCOUNT: &str = "123456789012";

/// The servers behind one address.
#[derive(Clone)]
pub struct Aws(Arc<Inner>);

struct Inner {
    address: SocketAddr,
    tables: Tables,
    /// Where moto listens.
    moto: Option<SocketAddr>,
    http: Client<HttpConnector, Body>,
    state: Mutex<State_>,
}

#[derive(Default)]
struct State_ {
    policies: BTreeMap<String, Policy>,
    granted: BTreeSet<(String, Wish)>,
    denied: Vec<(String, Wish)>,
    throttled: usize,
    /// Writes until none is answered any more, and whether that one is made.
    answers: Option<(usize, bool)>,
    mails: Vec<Value>,
}

impl Aws {
    /// Serves the tables, and hands on to moto what is for others than DynamoDB.
    ///
    /// # Errors
    /// There is no port.
    pub async fn start(tables: impl Into<Tables>, moto: Option<SocketAddr>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let aws = Self(Arc::new(Inner {
            address: listener.local_addr()?,
            tables: tables.into(),
            moto,
            http: Client::builder(TokioExecutor::new()).build_http(),
            state: Mutex::default(),
        }));
        let router = Router::new().fallback(answer).with_state(aws.clone());
        tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(aws)
    }

    /// What a function needs in its environment to come here, with its role's key.
    #[must_use]
    pub fn environment(&self, role: &str) -> Vec<(String, String)> {
        let endpoint = format!("http://{}", self.0.address);
        [
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", role),
            ("AWS_SECRET_ACCESS_KEY", "secret-of-the-role"),
            ("AWS_SESSION_TOKEN", "token-of-the-session"),
            ("AWS_ENDPOINT_URL_DYNAMODB", &endpoint),
            ("AWS_ENDPOINT_URL_S3", &endpoint),
            ("AWS_ENDPOINT_URL_SESV2", &endpoint),
            ("AWS_ENDPOINT_URL_SNS", &endpoint),
            ("AWS_ENDPOINT_URL_EVENTBRIDGE", &endpoint),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// Lets a role do what a policy allows, and nothing else. A role without a policy may do everything.
    pub fn hold(&self, role: &str, policy: Policy) {
        locked(&self.0.state).policies.insert(role.to_owned(), policy);
    }

    /// What was done, by whom.
    #[must_use]
    pub fn granted(&self) -> BTreeSet<(String, Wish)> {
        locked(&self.0.state).granted.clone()
    }

    /// What was denied.
    #[must_use]
    pub fn denied(&self) -> Vec<(String, Wish)> {
        locked(&self.0.state).denied.clone()
    }

    /// What SES was asked to send.
    #[must_use]
    pub fn mails(&self) -> Vec<Value> {
        locked(&self.0.state).mails.clone()
    }

    /// Answers the table's next requests as DynamoDB does when too much is asked.
    pub fn throttle(&self, requests: usize) {
        locked(&self.0.state).throttled = requests;
    }

    /// Answers so many more writes to the table, and none after them; the first of those is made all the same
    /// if `made` says so.
    pub fn hang_after(&self, writes: usize, made: bool) {
        locked(&self.0.state).answers = Some((writes, made));
    }

    /// Answers again.
    pub fn go_on(&self) {
        locked(&self.0.state).answers = None;
    }

    /// Whether a role may do all of these.
    fn may(&self, role: &str, wishes: Vec<Wish>) -> bool {
        let mut state = locked(&self.0.state);
        for wish in wishes {
            if state.policies.get(role).is_some_and(|policy| !policy.allows(&wish)) {
                state.denied.push((role.to_owned(), wish));
                return false;
            }
            state.granted.insert((role.to_owned(), wish));
        }
        true
    }

    async fn table(&self, role: &str, headers: &HeaderMap, body: &Bytes) -> Result<Response> {
        let target = headers.get("x-amz-target").context("a target")?.to_str()?;
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let asked: Value = serde_json::from_slice(body)?;
        if !self.may(role, wishes(&operation, &asked)) {
            return Ok(table_error("AccessDeniedException", "not authorized to perform it"));
        }
        let throttles = {
            let mut state = locked(&self.0.state);
            let throttles = state.throttled > 0;
            state.throttled = state.throttled.saturating_sub(1);
            throttles
        };
        if throttles {
            return Ok(table_error("ThrottlingException", "Rate exceeded"));
        }
        if !matches!(operation.as_str(), "GetItem" | "Query") {
            let answers = {
                let mut state = locked(&self.0.state);
                let answers = state.answers;
                state.answers = match answers {
                    Some((0, _)) => Some((0, false)),
                    Some((left, made)) => Some((left - 1, made)),
                    None => None,
                };
                answers
            };
            if let Some((0, made)) = answers {
                if made {
                    self.0.tables.answer(operation, body.to_vec()).await?;
                }
                // Until whoever asked is gone.
                return std::future::pending().await;
            }
        }
        let (status, answer) = self.0.tables.answer(operation, body.to_vec()).await?;
        let kind = [(header::CONTENT_TYPE, "application/x-amz-json-1.0")];
        Ok((StatusCode::from_u16(status)?, kind, answer).into_response())
    }

    async fn moto(&self, request: Request) -> Result<Response> {
        let (mut parts, body) = request.into_parts();
        let moto = self.0.moto.context("no moto")?;
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = format!("http://{moto}{path}").parse()?;
        let answer = self.0.http.request(Request::from_parts(parts, body)).await?;
        Ok(answer.map(Body::new))
    }
}

fn table_error(name: &str, message: &str) -> Response {
    let body = json!({"__type": format!("com.amazon.coral.service#{name}"), "message": message});
    let kind = [(header::CONTENT_TYPE, "application/x-amz-json-1.0")];
    (StatusCode::BAD_REQUEST, kind, body.to_string()).into_response()
}

/// The key and the service that a request was signed for.
fn signed(headers: &HeaderMap) -> Option<(String, String)> {
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let scope: Vec<_> = given.split("Credential=").nth(1)?.split(',').next()?.split('/').collect();
    Some(((*scope.first()?).to_owned(), (*scope.get(3)?).to_owned()))
}

async fn answer(State(aws): State<Aws>, request: Request) -> Response {
    let Some((role, service)) = signed(request.headers()) else {
        return (StatusCode::FORBIDDEN, "nobody signed it").into_response();
    };
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let answered = match service.as_str() {
        "dynamodb" => aws.table(&role, &parts.headers, &body).await,
        _ => {
            let wishes = match service.as_str() {
                "s3" => vec![s3(&parts.method, &parts.uri)],
                "sns" => vec![sns(&body)],
                "events" => vec![events(&body)],
                _ => ses(&body),
            };
            if aws.may(&role, wishes) {
                if service == "ses" {
                    let mail = serde_json::from_slice(&body).unwrap_or_default();
                    locked(&aws.0.state).mails.push(mail);
                }
                aws.moto(Request::from_parts(parts, Body::from(body))).await
            } else {
                let body = "<Error><Code>AccessDenied</Code></Error>";
                return (StatusCode::FORBIDDEN, body).into_response();
            }
        }
    };
    answered.unwrap_or_else(|error| {
        (StatusCode::BAD_GATEWAY, format!("the test's AWS: {error:#}")).into_response()
    })
}

/// What a request to DynamoDB wants, as IAM sees it: a transaction is the writes in it.
fn wishes(operation: &str, asked: &Value) -> Vec<Wish> {
    let wish = |action: &str, asked: &Value| {
        let table = asked["TableName"].as_str().unwrap_or_default();
        let keys = ["/Key/pk/S", "/Item/pk/S", "/ExpressionAttributeValues/:pk/S"];
        let key = keys.iter().find_map(|place| asked.pointer(place)?.as_str());
        Wish {
            action: format!("dynamodb:{action}"),
            resource: format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"),
            about: key.map(str::to_owned).into_iter().collect(),
        }
    };
    if operation != "TransactWriteItems" {
        return vec![wish(operation, asked)];
    }
    let writes = asked["TransactItems"].as_array().into_iter().flatten();
    let writes = writes.flat_map(|write| write.as_object().into_iter().flatten());
    let action = |kind: &str| match kind {
        "ConditionCheck" => "ConditionCheckItem".to_owned(),
        kind => format!("{kind}Item"),
    };
    writes.map(|(kind, asked)| wish(&action(kind), asked)).collect()
}

fn s3(method: &Method, uri: &Uri) -> Wish {
    let path = uri.path().trim_start_matches('/');
    let query = uri.query().unwrap_or_default();
    let (bucket, object) = path.split_once('/').unwrap_or((path, ""));
    let lists = object.is_empty();
    let action = match method.as_str() {
        "GET" if lists => "s3:ListBucket",
        "GET" | "HEAD" => "s3:GetObject",
        "POST" if lists && query.starts_with("delete") => "s3:DeleteObject",
        "DELETE" if query.contains("uploadId") => "s3:AbortMultipartUpload",
        "DELETE" => "s3:DeleteObject",
        _ => "s3:PutObject",
    };
    let object = match (action, object) {
        ("s3:ListBucket", _) => String::new(),
        // What is deleted together is listed in the body; the archiver deletes such alone.
        (_, "") => "/usage/any".to_owned(),
        (_, object) => format!("/{object}"),
    };
    let prefix = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "prefix");
    let about = prefix.map(|(_, prefix)| prefix.into_owned()).into_iter().collect();
    Wish { action: action.to_owned(), resource: format!("arn:aws:s3:::{bucket}{object}"), about }
}

fn sns(body: &Bytes) -> Wish {
    let asked: BTreeMap<_, _> = form_urlencoded::parse(body).into_owned().collect();
    let text = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let action = format!("sns:{}", text("Action"));
    Wish { action, resource: text("TopicArn"), about: Vec::new() }
}

/// All events of one request have the same source and bus.
fn events(body: &Bytes) -> Wish {
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    let entry = &asked["Entries"][0];
    let text = |name: &str| entry[name].as_str().unwrap_or_default();
    Wish {
        action: "events:PutEvents".to_owned(),
        resource: format!("arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{}", text("EventBusName")),
        about: vec![text("Source").to_owned()],
    }
}

/// SES as it is in the sandbox: it asks about the identity of each recipient as well as the sender's.
fn ses(body: &Bytes) -> Vec<Wish> {
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    let from = asked["FromEmailAddress"].as_str().unwrap_or_default();
    let domain = from.rsplit('@').next().unwrap_or_default();
    let action = match asked["Content"]["Raw"].is_object() {
        true => "ses:SendRawEmail",
        false => "ses:SendEmail",
    };
    let recipients = asked["Destination"]["ToAddresses"].as_array().into_iter().flatten();
    let identities = recipients.filter_map(Value::as_str).chain([domain]);
    let wish = |identity| Wish {
        action: action.to_owned(),
        resource: format!("arn:aws:ses:{REGION}:{ACCOUNT}:identity/{identity}"),
        about: vec![from.to_owned()],
    };
    identities.map(wish).collect()
}

impl std::fmt::Debug for Aws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aws").field("address", &self.0.address).finish_non_exhaustive()
    }
}
