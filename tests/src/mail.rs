//! Mail that tests look at: a transport that does as it is told, and what is in a message.

use std::collections::{BTreeMap, VecDeque};
use std::io::{Cursor, Read as _};
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, Region, SharedAsyncSleep, SharedCredentialsProvider,
};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_types::SdkConfig;
use mail_parser::{MessageParser, MimeHeaders as _};
use mailer::{Message, SendError, Transport};

use crate::locked;

/// Takes mail as long as it is not told otherwise, and keeps what it took.
#[derive(Clone, Debug)]
pub struct Post {
    taken: Arc<Mutex<Vec<Message>>>,
    answers: Arc<Mutex<VecDeque<SendError>>>,
    limit: usize,
}

impl Default for Post {
    fn default() -> Self {
        Self::with_limit(40_000_000)
    }
}

impl Post {
    /// One that takes messages of so many bytes.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self { taken: Arc::default(), answers: Arc::default(), limit }
    }

    /// Answers the next message with an error.
    pub fn refuse_once(&self, error: SendError) {
        locked(&self.answers).push_back(error);
    }

    /// What it took.
    #[must_use]
    pub fn taken(&self) -> Vec<Message> {
        locked(&self.taken).clone()
    }
}

#[async_trait]
impl Transport for Post {
    fn limit(&self) -> usize {
        self.limit
    }

    async fn send(&self, message: Message) -> Result<String, SendError> {
        if let Some(error) = locked(&self.answers).pop_front() {
            return Err(error);
        }
        let mut taken = locked(&self.taken);
        taken.push(message);
        Ok(format!("message {}", taken.len()))
    }
}

/// A message as its reader sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letter {
    /// `Message-ID`, without angle brackets.
    pub message_id: String,
    /// `To`.
    pub to: Vec<String>,
    /// `Subject`.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML.
    pub html: String,
    /// Files by name; of zipped ones, what is in them.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The image that the HTML shows, if there is one.
    pub chart: Option<Vec<u8>>,
}

impl Letter {
    /// Reads a message with a parser that has nothing to do with its writer.
    ///
    /// # Errors
    /// It is no message, or a zipped file cannot be read.
    pub fn read(message: &[u8]) -> Result<Self> {
        let parsed = MessageParser::default().parse(message).context("no message")?;
        let to = parsed.to().into_iter().flat_map(|to| to.iter());
        let mut letter = Self {
            message_id: parsed.message_id().unwrap_or_default().to_owned(),
            to: to.filter_map(|address| address.address().map(str::to_owned)).collect(),
            subject: parsed.subject().unwrap_or_default().to_owned(),
            text: parsed.body_text(0).context("no text")?.replace("\r\n", "\n"),
            html: parsed.body_html(0).context("no HTML")?.into_owned(),
            ..Self::default()
        };
        for part in &parsed.parts {
            if part.content_id() == Some("chart") {
                letter.chart = Some(part.contents().to_vec());
            } else if let Some(name) = part.attachment_name() {
                let (name, bytes) = unzipped(name, part.contents())?;
                letter.files.insert(name, bytes);
            }
        }
        Ok(letter)
    }

    /// The rows of a file of comma separated values, without its header.
    ///
    /// # Errors
    /// There is no such file, or it is no CSV.
    pub fn rows(&self, what: &str) -> Result<Vec<csv::StringRecord>> {
        Ok(self.csv(what)?.into_records().collect::<Result<_, _>>()?)
    }

    fn csv(&self, what: &str) -> Result<csv::Reader<&[u8]>> {
        let file = self.files.iter().find(|(name, _)| name.starts_with(what));
        let (_, bytes) = file.with_context(|| format!("no {what}: {:?}", self.files.keys()))?;
        Ok(csv::Reader::from_reader(bytes.as_slice()))
    }

    /// The messages that a file tells of.
    ///
    /// # Errors
    /// As [`rows`](Self::rows), or it tells of none.
    pub fn messages(&self, what: &str) -> Result<u64> {
        let mut csv = self.csv(what)?;
        let at = csv.headers()?.iter().position(|head| head == "Message count");
        let at = at.context("a column of messages")?;
        csv.records().map(|row| Ok(row?.get(at).unwrap_or_default().parse::<u64>()?)).sum()
    }
}

fn unzipped(name: &str, bytes: &[u8]) -> Result<(String, Vec<u8>)> {
    let Some(inner) = name.strip_suffix(".zip") else {
        return Ok((name.to_owned(), bytes.to_vec()));
    };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes))?;
    let mut plain = Vec::new();
    archive.by_name(inner)?.read_to_end(&mut plain)?;
    Ok((name.to_owned(), plain))
}

/// What an SDK client needs to know to talk to a server on this machine.
#[must_use]
pub fn sdk_config() -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build()
}
