//! Hosts, services and Postfix instances, as small numbers.
//!
//! An instance is what stands before the first slash of a tag. Daemons of one instance may use several such names
//! (`syslog_name` can be set for each service), so a queue id is looked for under the other names of its host too.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::model::{InstanceId, ServiceId};
use crate::record::Record;

/// The most bytes of host and program together: no real names are longer.
pub(super) const LONGEST: usize = 400;
/// Names that may be known before those no longer used are looked for.
const MANY: usize = 1024;

/// `host NUL program` or `host NUL instance`.
pub(super) type Name = Box<[u8]>;

/// The most services that are known to log TLS lines: if there are more, it is learned anew.
const LEARNED: usize = 200;

/// One (host, program) pair.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) instance: InstanceId,
    /// Sessions may begin with TLS (RFC 8314, section 3): that there was no `STARTTLS` then says nothing.
    pub(super) may_begin_with_tls: bool,
    /// It has logged TLS lines since it was configured.
    logs_tls: bool,
    /// Bytes of its name.
    length: usize,
}

impl Service {
    /// Whether a session of which all lines are known, and none of TLS, was plaintext.
    pub(super) fn would_log_tls(&self) -> bool {
        self.logs_tls && !self.may_begin_with_tls
    }
}

/// A service as it is saved: its name, its instance, and whether it logs TLS lines.
pub(super) type SavedService = (Name, InstanceId, bool);

/// The names that lines have used, each with its number.
#[derive(Debug)]
pub(super) struct Names {
    services: Vec<Service>,
    /// The host of each instance.
    instances: Vec<u32>,
    /// The instances of each host.
    hosts: Vec<Vec<InstanceId>>,
    host_ids: HashMap<Name, u32, RandomState>,
    /// How many services are known to log TLS lines, and the bytes of their names.
    learned: (usize, usize),
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
            instances: Vec::new(),
            hosts: Vec::new(),
            host_ids: HashMap::default(),
            learned: (0, 0),
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
    pub(super) fn restore(instances: Vec<Name>, services: Vec<SavedService>) -> Option<Self> {
        let mut new = Self::default();
        for name in instances {
            new.add_instance(name);
        }
        for (name, instance, logs_tls) in services {
            new.knows_instance(instance).then_some(())?;
            let id = new.add_service(name, instance);
            if logs_tls {
                new.learn_tls(id);
            }
        }
        new.limit = MANY.max(2 * new.len());
        Some(new)
    }

    fn len(&self) -> usize {
        self.services.len() + self.instances.len()
    }

    /// Whether so many names are known that those no longer used should be forgotten.
    pub(super) fn are_many(&self) -> bool {
        self.len() > self.limit
    }

    pub(super) fn knows_service(&self, service: ServiceId) -> bool {
        (service as usize) < self.services.len()
    }

    pub(super) fn knows_instance(&self, instance: InstanceId) -> bool {
        (instance as usize) < self.instances.len()
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

    fn add_instance(&mut self, name: Name) -> InstanceId {
        let id = InstanceId::try_from(self.instances.len()).unwrap_or(InstanceId::MAX);
        let host = &name[..name.iter().position(|byte| *byte == 0).unwrap_or(name.len())];
        let host = match self.host_ids.get(host) {
            Some(host) => *host,
            None => {
                let new = u32::try_from(self.hosts.len()).unwrap_or(u32::MAX);
                self.host_ids.insert(host.into(), new);
                self.hosts.push(Vec::new());
                new
            }
        };
        self.hosts[host as usize].push(id);
        self.instances.push(host);
        self.instance_ids.insert(name, id);
        id
    }

    /// The instances of a host, by one of them.
    #[inline]
    pub(super) fn of_host(&self, instance: InstanceId) -> &[InstanceId] {
        &self.hosts[self.instances[instance as usize] as usize]
    }

    /// The instances of a host, by its name.
    pub(super) fn on_host(&self, host: &[u8]) -> &[InstanceId] {
        self.host_ids.get(host).map_or(&[], |host| &self.hosts[*host as usize])
    }

    fn add_service(&mut self, name: Name, instance: InstanceId) -> ServiceId {
        let id = ServiceId::try_from(self.services.len()).unwrap_or(ServiceId::MAX);
        let (may_begin_with_tls, length) = (may_begin_with_tls(&name), name.len());
        self.services.push(Service { instance, may_begin_with_tls, logs_tls: false, length });
        self.service_ids.insert(name, id);
        id
    }

    /// The number of a record's host and Postfix instance: what its queue ids are unique within.
    pub(super) fn instance_of(&mut self, record: &Record<'_>) -> InstanceId {
        let Record { host, program, .. } = *record;
        let known =
            self.last_instance.0.strip_prefix(host).and_then(|known| known.strip_prefix(b"\0"));
        if let Some(known) = known
            && let Some(b"" | [b'/', ..]) = program.strip_prefix(known)
        {
            return self.last_instance.1;
        }
        let end = program.iter().position(|byte| *byte == b'/').unwrap_or(program.len());
        let instance = &program[..end];
        join(&mut self.scratch, host, instance);
        let id = match self.instance_ids.get(self.scratch.as_slice()) {
            Some(id) => *id,
            None => self.add_instance(self.scratch.as_slice().into()),
        };
        join(&mut self.last_instance.0, host, instance);
        self.last_instance.1 = id;
        id
    }
}

/// What is learned of services.
impl Names {
    /// Bytes of the names of which something is known that outlives their sessions.
    pub(super) fn weight(&self) -> usize {
        self.learned.0 * 16 + self.learned.1
    }

