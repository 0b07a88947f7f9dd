//! The chart in the mail: messages per day as a PNG, which mail programs show where they show no SVG.
//!
//! It holds no text: what it says stands in words beside it.

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError};
use report::views::TlsUsage;
use report::{TlsCounts, TlsVersion};

/// Points wide and high, twice as many as the mail shows: sharp on fine screens.
const WIDTH: usize = 1120;
const HEIGHT: usize = 260;
/// Points of the line below the bars.
const LINE: usize = 2;
/// The widest bar.
const WIDEST: usize = 96;

/// What each point is: a place in the palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Ink {
    Paper,
    Line,
    Modern,
    Unknown,
    Legacy,
    /// The stripes that tell legacy versions apart without colour.
    LegacyStripe,
}

const PALETTE: [[u8; 3]; 6] = [
    [0xff, 0xff, 0xff],
    [0x9a, 0xa5, 0xb1],
    [0x2b, 0x6c, 0xb0],
    [0xb8, 0xc2, 0xcc],
    [0xc0, 0x39, 0x2b],
    [0xf3, 0xc6, 0xc1],
];

/// Draws the days of a report: a bar each, legacy versions at the bottom, then unknown
/// ones, then TLS 1.2 and 1.3.
pub(crate) fn png(usage: &TlsUsage) -> Result<Vec<u8>, EncodingError> {
    let points = points(usage);
    let bytes: Vec<u8> = points.iter().map(|ink| *ink as u8).collect();
    let mut png = Vec::new();
    let (width, height) = (WIDTH as u32, HEIGHT as u32);
    let mut encoder = Encoder::new(&mut png, width, height);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_palette(PALETTE.concat());
    encoder.set_compression(Compression::High);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&bytes)?;
    writer.finish()?;
    Ok(png)
}

fn points(usage: &TlsUsage) -> Vec<Ink> {
    let mut points = vec![Ink::Paper; WIDTH * HEIGHT];
    let room = HEIGHT - LINE;
    points[WIDTH * room..].fill(Ink::Line);
    let highest = usage.days.iter().map(|day| day.messages).max().unwrap_or(0);
    let days = usage.days.len().max(1);
    let pitch = WIDTH / days;
    let bar = (pitch * 3 / 4).clamp(1, WIDEST);
    let left = (WIDTH - pitch * days) / 2 + (pitch - bar) / 2;
    for (number, day) in usage.days.iter().enumerate() {
        let counts: TlsCounts = day.tls.iter().collect();
        let unknown = counts.get(TlsVersion::Unknown);
        let modern = counts.total() - counts.legacy() - unknown;
        let mut below = 0;
        for (ink, messages) in
            [(Ink::Legacy, counts.legacy()), (Ink::Unknown, unknown), (Ink::Modern, modern)]
        {
            let high = height(messages, highest, room).min(room - below);
            let columns = left + number * pitch..left + number * pitch + bar;
            for row in room - below - high..room - below {
                for column in columns.clone() {
                    points[row * WIDTH + column] = striped(ink, row, column);
                }
            }
            below += high;
        }
    }
    points
}

/// Points that messages are high: at least two, or nobody would see them.
fn height(messages: u64, highest: u64, room: usize) -> usize {
    if messages == 0 || highest == 0 {
        return 0;
    }
    let points = u128::from(messages) * room as u128 / u128::from(highest);
    usize::try_from(points).unwrap_or(room).max(2)
}

fn striped(ink: Ink, row: usize, column: usize) -> Ink {
    if ink == Ink::Legacy && (row + column) % 12 < 4 { Ink::LegacyStripe } else { ink }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use report::{Range, views};

    use super::*;

    fn usage(days: u64, messages: u64) -> TlsUsage {
        let end = report::Day::from_ymd_opt(2026, 11, 24).expect("a date");
        let range = Range::last(end, days);
        let mut counts = TlsCounts::default();
        counts.add(TlsVersion::Tls10, messages / 4);
        counts.add(TlsVersion::Tls13, messages - messages / 4);
        let volume = BTreeMap::from([(range.start, counts), (range.end, counts)]);
        views::tls_usage(range, None, &volume)
    }

    #[test]
    fn a_quarter_of_the_highest_bar_is_legacy() {
        let points = points(&usage(7, 4000));
        let count = |ink| points.iter().filter(|point| **point == ink).count();
        let legacy = count(Ink::Legacy) + count(Ink::LegacyStripe);
        let room = HEIGHT - LINE;
        assert_eq!(legacy, 2 * 96 * (room / 4));
        assert_eq!(count(Ink::Modern), 2 * 96 * (room * 3 / 4));
        assert!(count(Ink::LegacyStripe) * 2 < legacy && count(Ink::LegacyStripe) > 0);
    }

    #[test]
    fn every_range_and_any_count_can_be_drawn() {
        for days in [1, 7, 31, 90] {
            for messages in [0, 1, 5, u64::MAX] {
                let png = png(&usage(days, messages)).expect("a picture");
                let reader = png::Decoder::new(std::io::Cursor::new(&png)).read_info();
                let info = reader.expect("a PNG").info().clone();
                assert_eq!((info.width, info.height), (1120, 260));
                assert!(png.len() < 8000, "{} bytes", png.len());
            }
        }
    }
}
