//! What a line's own header tells, beside what the front before it does.

use crate::record::{OwnedRecord, Record};
use crate::wrapper::Unwrapped;

/// The name of the container that a line is of: its front's, or if that has none the tag of the process that shipped it.
pub(super) fn container<'a>(transport: &Record<'a>, front: &'a [u8]) -> &'a [u8] {
    match transport.pid {
        Some(_) if front.is_empty() => transport.program,
        _ => front,
    }
}

/// The record behind a front that named the container, pod or service that it is of, and was logged on `host`: either may
/// be empty.
///
/// A line's own host counts. But containers may have the same host name, the same few processes and the same queue ids, so
/// who runs several must not see them taken for one: the container's name goes before the host's.
pub(super) fn within<'a>(container: &'a [u8], host: &'a [u8], inner: Record<'a>) -> Unwrapped<'a> {
    let host = if inner.host.is_empty() { host } else { inner.host };
    if container.is_empty() || container == host || container == inner.program {
        return Unwrapped::Record(Record { host, ..inner });
    }
    if host.is_empty() {
        return Unwrapped::Record(Record { host: container, ..inner });
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Unwrapped::Owned(Box::new(OwnedRecord {
        time: inner.time,
        host: format!("{}/{}", text(container), text(host)),
        program: text(inner.program),
        pid: inner.pid,
        message: inner.message.to_vec(),
    }))
}
