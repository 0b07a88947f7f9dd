//! Hosts, services and Postfix instances, as small numbers.

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::model::{InstanceId, ServiceId};
use crate::record::Record;

/// The most bytes of host and program together: no real names are longer.
pub(super) const LONGEST: usize = 400;
/// Names that may be known before those no longer used are looked for.
const MANY: usize = 1024;

/// `host NUL program` or `host NUL instance`.
type Name = Box<[u8]>;

/// One (host, program) pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Service {
    pub(super) instance: InstanceId,
    /// TLS from the first byte (RFC 8314, section 3): plaintext is impossible.
    pub(super) wrapper: bool,
}

/// The names that lines have used, each with its number.
#[derive(Debug)]
pub(super) struct Names {
    services: Vec<Service>,
    instances: u32,
    service_ids: HashMap<Name, ServiceId, RandomState>,
    instance_ids: HashMap<Name, InstanceId, RandomState>,
    scratch: Vec<u8>,
    /// The names met last: the next line mostly has the same.
    last_service: (Vec<u8>, ServiceId),
    last_instance: (Vec<u8>, InstanceId),
    /// How many names may be known before those no longer used are forgotten.
    limit: usize,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            services: Vec::new(),
            instances: 0,
            service_ids: HashMap::default(),
            instance_ids: HashMap::default(),
            scratch: Vec::new(),
            last_service: (Vec::new(), 0),
            last_instance: (Vec::new(), 0),
            limit: MANY,
        }
    }
}

impl Names {
    /// Names and numbers as they were saved, the instances first; none if they contradict each other.
    pub(super) fn restore(instances: Vec<Name>, services: Vec<(Name, InstanceId)>) -> Option<Self> {
        let mut new = Self::default();
        for name in instances {
            new.instance_ids.insert(name, new.instances);
            new.instances += 1;
        }
        for (name, instance) in services {
            new.knows_instance(instance).then_some(())?;
            new.add_service(name, instance);
        }
        new.limit = MANY.max(2 * new.len());
        Some(new)
    }

    fn len(&self) -> usize {
        self.services.len() + self.instances as usize
    }

    /// Whether so many names are known that those no longer used should be forgotten.
    pub(super) fn are_many(&self) -> bool {
        self.len() > self.limit
    }

    pub(super) fn knows_service(&self, service: ServiceId) -> bool {
        (service as usize) < self.services.len()
    }

    pub(super) fn knows_instance(&self, instance: InstanceId) -> bool {
        instance < self.instances
    }

    /// The service behind a number that this gave out.
    pub(super) fn service(&self, id: ServiceId) -> &Service {
        &self.services[id as usize]
    }

    /// The number of a record's host and program.
    pub(super) fn service_of(&mut self, record: &Record<'_>) -> ServiceId {
        let (host, program) = (record.host, record.program);
        if is_joined(&self.last_service.0, host, program) {
            return self.last_service.1;
        }
        join(&mut self.scratch, host, program);
        let id = match self.service_ids.get(self.scratch.as_slice()) {
            Some(id) => *id,
            None => {
                let name: Name = self.scratch.as_slice().into();
                let instance = self.instance_of(record);
                self.add_service(name, instance)
            }
        };
        join(&mut self.last_service.0, host, program);
        self.last_service.1 = id;
        id
    }

    fn add_service(&mut self, name: Name, instance: InstanceId) -> ServiceId {
        let id = ServiceId::try_from(self.services.len()).unwrap_or(ServiceId::MAX);
        self.services.push(Service { instance, wrapper: is_wrapper(&name) });
        self.service_ids.insert(name, id);
        id
    }

    /// The number of a record's host and Postfix instance: what its queue ids are unique within.
    pub(super) fn instance_of(&mut self, record: &Record<'_>) -> InstanceId {
        let program = record.program;
        let end = program.iter().position(|byte| *byte == b'/').unwrap_or(program.len());
        let (host, instance) = (record.host, &program[..end]);
        if is_joined(&self.last_instance.0, host, instance) {
            return self.last_instance.1;
        }
        join(&mut self.scratch, host, instance);
        let id = match self.instance_ids.get(self.scratch.as_slice()) {
            Some(id) => *id,
            None => {
                let id = self.instances;
                self.instances += 1;
                self.instance_ids.insert(self.scratch.as_slice().into(), id);
                id
            }
        };
        join(&mut self.last_instance.0, host, instance);
        self.last_instance.1 = id;
        id
    }
}

/// Numbers the names that are still used anew, in the order in which they are met: the same state then has the same
/// bytes, whatever names came and went before.
pub(super) struct Renaming<'n> {
    names: &'n Names,
    services: Renumbering<'n>,
    instances: Renumbering<'n>,
}

#[derive(Default)]
struct Renumbering<'n> {
    names: HashMap<u32, &'n [u8], RandomState>,
    new: HashMap<u32, u32, RandomState>,
    order: Vec<u32>,
}

impl<'n> Renaming<'n> {
    pub(super) fn of(names: &'n Names) -> Self {
        let (services, instances) =
            (Renumbering::of(&names.service_ids), Renumbering::of(&names.instance_ids));
        Self { names, services, instances }
    }

    pub(super) fn service(&mut self, old: ServiceId) -> ServiceId {
        self.services.renamed(old)
    }

    pub(super) fn instance(&mut self, old: InstanceId) -> InstanceId {
        self.instances.renamed(old)
    }

    /// The names of all instances and services that were asked for, in the order of their new numbers.
    pub(super) fn finish(mut self) -> (Vec<Name>, Vec<(Name, InstanceId)>) {
        let order = std::mem::take(&mut self.services.order);
        let service = |old: ServiceId| {
            let instance = self.names.service(old).instance;
            (self.services.name(old), self.instances.renamed(instance))
        };
        let services = order.into_iter().map(service).collect();
        let instances = &self.instances;
        (instances.order.iter().map(|old| instances.name(*old)).collect(), services)
    }
}

impl<'n> Renumbering<'n> {
    fn of(ids: &'n HashMap<Name, u32, RandomState>) -> Self {
        let names = ids.iter().map(|(name, id)| (*id, &**name)).collect();
        Self { names, ..Self::default() }
    }

    fn renamed(&mut self, old: u32) -> u32 {
        *self.new.entry(old).or_insert_with(|| {
            self.order.push(old);
            u32::try_from(self.order.len() - 1).unwrap_or(u32::MAX)
        })
    }

    fn name(&self, old: u32) -> Name {
        self.names.get(&old).copied().unwrap_or_default().into()
    }
}

/// Services that begin with TLS: `smtps` and `submissions` in Postfix's own `master.cf`, `ssmtp`
/// and `urd` as port 465 was called before, or the port itself.
fn is_wrapper(name: &[u8]) -> bool {
    let program = name.rsplit(|byte| *byte == 0).next().unwrap_or(name);
    program
        .split(|byte| *byte == b'/')
        .any(|part| matches!(part, b"smtps" | b"submissions" | b"ssmtp" | b"urd" | b"465"))
}

fn join(text: &mut Vec<u8>, host: &[u8], name: &[u8]) {
    text.clear();
    text.extend_from_slice(host);
    text.push(0);
    text.extend_from_slice(name);
}

fn is_joined(text: &[u8], host: &[u8], name: &[u8]) -> bool {
    text.len() == host.len() + 1 + name.len()
        && text[host.len()] == 0
        && text.ends_with(name)
        && text.starts_with(host)
}
