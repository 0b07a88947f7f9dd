//! The service: HTTP answers, reports by mail and housekeeping over one data folder, until it is told to stop.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, Result};
use bootstrap::Detection;
use channels::{ByMail, Channel, Channels};
use chrono_tz::Tz;
use detect::{Pace, Severity};
use detector::Detector;
use query::{Mailing, Query};
use report::{Known, Range};
use reporter::Reporter;
use tokio::net::TcpListener;
use tokio::signal::unix::{self, Signal, SignalKind};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::clock::Now;
use crate::connections::{self, Limits};
use crate::files::Heard;
use crate::home::Home;
use crate::housekeeping::keep_house;
use crate::judging::judge;
use crate::mail::Way;
use crate::verify::verify_and_tell;
use crate::web::{self, Access};
use crate::{metrics, reports, tell};

/// How long a report that is being made is waited for when the program ends: service managers kill what takes
/// longer than 10 seconds.
const LAST_REPORT: Duration = Duration::from_secs(8);

/// A socket that is open, and who may ask there.
pub struct Door {
    listener: TcpListener,
    access: Access,
    address: SocketAddr,
}

impl Door {
    /// Listens at an address.
    ///
    /// # Errors
    /// There is something else, or others could come in who must not: see [`Access::at`].
    pub async fn open(listen: SocketAddr, token_file: Option<&Path>) -> Result<Self> {
        let access = Access::at(listen, token_file)?;
        let whats_wrong = || format!("cannot listen on {listen}: choose another --listen");
        let listener = TcpListener::bind(listen).await.with_context(whats_wrong)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, access, address })
    }

    /// Where it is, as in `http://127.0.0.1:8025`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The same, unless the address means all of a machine's own: that is none that a link can lead to.
    fn link(&self) -> Option<String> {
        (!self.address.ip().is_unspecified()).then(|| self.url())
    }
}

/// What the service goes by.
#[derive(Debug)]
pub struct Service {
    /// What it tells about.
    pub home: Home,
    /// The present day's clock.
    pub now: Now,
    /// The zone whose days are counted.
    pub zone: Tz,
    /// How mail goes, and where it may go.
    pub way: Way,
    /// Reports that may be asked for each day.
    pub requests_per_day: u32,
    /// What is followed, and when it was heard of last.
    pub heard: Heard,
    /// What is known of names beside the logs.
    pub known: Known,
    /// How accounts are judged.
    pub detection: Detection,
    /// Whom alerts are mailed to.
    pub alerted: Vec<String>,
    /// Where alerts go beside that.
    pub channels: Vec<Channel>,
    /// Where people reach it, for links in mails; else where it listens.
    pub public_url: Option<String>,
}

impl Service {
    /// Answers at the door, makes reports and keeps house until `stop` is done; then ends what it had begun, within
    /// 10 seconds.
    pub async fn run(self, door: Door, stop: impl Future<Output = ()>) {
        let url = door.url();
        let heard = self.heard.clone();
        let channels = self.channels(door.link());
        let query = self.query().telling(channels.clone());
        let alerts = self.home.store.alerts();
        let history = self.home.history.clone();
        let (engine, watch) = (self.home.engine.clone(), self.home.watch.clone());
        tokio::spawn(keep_house(history, engine, watch, self.now, self.zone));
        let history = self.home.history.clone();
        let detector = Detector::new(&self.home.store, history, self.judging(channels));
        tokio::spawn(judge(detector, self.home.watch.clone(), self.now, self.zone));
        let kept = Range::kept(self.now.today(self.zone));
        let history = self.home.history.clone();
        tokio::spawn(verify_and_tell(self.home.store.clone(), history, kept));
        tell::line(&self.way.told);
        let made = self.way.made.clone();
        let (tell_worker, stopping) = watch::channel(false);
        // Lives as long as the service: it holds the folder's lock.
        let (worker, _home) = self.work(door.link(), stopping);
        tell::line(format_args!("Listening on {url}"));
        let router = query::router(query).merge(metrics::router(heard, alerts));
        let router = web::guarded(router, door.access);
        let stopped_at = Arc::new(OnceLock::new());
        let stop = {
            let stopped_at = Arc::clone(&stopped_at);
            async move {
                stop.await;
                let _ = stopped_at.set(Instant::now());
                let _ = tell_worker.send(true);
            }
        };
        connections::serve(door.listener, router, Limits::default(), stop).await;
        if let Some(worker) = worker {
            // A report that is being handed over is waited for, or it might be sent once more.
            let until = *stopped_at.get_or_init(Instant::now) + LAST_REPORT;
            let _ = tokio::time::timeout_at(until, worker).await;
        }
        if let Some(folder) = made {
            // Stays if there are mails in it.
            let _ = std::fs::remove_dir(folder);
        }
    }

