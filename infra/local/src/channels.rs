//! The channels of alerts that a file tells, and tests of them.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use bootstrap::{AlertChannels, Site};
use channels::{Channel, Channels};
use chrono_tz::Tz;
use clap::{Arg, ArgMatches, value_parser};

use crate::clock::Now;
use crate::tell;

/// The file of channels.
const FILE: &str = "file";
/// Those of its channels that are meant.
const NAMES: &str = "names";

/// What a file of channels is, for whoever writes the first one.
pub(crate) const ABOUT: &str = "\
Tells the channels of alerts a test. Its status is 1 if one of them does not take it.

A file of channels is TOML. serve --alert-channels reads it, too:

  [[channel]]
  name = \"soc\"              # what it was told is noted under this: keep it
  form = \"webhook\"          # our JSON, each alert by itself
  url = \"https://hooks.example.org/alerts\"
  secret = \"…\"              # signs: X-Signature: sha256=HMAC of the body; may be left out
  token = \"…\"               # sent as a bearer token; may be left out
  least = \"high\"            # not what is only medium

  [[channel]]
  name = \"chat\"
  form = \"slack\"            # or teams: what is high at once, the rest in the morning
  url = \"https://hooks.slack.com/services/…\"

  [[channel]]
  name = \"phones\"
  form = \"ntfy\"
  url = \"https://ntfy.example.org/mail-alerts\"

  [[channel]]
  name = \"on-call\"
  form = \"pagerduty\"        # what is high only, unless least = \"medium\"
  routing_key = \"…\"

  [[channel]]
  name = \"siem\"
  form = \"syslog\"           # RFC 5424; or cef
  to = \"tcp://192.0.2.7:601\" # or udp://HOST:PORT

Webhooks go by https to public addresses, and are led nowhere else. private = true allows a channel http, a private \
address and the proxy in the environment. A channel that does not take what it is told is tried again, after a minute and then \
less often, up to once an hour: a machine for a day, people as long as the alert is open. \
The page of alerts, /healthz and /metrics say so.";

/// Where alerts go: nowhere, if there is no file that tells it.
///
/// # Errors
/// The file cannot be read, or not be used.
pub(crate) fn of(told: &AlertChannels) -> Result<Vec<Channel>> {
    told.file.as_deref().map_or(Ok(Vec::new()), read)
}

fn read(file: &Path) -> Result<Vec<Channel>> {
    let cannot = || format!("cannot use the channels in {}", file.display());
    let text = std::fs::read_to_string(file).with_context(cannot)?;
    channels::read(&text).with_context(cannot)
}

/// Which channels are told a test.
#[derive(Debug)]
pub struct Tested {
    file: PathBuf,
    /// All, if there are none.
    names: Vec<String>,
}

impl Tested {
    /// What the command line asks for.
    pub(crate) fn read(matches: &ArgMatches) -> Self {
        let file = matches.get_one(FILE).cloned().unwrap_or_default();
        Self { file, names: matches.get_many(NAMES).unwrap_or_default().cloned().collect() }
    }

    /// The arguments of the command.
    pub(crate) fn args() -> [Arg; 2] {
        let file = Arg::new(FILE).required(true).value_name("FILE").help("The file of channels");
        let names = Arg::new(NAMES).num_args(0..).value_name("NAME");
        [file.value_parser(value_parser!(PathBuf)), names.help("Only these [default: all]")]
    }

    /// Tells them, and says what came of it.
    ///
    /// # Errors
    /// One is not known, or did not take it.
    pub(crate) async fn test(&self, told: Site) -> Result<()> {
        let channels = Channels { all: read(&self.file)?, dashboard: told.dashboard };
        if let Some(unknown) = self.names.iter().find(|name| channels.named(name).is_none()) {
            let known: Vec<_> = channels.all.iter().map(|channel| channel.name.as_str()).collect();
            let (file, known) = (self.file.display(), known.join(", "));
            bail!("there is no channel {unknown} in {file}: it has {known}");
        }
        let now = Now::Machine;
        let mut failed = 0;
        let wanted =
            |channel: &&Channel| self.names.is_empty() || self.names.contains(&channel.name);
        for channel in channels.all.iter().filter(wanted) {
            let Channel { name, form, .. } = channel;
            match channels.test(channel, now.today(Tz::UTC), now.unix()).await {
                Ok(()) => tell::line(format_args!("{name} ({form}): told")),
                Err(error) => {
                    failed += 1;
                    tell::line(format_args!("{name} ({form}): {error}"));
                }
            }
        }
        if failed > 0 {
            bail!("{failed} of the channels took no test: the lines above say why");
        }
        Ok(())
    }
}
