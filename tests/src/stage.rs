//! The functions' programs around an empty table.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::body::Body;
use axum::http::Request;
use local::engine::Engine;
use serde_json::Value;
use store::{Store, Writing};

use crate::app::Answer;
use crate::aws::Aws;
use crate::gateway;
use crate::issuer::Issuer;
use crate::lambda::Function;
use crate::process::{built, program};
use crate::tables::Tables;

const TABLE: &str = "table";
/// Longer than anything takes that does not hang.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The table, and somebody who issues tokens. The functions go by the machine's clock.
#[derive(Debug)]
pub struct Stage {
    /// What the functions ask.
    pub aws: Aws,
    /// Whom `query` believes.
    pub issuer: Issuer,
}

impl Stage {
    /// One with an empty table.
    ///
    /// # Errors
    /// There is no port.
    pub async fn new() -> Result<Self> {
        Self::over(Engine::in_memory()?, None).await
    }

    /// One with an empty table of another implementation, beside what moto has.
    ///
    /// # Errors
    /// There is no port, or the table cannot be made.
    pub async fn over(tables: impl Into<Tables>, moto: Option<SocketAddr>) -> Result<Self> {
        let tables = tables.into();
        let store = Store::new(tables.client(), TABLE, Writing::Single { concurrency: 1 });
        store.create_table().await?;
        let aws = Aws::start(tables, moto).await?;
        Ok(Self { aws, issuer: Issuer::start(bootstrap::now()).await? })
    }

    /// A function with this environment beside what every one needs.
    ///
    /// # Errors
    /// It was not built.
    pub fn function(
        &self,
        name: &str,
        more: &[(&str, &str)],
        timeout: Duration,
    ) -> Result<Function> {
        let mut environment = self.aws.environment(name);
        environment.extend(self.issuer.environment());
        let always = [
            ("TABLE_NAME", TABLE),
            ("ARCHIVE_BUCKET", "archive"),
            ("RECIPIENT_DOMAINS", "example.test"),
            ("MAIL_FROM", "reports@example.test"),
            ("DASHBOARD_URL", "https://report.example.test"),
        ];
        let all = always.iter().chain(more);
        environment.extend(all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Ok(Function::new(built(program(name))?, environment, timeout))
    }

    /// The function that counts.
    ///
    /// # Errors
    /// It was not built.
    pub fn ingest(&self) -> Result<Function> {
        self.function("ingest", &[], PATIENCE)
    }

    /// A reader's question, as API Gateway hands it to `query`.
    ///
    /// # Errors
    /// The path is none.
    pub fn question(&self, path: &str) -> Result<Request<Body>> {
        question(path, &self.issuer.token(&self.issuer.claims(&["readers"])))
    }

    /// Asks for a report by mail, as a manager does.
    ///
    /// # Errors
    /// It is refused.
    pub async fn request(&self, query: &Function, asked: &Value) -> Result<Value> {
        let token = self.issuer.token(&self.issuer.claims(&["managers"]));
        let request = Request::post("/v1/report-requests")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json");
        gateway::ask(query, request.body(Body::from(asked.to_string()))?).await?.ok()
    }

    /// How many messages there are in the last seven days, as `query` tells.
    ///
    /// # Errors
    /// It was not built, or does not tell.
    pub async fn messages(&self) -> Result<u64> {
        let query = self.function("query", &[], PATIENCE)?;
        let question = self.question("/v1/reports/sending-volume")?;
        let answer: Value = gateway::ask(&query, question).await?.ok()?;
        answer["total"].as_u64().context("a total")
    }
}

/// A question with a token.
///
/// # Errors
/// The path is none.
pub fn question(path: &str, token: &str) -> Result<Request<Body>> {
    let request = Request::get(path).header("authorization", format!("Bearer {token}"));
    Ok(request.body(Body::empty())?)
}

/// Asks `query` with a token.
///
/// # Errors
/// It did not answer.
pub async fn ask(query: &Function, path: &str, token: &str) -> Result<Answer> {
    gateway::ask(query, question(path, token)?).await
}
