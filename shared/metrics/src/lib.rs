//! Figures, declared once, as CloudWatch and Prometheus read them.
//!
//! [`figures!`] declares them: a struct whose fields say what kind of metric they are and in which unit, and whose
//! comments are the help that people see. [`emf`] and `prometheus` write any such struct; nothing else
//! lists names. Nothing here knows what time it is, or where anything is sent.
//!
//! ```
//! metrics::figures! {
//!     /// What a look at the store came to.
//!     #[derive(Default, serde::Serialize)]
//!     pub struct Look {
//!         /// Items that were read.
//!         pub items: u64 => Counter, Count;
//!         /// What they take.
//!         pub size_bytes: u64 => Gauge, Bytes;
//!         /// The last one's name: told in the log, and no metric.
//!         pub last: String;
//!     }
//! }
//! use metrics::Figures;
//! assert_eq!(Look::METRICS[0].help, "Items that were read.");
//! let line = metrics::emf("mail-stack", "look", &Look::default(), 1_795_521_600);
//! assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][1]["Unit"], "Bytes");
//! ```

mod emf;
mod metric;
#[cfg(feature = "prometheus")]
mod prometheus;

pub use emf::emf;
pub use metric::{Figures, Kind, Metric, Unit};
#[cfg(feature = "prometheus")]
pub use prometheus::Collected;
