//! A socket in the data folder, through which another process of the same user uses the engine.
//!
//! `ingest` can so add to a store that `serve` has open. A request is the operation's name and its
//! JSON, an answer the status and JSON; each text stands behind its length (4 bytes, big-endian).

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

use crate::engine::{Engine, operation_of, response};

/// The most bytes of a request or an answer: DynamoDB's own limit.
const MOST: u32 = 16 << 20;
/// How long to wait after a connection could not be taken.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// Where a folder's socket is.
pub(crate) fn path(folder: &Path) -> PathBuf {
    folder.join("engine.socket")
}

/// Answers requests at a socket until the process ends.
pub(crate) async fn listen(path: &Path, engine: Engine) -> Result<()> {
    // Only the process that holds the folder's lock gets here: what is there was left behind.
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error).with_context(|| format!("cannot replace {}", path.display()));
    }
    let listener =
        UnixListener::bind(path).with_context(|| format!("cannot listen at {}", path.display()))?;
    fs::set_permissions(path, Permissions::from_mode(0o600))
        .with_context(|| format!("cannot keep {} from others", path.display()))?;
    tokio::spawn(async move {
        loop {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Too many open files, for example: that passes.
                    tracing::warn!(%error, "cannot take a connection through the socket");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let engine = engine.clone();
            tokio::spawn(async move {
                if let Err(error) = answer(stream, engine).await {
                    tracing::debug!(%error, "request through the socket failed");
                }
            });
        }
    });
    Ok(())
}

async fn answer(mut stream: UnixStream, engine: Engine) -> io::Result<()> {
    let operation = read_text(&mut stream).await?;
    let body = read_text(&mut stream).await?;
    let operation = String::from_utf8_lossy(&operation).into_owned();
    let (status, body) = engine.answer(operation, body).await.map_err(io::Error::other)?;
    stream.write_u16(status).await?;
    write_text(&mut stream, &body).await
}

async fn read_text(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let length = stream.read_u32().await?;
    if length > MOST {
        return Err(io::Error::other(format!("{length} bytes are more than {MOST}")));
    }
    let mut text = vec![0; length as usize];
    stream.read_exact(&mut text).await?;
    Ok(text)
}

async fn write_text(stream: &mut UnixStream, text: &[u8]) -> io::Result<()> {
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    stream.write_u32(length).await?;
    stream.write_all(text).await
}

/// The engine of another process.
#[derive(Clone, Debug)]
pub(crate) struct Remote(PathBuf);

impl Remote {
    pub(crate) fn new(socket: PathBuf) -> Self {
        Self(socket)
    }

    pub(crate) async fn answers(&self) -> bool {
        UnixStream::connect(&self.0).await.is_ok()
    }

    async fn ask(&self, operation: &str, body: &[u8]) -> io::Result<(u16, Vec<u8>)> {
        let mut stream = UnixStream::connect(&self.0).await?;
        write_text(&mut stream, operation.as_bytes()).await?;
        write_text(&mut stream, body).await?;
        let status = stream.read_u16().await?;
        Ok((status, read_text(&mut stream).await?))
    }
}

impl HttpConnector for Remote {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let remote = self.clone();
        HttpConnectorFuture::new(async move {
            let body = request.body().bytes().unwrap_or_default();
            let answer = remote.ask(operation_of(&request), body).await;
            let (status, body) = answer.map_err(|error| ConnectorError::io(error.into()))?;
            Ok::<HttpResponse, _>(response(status, body))
        })
    }
}