    /// The day that the user takes for the present one, if it is another than the clock's.
    fn as_of(&self) -> Option<report::Day> {
        self.now.is_fixed().then(|| self.now.today(self.zone))
    }

    fn query(&self) -> Query {
        let recipients = self.way.recipients.clone();
        let mailing = Mailing { recipients, requests_per_day: self.requests_per_day };
        let query = Query::new(
            &self.home.store,
            self.home.history.clone(),
            self.zone,
            mailing,
            Arc::new(machine),
        );
        let query = query.as_of(self.as_of()).knowing(self.known.clone());
        match self.home.folder() {
            Some(folder) => query.spooling_in(folder.to_owned()),
            None => query,
        }
    }

    /// Who is told of alerts.
    fn channels(&self, link: Option<String>) -> Channels {
        let dashboard = self.public_url.clone().or(link);
        let mail = (!self.alerted.is_empty()).then(|| Channel {
            name: "mail".to_owned(),
            form: "mail",
            pace: Pace::People,
            each: false,
            least: Severity::Medium,
            way: Arc::new(ByMail {
                mailer: self.way.mailer.clone(),
                recipients: self.alerted.clone(),
            }),
        });
        Channels { all: mail.into_iter().chain(self.channels.iter().cloned()).collect(), dashboard }
    }

    /// How accounts are judged, and who is told.
    fn judging(&self, channels: Channels) -> detector::Settings {
        let Detection { sensitivity } = self.detection;
        let kinds = self.known.kinds.clone();
        // What a day that lies behind would have told is no news.
        let channels = Some(channels).filter(|_| !self.now.is_fixed());
        detector::Settings { zone: self.zone, sensitivity, kinds, channels }
    }

    /// Works on reports, if this process owns the store.
    fn work(
        self,
        link: Option<String>,
        stopping: watch::Receiver<bool>,
    ) -> (Option<JoinHandle<()>>, Home) {
        let settings = reporter::Settings {
            zone: self.zone,
            as_of: self.as_of(),
            recipients: self.way.recipients,
            dashboard: self.public_url.or(link),
            known: self.known,
        };
        let (history, watch) = (self.home.history.clone(), self.home.watch.clone());
        let reporter =
            Reporter::new(&self.home.store, history, self.way.mailer, settings, Arc::new(machine));
        let reporter = reporter.with_schedules_if(Arc::new(move |now| watch.believes(now)));
        let new = self.home.engine.as_ref().map(|engine| engine.new_items(store::REPORT_REQUESTS));
        let worker = new.map(|new| tokio::spawn(reports::work(reporter, new, stopping, machine)));
        (worker, self.home)
    }
}

/// Leases, pauses and schedules go by the machine's clock, whatever day it is taken to be.
fn machine() -> i64 {
    Now::Machine.unix()
}

/// Done when the user or the system wants the program to end.
pub fn stopped() -> impl Future<Output = ()> + Send + 'static {
    // Heard from now on, not from when it is waited for: whoever is told that this listens may end it at once.
    let interrupted = unix::signal(SignalKind::interrupt());
    let terminated = unix::signal(SignalKind::terminate());
    async move {
        tokio::select! {
            () = heard(interrupted) => {}
            () = heard(terminated) => {}
        }
    }
}

/// Waits for a signal: for ever, if it cannot be heard.
async fn heard(signal: io::Result<Signal>) {
    match signal {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}
