//! What shippers call the parts of a line.
//!
//! A field within an object has the names of both, joined by a dot, as in `process.name`: some shippers nest, others
//! write the dot.

use std::sync::LazyLock;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

/// What a field tells of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// What the program logged, with or without a header; or an object with all of it.
    Message,
    /// The same, if what it stands in is a store's or a shipper's: others give such names to what clients send.
    Enclosed,
    /// What only a store or a shipper writes beside an enclosed message.
    Envelope,
    /// An object with all of a line, if the type of what it stands in says that it is a log's.
    Attributed,
    /// What kind of thing it is.
    Type,
    /// What a store only writes beside an array of lines.
    Answer,
    /// The line as it came, beside the parts into which a shipper has cut it.
    Original,
    /// The program and its process: `postfix/smtpd[7]:`.
    Tag,
    Program,
    /// What an administrator calls the program or its container.
    Label,
    Pid,
    Host,
    Time,
    /// The message is what a container wrote: the journal's program is the container.
    Container,
    /// What kind of CloudWatch Logs payload it is.
    Kind,
}

impl Part {
    /// How many there are.
    pub(crate) const COUNT: usize = Self::Kind as usize + 1;
}

/// Whether a field holds several lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Units {
    #[default]
    None,
    /// One in each element.
    One,
    /// Again several in each element, which tells what holds for them.
    Nested,
    /// One in each element, if what only a store writes stands beside them: others give it such a name as well.
    Answered,
}

/// What is known of a field by its name.
#[derive(Debug)]
pub(crate) struct Name {
    /// The name itself.
    pub(crate) path: &'static str,
    /// What it tells, and its place among those that tell the same: the first that is there counts.
    pub(crate) part: Option<(Part, usize)>,
    /// Whether a time without a zone is in UTC.
    pub(crate) utc: bool,
    /// Whether it tells something only if it is an object.
    pub(crate) object: bool,
    /// Whether an object in it has fields that count.
    pub(crate) opens: bool,
    pub(crate) units: Units,
}

/// All names.
struct Names {
    names: HashMap<&'static str, Name, FixedState>,
    /// For each first byte, the lengths that there are, as bits: most fields hold nothing that counts.
    lengths: [u32; 256],
}

/// What is known of a field.
#[inline]
pub(crate) fn name(path: &str) -> Option<&'static Name> {
    static NAMES: LazyLock<Names> = LazyLock::new(|| {
        let names = all();
        let mut lengths = [0; 256];
        for path in names.keys() {
            lengths[usize::from(path.as_bytes()[0])] |= 1 << (path.len() % 32);
        }
        Names { names, lengths }
    });
    let names = &*NAMES;
    let may_be = names.lengths[usize::from(*path.as_bytes().first()?)] >> (path.len() % 32) & 1;
    if may_be == 1 { names.names.get(path) } else { None }
}

fn all() -> HashMap<&'static str, Name, FixedState> {
    let mut names = HashMap::with_hasher(FixedState::default());
    let mut at = |path: &'static str, change: &dyn Fn(&mut Name)| {
        let new = || Name {
            path,
            part: None,
            utc: false,
            object: false,
            opens: false,
            units: Units::None,
        };
        change(names.entry(path).or_insert_with(new));
    };
    for (part, list) in PARTS {
        for (place, path) in list.iter().enumerate() {
            at(path, &|name| name.part = Some((*part, place)));
        }
    }
    IN_UTC.iter().for_each(|path| at(path, &|name| name.utc = true));
    OBJECTS.iter().for_each(|path| at(path, &|name| name.object = true));
    OPENED.iter().for_each(|path| at(path, &|name| name.opens = true));
    ONE_EACH.iter().for_each(|path| at(path, &|name| name.units = Units::One));
    ANSWERED.iter().for_each(|path| at(path, &|name| name.units = Units::Answered));
    SEVERAL_EACH.iter().for_each(|path| at(path, &|name| name.units = Units::Nested));
    names
}

/// The names of each part, the best first.
const PARTS: &[(Part, &[&str])] = &[
    (Part::Message, MESSAGE),
    // Splunk's events and results, Elasticsearch's fields, Azure's records.
    (Part::Enclosed, &["event", "result", "fields", "properties"]),
    (Part::Envelope, &["sourcetype", "index", "preview", "_index", "resourceId", "category"]),
    // Datadog's.
    (Part::Attributed, &["attributes"]),
    (Part::Type, &["type"]),
    (Part::Answer, &["meta", "links"]),
    (Part::Original, ORIGINAL),
    (Part::Tag, TAG),
    (Part::Program, PROGRAM),
    (Part::Label, LABEL),
    (Part::Pid, PID),
    (Part::Host, HOST),
    (Part::Time, TIME),
    (Part::Container, &["CONTAINER_NAME", "CONTAINER_ID", "CONTAINER_ID_FULL"]),
    (Part::Kind, &["messageType"]),
];

