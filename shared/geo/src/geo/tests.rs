//! Every vendor's files, every form of the format, and files that nobody's program has written.

mod hostile;
mod vendors;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::*;
use crate::testing::{self, BUILT, Database, Value};

fn address(address: &str) -> IpAddr {
    address.parse().expect("an address")
}

/// The database of one file, which knows of documentation too.
fn opened(file: Vec<u8>) -> Geo {
    of_files([file])
}

fn of_files<const N: usize>(files: [Vec<u8>; N]) -> Geo {
    let files = files.into_iter().enumerate().map(|(at, file)| (format!("{at}.mmdb"), file));
    Geo::open(files.collect()).expect("good files").with_documentation()
}

/// Code and number, as far as they are known.
fn told(geo: &Geo, of: &str) -> (Option<&'static str>, Option<u32>) {
    let about = geo.about(address(of));
    (about.country.map(|country| country.code), about.network.map(|network| network.number))
}

/// What opening one file comes to.
fn refusal(name: &str, file: &[u8]) -> String {
    let error = Geo::open(vec![(name.to_owned(), file.to_owned())]).expect_err("a file of no use");
    error.to_string()
}

const GERMANY: (&str, &str, &str) = ("192.0.2.0/24", "DE", "Germany");
const EXAMPLE: (&str, u32, &str) = ("192.0.2.0/25", 64_500, "Example Networks");

#[test]
fn nothing_is_known_without_files() {
    let geo = Geo::open(Vec::new()).expect("no files");
    assert_eq!(told(&geo, "192.0.2.1"), (None, None));
    assert!(geo.built().is_empty());
}

#[test]
fn one_file_tells_the_country_and_another_the_network() {
    let geo = of_files([testing::countries(&[GERMANY]), testing::networks(&[EXAMPLE])]);
    assert_eq!(told(&geo, "192.0.2.1"), (Some("DE"), Some(64_500)));
    assert_eq!(told(&geo, "192.0.2.200"), (Some("DE"), None));
    assert_eq!(told(&geo, "198.51.100.1"), (None, None));
    let about = geo.about(address("192.0.2.1"));
    assert_eq!(about.country.map(|country| country.name).as_deref(), Some("Germany"));
    assert_eq!(about.network.map(|network| network.name).as_deref(), Some("Example Networks"));
}

#[test]
fn the_first_file_that_knows_it_counts() {
    let first = testing::countries(&[GERMANY]);
    let second = testing::countries(&[
        ("192.0.2.0/24", "FR", "France"),
        ("198.51.100.0/24", "FR", "France"),
    ]);
    let geo = of_files([first, second]);
    assert_eq!(told(&geo, "192.0.2.1").0, Some("DE"));
    assert_eq!(told(&geo, "198.51.100.1").0, Some("FR"));
}

#[test]
fn addresses_of_ipv4_are_known_in_all_their_forms() {
    for file in [
        testing::countries(&[GERMANY]),
        Database::new("IPv4").of_ipv4().with("192.0.2.0/24", vendors::ipinfo_lite()).bytes(),
        Database::new("Not aliased").with("192.0.2.0/24", vendors::ipinfo_lite()).bytes(),
        Database::new("Mapped").with("::ffff:192.0.2.0/120", vendors::ipinfo_lite()).bytes(),
    ] {
        let geo = opened(file);
        for of in ["192.0.2.1", "::ffff:192.0.2.1", "2002:c000:201::1", "64:ff9b::192.0.2.1"] {
            assert_eq!(told(&geo, of).0, Some("DE"), "{of} in {:?}", geo.built());
        }
        for of in ["192.0.3.1", "::192.0.2.1", "2001:db8::1", "2002:c000:301::1"] {
            assert_eq!(told(&geo, of), (None, None), "{of} in {:?}", geo.built());
        }
    }
}

#[test]
fn addresses_that_are_not_routed_are_not_asked_for_whatever_a_file_says() {
    let everything = |database: Database| {
        let file = database.with("::/0", vendors::ipinfo_lite()).bytes();
        Geo::open(vec![("everything.mmdb".to_owned(), file)]).expect("a good file")
    };
    for geo in [everything(Database::new("All")), everything(Database::new("All").aliased())] {
        for of in ["10.0.0.1", "127.0.0.1", "192.0.2.1", "fe80::1", "2001:db8::1", "::1"] {
            assert_eq!(told(&geo, of), (None, None), "{of}");
        }
        let geo = geo.with_documentation();
        for of in ["192.0.2.1", "2001:db8::1"] {
            assert_eq!(told(&geo, of), (Some("DE"), Some(64_500)), "{of}");
        }
        assert_eq!(told(&geo, "10.0.0.1"), (None, None));
    }
}

