//! The forms in which services on the web take alerts.
//!
//! Sources: Slack's *Incoming webhooks* and *Formatting text*; Microsoft's *Adaptive Cards* schema 1.4; ntfy's *Publish as
//! JSON*; PagerDuty's *Events API v2*.

use detect::{Case, Severity};
use serde_json::{Value, json};

use crate::letter::{Letter, Line, Words};
use crate::news::{News, instant};

/// Alerts in a message of a chat: it is to be read, not to be paged through.
const LISTED: usize = 10;
/// Bytes of a message of ntfy's, of 4,096.
const NTFY: usize = 3900;
/// Characters that a summary of PagerDuty's may have.
const SUMMARY: usize = 1024;

/// What is at the end of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// Whoever reads our JSON.
    Json,
    Slack,
    Teams,
    /// ntfy, and the topic that is published to.
    Ntfy,
    PagerDuty,
}

impl Service {
    /// The bodies to be posted for a letter, one request each, with its key. `to` is the topic, or the routing key, where
    /// there is one.
    pub(crate) fn bodies(self, letter: &Letter<'_>, to: &str) -> Vec<(String, Value)> {
        let each = |body: &dyn Fn(&Case) -> Value| {
            letter.cases.iter().map(|case| (letter.key_of(case), body(case))).collect()
        };
        match self {
            Self::Json => each(&|case| json!(News::of(letter, case))),
            Self::Slack => vec![(letter.key(), slack(letter))],
            Self::Teams => vec![(letter.key(), teams(letter))],
            Self::Ntfy => vec![(letter.key(), ntfy(letter, to))],
            Self::PagerDuty => each(&|case| pager_duty(letter, case, to)),
        }
    }
}

/// The lines of a message.
fn lines(words: &Words) -> Vec<String> {
    let line = |line: &Line| format!("{} ({}, since {})", line.reason, line.severity, line.since);
    let mut lines: Vec<_> = words.lines.iter().map(line).collect();
    if words.more > 0 {
        lines.push(format!("And {} more.", words.more));
    }
    lines
}

/// Where a message leads: to its only alert, or to all.
fn link(letter: &Letter<'_>) -> Option<String> {
    let [only] = letter.cases else { return letter.dashboard.map(|base| format!("{base}/alerts")) };
    letter.link(only)
}

fn slack(letter: &Letter<'_>) -> Value {
    let words = letter.words(LISTED);
    // In rich text nothing is a link or a mention that is not marked as one.
    let text = |text: &str, is_bold: bool| json!({"type": "text", "text": text, "style": {"bold": is_bold}});
    let mut parts = vec![text(&words.title, true)];
    parts.extend(lines(&words).iter().map(|line| text(&format!("\n{line}"), false)));
    if let Some(href) = link(letter) {
        parts.push(text("\n", false));
        parts.push(json!({"type": "link", "url": href, "text": "Look at it"}));
    }
    let section = json!({"type": "rich_text_section", "elements": parts});
    // What a phone shows at first: it names nobody, for there text is searched for links.
    let short = match letter.cases.len() {
        _ if letter.is_test => words.title,
        1 => "An account needs attention".to_owned(),
        more => format!("{more} accounts need attention"),
    };
    json!({"text": short, "blocks": [{"type": "rich_text", "elements": [section]}]})
}

fn teams(letter: &Letter<'_>) -> Value {
    let words = letter.words(LISTED);
    // A text run is shown as it is, where a text block would read Markdown.
    let block = |text: &str, style: Value| {
        let mut run = json!({"type": "TextRun", "text": text});
        if let (Some(run), Value::Object(style)) = (run.as_object_mut(), style) {
            run.extend(style);
        }
        json!({"type": "RichTextBlock", "inlines": [run]})
    };
    let mut body = vec![block(&words.title, json!({"weight": "Bolder", "size": "Medium"}))];
    body.extend(lines(&words).iter().map(|line| block(line, json!({}))));
    let actions: Vec<_> = link(letter)
        .map(|href| json!({"type": "Action.OpenUrl", "title": "Look at it", "url": href}))
        .into_iter()
        .collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
                "actions": actions,
            },
        }],
    })
}

fn ntfy(letter: &Letter<'_>, topic: &str) -> Value {
    let words = letter.words(LISTED);
    let mut message = json!({
        "topic": topic,
        "title": words.title,
        "message": fitting(lines(&words)),
        "priority": if letter.severity() == Severity::High { 5 } else { 3 },
        "tags": ["warning"],
    });
    if let Some(href) = link(letter) {
        message["click"] = href.into();
    }
    message
}

/// As many lines as a message of ntfy's may have bytes: longer ones become files, which not every server takes.
fn fitting(lines: Vec<String>) -> String {
    let (all, mut text) = (lines.len(), String::new());
    for (at, line) in lines.into_iter().enumerate() {
        if text.len() + line.len() > NTFY {
            text += &format!("\nAnd {} more.", all - at);
            break;
        }
        if at > 0 {
            text.push('\n');
        }
        text += &line;
    }
    text
}

