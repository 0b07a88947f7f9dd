//! What the one-machine service does with clients that keep it waiting. Where something must end, times are tokio's, and
//! pass while nothing happens; where nothing may end, they are real, for bytes on their way are something that happens.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::Request;
use axum::routing::{get, post};
use local::connections::{Limits, serve};
use local::web::{Access, guarded};
use serde_json::json;
use tests::app::App;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tower::ServiceExt as _;

/// Far more than the network keeps.
const LARGE: usize = 64 << 20;

/// A service that can be told to stop.
struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Served {
    async fn start(router: Router, limits: Limits) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let stopped = async move {
            let _ = stopped.await;
        };
        let running = tokio::spawn(serve(listener, router, limits, stopped));
        Ok(Self { address, stop, running })
    }

    async fn connect(&self) -> Result<TcpStream> {
        Ok(TcpStream::connect(self.address).await?)
    }

    /// Sends some bytes of a request.
    async fn begin(&self, text: &str) -> Result<TcpStream> {
        let mut stream = self.connect().await?;
        stream.write_all(text.as_bytes()).await?;
        Ok(stream)
    }

    /// What comes to a whole request, to the end of the connection.
    async fn ask(&self, text: &str) -> Result<String> {
        rest(&mut self.begin(text).await?).await
    }
}

/// What comes until the other side ends the connection, in a good way or a bad one.
async fn rest(stream: &mut TcpStream) -> Result<String> {
    let (mut all, mut some) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut some).await {
        all.extend_from_slice(&some[..read]);
    }
    Ok(String::from_utf8(all)?)
}

/// Reads until some text is there.
async fn read_to(stream: &mut TcpStream, end: &str) -> Result<String> {
    let mut all = Vec::new();
    while !String::from_utf8_lossy(&all).contains(end) {
        all.push(stream.read_u8().await.with_context(|| format!("no {end}"))?);
    }
    Ok(String::from_utf8(all)?)
}

fn small() -> Router {
    Router::new()
        .route("/", get(async || "pages"))
        .route("/large", get(async || Bytes::from(vec![b'x'; LARGE])))
        .route("/takes", post(async |body: Bytes| body.len().to_string()))
}

const WHOLE: &str = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
const KEPT: &str = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
const HALF: &str = "GET / HTTP/1.1\r\nhost: loc";
const BODY: &str = "POST /takes HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n12";
const GREEDY: &str = "GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_is_waited_for_no_longer_than_said() -> Result<()> {
    let limits = Limits::default();
    let served = Served::start(small(), limits).await?;
    for text in ["", HALF] {
        let (mut stream, began) = (served.begin(text).await?, Instant::now());
        rest(&mut stream).await?;
        let took = began.elapsed();
        ensure!(took >= limits.head && took < limits.head * 2, "{text:?}: {took:?}");
    }
    // Nor is the next request of a connection.
    let mut stream = served.begin(KEPT).await?;
    ensure!(read_to(&mut stream, "pages").await?.starts_with("HTTP/1.1 200"));
    let began = Instant::now();
    rest(&mut stream).await?;
    ensure!(began.elapsed() < limits.head * 2, "{:?}", began.elapsed());
    Ok(())
}

