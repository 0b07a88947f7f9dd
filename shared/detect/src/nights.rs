//! The signs of what is counted more finely: messages at night, and recipients.

use crate::fact::Fact;
use crate::habit::Habit;
use crate::sum::{Sum, Value};
use crate::traffic::float;

impl Sum<'_> {
    /// What is learned of the day's counters.
    pub(crate) fn count_finely(&mut self) {
        self.learned.finer = self.today.finer.day(self.day);
    }

    /// Adds the sign of messages at night, of which a long day has some too: `volume` is what the day's weighs.
    pub(crate) fn night(&mut self, habit: &Habit, volume: f64) {
        let (usual, grain) = (habit.finer.night, self.today.finer.night);
        let Some(night) = self.learned.finer.night.filter(|_| usual.is_known()) else { return };
        // Whoever often sends at night sends a bit more of it on a long day.
        let share = 4.0 * usual.a_message() * usual.expected(self.day.messages);
        let x = float(night) / share.max(f64::from(usual.most)).max(1.0);
        let is_strange = self.is_strange();
        let (custom, value) = if is_strange {
            // The clock may be another one there.
            (&self.customs.night_there, Value::NightThere(x))
        } else {
            (&self.customs.night, Value::Night(x))
        };
        if grain.is_learned() {
            self.values.push(value);
        }
        if grain.is_judged() {
            let weight = custom.weight_at(x);
            let weight = weight - 0.7 * weight.min(volume).max(0.0);
            self.add(weight, Fact::Night { messages: night, usual: usual.a_day() });
        }
    }

    /// Adds the sign of far more recipients a message than usual.
    pub(crate) fn recipients(&mut self, habit: &Habit) {
        let (usual, grain) = (habit.finer.beyond, self.today.finer.recipients);
        let Some(beyond) = self.learned.finer.beyond.filter(|_| usual.is_known()) else { return };
        let messages = self.day.messages;
        let a_message = 1.0 + usual.a_message();
        let x = usual.reach(messages, beyond) / (2.0 * a_message).max(f64::from(usual.most));
        if grain.is_learned() {
            self.values.push(Value::Recipients(x));
        }
        if grain.is_judged() {
            let recipients = messages.saturating_add(beyond);
            let fact = Fact::Recipients { recipients, messages, usual: a_message };
            self.add(self.customs.recipients.weight_at(x), fact);
        }
    }
}

#[cfg(test)]
mod tests {
    use report::{Day, TlsVersion, UsageKey};

    use crate::alert::{Alert, Kind, Sensitivity};
    use crate::traffic::DayTraffic;
    use crate::watch::Watch;

    const HOME: &str = "192.0.2.10";
    const STRANGE: &str = "198.51.100.7";
    const LAST: i32 = 36;

    fn sent(traffic: &mut DayTraffic, account: &str, client: &str, messages: u64) {
        let (domain, mechanism, tls) = ("example.test", "PLAIN", TlsVersion::Tls13);
        let key = UsageKey { domain, sender: account, username: account, mechanism, tls, client };
        traffic.add(&key, messages);
    }

    /// Ten people send 5 messages a day to 6 recipients; from a day on it is told how many, and that p9 sends 2 at night. What is given
    /// happens besides on the last day.
    fn watched(told_from: i32, then: impl Fn(&mut DayTraffic)) -> Watch {
        let start = Day::from_ymd_opt(2026, 9, 28).unwrap_or_default();
        let mut watch = Watch::new(Sensitivity::Normal);
        for number in 0..=LAST {
            let mut traffic = DayTraffic::default();
            for person in 0..10 {
                let name = format!("p{person}@example.test");
                sent(&mut traffic, &name, HOME, 5);
                if number >= told_from {
                    traffic.recipients(&name, 1);
                }
            }
            if number >= told_from {
                traffic.night("p9@example.test", 2);
            }
            if number == LAST {
                then(&mut traffic);
            }
            watch.close(start + chrono::TimeDelta::days(i64::from(number)), traffic);
        }
        watch
    }

    /// What a kind of sign weighs, and what it says.
    fn sign(watch: &Watch, kind: Kind) -> Option<(f64, &str)> {
        let signals = watch.alerts().iter().flat_map(|alert: &Alert| &alert.signals);
        let sign = signals.into_iter().find(|signal| signal.signal == kind);
        sign.map(|signal| (signal.weight, signal.text.as_str()))
    }

    fn at_night(account: &'static str, messages: u64) -> impl Fn(&mut DayTraffic) {
        move |traffic| {
            // Before the usage: whatever is told first.
            traffic.night(account, messages);
            sent(traffic, account, STRANGE, 4);
        }
    }