fn pager_duty(letter: &Letter<'_>, case: &Case, routing_key: &str) -> Value {
    let alert = &case.alert;
    let news = News::of(letter, case);
    let mut event = json!({
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": if letter.is_test { letter.key_of(case) } else { alert.id.clone() },
        "client": "smtp-auth-report",
        "payload": {
            "summary": report::displayed(&alert.reason, SUMMARY),
            "source": report::displayed(&alert.account, SUMMARY),
            "severity": if alert.severity == Severity::High { "critical" } else { "warning" },
            "timestamp": instant(letter.at),
            "class": alert.kind.name(),
            "group": report::displayed(&alert.domain, SUMMARY),
            "custom_details": news,
        },
    });
    if let Some(href) = letter.link(case) {
        event["links"] = json!([{"href": href, "text": "Look at it"}]);
        event["client_url"] = letter.dashboard.into();
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{case, letter};

    fn only(service: Service, to: &str) -> (String, Value) {
        let cases = [case()];
        let [one] = service.bodies(&letter(&cases), to).try_into().expect("one");
        one
    }

    const SENTENCE: &str = "\"x\\]|=@example.org sent 12 messages\u{fffd}from 192.0.2.9.";

    #[test]
    fn our_own_form_has_the_alert_as_the_interface_names_it() {
        let (key, body) = only(Service::Json, "");
        assert_eq!((key.as_str(), &body["key"]), ("k3v9-high-0", &json!("k3v9-high-0")));
        assert_eq!(body["event"], "alert");
        assert_eq!(body["sent_at"], "2026-11-23T12:00:00Z");
        assert_eq!(body["link"], "https://mail.example.org/alerts/k3v9");
        let alert = &body["alert"];
        assert_eq!((&alert["id"], &alert["severity"]), (&json!("k3v9"), &json!("high")));
        assert_eq!((&alert["kind"], &alert["status"]), (&json!("new_place"), &json!("open")));
        assert_eq!(alert["evidence"]["clients"], json!(["192.0.2.9"]));
        assert_eq!(alert["raised_at"], "2026-11-23T12:00:00Z");
    }

    #[test]
    fn chats_show_text_and_no_markup_of_strangers() {
        let mut hostile = [case()];
        hostile[0].alert.reason =
            "<!channel> *ann* & <https://evil.test|x> [x](https://evil.test).".to_owned();
        let bodies = |service: Service| service.bodies(&letter(&hostile), "mail").remove(0).1;
        let slack = bodies(Service::Slack);
        assert_eq!(slack["text"], "An account needs attention");
        let parts = &slack["blocks"][0]["elements"][0]["elements"];
        let kinds: Vec<_> =
            parts.as_array().expect("parts").iter().map(|part| &part["type"]).collect();
        assert_eq!(kinds, ["text", "text", "text", "link"]);
        assert!(parts[1]["text"].as_str().is_some_and(|text| text.contains("<!channel> *ann*")));
        assert_eq!(parts[3]["url"], "https://mail.example.org/alerts/k3v9");
        let teams = bodies(Service::Teams);
        let card = &teams["attachments"][0]["content"];
        for block in card["body"].as_array().expect("blocks") {
            assert_eq!(block["type"], "RichTextBlock");
        }
        let run = &card["body"][1]["inlines"][0];
        assert!(
            run["text"].as_str().is_some_and(|text| text.contains("[x](https://evil.test)")),
            "{run}"
        );
        assert_eq!(card["actions"][0]["url"], "https://mail.example.org/alerts/k3v9");
    }

    #[test]
    fn ntfy_and_pagerduty_get_what_they_ask_for() {
        let (_, ntfy) = only(Service::Ntfy, "mail-alerts");
        assert_eq!((&ntfy["topic"], &ntfy["priority"]), (&json!("mail-alerts"), &json!(5)));
        assert_eq!(ntfy["message"], format!("{SENTENCE} (high, since 1 Jan 1970)"));
        assert_eq!(ntfy["click"], "https://mail.example.org/alerts/k3v9");
        let mut long = [case(), case(), case()];
        for case in &mut long {
            case.alert.reason = "\u{1f4e7}".repeat(390);
        }
        let body = Service::Ntfy.bodies(&letter(&long), "x").remove(0).1;
        let text = body["message"].as_str().expect("a text");
        assert!(text.len() < 4096 && text.ends_with("And 1 more."), "{} bytes", text.len());
        let (key, event) = only(Service::PagerDuty, "R0");
        assert_eq!(key, "k3v9-high-0");
        assert_eq!((&event["routing_key"], &event["dedup_key"]), (&json!("R0"), &json!("k3v9")));
        let payload = &event["payload"];
        assert_eq!(
            (&payload["summary"], &payload["severity"]),
            (&json!(SENTENCE), &json!("critical"))
        );
        assert_eq!(payload["source"], "\"x\\]|=@example.org");
    }

    #[test]
    fn a_test_says_so_and_leads_nowhere() {
        let cases = [case()];
        let test = Letter { is_test: true, ..letter(&cases) };
        let bodies = |service: Service| service.bodies(&test, "x").remove(0);
        let (key, body) = bodies(Service::Json);
        assert_eq!(
            (key.as_str(), &body["event"], &body["link"]),
            ("test-1795435200", &json!("test"), &Value::Null)
        );
        assert_eq!(bodies(Service::PagerDuty).1["dedup_key"], "test-1795435200");
        assert_eq!(bodies(Service::Ntfy).1["title"], "A test of alerts");
    }
}
