//! Files that are damaged, by chance or on purpose: an error, or no answer, in bounded time and memory.

use std::panic::catch_unwind;

use super::vendors::{ipinfo_lite, map};
use super::{Database, Geo, Value, address, told};
use crate::testing::{assemble, countries, networks};

/// Addresses that take every way through the reader.
const ASKED: [&str; 6] = [
    "192.0.2.1",
    "198.51.100.200",
    "203.0.113.9",
    "2001:db8::1",
    "2001:db8:ffff::",
    "2002:c000:201::1",
];

/// Opens a file and asks it. Whether it could be opened.
fn try_out(file: &[u8], what: &dyn Fn() -> String) -> bool {
    let tried = catch_unwind(|| {
        let geo = Geo::open(vec![("hostile.mmdb".to_owned(), file.to_owned())]);
        let Ok(geo) = geo.map(Geo::with_documentation) else { return false };
        for of in ASKED {
            let about = geo.about(address(of));
            let names = [
                about.country.map(|country| country.name),
                about.network.map(|network| network.name),
            ];
            assert!(names.iter().flatten().all(|name| name.len() <= crate::NAME_LIMIT));
        }
        true
    });
    tried.unwrap_or_else(|_| panic!("{}", what()))
}

/// Small files of all shapes.
fn good_files() -> Vec<Vec<u8>> {
    let mut files = vec![
        countries(&[("192.0.2.0/24", "DE", "Germany"), ("2001:db8::/32", "FR", "France")]),
        networks(&[("192.0.2.0/24", 64_500, "Example Networks")]),
    ];
    for bits in [24, 28, 32] {
        let database = Database::new("All").record_bits(bits).with("192.0.2.0/24", ipinfo_lite());
        files.push(database.clone().with("2001:db8::/32", map(&[("asn", "AS7".into())])).bytes());
        files.push(database.of_ipv4().bytes());
    }
    files
}

#[test]
fn a_file_that_is_cut_anywhere_is_an_error() {
    for (at, file) in good_files().iter().enumerate() {
        for end in 0..file.len() {
            let opened = try_out(&file[..end], &|| format!("file {at} to {end}"));
            assert!(!opened, "file {at} to {end}");
            // Without its beginning, the tree is another, or too short.
            try_out(&file[end..], &|| format!("file {at} from {end}"));
        }
    }
}

#[test]
fn a_file_with_a_wrong_byte_anywhere_harms_nobody() {
    for (at, file) in good_files().iter().enumerate() {
        for place in 0..file.len() {
            let byte = file[place];
            for wrong in [0, 0xff, byte ^ 0x21, byte.wrapping_add(7)] {
                let mut file = file.clone();
                file[place] = wrong;
                try_out(&file, &|| format!("file {at}, byte {place} is {wrong}"));
            }
        }
    }
}

/// A record that tells a country and a network.
const GOOD: &[u8] = b"\xe2\x47country\x42DE\x43asn\x43AS7";

#[test]
fn files_of_random_bytes_harm_nobody() {
    let mut rng = fastrand::Rng::with_seed(2);
    let mut opened = 0;
    for round in 0..6_000 {
        let count = rng.u32(4..200);
        let mut data = GOOD.to_vec();
        data.extend((0..rng.usize(..300)).map(|_| rng.u8(..)));
        if rng.bool() {
            // With pieces that a reader takes for fields.
            let piece =
                [&b"\x47country\x42DE"[..], b"\x43asn\x45AS700", b"\xe2", b"\xe1\x47country"];
            for _ in 0..rng.usize(..10) {
                let at = rng.usize(GOOD.len()..=data.len());
                data.splice(at..at, rng.choice(piece).into_iter().flatten().copied());
            }
        }
        let mut record = |_| match rng.u8(..4) {
            0 => count,
            1 => rng.u32(..count),
            2 => count + 16 + rng.u32(..310),
            _ => rng.u32(..1 << 24),
        };
        let mut nodes: Vec<_> = (0..count).map(|_| [(); 2].map(&mut record)).collect();
        if round % 4 > 0 {
            // The first network tells all that can be told: no other is looked at before it is asked for.
            let first = if round % 2 == 0 { 0 } else { 2 };
            (nodes[0][0], nodes[1][0], nodes[first][0]) = (1, 2, count + 16);
        }
        let bits = [24, 28, 32][round % 3];
        let database = Database::new("Random").record_bits(bits);
        let database = if round % 2 == 0 { database.of_ipv4() } else { database };
        let file = assemble(&database, &nodes, &data);
        opened += usize::from(try_out(&file, &|| format!("round {round}")));
        let noise: Vec<u8> = (0..rng.usize(..300)).map(|_| rng.u8(..)).collect();
        let noise = [&noise[..], super::super::DESCRIPTION_MARK, &noise].concat();
        try_out(&noise, &|| format!("noise {round}"));
    }
    assert!(opened > 3_000, "most should be good enough to be asked: {opened}");
}

/// A good database with one record more, at the address that is asked.
fn beside_good(record: Vec<u8>) -> Vec<u8> {
    // The first network tells all that can be told: no other is looked at before it is asked for.
    let mut database = Database::new("Hostile").of_ipv4().with("0.0.0.0/1", ipinfo_lite());
    for bits in 2..=31 {
        database = database.with(&format!("192.0.2.1/{bits}"), map(&[("asn", "AS7".into())]));
    }
    database.with("192.0.2.1/32", Value::Raw(record)).bytes()
}

