//! The correlator's state as bytes, so that the next batch of the same log stream goes on from it.

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::correlator::Correlator;
use super::lines::{Login, QueueId};
use super::model::{Accepted, InstanceId, Message, ServiceId, Session, SessionKey};

/// Names that may be known before those no longer used are looked for.
const NAMES: usize = 1024;

/// Everything that outlives a batch, in a fixed order: the same state has the same bytes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    clock: i64,
    swept: i64,
    serial: u64,
    held_without_content: u64,
    evicted: u64,
    instances: Vec<Box<[u8]>>,
    services: Vec<(Box<[u8]>, InstanceId)>,
    sessions: Vec<(SessionKey, Session)>,
    messages: Vec<((InstanceId, QueueId), Message)>,
}

/// Numbers names anew, in the order in which they are met.
struct Renaming<'a> {
    names: HashMap<u32, &'a [u8], RandomState>,
    new: HashMap<u32, u32, RandomState>,
    order: Vec<u32>,
}

impl<'a> Renaming<'a> {
    fn of(ids: &'a HashMap<Box<[u8]>, u32, RandomState>) -> Self {
        let names = ids.iter().map(|(name, id)| (*id, &**name)).collect();
        Self { names, new: HashMap::default(), order: Vec::new() }
    }

    fn rename(&mut self, id: u32) -> u32 {
        *self.new.entry(id).or_insert_with(|| {
            self.order.push(id);
            u32::try_from(self.order.len() - 1).unwrap_or(u32::MAX)
        })
    }

    fn name(&self, id: u32) -> Box<[u8]> {
        self.names.get(&id).copied().unwrap_or_default().into()
    }
}

impl Correlator {
    pub(crate) fn new() -> Self {
        Self {
            clock: 0,
            swept: 0,
            serial: 0,
            services: Vec::new(),
            instances: 0,
            service_ids: HashMap::default(),
            instance_ids: HashMap::default(),
            sessions: HashMap::default(),
            messages: HashMap::default(),
            scratch: Vec::new(),
            last_service: (Vec::new(), 0),
            last_instance: (Vec::new(), 0),
            weight: 0,
            names_limit: NAMES,
            held_without_content: 0,
            evicted: 0,
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut sessions: Vec<_> = self.sessions.iter().collect();
        sessions.sort_unstable_by_key(|(_, session)| session.serial);
        let mut messages: Vec<_> = self.messages.iter().collect();
        messages.sort_unstable_by_key(|((_, id), message)| (message.serial, *id));

        let mut service_names = Renaming::of(&self.service_ids);
        let mut instance_names = Renaming::of(&self.instance_ids);
        let mut rename =
            |key: SessionKey| SessionKey { service: service_names.rename(key.service), ..key };
        let sessions: Vec<_> =
            sessions.into_iter().map(|(key, session)| (rename(*key), session.clone())).collect();
        let messages: Vec<_> = messages
            .into_iter()
            .map(|((instance, id), message)| {
                let mut message = message.clone();
                message.session = message.session.map(&mut rename);
                ((instance_names.rename(*instance), *id), message)
            })
            .collect();
        let service = |old: &ServiceId| {
            let instance = self.services[*old as usize].instance;
            (service_names.name(*old), instance_names.rename(instance))
        };
        let services = service_names.order.iter().map(service).collect();
        let instances = instance_names.order.iter().map(|old| instance_names.name(*old)).collect();
        Snapshot {
            clock: self.clock,
            swept: self.swept,
            serial: self.serial,
            held_without_content: self.held_without_content as u64,
            evicted: self.evicted,
            instances,
            services,
            sessions,
            messages,
        }
    }

    /// Goes on from a snapshot; none if it contradicts itself.
    pub(crate) fn restore(snapshot: Snapshot) -> Option<Self> {
        let mut new = Self::new();
        let known = |count: usize, id: u32| (id as usize) < count;
        for name in &snapshot.instances {
            new.instance_ids.insert(name.clone(), new.instances);
            new.instances += 1;
        }
        for (name, instance) in snapshot.services {
            known(snapshot.instances.len(), instance).then_some(())?;
            new.add_service(name, instance);
        }
        for (key, session) in snapshot.sessions {
            known(new.services.len(), key.service).then_some(())?;
            let logins = session.waiting.iter().map(Accepted::login).chain(&session.proxied);
            logins.into_iter().all(Login::is_sound).then_some(())?;
            new.weight += session.weight();
            new.sessions.insert(key, session);
        }
        for ((instance, id), message) in snapshot.messages {
            known(snapshot.instances.len(), instance).then_some(())?;
            message
                .session
                .is_none_or(|key| known(new.services.len(), key.service))
                .then_some(())?;
            message.login.is_sound().then_some(())?;
            new.weight += message.weight();
            new.messages.insert((instance, id), message);
        }
        new.clock = snapshot.clock;
        new.swept = snapshot.swept;
        new.serial = snapshot.serial;
        new.evicted = snapshot.evicted;
        new.held_without_content = usize::try_from(snapshot.held_without_content).ok()?;
        Some(new)
    }

    /// Forgets names that no session and no message uses.
    pub(super) fn forget_names(&mut self) {
        if let Some(mut small) = Self::restore(self.snapshot()) {
            small.names_limit = NAMES.max(2 * (small.services.len() + small.instances as usize));
            *self = small;
        }
    }
}
