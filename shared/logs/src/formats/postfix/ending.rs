//! The end of a session: what becomes of what it left open.

use report::TlsVersion;

use super::ledger::{Ledger, emit};
use super::lines::{Commands, Peer};
use super::model::{Held, Message, MessageKey, SessionKey, Whose};
use crate::pending::Waiting;
use crate::proofs::{Login, Proof, Sender, Sink, submit};

/// Log time that a message may wait for the queue manager, if its session says it was accepted.
const QUEUE_LAG: i64 = 24 * 3600;
/// The same, if nothing says so.
const UNPROVEN_LAG: i64 = 3600;

impl Ledger {
    /// Settles everything that a session left open. `commands` are the counts that its last line told, and whose.
    pub(super) fn end_session(
        &mut self,
        key: SessionKey,
        commands: Option<(Peer, Commands)>,
        mark: u64,
        sink: &mut impl Sink,
    ) {
        let Some(ended) = self.sessions.remove(&key) else { return };
        let (serial, mut session) = (ended.serial, ended.value);
        // What another client's session counts says nothing of this one's, unless it spoke for that one.
        let mut commands = commands.filter(|(peer, counts)| {
            let is_its = session.whose.peer().is_none_or(|own| own == *peer);
            counts.xclient || (is_its && session.whose != Whose::Several)
        });
        let told = self.told_at_end(key, &session, commands);
        for accepted in session.waiting.take() {
            emit(&accepted, told.of(accepted.login.parts().2), mark, sink);
        }
        let instance = self.names.service(key.service).instance;
        let mut left: Vec<(MessageKey, Waiting<Message>)> = Vec::new();
        for id in &session.open {
            let key = (instance, *id);
            if self.messages.get(&key).is_none_or(|open| open.value.session_serial != serial) {
                continue;
            }
            let Some(mut open) = self.messages.remove(&key) else { continue };
            let message = &mut open.value;
            message.tls = message.tls.or_else(|| Some(told.of(message.login.parts().2)));
            let client = message.login.parts().2;
            commands = commands.filter(|(peer, _)| peer.is_same(client));
            left.push((key, open));
        }
        left.sort_unstable_by_key(|(_, open)| open.serial);
        // Accepted by the counts, but not yet by the queue manager's lines.
        let missing =
            commands.map(|(_, counts)| counts.data.saturating_sub(session.accepted) as usize);
        // If none is, every accepted message is known, and the others were given up.
        if missing != Some(0) && !left.is_empty() {
            self.leave(left, missing, mark, sink);
        }
    }

    /// Counts those messages of a session that has ended which the queue manager will not tell of; the others wait for it.
    fn leave(
        &mut self,
        left: Vec<(MessageKey, Waiting<Message>)>,
        missing: Option<usize>,
        mark: u64,
        sink: &mut impl Sink,
    ) {
        let all_accepted = missing.is_none_or(|missing| missing >= left.len());
        let mut untold = missing.unwrap_or(usize::MAX);
        let mut discarded = Vec::new();
        for (key, mut open) in left {
            let message = &mut open.value;
            // A session ends at the latest with the first content that was not accepted.
            let accepted = message.content && untold > 0;
            untold -= usize::from(accepted);
            match message.held.take() {
                Some(held) if accepted || all_accepted => {
                    count_kept(Sender::Kept(&held.sender), held.time, message, mark, sink);
                    continue;
                }
                Some(_) if message.content => continue,
                Some(held) if held.discarded && self.cleanup_is_told => {
                    discarded.push((held, open));
                    continue;
                }
                _ => message.session = None,
            }
            let lag = if missing.is_some() { QUEUE_LAG } else { UNPROVEN_LAG };
            open.until = self.clock.saturating_add(lag);
            self.messages.put(key, open);
        }
        // Cleanup is silent about what a recipient's check discards, but tells of any other content that comes: so
        // what the counts say beyond that was discarded. Which of several was given up is not told.
        let accepted = untold.min(discarded.len());
        let same = discarded.windows(2).all(|two| two[0].0.sender == two[1].0.sender);
        let is_known = same || accepted == discarded.len();
        for (Held { sender, time, .. }, open) in &discarded[discarded.len() - accepted..] {
            let sender = if is_known { Sender::Kept(sender) } else { Sender::Unknown };
            count_kept(sender, *time, &open.value, mark, sink);
        }
    }
}

/// Counts a message that the queue manager is silent about.
fn count_kept(sender: Sender<'_>, time: i64, message: &Message, mark: u64, sink: &mut impl Sink) {
    let tls = message.tls.unwrap_or(TlsVersion::Unknown);
    let login = Login::Kept(&message.login);
    submit(sink, mark, &Proof { time, sender, login, tls, messages: 1, recipients: 0 });
}
