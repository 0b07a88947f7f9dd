//! TLS versions on pages: names of styles, and the table of shares.

use report::{TlsCounts, TlsShare, TlsVersion, grouped};

use super::wording;

/// The width of a whole share bar, in the units of its drawing: hundredths of a percent.
const WHOLE: u32 = 10_000;
/// The narrowest part of a share bar, so that it is seen.
const NARROWEST: u32 = 60;

/// The order in which versions are stacked, from the bottom: legacy ones where they are seen best.
pub(super) const STACKED: [TlsVersion; 6] = [
    TlsVersion::Tls10,
    TlsVersion::Tls11,
    TlsVersion::None,
    TlsVersion::Unknown,
    TlsVersion::Tls12,
    TlsVersion::Tls13,
];

/// The style of a version: a colour, and stripes where it is a legacy one.
pub(super) const fn class(version: TlsVersion) -> &'static str {
    match version {
        TlsVersion::Tls10 => "t10",
        TlsVersion::Tls11 => "t11",
        TlsVersion::Tls12 => "t12",
        TlsVersion::Tls13 => "t13",
        TlsVersion::None => "tno",
        TlsVersion::Unknown => "tun",
    }
}

/// The TLS versions of some messages: a bar, and a table behind it.
pub(super) struct Shares {
    pub(super) bar: Vec<Segment>,
    pub(super) rows: Vec<Row>,
    /// The share of legacy versions, as in `4.20 %`.
    pub(super) legacy: String,
    /// Whether there are messages over legacy versions.
    pub(super) any_legacy: bool,
}

/// A part of the bar.
pub(super) struct Segment {
    pub(super) class: &'static str,
    pub(super) x: u32,
    pub(super) width: u32,
}

/// A version.
pub(super) struct Row {
    pub(super) class: &'static str,
    pub(super) label: &'static str,
    pub(super) messages: String,
    pub(super) percent: String,
    /// Whether it should be given up, and is in use.
    pub(super) legacy: bool,
}

impl Shares {
    pub(super) fn new(shares: &[TlsShare]) -> Self {
        let rows = shares.iter().map(|share| Row {
            class: class(share.version),
            label: share.version.label(),
            messages: grouped(share.messages),
            percent: wording::percent(share.percent),
            legacy: share.version.is_legacy() && share.messages > 0,
        });
        let counts: TlsCounts = shares.iter().collect();
        let legacy = wording::percent(report::percent(counts.legacy(), counts.total()));
        Self { bar: bar(shares), rows: rows.collect(), legacy, any_legacy: counts.legacy() > 0 }
    }
}

fn bar(shares: &[TlsShare]) -> Vec<Segment> {
    let used = STACKED.into_iter().filter_map(|version| {
        shares.iter().find(|share| share.version == version && share.messages > 0)
    });
    let mut x = 0;
    let mut bar: Vec<_> = used
        .map(|share| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
            let width = ((share.percent * 100.0).round() as u32).max(NARROWEST);
            let segment = Segment { class: class(share.version), x, width };
            x += width;
            segment
        })
        .collect();
    // What small parts are drawn too wide, the widest makes good.
    if let Some(widest) = (0..bar.len()).max_by_key(|at| bar[*at].width) {
        bar[widest].width = (bar[widest].width + WHOLE).saturating_sub(x);
        for at in widest + 1..bar.len() {
            bar[at].x = bar[at - 1].x + bar[at - 1].width;
        }
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_full_and_shows_every_version_in_use() {
        for counts in [[1, 0, 999_999, 5, 1, 1], [1, 1, 1, 1, 1, 1], [0, 0, 0, 7, 0, 0]] {
            let mut tls = TlsCounts::default();
            for (version, messages) in TlsVersion::ALL.into_iter().zip(counts) {
                tls.add(version, messages);
            }
            let shares = Shares::new(&tls.shares());
            let mut x = 0;
            for segment in &shares.bar {
                assert!(segment.x == x && segment.width >= NARROWEST);
                x += segment.width;
            }
            assert_eq!(x, WHOLE, "{counts:?}");
            assert_eq!(shares.bar.len(), counts.iter().filter(|messages| **messages > 0).count());
        }
        assert!(Shares::new(&TlsCounts::default().shares()).bar.is_empty());
    }
}