/// A network as text, and whether an address belongs to it.
fn any_network(rng: &mut fastrand::Rng) -> (String, u128, u32) {
    if rng.bool() {
        let bits = rng.u32(24..=32);
        let v4 = Ipv4Addr::new(192, 0, 2, rng.u8(..)).to_bits();
        (format!("{}/{bits}", Ipv4Addr::from_bits(v4)), u128::from(v4), bits + 96)
    } else {
        let bits = rng.u32(32..=128);
        let v6 = 0x2001_0db8 << 96 | u128::from(rng.u8(..)) << 88 | u128::from(rng.u8(..));
        (format!("{}/{bits}", Ipv6Addr::from_bits(v6)), v6, bits)
    }
}

#[test]
fn every_size_of_record_finds_the_smallest_network() {
    let mut rng = fastrand::Rng::with_seed(1);
    for round in 0..60 {
        let networks: Vec<_> = (0..rng.usize(1..40)).map(|_| any_network(&mut rng)).collect();
        for bits in [24, 28, 32] {
            let mut database = Database::new("GeoLite2-ASN").record_bits(bits);
            for (number, (network, _, _)) in (1..).zip(&networks) {
                // Long names bring pointers of more than one size.
                let name = format!("{number} {}", "x".repeat(number as usize * round));
                let fields = [
                    ("autonomous_system_number", Value::U32(number)),
                    ("autonomous_system_organization", name.as_str().into()),
                ];
                database = database.with(network, vendors::map(&fields));
            }
            if round % 2 == 0 {
                database = database.aliased();
            }
            let geo = opened(database.bytes());
            for (_, at, _) in &networks {
                let at = at ^ u128::from(rng.u8(..4));
                let of = match u32::try_from(at) {
                    Ok(v4) => IpAddr::V4(v4.into()),
                    Err(_) => IpAddr::V6(at.into()),
                };
                let holds = |(_, (_, from, bits)): &(u32, &(String, u128, u32))| {
                    (from ^ at).leading_zeros() >= *bits
                };
                // Of the same size, the later one.
                let holding = (1..).zip(&networks).filter(holds);
                let expected = holding.max_by_key(|(number, (_, _, bits))| (*bits, *number));
                let number = geo.about(of).network.map(|network| network.number);
                assert_eq!(number, expected.map(|(number, _)| number), "{of} of {networks:?}");
            }
        }
    }
}

#[test]
fn pointers_of_every_size_are_followed() {
    // Beyond half a mebibyte of data, pointers take three bytes and more.
    let mut database = Database::new("GeoLite2-ASN").record_bits(32);
    let padding = "x".repeat(100_000);
    for number in 0..9_u32 {
        let fields = [
            ("padding", Value::Text(format!("{number}{padding}"))),
            ("autonomous_system_organization", format!("Name {}", number % 8).as_str().into()),
            ("autonomous_system_number", Value::U32(64_500 + number)),
        ];
        database = database.with(&format!("192.0.2.{number}/32"), vendors::map(&fields));
    }
    let far = [
        ("autonomous_system_organization", Value::Text(format!("8{padding}"))),
        ("autonomous_system_number", Value::U32(1)),
    ];
    let geo = opened(database.with("192.0.2.9/32", vendors::map(&far)).bytes());
    for number in 0..9_u32 {
        let about = geo.about(address(&format!("192.0.2.{number}")));
        let network = about.network.expect("a network");
        assert_eq!(
            (network.number, &*network.name),
            (64_500 + number, &*format!("Name {}", number % 8))
        );
    }
    let about = geo.about(address("192.0.2.9"));
    assert!(about.network.expect("a network").name.starts_with("8xxx"));
}

#[test]
fn names_are_fit_to_be_shown() {
    let long = "\u{e9}".repeat(1_000);
    let geo = of_files([
        testing::countries(&[("192.0.2.0/24", "de", "Ger\nmany\u{9b}")]),
        testing::networks(&[("192.0.2.0/24", 64_500, &long)]),
    ]);
    let about = geo.about(address("192.0.2.1"));
    let (country, network) = (about.country.expect("a country"), about.network.expect("a network"));
    assert_eq!((country.code, &*country.name), ("DE", "Ger\u{fffd}many\u{fffd}"));
    assert!(network.name.len() <= crate::NAME_LIMIT && network.name.starts_with("\u{e9}\u{e9}"));
    let kind = format!("Type\u{7} {long}");
    let geo = opened(Database::new(&kind).with("192.0.2.0/24", vendors::ipinfo_lite()).bytes());
    assert!(geo.built()[0].kind.starts_with("Type\u{fffd} \u{e9}"));
    assert!(geo.built()[0].kind.len() <= crate::NAME_LIMIT);
}