/// A number as it stands in the head of a value of a large size.
fn huge(kind: u8) -> Vec<u8> {
    if kind <= 7 { vec![kind << 5 | 31, 255, 255, 255] } else { vec![31, kind - 7, 255, 255, 255] }
}

#[test]
fn records_that_lead_in_circles_or_claim_too_much_tell_nothing() {
    let field = |name: &str, value: &[u8]| {
        let length = u8::try_from(name.len()).expect("a short name");
        [&[0xe1, 0x40 | length][..], name.as_bytes(), value].concat()
    };
    let mut records = vec![
        // Pointers to far behind the end of the data.
        vec![0x38, 255, 255, 255, 255],
        field("country", &[0x38, 255, 255, 255, 255]),
        // A text that is no UTF-8, a key that is no text.
        field("country", b"\x42\xff\xff"),
        vec![0xe1, 0xa1, 7, 0xa1, 7],
        // A value that does not end.
        vec![0xe1],
        vec![0xe1, 0x47],
        field("country", &[]),
    ];
    for kind in 1..=20 {
        records.push(huge(kind));
        for name in ["country", "asn", "else"] {
            records.push(field(name, &huge(kind)));
        }
        records.push([&huge(7)[..], &[0x41, b'a', kind << 5].repeat(200)].concat());
    }
    // Maps in maps, and arrays in arrays, deeper than anybody's stack.
    for name in ["country", "else", "traits"] {
        records.push(field(name, &field("names", &[]).repeat(20_000)));
        records.push(field(name, &[1, 4].repeat(20_000)));
        records.push(field(name, &[0xe1, 0x41, b'a'].repeat(20_000)));
    }
    for record in records {
        let begin = record[..record.len().min(20)].to_vec();
        let file = beside_good(record);
        assert!(try_out(&file, &|| format!("{begin:?}")), "{begin:?}");
        let geo = Geo::open(vec![("hostile.mmdb".to_owned(), file)]).expect("a file that opens");
        let geo = geo.with_documentation();
        assert_eq!(told(&geo, "192.0.2.1"), (None, None), "{begin:?}");
        assert_eq!(told(&geo, "192.0.2.2"), (None, Some(7)), "{begin:?}");
    }
}

#[test]
fn pointers_in_circles_tell_nothing() {
    // The only record, which stands at the beginning of the data, so that 0 points to itself.
    for record in [
        &b"\xe1\x47country\x20\x00"[..],
        b"\xe1\x46traits\x20\x00",
        b"\xe2\x43asn\x46AS6450\x47country\xe1\x45names\x20\x00",
        b"\xe1\x47country\x01\x04\x20\x00",
        b"\x20\x00",
        b"\x20\x02\x20\x00",
        // A key that points to the record.
        b"\xe1\x20\x00\x20\x00",
        // A map with as many pointers to itself as there is room for.
        &[&b"\xfd\xff"[..], &b"\x47country\x20\x00".repeat(284)].concat(),
        &[&b"\xfd\xff"[..], &b"\x41a\x20\x00".repeat(284)].concat(),
    ] {
        let database = Database::new("Circle").of_ipv4();
        for pointed in [16, 17, 18] {
            let file = assemble(&database, &[[1 + pointed; 2]], record);
            try_out(&file, &|| format!("{record:?}"));
        }
    }
}

#[test]
fn a_tree_with_more_ways_than_anybody_can_go_is_no_trap() {
    // Each node leads to the next on both sides: the leaf has 2 to the power of its depth ways to it.
    let chain = |depth: u32, leaf: u32| -> Vec<[u32; 2]> {
        (1..=depth).map(|next| [if next == depth { leaf } else { next }; 2]).collect()
    };
    let data = [&b"\xe1\x47country\x42DE"[..], &[0; 16]].concat();
    for depth in [31, 32, 33, 95, 96, 97, 127, 128, 129, 500] {
        for leaf in [0, depth - 1, depth, depth + 1, depth + 16, depth + 17, depth + 5_000] {
            for database in [Database::new("Ways"), Database::new("Ways").of_ipv4()] {
                let file = assemble(&database, &chain(depth, leaf), &data);
                try_out(&file, &|| format!("{leaf} after {depth}"));
            }
        }
    }
    // To where IPv4 addresses begin, which the reader passes over by itself.
    let mut nodes = chain(97, 97);
    nodes[96] = [97, 97];
    try_out(&assemble(&Database::new("Ways"), &nodes, &data), &|| "aliases".to_owned());
}

#[test]
fn a_description_that_claims_too_much_is_an_error() {
    let good = Database::new("Claims").with("192.0.2.0/24", ipinfo_lite()).bytes();
    let claims: [(&str, Vec<u8>); 8] = [
        ("node_count", vec![0xc4, 255, 255, 255, 255]),
        ("node_count", vec![0xc0]),
        ("record_size", vec![0xa2, 255, 255]),
        ("record_size", vec![0xa0]),
        ("ip_version", vec![0xa1, 5]),
        ("build_epoch", [&[8, 2][..], &[255; 8]].concat()),
        ("database_type", huge(2)),
        ("description", huge(7)),
    ];
    for (name, claim) in claims {
        let at =
            good.windows(name.len()).rposition(|window| window == name.as_bytes()).expect(name);
        let file = [&good[..at + name.len()], &claim, &good[at + name.len()..]].concat();
        assert!(!try_out(&file, &|| name.to_owned()), "{name}");
    }
}