    /// A service has logged a TLS line.
    pub(super) fn learn_tls(&mut self, id: ServiceId) {
        let service = &mut self.services[id as usize];
        if service.logs_tls {
            return;
        }
        service.logs_tls = true;
        self.learned.0 += 1;
        self.learned.1 += service.length;
        if self.learned.0 > LEARNED {
            self.forget_tls();
        }
    }

    /// A service has logged no TLS line for a session that used TLS.
    pub(super) fn unlearn_tls(&mut self, id: ServiceId) {
        let service = &mut self.services[id as usize];
        if service.logs_tls {
            service.logs_tls = false;
            self.learned.0 -= 1;
            self.learned.1 -= service.length;
        }
    }

    /// Postfix goes on with another configuration, perhaps.
    pub(super) fn forget_tls_of(&mut self, record: &Record<'_>) {
        let Some(host) = self.host_ids.get(record.host).copied() else { return };
        for id in 0..self.services.len() {
            if self.instances[self.services[id].instance as usize] == host {
                self.unlearn_tls(ServiceId::try_from(id).unwrap_or(ServiceId::MAX));
            }
        }
    }

    pub(super) fn forget_tls(&mut self) {
        self.services.iter_mut().for_each(|service| service.logs_tls = false);
        self.learned = (0, 0);
    }

    /// The services that are known to log TLS lines, in the order of their names.
    fn learned(&self) -> Vec<ServiceId> {
        if self.learned.0 == 0 {
            return Vec::new();
        }
        let ids = self.service_ids.iter().filter(|(_, id)| self.service(**id).logs_tls);
        let mut ids: Vec<_> = ids.map(|(name, id)| (name, *id)).collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, id)| id).collect()
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
    pub(super) fn finish(mut self) -> (Vec<Name>, Vec<SavedService>) {
        for learned in self.names.learned() {
            self.services.renamed(learned);
        }
        let order = std::mem::take(&mut self.services.order);
        let service = |old: ServiceId| {
            let Service { instance, logs_tls, .. } = *self.names.service(old);
            (self.services.name(old), self.instances.renamed(instance), logs_tls)
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

/// Whether a service may begin with TLS: `smtps` and `submissions` in Postfix's own `master.cf`, `ssmtp` and `urd` as
/// port 465 was called before, or the port itself, as a part of its name; or one whose name was cut off its tag.
fn may_begin_with_tls(name: &[u8]) -> bool {
    let program = name.rsplit(|byte| *byte == 0).next().unwrap_or(name);
    let mut parts = program.split(|byte| !byte.is_ascii_alphanumeric());
    !program.contains(&b'/')
        || parts.any(|part| matches!(part, b"smtps" | b"submissions" | b"ssmtp" | b"urd" | b"465"))
}

/// Whether a tag is Postfix's, cut off at its first slash, as rsyslog does it: `postfix`, or what its services are mostly
/// called. systemd's name of Postfix tells as little. Other programs whose names begin alike say what strangers want.
pub(super) fn is_cut(program: &[u8]) -> bool {
    let Some(rest) = program.strip_prefix(b"postfix") else { return false };
    match rest {
        b"" | b".service" => true,
        [b'@', ..] => rest.ends_with(b".service"),
        [b'-' | b'_', service @ ..] => matches!(
            service,
            b"submission"
                | b"submissions"
                | b"smtps"
                | b"smtpd"
                | b"ssmtp"
                | b"urd"
                | b"465"
                | b"587"
        ),
        _ => false,
    }
}

/// Whether a tag of Postfix's was cut within a name, so that neither the process is left nor which daemon it was.
pub(super) fn is_cut_within(record: &Record<'_>) -> bool {
    record.program.len() == CUT_AT && record.pid.is_none() && record.program.starts_with(b"postfix")
}

/// Where rsyslog's forwarding cuts tags, in bytes.
const CUT_AT: usize = 32;
/// The digits of the highest process numbers that systems give.
const MOST_DIGITS: u32 = 7;

/// Whether a tag ends with its process exactly where it would have been cut, so that digits of that may be gone.
pub(super) fn may_lack_digits(record: &Record<'_>) -> bool {
    let before = record.program.len() + 1;
    (CUT_AT - MOST_DIGITS as usize + 1..CUT_AT).contains(&before)
        && record.pid.is_some_and(|pid| {
            before + pid.checked_ilog10().map_or(1, |digits| digits as usize + 1) == CUT_AT
        })
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
