//! Figures as Prometheus scrapes them.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use serde_json::{Number, Value};

use crate::metric::{Figures, Kind, Metric, Unit};

/// Figures that are looked up at each scrape: register them in a [`Registry`](prometheus_client::registry::Registry)
/// with a prefix. Counters are the sums since the process began.
///
/// Names stay as they are declared, except that times are told in seconds, as is the custom there.
pub struct Collected<F>(Box<dyn Fn() -> F + Send + Sync>);

impl<F: Figures> Collected<F> {
    /// Those that `read` gives.
    #[must_use]
    pub fn new(read: impl Fn() -> F + Send + Sync + 'static) -> Self {
        Self(Box::new(read))
    }
}

impl<F> fmt::Debug for Collected<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Collected")
    }
}

impl<F: Figures + 'static> Collector for Collected<F> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let figures = serde_json::to_value((self.0)()).map_err(|_| fmt::Error)?;
        for metric in F::METRICS {
            let Some(Value::Number(number)) = figures.get(metric.name) else { continue };
            match (seconds(metric, number), number.as_u64()) {
                (Some((name, seconds)), _) => write(&mut encoder, metric, &name, seconds)?,
                (None, Some(whole)) => write(&mut encoder, metric, metric.name, whole)?,
                (None, None) => {
                    let number = number.as_f64().unwrap_or(f64::NAN);
                    write(&mut encoder, metric, metric.name, number)?;
                }
            }
        }
        Ok(())
    }
}

/// A time's name and value in seconds.
fn seconds(metric: &Metric, number: &Number) -> Option<(String, f64)> {
    let Unit::Milliseconds = metric.unit else { return None };
    let name = metric.name.strip_suffix("_ms").unwrap_or(metric.name);
    Some((format!("{name}_seconds"), number.as_f64()? / 1000.0))
}

fn write<N>(
    encoder: &mut DescriptorEncoder<'_>,
    metric: &Metric,
    name: &str,
    number: N,
) -> fmt::Result
where
    ConstCounter<N>: EncodeMetric + 'static,
    ConstGauge<N>: EncodeMetric + 'static,
{
    let number: Box<dyn EncodeMetric> = match metric.kind {
        Kind::Counter => Box::new(ConstCounter::new(number)),
        Kind::Gauge => Box::new(ConstGauge::new(number)),
    };
    number.encode(encoder.encode_descriptor(name, metric.help, None, number.metric_type())?)
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;
    use serde::Serialize;

    use super::*;
    use crate::figures;

    figures! {
        /// What was read.
        #[derive(Serialize)]
        struct Read {
            /// Lines read.
            lines: u64 => Counter, Count;
            /// State that is kept.
            state_bytes: u64 => Gauge, Bytes;
            /// Age of the oldest line.
            oldest_ms: u64 => Gauge, Milliseconds;
            /// Write units, parts included.
            write_units: f64 => Counter, Count;
            /// The last file.
            file: String;
        }
    }

    #[test]
    fn metrics_are_told_with_kind_and_help() {
        let mut registry = Registry::default();
        let read = || Read {
            lines: 7,
            state_bytes: 9,
            oldest_ms: 1500,
            write_units: 0.5,
            file: "mail.log".to_owned(),
        };
        let ingest = registry.sub_registry_with_prefix("smtp_auth_report_ingest");
        ingest.register_collector(Box::new(Collected::new(read)));
        let mut text = String::new();
        encode(&mut text, &registry).expect("there is room");
        let told = r#"# HELP smtp_auth_report_ingest_lines Lines read.
# TYPE smtp_auth_report_ingest_lines counter
smtp_auth_report_ingest_lines_total 7
# HELP smtp_auth_report_ingest_state_bytes State that is kept.
# TYPE smtp_auth_report_ingest_state_bytes gauge
smtp_auth_report_ingest_state_bytes 9
# HELP smtp_auth_report_ingest_oldest_seconds Age of the oldest line.
# TYPE smtp_auth_report_ingest_oldest_seconds gauge
smtp_auth_report_ingest_oldest_seconds 1.5
# HELP smtp_auth_report_ingest_write_units Write units, parts included.
# TYPE smtp_auth_report_ingest_write_units counter
smtp_auth_report_ingest_write_units_total 0.5
# EOF
"#;
        assert_eq!(text, told);
    }
}
