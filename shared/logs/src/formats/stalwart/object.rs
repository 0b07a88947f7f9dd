//! Events in JSON: `{"id", "createdAt", "type", "data"}`.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::Deserialize;

use super::event::{Event, QUEUED};
use super::text;
use crate::recipients;
use crate::time::Timestamps;

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow, rename = "createdAt")]
    created: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Data<'a> {
    #[serde(borrow)]
    listener_id: Cow<'a, str>,
    local_port: Option<u16>,
    #[serde(borrow)]
    remote_ip: Cow<'a, str>,
    remote_port: Option<u16>,
    #[serde(borrow)]
    account_name: Cow<'a, str>,
    queue_id: Option<u64>,
    span_id: Option<u64>,
}

/// What other events than those that matter may hold in another form.
#[derive(Default, Deserialize)]
struct Texts<'a> {
    #[serde(borrow)]
    data: Told<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Told<'a> {
    #[serde(borrow)]
    version: Cow<'a, str>,
    #[serde(borrow)]
    from: Option<Cow<'a, str>>,
    to: recipients::Told,
}

/// Reads an event; none if the text is something else.
pub(super) fn read<'a>(json: &'a [u8], times: &mut Timestamps) -> Option<Event<'a>> {
    static MARK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"createdAt\""));
    MARK.find(json)?;
    let Object { created, kind, data } = serde_json::from_slice(json).ok()?;
    if !text::is_kind(kind.as_bytes()) {
        return None;
    }
    let (time, end) = times.rfc3339(created.as_bytes())?;
    if end != created.len() || !created.ends_with('Z') {
        return None;
    }
    let is_told = kind == "tls.handshake" || QUEUED.contains(&&*kind);
    let told = if is_told { serde_json::from_slice(json).ok()? } else { Texts::default() };
    Some(Event {
        time: Some(time),
        kind,
        listener: data.listener_id,
        local_port: data.local_port,
        client: data.remote_ip,
        port: data.remote_port,
        span: data.span_id,
        version: told.data.version,
        account: data.account_name,
        sender: told.data.from,
        recipients: told.data.to.0,
        queued: data.queue_id,
    })
}
