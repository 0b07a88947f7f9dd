//! Why, in one sentence.

use report::{displayed, grouped};

use crate::fact::{Fact, Sign};

/// The longest sentence, in characters.
const LONGEST: usize = 240;
/// Days of silence that are worth a clause beside others.
const LONG: i32 = 7;
/// Clauses beside the first.
const CLAUSES: usize = 2;
/// Characters of a name.
const NAME: usize = 64;

fn counted(number: u64, one: &str, more: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{} {more}", grouped(number)) }
}

fn name(text: &str) -> String {
    displayed(text, NAME)
}

fn usual(mean: f64) -> String {
    if mean < 9.5 {
        let tenths = format!("{mean:.1}");
        tenths.strip_suffix(".0").unwrap_or(&tenths).to_owned()
    } else {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a mean of messages"
        )]
        let whole = mean.round() as u64;
        grouped(whole)
    }
}

/// How many messages at night are usual.
fn at_night(mean: f64) -> String {
    match usual(mean).as_str() {
        "0" if mean > 0.0 => "it hardly ever sends".to_owned(),
        "0" => "it never sends".to_owned(),
        "1" => "1 a day is usual".to_owned(),
        mean => format!("{mean} a day are usual"),
    }
}

/// A fact as a part of a sentence about the account.
pub(crate) fn clause(fact: &Fact) -> String {
    match fact {
        Fact::Place { level, messages, clients, networks, .. } => {
            let sent = format!("sent {}", counted(*messages, "message", "messages"));
            let from = match clients.as_slice() {
                [client] => name(client),
                clients => format!(
                    "{} addresses in {}",
                    clients.len(),
                    counted(*networks as u64, "network", "networks")
                ),
            };
            match (level, networks) {
                (4, 1) => format!("{sent} from {from}, a network nobody else here uses"),
                (4, _) => format!("{sent} from {from} that nobody else here uses"),
                (_, 1) => format!("{sent} from {from}, a network that is new for it"),
                _ => format!("{sent} from {from} that are new for it"),
            }
        }
        Fact::Spread { clients, networks, most } => format!(
            "sent from {} in {} that hardly anybody here uses, where {most} was its most",
            counted(*clients as u64, "address", "addresses"),
            counted(*networks as u64, "network", "networks"),
        ),
        Fact::Program { mechanism, tls, is_new: true } => {
            format!("with {} over {}, which it never used", name(mechanism), tls.label())
        }
        Fact::Program { mechanism, tls, .. } => {
            format!("with {} over {}, as it does", name(mechanism), tls.label())
        }
        Fact::Desk { is_there: true } => "while its usual clients went on".to_owned(),
        Fact::Desk { .. } => "while its usual clients were silent".to_owned(),
        Fact::Volume { messages, most: 0, .. } => {
            format!("sent {} in its first days", counted(*messages, "message", "messages"))
        }
        Fact::Volume { messages, usual: mean, most, is_strange } => format!(
            "sent {}{}, where {} a day are usual and {} were the most in 90 days",
            counted(*messages, "message", "messages"),
            if *is_strange { " from there" } else { "" },
            usual(*mean),
            grouped(*most),
        ),
        Fact::GuessedBy { client, failures, accounts } => format!(
            "sent from {}, which had failed {} at {}",
            name(client),
            counted(*failures, "login", "logins"),
            counted(*accounts as u64, "account", "accounts"),
        ),
        Fact::GuessedAt { failures, days } => format!(
            "was tried by strangers {} in {days} days before",
            counted(*failures, "time", "times"),
        ),
        Fact::Senders { senders } => match senders.as_slice() {
            [sender] => format!("sent as {}, which it never did", name(sender)),
            senders => format!(
                "sent as {} senders that it never used, such as {}",
                senders.len(),
                name(senders.first().map_or("", |sender| sender)),
            ),
        },
        Fact::Domain { domain } => format!("sent as {}, for which nobody here sends", name(domain)),
        Fact::Anothers { sender } => {
            format!("sent as {}, which one other account alone uses", name(sender))
        }
        Fact::Weaker { messages, tls, days } => format!(
            "sent {} over {}, weaker than anything it used in {days} days",
            counted(*messages, "message", "messages"),
            tls.label(),
        ),
        Fact::Password { mechanism } => {
            format!("logged in by {}, where it only used tokens", name(mechanism))
        }
        Fact::Silent { days } => format!("sent after {days} days of silence"),
        Fact::Night { messages, usual } => format!(
            "sent {} between 23:00 and 06:00, where {}",
            counted(*messages, "message", "messages"),
            at_night(*usual),
        ),
        Fact::Recipients { recipients, messages, usual: mean } => format!(
            "had {} for {}, where {} a message {} usual",
            counted(*recipients, "recipient", "recipients"),
            counted(*messages, "message", "messages"),
            usual(*mean),
            if usual(*mean) == "1" { "is" } else { "are" },
        ),
        Fact::First { is_rare: true, .. } => {
            "was used for the first time, from a network that hardly anybody here uses".to_owned()
        }
        Fact::First { .. } => "was used for the first time".to_owned(),
    }
}

