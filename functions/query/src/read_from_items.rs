//! What the function tells CloudWatch.

use report::Day;
use serde::Serialize;

metrics::figures! {
    /// A closed day that had to be read from items.
    #[derive(Clone, Debug, Serialize)]
    pub struct ReadFromItems {
        /// Archives that were there and could not be used.
        pub archives_unusable: u64 => Counter, Count;
        /// The day.
        pub day: Day;
        /// Why.
        pub reason: String;
    }
}
