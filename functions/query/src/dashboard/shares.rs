//! TLS versions and kinds of mechanisms on pages: names of styles, bars, and tables of shares.

use report::views::KindShare;
use report::{Kind, TlsCounts, TlsShare, TlsVersion, grouped, percent};

use super::wording;

/// The width of a whole share bar, in the units of its drawing: hundredths of a percent.
const WHOLE: u32 = 10_000;
/// The narrowest part of a share bar, so that it is seen.
const NARROWEST: u32 = 60;

/// The order in which versions are stacked, from the bottom: legacy ones where they are seen best.
const VERSIONS: [TlsVersion; 6] = [
    TlsVersion::Tls10,
    TlsVersion::Tls11,
    TlsVersion::None,
    TlsVersion::Unknown,
    TlsVersion::Tls12,
    TlsVersion::Tls13,
];

/// The same of kinds of mechanisms: first the one that shows the password.
const KINDS: [Kind; 6] =
    [Kind::Basic, Kind::Unknown, Kind::Kerberos, Kind::Challenge, Kind::Certificate, Kind::OAuth];

/// A part of some messages, as it is drawn and told.
#[derive(Clone, Copy)]
pub(super) struct Share {
    /// A style: a colour, and stripes where it is alarming or not known.
    pub(super) class: &'static str,
    pub(super) label: &'static str,
    pub(super) messages: u64,
    percent: f64,
    /// Why it should be given up.
    mark: Option<&'static str>,
}

impl From<&TlsShare> for Share {
    fn from(share: &TlsShare) -> Self {
        let class = match share.version {
            TlsVersion::Tls10 => "t10",
            TlsVersion::Tls11 => "t11",
            TlsVersion::Tls12 => "t12",
            TlsVersion::Tls13 => "t13",
            TlsVersion::None => "tno",
            TlsVersion::Unknown => "tun",
        };
        let TlsShare { version, messages, percent } = *share;
        let mark = version.is_legacy().then_some("legacy");
        Self { class, label: version.label(), messages, percent, mark }
    }
}

impl From<&KindShare> for Share {
    fn from(share: &KindShare) -> Self {
        let class = match share.kind {
            Kind::Basic => "tba",
            Kind::Challenge => "tch",
            Kind::OAuth => "t13",
            Kind::Certificate => "t12",
            Kind::Kerberos => "tke",
            Kind::Unknown => "tun",
        };
        let KindShare { kind, messages, percent } = *share;
        Self { class, label: kind.label(), messages, percent, mark: None }
    }
}

/// TLS versions in the order in which they are stacked.
pub(super) fn stacked_versions(shares: &[TlsShare]) -> Vec<Share> {
    let share = |version| shares.iter().find(|share| share.version == version);
    VERSIONS.into_iter().filter_map(share).map(Share::from).collect()
}

/// Kinds of mechanisms in the order in which they are stacked.
pub(super) fn stacked_kinds(shares: &[KindShare]) -> Vec<Share> {
    let share = |kind| shares.iter().find(|share| share.kind == kind);
    KINDS.into_iter().filter_map(share).map(Share::from).collect()
}

/// The parts of some messages: a bar, and a table behind it.
pub(super) struct Shares {
    pub(super) bar: Vec<Segment>,
    pub(super) rows: Vec<Row>,
    /// The share of those of them that somebody may want to be rid of, as in `4.20 %`: legacy versions, or Basic.
    pub(super) told: String,
    /// Whether there are any that should be given up.
    pub(super) alarming: bool,
}

/// A part of the bar.
pub(super) struct Segment {
    pub(super) class: &'static str,
    pub(super) x: u32,
    pub(super) width: u32,
}

/// A row of the table.
pub(super) struct Row {
    pub(super) class: &'static str,
    pub(super) label: &'static str,
    pub(super) messages: String,
    pub(super) percent: String,
    /// Why it should be given up, if it is in use.
    pub(super) mark: Option<&'static str>,
}

impl Shares {
    /// Of TLS versions.
    pub(super) fn versions(shares: &[TlsShare]) -> Self {
        let counts: TlsCounts = shares.iter().collect();
        let told = percent(counts.legacy(), counts.total());
        let rows = shares.iter().map(Share::from);
        Self::new(rows, &stacked_versions(shares), told, counts.legacy() > 0)
    }

    /// Of kinds of mechanisms. None is alarming: over TLS, Basic is how most people log in.
    pub(super) fn kinds(shares: &[KindShare]) -> Self {
        let basic = shares.iter().find(|share| share.kind == Kind::Basic);
        let told = basic.map_or(0.0, |share| share.percent);
        Self::new(shares.iter().map(Share::from), &stacked_kinds(shares), told, false)
    }

    fn new(
        shares: impl Iterator<Item = Share>,
        stacked: &[Share],
        told: f64,
        alarming: bool,
    ) -> Self {
        let rows = shares.map(|share| Row {
            class: share.class,
            label: share.label,
            messages: grouped(share.messages),
            percent: wording::percent(share.percent),
            mark: share.mark.filter(|_| share.messages > 0),
        });
        let told = wording::percent(told);
        Self { rows: rows.collect(), bar: bar(stacked), told, alarming }
    }
}

fn bar(stacked: &[Share]) -> Vec<Segment> {
    let mut x = 0;
    let used = stacked.iter().filter(|share| share.messages > 0);
    let mut bar: Vec<_> = used
        .map(|share| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
            let width = ((share.percent * 100.0).round() as u32).max(NARROWEST);
            let segment = Segment { class: share.class, x, width };
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
            let shares = Shares::versions(&tls.shares());
            let mut x = 0;
            for segment in &shares.bar {
                assert!(segment.x == x && segment.width >= NARROWEST);
                x += segment.width;
            }
            assert_eq!(x, WHOLE, "{counts:?}");
            assert_eq!(shares.bar.len(), counts.iter().filter(|messages| **messages > 0).count());
        }
        assert!(Shares::versions(&TlsCounts::default().shares()).bar.is_empty());
    }
}
