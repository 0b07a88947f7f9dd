//! What a mail says: figures from [`report`], put into words and tables.

use std::io;

use askama::Template;
use chrono_tz::Tz;
use mailer::{File, Image, Mail};
use report::views::filter_text::in_words;
use report::views::{self, TlsUsage};
use report::{
    Contents, Group, Range, ReportRequest, Sort, View, csv, date, displayed, grouped, period,
};

use crate::attention::Attention;
use crate::chart;
use crate::detailed::{self, Part};
use crate::figures::{Figure, VersionRow, figures, version_row};
use crate::gather::{Gathered, Totals};
use crate::spool::Spool;
use crate::tops::{Top, most_legacy, most_messages};

/// Characters of a domain that are shown.
const SHOWN: usize = 80;
/// Domains that are named, of those that a report is bound to.
const NAMED: usize = 5;
/// What the HTML calls the chart.
const CHART: &str = "chart";

/// Everything that goes into a mail.
pub(crate) struct Letter<'l> {
    pub(crate) request: &'l ReportRequest,
    /// Whose days are counted.
    pub(crate) zone: Tz,
    /// Where the dashboard is, as in `https://mail.example.org`.
    pub(crate) dashboard: Option<&'l str>,
    /// What needs attention; none where that is not told.
    pub(crate) attention: Option<Attention>,
    /// The days that are told about: those asked for, as far as they are still kept.
    pub(crate) range: Range,
    pub(crate) gathered: Gathered,
    /// What as many days before came to, if all of these are kept.
    pub(crate) before: Option<Totals>,
    /// Bytes that all files may take.
    pub(crate) limit: usize,
    /// Bytes that the detailed report may take of these.
    pub(crate) detailed_limit: usize,
    /// When it is written, in seconds since 1970.
    pub(crate) now: i64,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Html<'t> {
    said: &'t Said,
}

#[derive(Template)]
#[template(path = "report.txt")]
struct Text<'t> {
    said: &'t Said,
}

/// The words and figures of a mail, the same in both of its forms.
struct Said {
    title: String,
    name: Option<String>,
    period: String,
    domain: String,
    /// What it is narrowed to beside; empty if it is not.
    only: String,
    /// What the rows of tables are.
    head: &'static str,
    zone: String,
    /// What there is to know about the range, beside the figures.
    notes: Vec<String>,
    empty: bool,
    figures: Vec<Figure>,
    before: String,
    highest: Option<String>,
    versions: Vec<VersionRow>,
    tops: Vec<Top>,
    files: Vec<String>,
    link: Option<String>,
    scheduled: bool,
    attention: Option<Attention>,
}

