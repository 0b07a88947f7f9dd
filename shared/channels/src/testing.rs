//! An alert for tests, in which strangers have written what they could.

use detect::{Alert, Case, Evidence, Kind, Severity, Signal};

use crate::letter::Letter;

pub(crate) fn case() -> Case {
    let account = "\"x\\]|=@example.org";
    let alert = Alert {
        id: "k3v9".to_owned(),
        kind: Kind::NewPlace,
        account: account.to_owned(),
        domain: "example.org".to_owned(),
        severity: Severity::High,
        score: 1.5,
        day: Default::default(),
        last_day: Default::default(),
        raised_day: Default::default(),
        reason: format!("{account} sent 12 messages\nfrom 192.0.2.9."),
        signals: vec![Signal { signal: Kind::NewPlace, weight: 1.0, text: "new".to_owned() }],
        evidence: Evidence {
            messages: 12,
            clients: vec!["192.0.2.9".to_owned()],
            ..Evidence::default()
        },
    };
    Case::raised(alert, 1_795_435_200)
}

pub(crate) fn letter(cases: &[Case]) -> Letter<'_> {
    Letter {
        cases,
        is_digest: false,
        is_test: false,
        at: 1_795_435_200,
        dashboard: Some("https://mail.example.org"),
    }
}