    #[test]
    fn nights_are_odd_for_whoever_never_sends_then() {
        let watch = watched(0, at_night("p1@example.test", 9));
        let (weight, text) = sign(&watch, Kind::Night).expect("a sign");
        assert!(weight > 0.8, "{weight}");
        assert_eq!(text, "sent 9 messages between 23:00 and 06:00, where it never sends");
        assert_eq!(watch.alerts()[0].evidence.night_messages, 9);
        let fewer = watched(0, at_night("p1@example.test", 2));
        assert!(sign(&fewer, Kind::Night).is_none_or(|(fewer, _)| fewer < weight));
        // It is not for those who do, nor by day.
        assert_eq!(sign(&watched(0, at_night("p9@example.test", 1)), Kind::Night), None);
        assert_eq!(sign(&watched(0, at_night("p1@example.test", 0)), Kind::Night), None);
    }

    #[test]
    fn a_long_day_is_not_odd_twice() {
        let watch = |messages: u64| {
            watched(0, move |traffic| {
                sent(traffic, "p1@example.test", STRANGE, messages);
                traffic.night("p1@example.test", 40);
            })
        };
        let (short, long) = (watch(40), watch(2_000));
        let weight = |watch: &Watch, kind| sign(watch, kind).map_or(0.0, |(weight, _)| weight);
        assert!(weight(&long, Kind::Volume) > weight(&short, Kind::Volume) + 1.0);
        assert!(weight(&long, Kind::Night) < weight(&short, Kind::Night) - 0.2);
    }

    #[test]
    fn many_recipients_are_odd_for_whoever_writes_to_one() {
        let many = |told_from| {
            watched(told_from, |traffic| {
                sent(traffic, "p1@example.test", STRANGE, 5);
                traffic.recipients("p1@example.test", 400);
            })
        };
        let watch = many(0);
        let (weight, text) = sign(&watch, Kind::Recipients).expect("a sign");
        assert!(weight > 2.0, "{weight}");
        assert_eq!(text, "had 411 recipients for 10 messages, where 1.2 a message are usual");
        let alert = &watch.alerts()[0];
        assert_eq!((alert.kind, alert.evidence.recipients), (Kind::Recipients, 411));
        // Where they are told since two days, nobody knows what is usual.
        assert_eq!(sign(&many(LAST - 2), Kind::Recipients), None);
        // A dozen recipients are a dozen colleagues.
        let dozen = watched(0, |traffic| {
            sent(traffic, "p1@example.test", STRANGE, 40);
            traffic.recipients("p1@example.test", 12);
        });
        assert_eq!(sign(&dozen, Kind::Recipients), None);
        assert_eq!(dozen.alerts().len(), 1);
    }

    #[test]
    fn what_was_not_counted_says_nothing() {
        let strange = |told_from| watched(told_from, at_night("p1@example.test", 9));
        for told_from in [LAST - 13, LAST, LAST + 1] {
            assert_eq!(sign(&strange(told_from), Kind::Night), None, "{told_from}");
        }
        assert!(sign(&strange(LAST - 14), Kind::Night).is_some());
        // A night that is not counted is not a night without messages either.
        let score = |told_from| strange(told_from).alerts().first().map(|alert| alert.score);
        assert_eq!(score(LAST), score(LAST - 13));
    }

    #[test]
    fn counters_alone_are_nobodys_day() {
        let mut traffic = DayTraffic::default();
        traffic.night("p1@example.test", 3);
        traffic.recipients("p1@example.test", 40);
        assert_eq!(traffic.names().count(), 0);
        let watch = watched(0, |traffic| {
            traffic.night("nobody@example.test", 500);
            traffic.recipients("nobody@example.test", 5_000);
        });
        assert_eq!((watch.accounts(), watch.alerts().len()), (10, 0));
    }

    #[test]
    fn parts_of_a_day_make_the_day() {
        let whole = watched(0, |traffic| {
            at_night("p1@example.test", 9)(traffic);
            traffic.recipients("p1@example.test", 300);
        });
        let parts = watched(0, |traffic| {
            let mut more = DayTraffic::default();
            more.recipients("p1@example.test", 200);
            more.night("p1@example.test", 5);
            let mut rest = DayTraffic::default();
            at_night("p1@example.test", 4)(&mut rest);
            rest.recipients("p1@example.test", 100);
            more.merge(rest);
            traffic.merge(more);
        });
        assert_eq!(whole.alerts().len(), 1);
        assert_eq!(whole.alerts(), parts.alerts());
    }
}
