//! What a metric is, and how a struct of them is declared.

use serde::Serialize;

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

/// A struct of figures, some of which are metrics. [`figures!`](crate::figures!) makes one.
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
