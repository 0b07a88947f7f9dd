//! A log line that CloudWatch reads metrics from.

use serde_json::{Value, json};

use crate::metric::{Figures, Unit};

/// One line in CloudWatch's [Embedded Metric Format]: all figures by name, and which of them are metrics of this
/// function. Figures stand for one invocation; CloudWatch adds them up.
///
/// `now` is in seconds since 1970.
///
/// [Embedded Metric Format]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
#[must_use]
pub fn emf<F: Figures>(namespace: &str, function: &str, figures: &F, now: i64) -> Value {
    let mut line = serde_json::to_value(figures).unwrap_or_default();
    let metrics = F::METRICS.iter();
    let metrics = metrics.map(|metric| json!({"Name": metric.name, "Unit": unit(metric.unit)}));
    line["_aws"] = json!({
        "Timestamp": now.saturating_mul(1000),
        "CloudWatchMetrics": [{
            "Namespace": namespace,
            "Dimensions": [["function"]],
            "Metrics": metrics.collect::<Vec<_>>(),
        }],
    });
    line["function"] = json!(function);
    line
}

/// A unit's name there.
const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "Count",
        Unit::Bytes => "Bytes",
        Unit::Milliseconds => "Milliseconds",
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::json;

    use super::*;
    use crate::figures;

    figures! {
        /// What a run came to.
        #[derive(Serialize)]
        struct Run {
            /// Lines read.
            lines: u64 => Counter, Count;
            /// State that is kept,
            /// in all.
            state_bytes: u64 => Gauge, Bytes;
            /// When to look again.
            next: Option<i64>;
        }
    }

    #[test]
    fn figures_stand_beside_their_description() {
        let run = Run { lines: 7, state_bytes: 9, next: None };
        let described = json!({
            "_aws": {
                "Timestamp": 1_795_521_600_000_i64,
                "CloudWatchMetrics": [{
                    "Namespace": "mail-stack",
                    "Dimensions": [["function"]],
                    "Metrics": [
                        {"Name": "lines", "Unit": "Count"},
                        {"Name": "state_bytes", "Unit": "Bytes"},
                    ],
                }],
            },
            "function": "ingest",
            "lines": 7,
            "state_bytes": 9,
            "next": null,
        });
        assert_eq!(emf("mail-stack", "ingest", &run, 1_795_521_600), described);
    }

    #[test]
    fn a_comment_is_the_help() {
        assert_eq!(Run::METRICS[1].help, "State that is kept, in all.");
        assert_eq!(Run::METRICS.len(), 2);
    }
}