const MESSAGE: &[&str] = &[
    "MESSAGE",
    "message",
    "msg",
    "log",
    // CloudWatch Insights, Splunk, LogScale, VictoriaLogs, LogDNA.
    "@message",
    "_raw",
    "@rawstring",
    "_msg",
    "_line",
    "full_message",
    "short_message",
    "line",
    "Line",
    "textPayload",
    "jsonPayload",
    "jsonPayload.message",
    // Azure: the Syslog table, containers, custom logs.
    "SyslogMessage",
    "LogEntry",
    "LogMessage",
    "RawData",
    "Message",
    "syslog_message",
    "log.syslog.message",
    // OpenTelemetry.
    "body.stringValue",
    // Elasticsearch's hits.
    "_source",
];

const ORIGINAL: &[&str] = &["event.original", "log.original", "rawmsg"];

const TAG: &[&str] = &["syslogtag", "syslog_tag", "SyslogTag", "tag", "LEGACY_MSGHDR", "MSGHDR"];

const PROGRAM: &[&str] = &[
    "SYSLOG_IDENTIFIER",
    "syslog_identifier",
    "program",
    "ident",
    "appname",
    "app-name",
    "app_name",
    "log.syslog.appname",
    "syslog.identifier",
    "syslog.appname",
    "syslog_program",
    "process.program",
    "process.name",
    "programname",
    "PROGRAM",
    "_application_name",
    "application_name",
    "_process_name",
    "process_name",
    "_process",
    "_program",
    "ProcessName",
    "labels.syslog_identifier",
    "labels.program",
    "labels.appname",
    "stream.syslog_identifier",
    "stream.program",
    "stream.appname",
    // Journal entries without a tag.
    "_COMM",
    "COMM",
];

const LABEL: &[&str] =
    &["labels.app", "stream.app", "labels.service_name", "stream.service_name", "_app", "service"];

const PID: &[&str] = &[
    "SYSLOG_PID",
    "syslog_pid",
    "pid",
    "procid",
    "processid",
    "proc_id",
    "log.syslog.procid",
    "syslog.pid",
    "syslog.procid",
    "process.pid",
    "process_id",
    "_process_id",
    "_pid",
    "_PID",
    "PID",
    "ProcessID",
    "ProcessId",
    "labels.pid",
    "stream.pid",
];

const HOST: &[&str] = &[
    // Whose line it is, before who sent it on.
    "logsource",
    "_HOSTNAME",
    "HOSTNAME",
    "hostname",
    "host.hostname",
    "log.syslog.hostname",
    "syslog_hostname",
    "host",
    "host.name",
    "HOST",
    "HostName",
    "Computer",
    "_host",
    "Host",
    "labels.hostname",
    "labels.host",
    "stream.hostname",
    "stream.host",
    "source_name",
    "agent.hostname",
    "agent.name",
    "beat.hostname",
    "labels.compute.googleapis.com/resource_name",
    "resource.labels.node_name",
    "resource.labels.instance_id",
    "kubernetes.pod_name",
    "kubernetes.pod.name",
    "kubernetes.host",
    "PodName",
    "logStream",
    "logStreamName",
    "@logStream",
    // Graylog's host, and other programs' file.
    "source",
];

const TIME: &[&str] = &[
    // When it was logged, before when it was passed on.
    "_SOURCE_REALTIME_TIMESTAMP",
    "SOURCE_REALTIME_TIMESTAMP",
    "source_realtime_timestamp",
    "__REALTIME_TIMESTAMP",
    "timereported",
    "ISODATE",
    "syslog_timestamp",
    "EventTime",
    "EventTime [UTC]",
    "generated_at",
    "time",
    "timestamp",
    "@timestamp",
    "timeUnixNano",
    "_time",
    "Time",
    "tsNs",
    "Timestamp",
    "DATE",
    "R_ISODATE",
    "date",
    "Date",
    "ts",
    "_ts",
    "REALTIME_TIMESTAMP",
    "timegenerated",
    "TimeGenerated",
    "TimeGenerated [UTC]",
    "observedTimeUnixNano",
    "receiveTimestamp",
    "received_at",
];

/// CloudWatch Insights, Elasticsearch, Fluent Bit and Azure write times in UTC without saying so.
const IN_UTC: &[&str] =
    &["@timestamp", "date", "EventTime", "EventTime [UTC]", "TimeGenerated", "TimeGenerated [UTC]"];

const OBJECTS: &[&str] =
    &["_source", "jsonPayload", "result", "fields", "properties", "attributes"];

const OPENED: &[&str] = &[
    "host",
    "process",
    "log",
    "log.syslog",
    "event",
    "syslog",
    "labels",
    "stream",
    "resource",
    "resource.labels",
    "kubernetes",
    "kubernetes.pod",
    "agent",
    "beat",
    "body",
    "data",
    "hits",
];

const ONE_EACH: &[&str] = &[
    "logEvents",
    "events",
    "records",
    "Records",
    "results",
    "entries",
    "values",
    "logRecords",
    "hits.hits",
];

const ANSWERED: &[&str] = &["data"];

const SEVERAL_EACH: &[&str] = &["data.result", "streams", "resourceLogs", "scopeLogs"];
