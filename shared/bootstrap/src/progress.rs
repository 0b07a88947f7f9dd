//! How far a long task is, for a person at a terminal; anywhere else, nothing is shown.

use std::borrow::Cow;

pub use indicatif::ProgressBar;
use indicatif::ProgressStyle;

/// How much of a log is read; how long it is, is not known of one that is compressed.
#[must_use]
pub fn bytes_of(name: impl Into<Cow<'static, str>>, size: Option<u64>) -> ProgressBar {
    let (bar, style) = match size {
        Some(size) => {
            let style = "{prefix} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} ETA {eta}";
            (ProgressBar::new(size), style)
        }
        None => (ProgressBar::no_length(), "{prefix} {spinner} {bytes} {bytes_per_sec}"),
    };
    styled(bar, style).with_prefix(name)
}

/// How many days are done, of all, after what is done to them, as in `archiving`.
#[must_use]
pub fn days(doing: &'static str, all: u64) -> ProgressBar {
    let bar = styled(ProgressBar::new(all), "{prefix} {bar:30} {pos}/{len} days ETA {eta}");
    bar.with_prefix(doing)
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
