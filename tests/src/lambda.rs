//! AWS Lambda, as a function sees it: the Runtime API, one environment that is frozen between invocations and
//! killed when one takes too long.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, bail};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::locked;

/// A deployed function. It runs in one environment at a time, as Lambda runs one for each invocation at once.
pub struct Function {
    binary: PathBuf,
    environment: Vec<(String, String)>,
    /// How long an invocation may take.
    timeout: Duration,
    running: tokio::sync::Mutex<Option<Running>>,
    told: Arc<Mutex<Vec<String>>>,
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// With what it answered.
    Answered(Value),
    /// With an error: its type and message.
    Failed(Value),
    /// It took too long, and its environment was killed.
    TimedOut,
    /// Its process ended.
    Died(String),
}

impl Outcome {
    /// The answer.
    ///
    /// # Errors
    /// There is none.
    pub fn answer(self) -> Result<Value> {
        match self {
            Self::Answered(answer) => Ok(answer),
            other => bail!("it did not answer: {other:?}"),
        }
    }
}

struct Running {
    process: Child,
    runtime: Arc<Runtime>,
    server: JoinHandle<()>,
    invocations: mpsc::UnboundedSender<(String, Bytes)>,
    /// When it first asked for an invocation.
    ready: Option<oneshot::Receiver<Instant>>,
    begun: Instant,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct Runtime {
    invocations: tokio::sync::Mutex<mpsc::UnboundedReceiver<(String, Bytes)>>,
    ready: Mutex<Option<oneshot::Sender<Instant>>>,
    waiting: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
    timeout: Duration,
}

async fn next(State(runtime): State<Arc<Runtime>>) -> Response {
    let asked = Instant::now();
    if let Some(ready) = locked(&runtime.ready).take() {
        let _ = ready.send(asked);
    }
    let Some((id, event)) = runtime.invocations.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let deadline = SystemTime::now() + runtime.timeout;
    let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let headers = [
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-west-1:123456789012:function:f".to_owned(),
        ),
        (
            "lambda-runtime-trace-id",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0".to_owned(),
        ),
    ];
    (headers, event).into_response()
}

fn end(runtime: &Runtime, id: &str, outcome: Outcome) -> StatusCode {
    let waiting = locked(&runtime.waiting).remove(id);
    let taken = waiting.is_some_and(|waiting| waiting.send(outcome).is_ok());
    if taken { StatusCode::ACCEPTED } else { StatusCode::NOT_FOUND }
}

async fn response(
    State(runtime): State<Arc<Runtime>>,
    Path(id): Path<String>,
    body: Bytes,
) -> StatusCode {
    if body.len() > query::gateway::MOST {
        let error = json!({"errorType": "Function.ResponseSizeTooLarge"});
        end(&runtime, &id, Outcome::Failed(error));
        return StatusCode::PAYLOAD_TOO_LARGE;
    }
    end(&runtime, &id, Outcome::Answered(serde_json::from_slice(&body).unwrap_or_default()))
}

async fn error(
    State(runtime): State<Arc<Runtime>>,
    Path(id): Path<String>,
    body: Bytes,
) -> StatusCode {
    end(&runtime, &id, Outcome::Failed(serde_json::from_slice(&body).unwrap_or_default()))
}

impl Function {
    /// A function of this binary; nothing else than `environment` is in its environment.
    #[must_use]
    pub fn new(binary: PathBuf, environment: Vec<(String, String)>, timeout: Duration) -> Self {
        let (running, told) = (tokio::sync::Mutex::new(None), Arc::default());
        Self { binary, environment, timeout, running, told }
    }

    /// Every line that it wrote: its log.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        locked(&self.told).clone()
    }

    /// Starts its environment, and gives the time from the process's start until it asked for its first
    /// invocation.
    ///
    /// # Errors
    /// It ended before.
    pub async fn start(&self) -> Result<Duration> {
        let mut running = self.running.lock().await;
        let begun = running.insert(self.run().await?);
        let ready = begun.ready.take().context("it was started before")?;
        tokio::select! {
            ready = ready => Ok(ready?.duration_since(begun.begun)),
            ended = begun.process.wait() => bail!("{:?} {}", ended, self.told().join("\n")),
        }
    }

    /// Ends its environment, as Lambda does when it is not needed any more.
    pub async fn stop(&self) {
        *self.running.lock().await = None;
    }

    /// The most memory that its environment's process has held so far, in bytes.
    ///
    /// # Errors
    /// It does not run.
    pub async fn peak_memory(&self) -> Result<u64> {
        let running = self.running.lock().await;
        let id = running.as_ref().and_then(|running| running.process.id()).context("no process")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = peak.and_then(|peak| peak.trim().strip_suffix(" kB")).context("a peak")?;
        Ok(kilobytes.parse::<u64>()? * 1024)
    }

    async fn run(&self) -> Result<Running> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (invocations, receiver) = mpsc::unbounded_channel();
        let (sender, ready) = oneshot::channel();
        let runtime = Arc::new(Runtime {
            invocations: tokio::sync::Mutex::new(receiver),
            ready: Mutex::new(Some(sender)),
            waiting: Mutex::default(),
            timeout: self.timeout,
        });
        let api = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&runtime));
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, api).await;
        });
        let mut command = Command::new(&self.binary);
        command
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "f")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let begun = Instant::now();
        let mut process =
            command.spawn().with_context(|| format!("cannot start {}", self.binary.display()))?;
        keep(&self.told, process.stdout.take());
        keep(&self.told, process.stderr.take());
        Ok(Running { process, runtime, server, invocations, ready: Some(ready), begun })
    }

    /// Invokes it; others that invoke it meanwhile wait.
    ///
    /// # Errors
    /// It does not start.
    pub async fn invoke(&self, event: &Value) -> Result<Outcome> {
        let mut slot = self.running.lock().await;
        if slot.is_none() {
            *slot = Some(self.run().await?);
        }
        let running = slot.as_mut().context("an environment")?;
        let (sender, outcome) = oneshot::channel();
        let id = format!("{:032x}", fastrand::u128(..));
        locked(&running.runtime.waiting).insert(id.clone(), sender);
        let _ = running.invocations.send((id, serde_json::to_vec(event)?.into()));
        let outcome = tokio::select! {
            outcome = outcome => outcome.unwrap_or(Outcome::TimedOut),
            ended = running.process.wait() => Outcome::Died(ended?.to_string()),
            () = tokio::time::sleep(self.timeout) => Outcome::TimedOut,
        };
        if matches!(outcome, Outcome::TimedOut | Outcome::Died(_)) {
            let _ = running.process.kill().await;
            *slot = None;
        }
        Ok(outcome)
    }
}

fn keep(told: &Arc<Mutex<Vec<String>>>, output: Option<impl AsyncRead + Send + Unpin + 'static>) {
    let Some(output) = output else { return };
    let told = Arc::clone(told);
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            locked(&told).push(line);
        }
    });
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Function").field("binary", &self.binary).finish_non_exhaustive()
    }
}