#[test]
fn each_file_says_when_it_was_built_and_what_it_tells() {
    let day_later = Database::new("ipinfo bundle_location_lite.mmdb").built(BUILT + 86_400);
    let geo = of_files([
        testing::countries(&[GERMANY]),
        testing::networks(&[EXAMPLE]),
        day_later.with("192.0.2.0/24", vendors::ipinfo_lite()).bytes(),
    ]);
    let built = |file: &str, kind: &str, built, countries, networks| Built {
        file: file.to_owned(),
        kind: kind.to_owned(),
        built,
        countries,
        networks,
    };
    let expected = [
        built("0.mmdb", "GeoLite2-Country", BUILT, true, false),
        built("1.mmdb", "GeoLite2-ASN", BUILT, false, true),
        built("2.mmdb", "ipinfo bundle_location_lite.mmdb", BUILT + 86_400, true, true),
    ];
    assert_eq!(geo.built(), expected);
}

#[test]
fn the_revision_changes_with_the_files_and_their_order() {
    let (one, two) = (testing::countries(&[GERMANY]), testing::networks(&[EXAMPLE]));
    let later = Database::new("GeoLite2-ASN").built(BUILT + 1);
    let later = later.with("192.0.2.0/24", vendors::ipinfo_lite()).bytes();
    let revisions = [
        of_files([]).revision(),
        of_files([one.clone()]).revision(),
        of_files([two.clone()]).revision(),
        of_files([later]).revision(),
        of_files([one.clone(), one.clone()]).revision(),
        of_files([one.clone(), two.clone()]).revision(),
        of_files([two.clone(), one.clone()]).revision(),
    ];
    for (at, revision) in revisions.iter().enumerate() {
        assert!(!revisions[..at].contains(revision), "{at}");
    }
    let renamed = Geo::open(vec![("other name".to_owned(), one.clone())]).expect("a good file");
    assert_eq!(renamed.revision(), of_files([one]).revision());
    assert_eq!(
        of_files([]).revision(),
        2_206_609_067_086_327_257,
        "the same for ever, while READING is 1"
    );
}

#[test]
fn a_file_of_no_use_is_told_with_the_mend() {
    let good = testing::countries(&[GERMANY]);
    let in_archive = [&[b'x'; 257][..], b"ustar\0", &[b'x'; 249], &good].concat();
    for packed in [
        &b"\x1f\x8b\x08\x00"[..],
        b"PK\x03\x04",
        b"\x28\xb5\x2f\xfd\x00",
        b"\xfd7zXZ\0\0",
        b"BZh9",
        &in_archive,
    ] {
        assert_eq!(
            refusal("GeoLite2-City.tar.gz", packed),
            "GeoLite2-City.tar.gz is packed: unpack it, and give the .mmdb file that is in it"
        );
    }
    for other in [&b""[..], b"network,geoname_id\n192.0.2.0/24,1\n", b"<html>"] {
        assert_eq!(
            refusal("list.csv", other),
            "list.csv is no database in MaxMind's format, or its end is missing: \
             download it again, as .mmdb and not as .csv"
        );
    }
    assert_eq!(
        refusal("cut.mmdb", &good[..good.len() - 9]),
        "cut.mmdb is damaged: download it again"
    );
    let speeds = vendors::map(&[("connection_type", "Cable/DSL".into())]);
    let file = Database::new("GeoIP2-Connection-Type").with("192.0.2.0/24", speeds).bytes();
    assert_eq!(
        refusal("speeds.mmdb", &file),
        "speeds.mmdb, of type \"GeoIP2-Connection-Type\", tells neither countries nor networks: \
         give a database of countries, cities or ASNs"
    );
    assert!(refusal("empty.mmdb", &Database::new("GeoLite2-City").bytes()).contains("neither"));
    // The second of two.
    let files = vec![("good".to_owned(), good), ("bad".to_owned(), Vec::new())];
    assert!(Geo::open(files).expect_err("a bad file").to_string().starts_with("bad is no"));
}
