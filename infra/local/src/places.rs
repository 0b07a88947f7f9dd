//! Places for connections: so many in all, so many for an address. Whoever comes when all are taken gets the place
//! of the one that has waited longest without asking anything; if there is none, of the one whose answer takes
//! longest, once that is longer than anybody's patience: who reads slowly enough could keep it for ever.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// Places of connections.
#[derive(Clone, Debug)]
pub(crate) struct Places(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    in_all: usize,
    per_address: usize,
    patience: Duration,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    /// Counts up: what happened later has a larger number.
    count: u64,
    seats: HashMap<u64, Seat>,
}

#[derive(Debug)]
struct Seat {
    address: IpAddr,
    doing: Doing,
    leave: Arc<Notify>,
}

/// What a connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    /// It waits for a request, since then.
    Waits(u64),
    /// An answer is being made, since then.
    Answers(Instant),
    /// The answer is made, and the network has not taken all of it; being made since then.
    Sends(Instant),
}

impl Doing {
    fn answers_since(self) -> Option<Instant> {
        match self {
            Self::Waits(_) => None,
            Self::Answers(since) | Self::Sends(since) => Some(since),
        }
    }
}

/// A connection's place, free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Places,
    number: u64,
    leave: Arc<Notify>,
}

/// That an answer is being made.
#[derive(Debug)]
pub(crate) struct Answering {
    places: Places,
    number: u64,
}

impl Places {
    pub(crate) fn new(in_all: usize, per_address: usize, patience: Duration) -> Self {
        Self(Arc::new(Inner { in_all, per_address, patience, taken: Mutex::default() }))
    }

    /// A place for a connection from an address; none if all are taken by those who are being answered, and not for
    /// too long.
    pub(crate) fn take(&self, address: IpAddr) -> Option<Place> {
        let address = network(address);
        let mut taken = self.taken();
        let of_address = |seat: &Seat| seat.address == address;
        if taken.seats.values().filter(|seat| of_address(seat)).count() >= self.0.per_address {
            taken.make_room(of_address, self.0.patience)?;
        }
        if taken.seats.len() >= self.0.in_all {
            taken.make_room(|_| true, self.0.patience)?;
        }
        let number = taken.next();
        let leave = Arc::new(Notify::new());
        let seat = Seat { address, doing: Doing::Waits(number), leave: Arc::clone(&leave) };
        taken.seats.insert(number, seat);
        Some(Place { places: self.clone(), number, leave })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    fn make_room(&mut self, among: impl Fn(&Seat) -> bool, patience: Duration) -> Option<()> {
        let among = || self.seats.iter().filter(|(_, seat)| among(seat));
        let waiting = among().filter_map(|(number, seat)| match seat.doing {
            Doing::Waits(since) => Some((since, *number)),
            Doing::Answers(_) | Doing::Sends(_) => None,
        });
        let slow = among().filter_map(|(number, seat)| {
            let since = seat.doing.answers_since()?;
            (since.elapsed() >= patience).then_some((since, *number))
        });
        let waiting = waiting.min().map(|(_, number)| number);
        let number = waiting.or_else(|| slow.min().map(|(_, number)| number))?;
        self.seats.remove(&number).map(|seat| seat.leave.notify_one())
    }
}

impl Place {
    /// Done when the place is somebody else's.
    pub(crate) async fn lost(&self) {
        self.leave.notified().await;
    }

    /// Keeps the place while an answer is made, and then until it is [sent](Self::sent).
    pub(crate) fn answering(&self) -> Answering {
        if let Some(seat) = self.places.taken().seats.get_mut(&self.number) {
            let since = seat.doing.answers_since().unwrap_or_else(Instant::now);
            seat.doing = Doing::Answers(since);
        }
        Answering { places: self.places.clone(), number: self.number }
    }

    /// That the network has taken all that was there to be sent.
    pub(crate) fn sent(&self) {
        let mut taken = self.places.taken();
        let now = taken.next();
        if let Some(seat) = taken.seats.get_mut(&self.number)
            && matches!(seat.doing, Doing::Sends(_))
        {
            seat.doing = Doing::Waits(now);
        }
    }

    /// Whether an answer is under way.
    pub(crate) fn is_answering(&self) -> bool {
        let taken = self.places.taken();
        taken.seats.get(&self.number).is_some_and(|seat| !matches!(seat.doing, Doing::Waits(_)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken().seats.remove(&self.number);
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if let Some(seat) = self.places.taken().seats.get_mut(&self.number) {
            seat.doing = Doing::Sends(seat.doing.answers_since().unwrap_or_else(Instant::now));
        }
    }
}

/// What counts as one address: of IPv6, the network that a single customer has.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_hours(1);
    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn has_left(place: &Place) -> bool {
        !place.places.taken().seats.contains_key(&place.number)
    }

    #[test]
    fn the_one_that_waited_longest_makes_room() {
        let places = Places::new(3, 2, LONG);
        let first = places.take(ONE).expect("a place");
        let second = places.take(ONE).expect("a place");
        // Asked and was answered meanwhile: it waits since then only.
        drop(first.answering());
        first.sent();
        let third = places.take(ONE).expect("the second's");
        assert!(has_left(&second) && !has_left(&first));
        let elsewhere = places.take(OTHER).expect("a place");
        let another = places.take(OTHER).expect("the first's: there are three in all");
        assert!(has_left(&first) && !has_left(&third) && !has_left(&elsewhere));
        drop((third, elsewhere, another));
        assert!(places.taken().seats.is_empty());
    }

    #[test]
    fn whoever_is_being_answered_stays() {
        let places = Places::new(3, 2, LONG);
        let all: Vec<_> = (0..2).map(|_| places.take(ONE).expect("a place")).collect();
        let answers: Vec<_> = all.iter().map(Place::answering).collect();
        assert!(places.take(ONE).is_none(), "there are two for an address");
        let other = places.take(OTHER).expect("a place");
        all[0].sent();
        drop(answers);
        assert!(places.take(ONE).is_none(), "neither is sent");
        all[0].sent();
        assert!(places.take(ONE).is_some());
        assert!(!has_left(&other));
    }

    #[test]
    fn whoever_takes_too_long_goes_after_those_who_wait() {
        let places = Places::new(3, 3, Duration::ZERO);
        let all: Vec<_> = (0..3).map(|_| places.take(ONE).expect("a place")).collect();
        let _first = all[1].answering();
        std::thread::sleep(Duration::from_millis(1));
        // Its answer is made, and not sent.
        drop(all[0].answering());
        let other = places.take(OTHER).expect("that of the one that waits");
        let _third = other.answering();
        assert!(has_left(&all[2]) && !has_left(&all[1]));
        let _another = places.take(OTHER).expect("that of the slowest");
        assert!(has_left(&all[1]) && !has_left(&all[0]) && !has_left(&other));
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let one = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(one("2001:db8:1:2::1"), one("2001:db8:1:2:ffff::2"));
        assert_ne!(one("2001:db8:1:2::1"), one("2001:db8:1:3::1"));
        assert_eq!(one("::ffff:192.0.2.1"), ONE);
        assert_ne!(one("192.0.2.1"), one("192.0.2.2"));
    }
}
