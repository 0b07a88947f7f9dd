//! Accounts in strange hands, told from the days that are kept, and the alerts about them.
//!
//! [`Days`] reads days in order, as if they were lived: each is judged by what was known on it. [`Detector`] does so as
//! often as it is asked, and keeps the alerts: it can run at any time, twice at once, and be killed anywhere, for what
//! is odd is a function of the days that are kept, and alerts are written under the condition that nobody else wrote.

mod days;
mod detector;
mod telling;

pub use days::{Days, DetectError};
pub use detector::{Detector, Settings, Summary};