#[tokio::test]
async fn a_head_that_is_too_long_is_not_waited_for() -> Result<()> {
    let served = Served::start(small(), Limits::default()).await?;
    let head = |length: usize, end: &str| {
        let head = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx: ";
        format!("{head}{}{end}", "x".repeat(length - head.len() - end.len()))
    };
    let taken = served.ask(&head(60 << 10, "\r\n\r\n")).await?;
    ensure!(taken.starts_with("HTTP/1.1 200"), "{taken}");
    // Not a byte more: what is left unread of a request may take its answer away.
    let refused = served.ask(&head(64 << 10, "")).await?;
    ensure!(refused.starts_with("HTTP/1.1 431"), "{refused}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn half_open_connections_leave_room_for_others() -> Result<()> {
    let served = Served::start(small(), Limits::default()).await?;
    let mut half_open = Vec::new();
    for number in 0..1000 {
        half_open.push(served.begin([HALF, "", BODY][number % 3]).await?);
        if number % 50 == 49 {
            let began = Instant::now();
            ensure!(served.ask(WHOLE).await?.ends_with("pages"), "after {number}");
            ensure!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        }
    }
    Ok(())
}

#[tokio::test]
async fn answers_under_way_are_not_broken_off_for_others() -> Result<()> {
    let limits = Limits { connections: 4, per_address: 4, ..Limits::default() };
    let served = Served::start(small(), limits).await?;
    let mut greedy = Vec::new();
    for _ in 0..4 {
        let mut stream = served.begin(GREEDY).await?;
        read_to(&mut stream, "xxx").await?;
        greedy.push(stream);
    }
    ensure!(served.ask(WHOLE).await?.is_empty(), "there is no place for one more");
    let mut one = greedy.pop().context("four")?;
    one.read_exact(&mut vec![0; LARGE - 3]).await.context("it was broken off")?;
    ensure!(served.ask(WHOLE).await?.ends_with("pages"), "it has its answer, and waits");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_loses_its_place() -> Result<()> {
    let limits = Limits { connections: 1, per_address: 1, ..Limits::default() };
    let served = Served::start(small(), limits).await?;
    let mut greedy = served.begin(GREEDY).await?;
    read_to(&mut greedy, "xxx").await?;
    let began = Instant::now();
    while !served.ask(WHOLE).await?.ends_with("pages") {
        ensure!(began.elapsed() < limits.pause * 3, "it still has it");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    ensure!(began.elapsed() > limits.pause / 2, "{:?}", began.elapsed());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn it_ends_in_time_whatever_clients_do() -> Result<()> {
    let served = Served::start(small(), Limits::default()).await?;
    let mut clients = Vec::new();
    for text in ["", HALF, BODY, KEPT, GREEDY] {
        for _ in 0..3 {
            clients.push(served.begin(text).await?);
        }
    }
    for client in &mut clients[9..] {
        read_to(client, "200 OK").await?;
    }
    let began = Instant::now();
    ensure!(served.stop.send(()).is_ok());
    served.running.await?;
    ensure!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    ensure!(TcpStream::connect(served.address).await.is_err(), "it still listens");
    Ok(())
}

#[tokio::test]
async fn what_is_under_way_at_the_end_is_sent_whole() -> Result<()> {
    let served = Served::start(small(), Limits::default()).await?;
    let mut stream = served.begin(GREEDY).await?;
    read_to(&mut stream, "xxx").await?;
    ensure!(served.stop.send(()).is_ok());
    tokio::task::yield_now().await;
    ensure!(rest(&mut stream).await?.len() == LARGE - 3);
    served.running.await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_body_is_asked_for_after_who_sends_it_and_not_waited_for_long() -> Result<()> {
    let token = "0123456789abcdef0123";
    let router = guarded(App::new().await?.router(), Access::Token(token.into()));
    let served = Served::start(router, Limits::default()).await?;
    let head = |more: &str| {
        format!(
            "POST /v1/report-requests HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: 10\r\nexpect: 100-continue\r\n{more}\r\n"
        )
    };
    let began = Instant::now();
    let refused = served.ask(&head("")).await?;
    ensure!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    ensure!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let let_in = format!("authorization: Bearer {token}\r\n");
    let slow = served.ask(&head(&let_in)).await?;
    ensure!(slow.starts_with("HTTP/1.1 100 Continue"), "{slow}");
    ensure!(slow.contains("HTTP/1.1 408") && slow.contains("problem:too-slow"), "{slow}");
    ensure!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    Ok(())
}

/// A service whose exports are files.
async fn app_with_long_exports() -> Result<App> {
    let app = App::new().await?;
    let event = |number: u32| {
        json!({"time": "2026-11-24T08:00:00Z", "sender": format!("user{number}@example.test"),
            "account": format!("{number}-{}", "a".repeat(150)), "tls": "TLS1.3", "mechanism": "PLAIN",
            "client": "192.0.2.1"})
    };
    let log: String = (0..8000).map(|number| format!("{}\n", event(number))).collect();
    app.log("events", &log).await?;
    Ok(app)
}

/// The network takes some megabytes of what nobody reads: so here is none.
#[tokio::test]
async fn an_export_gives_its_turn_back_as_soon_as_it_is_written() -> Result<()> {
    let app = app_with_long_exports().await?;
    let mut unread = Vec::new();
    // More than are written at once, and no more than are kept.
    for number in 0..6 {
        let request = Request::get("/v1/reports/detailed").body(Body::empty())?;
        let response = app.router().oneshot(request).await?;
        ensure!(response.status() == 200, "{number}: {}", response.status());
        unread.push(response.into_body());
    }
    for body in unread {
        let whole = String::from_utf8(to_bytes(body, usize::MAX).await?.to_vec())?;
        ensure!(whole.matches("@example.test").count() == 8000, "{}", whole.len());
    }
    Ok(())
}

/// Exports that nobody reads, more than are written at once.
#[tokio::test]
async fn slow_readers_of_exports_are_in_nobodys_way() -> Result<()> {
    let app = app_with_long_exports().await?;
    let served = Served::start(app.router(), Limits::default()).await?;
    let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let paths = ["/v1/reports/detailed", "/v1/reports/sending-volume/details?format=csv"];
    let mut slow = Vec::new();
    for number in 0..20 {
        let mut stream = served.begin(&ask(paths[number % 2])).await?;
        let head = read_to(&mut stream, "\r\n\r\n").await?;
        ensure!(head.starts_with("HTTP/1.1 200"), "{number}: {head}");
        slow.push(stream);
    }
    for path in paths {
        let whole = served.ask(&ask(path)).await?;
        ensure!(whole.matches("@example.test").count() >= 8000, "{}", whole.len());
        ensure!(!whole.contains("chunked") || whole.ends_with("0\r\n\r\n"), "it broke off");
    }
    ensure!(served.ask(&ask("/v1/insight")).await?.contains("\"senders\":8000"));
    Ok(())
}
