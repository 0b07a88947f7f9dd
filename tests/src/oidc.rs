//! A real OpenID Connect provider, as a process of its own. `OIDC_MODULES` names the folder whose `node_modules`
//! has the npm package `oidc-provider`.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use axum::body::Body;
use axum::http::Request;
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::http::send;
use crate::process::line_with;

/// The provider; it ends when this is dropped.
#[derive(Debug)]
pub struct Provider {
    _process: Child,
    /// Its issuer identifier.
    pub issuer: String,
}

impl Provider {
    /// Starts it, for a dashboard at this address.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start(dashboard: &str) -> Result<Self> {
        Self::at(0, dashboard).await
    }

    /// Starts another one in its place, which has other keys.
    ///
    /// # Errors
    /// It does not start.
    pub async fn again(mut self, dashboard: &str) -> Result<Self> {
        self._process.kill().await?;
        let port = self.issuer.rsplit(':').next().context("a port")?.parse()?;
        Self::at(port, dashboard).await
    }

    async fn at(port: u16, dashboard: &str) -> Result<Self> {
        let modules = std::env::var("OIDC_MODULES").context("OIDC_MODULES names no folder")?;
        // Modules are looked for beside the script, so it stands there.
        let script = Path::new(&modules).join("provider.mjs");
        std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("oidc/provider.mjs"), &script)?;
        let mut process = Command::new("node")
            .arg(script)
            .arg(port.to_string())
            .arg(dashboard)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start node")?;
        let output = process.stdout.take().context("its output")?;
        let issuer = line_with(output, "Provider at ").await?;
        Ok(Self { _process: process, issuer })
    }

    /// A script's access token for a resource, with these scopes.
    ///
    /// # Errors
    /// The provider gives none.
    pub async fn script_token(&self, resource: &str, scope: &str) -> Result<String> {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("resource", resource)
            .append_pair("scope", scope)
            .finish();
        let secret = base64_simd::STANDARD.encode_to_string("scripts:secret-of-scripts");
        let request = Request::post(format!("{}/token", self.issuer))
            .header("authorization", format!("Basic {secret}"))
            .header("content-type", "application/x-www-form-urlencoded");
        let (status, body) = send(request.body(Body::from(form))?).await?;
        ensure!(status.is_success(), "{status} {}", String::from_utf8_lossy(&body));
        let answer: Value = serde_json::from_slice(&body)?;
        Ok(answer["access_token"].as_str().context("a token")?.to_owned())
    }
}