/// The sentence: the account, then what weighs most, heaviest first.
pub(crate) fn sentence(account: &str, signs: &[Sign]) -> String {
    // A few days of silence add to the sum; told, they only distract.
    let tells = |sign: &&Sign| match sign.fact {
        Fact::Silent { days } => days >= LONG,
        _ => true,
    };
    let heavy = signs.iter().filter(|sign| sign.weight > 0.3);
    let mut heaviest: Vec<_> = heavy.clone().filter(tells).collect();
    if heaviest.is_empty() {
        heaviest = heavy.collect();
    }
    heaviest.sort_by(|one, other| other.weight.total_cmp(&one.weight));
    // Some clauses cannot stand first: they say how something was done that was said before.
    let is_aside = |sign: &&Sign| matches!(sign.fact, Fact::Program { .. } | Fact::Desk { .. });
    let (asides, clauses): (Vec<_>, Vec<_>) = heaviest.into_iter().partition(is_aside);
    let (name, mut told, mut length) = (name(account), Vec::new(), 0);
    for clause in clauses.into_iter().map(|sign| clause(&sign.fact)) {
        let more = clause.chars().count() + ", and ".len();
        // Another may be shorter.
        if told.is_empty()
            || (told.len() <= CLAUSES && name.chars().count() + length + more < LONGEST)
        {
            length += more;
            told.push(clause);
        }
    }
    let room = (1 + CLAUSES).saturating_sub(told.len());
    let mut text = match told.split_last() {
        Some((last, [])) => format!("{name} {last}"),
        Some((last, others)) => format!("{name} {}, and {last}", others.join(", ")),
        None => name,
    };
    for sign in asides.iter().take(room) {
        let more = format!(", {}", clause(&sign.fact));
        if text.chars().count() + more.chars().count() < LONGEST {
            text += &more;
        }
    }
    text + "."
}

#[cfg(test)]
mod tests {
    use report::TlsVersion;

    use super::*;

    #[test]
    fn a_sentence_says_what_weighs_most_first() {
        let place = Fact::Place {
            level: 4,
            messages: 12,
            clients: vec!["198.51.100.7".into()],
            others: Vec::new(),
            networks: 1,
        };
        let program =
            Fact::Program { mechanism: "LOGIN".into(), tls: TlsVersion::Tls12, is_new: true };
        let desk = Fact::Desk { is_there: true };
        let guessed =
            Fact::GuessedBy { client: "198.51.100.7".into(), failures: 214, accounts: 37 };
        let sign = |fact: &Fact, weight| Sign { fact: fact.clone(), weight };
        let signs = [sign(&desk, 0.9), sign(&program, 1.0), sign(&place, 2.6)];
        assert_eq!(
            sentence("ann@example.org", &signs),
            "ann@example.org sent 12 messages from 198.51.100.7, a network nobody else here uses, \
             with LOGIN over TLS1.2, which it never used, while its usual clients went on."
        );
        let signs = [sign(&guessed, 3.1), sign(&place, 2.6), sign(&desk, -0.4)];
        assert_eq!(
            sentence("ann@example.org", &signs),
            "ann@example.org sent from 198.51.100.7, which had failed 214 logins at 37 accounts, \
             and sent 12 messages from 198.51.100.7, a network nobody else here uses."
        );
    }

    #[test]
    fn hours_and_recipients_are_told_beside_what_is_usual() {
        let night = |messages, usual| clause(&Fact::Night { messages, usual });
        assert_eq!(
            night(22, 0.0),
            "sent 22 messages between 23:00 and 06:00, where it never sends"
        );
        assert_eq!(
            night(1, 0.04),
            "sent 1 message between 23:00 and 06:00, where it hardly ever sends"
        );
        assert_eq!(
            night(1_200, 0.25),
            "sent 1,200 messages between 23:00 and 06:00, where 0.2 a day are usual"
        );
        assert!(night(30, 1.0).ends_with("where 1 a day is usual"));
        let many =
            |recipients, messages, usual| clause(&Fact::Recipients { recipients, messages, usual });
        assert_eq!(
            many(400, 5, 1.2),
            "had 400 recipients for 5 messages, where 1.2 a message are usual"
        );
        assert_eq!(
            many(1_000, 1, 1.0),
            "had 1,000 recipients for 1 message, where 1 a message is usual"
        );
    }

    #[test]
    fn what_strangers_write_cannot_run_on() {
        let senders = Fact::Senders { senders: vec!["x".repeat(500).into(), "\u{202e}y".into()] };
        let account = "a".repeat(500);
        let text = sentence(&account, &[Sign { fact: senders, weight: 3.0 }]);
        assert!(text.chars().count() <= LONGEST + 1, "{text}");
        assert!(!text.contains('\u{202e}'), "{text}");
    }
}