impl Letter<'_> {
    /// Writes the mail.
    ///
    /// # Errors
    /// A file cannot be written: memory is all it needs.
    pub(crate) fn write(self) -> io::Result<Mail> {
        let contents = &self.request.contents;
        let domain = contents.domain().map(str::to_owned);
        let usage = views::tls_usage(self.range, domain, &self.gathered.days);
        let table = self.table()?;
        let said = self.say(&usage, table.as_ref());
        let said = Said { attention: self.attention, ..said };
        let html = Html { said: &said }.render().map_err(io::Error::other)?;
        let text = Text { said: &said }.render().map_err(io::Error::other)?;
        let png = chart::png(&usage).map_err(io::Error::other)?;
        let images = if said.empty { vec![] } else { vec![Image { name: CHART.to_owned(), png }] };
        let detailed = match self.gathered.detailed {
            detailed::File::Whole(file) => Some(file),
            detailed::File::Parts(_) => None,
        };
        Ok(Mail {
            id: self.request.id.clone(),
            date: self.now,
            recipients: contents.recipients.clone(),
            subject: subject(&said, usage.total),
            text,
            html,
            images,
            files: table.into_iter().chain(detailed).collect(),
        })
    }

    /// The view's table, as the HTTP interface gives it by default; none if it is too large beside the
    /// detailed report.
    fn table(&self) -> io::Result<Option<File>> {
        let view = self.request.contents.view;
        let name = csv::file_name(view.name(), self.range);
        let mut spool = Spool::new(name, self.left());
        let table = &self.gathered.table;
        let (rows, mechanisms) = (table.rows(Sort::MOST_MESSAGES, ""), &self.gathered.mechanisms);
        csv::write(&mut spool, view, table.group(), rows, mechanisms)?;
        spool.finish()
    }

    /// Bytes that the detailed report leaves for the table.
    fn left(&self) -> usize {
        let taken = match &self.gathered.detailed {
            detailed::File::Whole(file) => file.bytes.len(),
            detailed::File::Parts(_) => 0,
        };
        self.limit.saturating_sub(taken)
    }

    fn say(&self, usage: &TlsUsage, table: Option<&File>) -> Said {
        let ReportRequest { contents, range: asked, schedule, .. } = self.request;
        let (group, rows) = (contents.group, &self.gathered.table);
        let highest = usage.days.iter().max_by_key(|day| (day.messages, day.date));
        let highest = highest.filter(|day| day.messages > 0 && usage.days.len() > 1).map(|day| {
            format!("highest day {}: {} messages", date(day.date), grouped(day.messages))
        });
        let before = self.range.before();
        let compared = match &self.before {
            Some(_) => format!("compared with {}", period(before)),
            None => format!("no comparison: {} is not kept any more", period(before)),
        };
        let mut notes = Vec::new();
        if *asked != self.range {
            notes.push(format!(
                "Asked for {}. Of these, only {} is still kept.",
                period(*asked),
                period(self.range)
            ));
        }
        let mut tops = vec![most_legacy(rows)];
        if contents.view == View::SendingVolume {
            tops.insert(0, most_messages(rows, usage.total));
        }
        let title = contents.view.title();
        Said {
            title: match group {
                Group::Sender => title.to_owned(),
                other => format!("{title} by {}", other.noun()),
            },
            head: match group {
                Group::Sender => "Sender",
                other => other.label(),
            },
            name: contents.name.as_deref().map(|name| displayed(name, 200)),
            period: period(self.range),
            domain: domains(contents),
            only: in_words(&contents.filters(), SHOWN),
            zone: self.zone.name().to_owned(),
            notes,
            empty: usage.total == 0,
            figures: figures(&self.gathered.totals, self.before.as_ref()),
            before: compared,
            highest,
            versions: usage.tls.iter().map(version_row).collect(),
            tops,
            files: self.files(table),
            link: self.dashboard.map(|dashboard| self.link(dashboard)),
            scheduled: schedule.is_some(),
            attention: None,
        }
    }

    /// What is attached, and what is not and why.
    fn files(&self, table: Option<&File>) -> Vec<String> {
        let Contents { view, group, .. } = self.request.contents;
        let size = |file: &File| {
            let kilobytes = (file.bytes.len() as u64).div_ceil(1000);
            format!("{} ({} kB)", file.name, grouped(kilobytes))
        };
        let left = megabytes(self.left());
        let mut told = vec![match table {
            Some(file) => format!("{}: the table by {}", size(file), group.noun()),
            None => format!(
                "Not attached: {}. Even zipped it is larger than the {left} MB that it may take here. Choose \
                 one sender domain, or fewer days.",
                csv::file_name(view.name(), self.range)
            ),
        }];
        told.push(match &self.gathered.detailed {
            detailed::File::Whole(file) => format!(
                "{}: by day, sender, account, mechanism, TLS version and client address",
                size(file)
            ),
            detailed::File::Parts(parts) => too_large(self.range, self.detailed_limit, parts),
        });
        told
    }

    fn link(&self, dashboard: &str) -> String {
        let contents = &self.request.contents;
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("start", &self.range.start.to_string());
        query.append_pair("end", &self.range.end.to_string());
        if let Some(domain) = contents.domain() {
            query.append_pair("domain", domain);
        }
        if contents.group != Group::Sender {
            query.append_pair("group", contents.group.name());
        }
        for (name, values) in contents.filters() {
            query.extend_pairs(values.iter().map(|value| (&name, value)));
        }
        let (dashboard, view) = (dashboard.trim_end_matches('/'), contents.view.name());
        // What is not by sender is seen in the table only.
        let table = if contents.is_usual() { "" } else { "/details" };
        format!("{dashboard}/reports/{view}{table}?{}", query.finish())
    }
}

/// Of which sender domains it is, in words.
fn domains(contents: &Contents) -> String {
    match (contents.domain(), contents.scope.domains()) {
        (Some(domain), _) => displayed(domain, SHOWN),
        (None, None) => "all sender domains".to_owned(),
        (None, Some(own)) if own.is_empty() => "no sender domains".to_owned(),
        (None, Some(own)) => {
            let named = own.iter().take(NAMED).map(|domain| displayed(domain, SHOWN));
            let named = named.collect::<Vec<_>>().join(", ");
            match own.len().saturating_sub(NAMED) {
                0 => named,
                more => format!("{named} and {more} more"),
            }
        }
    }
}

fn megabytes(bytes: usize) -> String {
    format!("{}.{}", bytes / 1_000_000, bytes / 100_000 % 10)
}

fn too_large(range: Range, limit: usize, parts: &[Part]) -> String {
    let list = |fits: bool| {
        let parts = parts.iter().filter(|part| part.fits == fits);
        let shown = parts.map(|part| format!("{} to {}", part.range.start, part.range.end));
        shown.collect::<Vec<_>>().join(", ")
    };
    let mut told = format!(
        "Not attached: {}. Even zipped it is larger than the {} MB that it may take here.",
        csv::file_name("detailed", range),
        megabytes(limit)
    );
    let (fit, do_not) = (list(true), list(false));
    if !fit.is_empty() {
        told += &format!(" These ranges fit, one report each: {fit}.");
    }
    if !do_not.is_empty() {
        told += &format!(" Too large even alone: {do_not}; choose one sender domain there.");
    }
    told
}

fn subject(said: &Said, total: u64) -> String {
    let name = said.name.as_ref().map_or(String::new(), |name| format!("{name}: "));
    let messages = match total {
        0 => "no messages".to_owned(),
        1 => "1 message".to_owned(),
        more => format!("{} messages", grouped(more)),
    };
    format!("{name}SMTP AUTH report: {}, {}, {messages}", said.title, said.period)
}
