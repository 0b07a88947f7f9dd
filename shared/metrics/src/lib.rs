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
#[cfg(feature = "prometheus")]
mod prometheus;

use serde::Serialize;

pub use emf::emf;
#[cfg(feature = "prometheus")]
pub use prometheus::Collected;

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// As in `state_bytes`.
    pub name: &'static str,
    /// What it does over time.
    pub kind: Kind,
    /// What it is counted in.
    pub unit: Unit,
    /// One sentence for people.
    pub help: &'static str,
}

/// What a metric does over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It adds up: what several invocations came to is the sum of what each did.
    Counter,
    /// It goes up and down: the last value stands for what is.
    Gauge,
}

/// What a metric is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Pieces.
    Count,
    /// Bytes.
    Bytes,
    /// Thousandths of a second; its metric's name ends in `_ms`.
    Milliseconds,
}

/// A struct of figures, some of which are metrics. [`figures!`] makes one.
pub trait Figures: Serialize {
    /// Its metrics, each under the name of a field that is a number.
    const METRICS: &'static [Metric];
}

/// Declares a struct of [`Figures`]. A field that is a metric tells kind and unit behind its type; the others are
/// told beside them where a writer tells everything.
#[macro_export]
macro_rules! figures {
    (
        $(#[$of_struct:meta])*
        $public:vis struct $name:ident {
            $(
                $(#[doc = $help:literal])+
                $shown:vis $field:ident: $type:ty $(=> $kind:ident, $unit:ident)?;
            )+
        }
    ) => {
        $(#[$of_struct])*
        $public struct $name {
            $(
                $(#[doc = $help])+
                $shown $field: $type,
            )+
        }

        impl $crate::Figures for $name {
            const METRICS: &'static [$crate::Metric] =
                $crate::figures!(@metrics [] $({ $field [$($help)+] $($kind $unit)? })+);
        }
    };
    // One field after the other: those that are no metrics are passed over.
    (@metrics [$($metrics:expr,)*] { $field:ident [$($help:literal)+] } $($rest:tt)*) => {
        $crate::figures!(@metrics [$($metrics,)*] $($rest)*)
    };
    (@metrics [$($metrics:expr,)*]
        { $field:ident [$($help:literal)+] $kind:ident $unit:ident } $($rest:tt)*) => {
        $crate::figures!(@metrics [
            $($metrics,)*
            $crate::Metric {
                name: stringify!($field),
                kind: $crate::Kind::$kind,
                unit: $crate::Unit::$unit,
                // Each line of a comment begins with a space.
                help: concat!($($help),+).trim_ascii(),
            },
        ] $($rest)*)
    };
    (@metrics [$($metrics:expr,)*]) => {
        &[$($metrics),*]
    };
}
