//! IAM policies, as far as this project's template writes them.

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value};

/// What a role allows: statements of its policies.
#[derive(Clone, Debug)]
pub struct Policy(Vec<Statement>);

#[derive(Clone, Debug)]
struct Statement {
    actions: Vec<String>,
    resources: Vec<String>,
    /// Patterns, of which all that the request is about must fit one.
    about: Option<Vec<String>>,
}

/// What a request wants to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wish {
    /// As in `dynamodb:PutItem`.
    pub action: String,
    /// An ARN.
    pub resource: String,
    /// Partition keys of items, the prefix of a list, the address that a mail is from, or the source of an event.
    pub about: Vec<String>,
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => {
            values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

impl Policy {
    /// Reads statements.
    ///
    /// # Errors
    /// One says something that is not understood here: then nothing it allows could be relied on.
    pub fn read(statements: &[Value]) -> Result<Self> {
        statements.iter().map(Statement::read).collect::<Result<_>>().map(Self)
    }

    /// Whether a wish is allowed.
    #[must_use]
    pub fn allows(&self, wish: &Wish) -> bool {
        self.0.iter().any(|statement| statement.allows(wish))
    }

    /// Every action of a service that is allowed, with each pattern of what it may be about on its own.
    #[must_use]
    pub fn allowed(&self, service: &str) -> Vec<(String, Option<String>)> {
        let mut all = Vec::new();
        for statement in &self.0 {
            let of_service =
                |action: &&String| action.split(':').next().is_some_and(|name| name == service);
            for action in statement.actions.iter().filter(of_service) {
                match &statement.about {
                    None => all.push((action.clone(), None)),
                    Some(patterns) => {
                        all.extend(patterns.iter().map(|one| (action.clone(), Some(one.clone()))))
                    }
                }
            }
        }
        all
    }
}

impl Statement {
    fn read(value: &Value) -> Result<Self> {
        let fields = value.as_object().context("a statement")?;
        let mut read = Self {
            actions: texts(&value["Action"]),
            resources: texts(&value["Resource"]),
            about: None,
        };
        for (name, value) in fields {
            match name.as_str() {
                "Sid" | "Action" | "Resource" => {}
                "Effect" if value == "Allow" => {}
                "Condition" => read.conditions(value.as_object().context("conditions")?)?,
                _ => bail!("a statement with {name}={value}"),
            }
        }
        if let Some(wild) = read.actions.iter().find(|action| action.contains('*')) {
            bail!("a statement with the action {wild}");
        }
        Ok(read)
    }

    fn conditions(&mut self, conditions: &Map<String, Value>) -> Result<()> {
        for (operator, about) in conditions {
            for (key, patterns) in about.as_object().context("a condition")? {
                match (operator.as_str(), key.as_str()) {
                    ("ForAllValues:StringLike", "dynamodb:LeadingKeys")
                    | ("StringEquals" | "StringLike", "ses:FromAddress" | "s3:prefix")
                    | ("StringEquals", "events:source") => {
                        self.about = Some(texts(patterns));
                    }
                    _ => bail!("a condition {operator} on {key}"),
                }
            }
        }
        Ok(())
    }

    fn allows(&self, wish: &Wish) -> bool {
        let fit = |patterns: &Vec<String>| {
            wish.about.iter().all(|one| patterns.iter().any(|pattern| fits(pattern, one)))
        };
        self.actions.contains(&wish.action)
            && self.resources.iter().any(|pattern| fits(pattern, &wish.resource))
            && self.about.as_ref().is_none_or(fit)
    }
}

/// Whether a text fits a pattern, in which `*` stands for anything.
#[must_use]
pub fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((begin, rest)) => text.strip_prefix(begin).is_some_and(|text| {
            let ends = (0..=text.len()).filter(|end| text.is_char_boundary(*end));
            ends.into_iter().any(|end| fits(rest, &text[end..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wish(action: &str, key: &str) -> Wish {
        let resource = "arn:aws:dynamodb:eu-west-1:123456789012:table/t".to_owned();
        Wish { action: action.to_owned(), resource, about: vec![key.to_owned()] }
    }

    #[test]
    fn only_what_is_allowed_is() -> Result<()> {
        let policy = Policy::read(&[json!({
            "Effect": "Allow",
            "Action": ["dynamodb:PutItem"],
            "Resource": "arn:aws:dynamodb:eu-west-1:123456789012:table/t",
            "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["REQUESTS", "I#*"]}},
        })])?;
        assert!(policy.allows(&wish("dynamodb:PutItem", "REQUESTS")));
        assert!(policy.allows(&wish("dynamodb:PutItem", "I#7")));
        assert!(!policy.allows(&wish("dynamodb:PutItem", "U#2026-11-24")));
        assert!(!policy.allows(&wish("dynamodb:UpdateItem", "REQUESTS")));
        let mut other = wish("dynamodb:PutItem", "REQUESTS");
        other.resource.push('2');
        assert!(!policy.allows(&other));
        for odd in [
            json!({"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}),
            json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}),
            json!({"Effect": "Allow", "NotAction": "s3:GetObject", "Resource": "*"}),
            json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "true"}}}),
        ] {
            assert!(Policy::read(std::slice::from_ref(&odd)).is_err(), "{odd}");
        }
        Ok(())
    }

    #[test]
    fn stars_stand_for_anything() {
        assert!(fits("a*c", "abc") && fits("a*c", "ac") && fits("*", "") && fits("a**", "ab"));
        assert!(!fits("a*c", "abd") && !fits("a", "ab") && !fits("", "a"));
    }
}
