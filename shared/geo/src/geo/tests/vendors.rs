//! Records as each vendor documents them.

use super::{Database, GERMANY, Value, address, opened, testing, told};

pub(super) fn map(fields: &[(&str, Value)]) -> Value {
    Value::Map(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

fn names(english: &str) -> Value {
    map(&[("de", "Anders".into()), ("en", english.into()), ("zh-CN", "\u{5176}\u{4ed6}".into())])
}

fn place(code: &str, english: &str) -> Value {
    map(&[
        ("geoname_id", Value::U32(2_921_044)),
        ("is_in_european_union", Value::Bool(true)),
        ("iso_code", code.into()),
        ("names", names(english)),
    ])
}

fn continent() -> Value {
    map(&[("code", "EU".into()), ("geoname_id", Value::U32(6_255_148)), ("names", names("Europe"))])
}

/// Of IPinfo Lite, all fields of which are text.
pub(super) fn ipinfo_lite() -> Value {
    map(&[
        ("network", "192.0.2.0/24".into()),
        ("country", "Germany".into()),
        ("country_code", "DE".into()),
        ("continent", "Europe".into()),
        ("continent_code", "EU".into()),
        ("asn", "AS64500".into()),
        ("as_name", "Example Networks".into()),
        ("as_domain", "example.net".into()),
    ])
}

/// What a record tells: code and name of the country, number and name of the network.
fn tells(kind: &str, record: &Value) -> (String, String) {
    let geo = opened(Database::new(kind).with("192.0.2.0/24", record.clone()).bytes());
    let about = geo.about(address("192.0.2.1"));
    let country = about.country.map(|country| format!("{} {}", country.code, country.name));
    let network = about.network.map(|network| format!("{} {}", network.number, network.name));
    (country.unwrap_or_default(), network.unwrap_or_default())
}

#[test]
fn maxmind() {
    let country = map(&[
        ("continent", continent()),
        ("country", place("DE", "Germany")),
        ("registered_country", place("FR", "France")),
    ]);
    assert_eq!(tells("GeoLite2-Country", &country), ("DE Germany".into(), String::new()));
    let city = map(&[
        ("city", map(&[("geoname_id", Value::U32(1)), ("names", names("Example City"))])),
        ("continent", continent()),
        ("country", place("DE", "Germany")),
        (
            "location",
            map(&[
                ("accuracy_radius", Value::U16(20)),
                // A double.
                ("latitude", Value::Raw(vec![0x68, 0x40, 0x49, 0, 0, 0, 0, 0, 0])),
                ("time_zone", "Europe/Berlin".into()),
            ]),
        ),
        ("postal", map(&[("code", "00000".into())])),
        ("registered_country", place("DE", "Germany")),
        ("subdivisions", Value::Array(vec![place("BE", "Example State")])),
    ]);
    assert_eq!(tells("GeoLite2-City", &city), ("DE Germany".into(), String::new()));
    let asn = map(&[
        ("autonomous_system_number", Value::U32(4_200_000_000)),
        ("autonomous_system_organization", "Example Networks".into()),
    ]);
    assert_eq!(tells("GeoLite2-ASN", &asn), (String::new(), "4200000000 Example Networks".into()));
}

#[test]
fn a_country_of_registration_is_no_place() {
    let record = map(&[("registered_country", place("FR", "France"))]);
    let database = Database::new("GeoLite2-Country").with("198.51.100.0/24", record);
    let geo =
        opened(database.with("192.0.2.0/24", map(&[("country", place("DE", "Germany"))])).bytes());
    assert_eq!(told(&geo, "198.51.100.1"), (None, None));
}

#[test]
fn db_ip() {
    let country = map(&[("continent", continent()), ("country", place("DE", "Germany"))]);
    assert_eq!(tells("DBIP-Country-Lite", &country), ("DE Germany".into(), String::new()));
    let city = map(&[
        ("city", map(&[("names", map(&[("en", "Example City".into())]))])),
        ("continent", continent()),
        ("country", place("DE", "Germany")),
        ("location", map(&[("latitude", Value::Raw(vec![4, 8, 0x42, 0x48, 0, 0]))])),
        ("subdivisions", Value::Array(vec![map(&[("names", names("Example State"))])])),
    ]);
    assert_eq!(tells("DBIP-City-Lite", &city), ("DE Germany".into(), String::new()));
    let asn = map(&[
        ("autonomous_system_number", Value::U32(64_500)),
        ("autonomous_system_organization", "Example Networks".into()),
    ]);
    let kind = "DBIP-ASN-Lite (compat=GeoLite2-ASN)";
    assert_eq!(tells(kind, &asn), (String::new(), "64500 Example Networks".into()));
    let isp = map(&[("country", place("DE", "Germany")), ("traits", asn)]);
    let expected = ("DE Germany".into(), "64500 Example Networks".into());
    assert_eq!(tells("DBIP-ISP (compat=Enterprise)", &isp), expected);
}

#[test]
fn ipinfo() {
    let expected = ("DE Germany".to_owned(), "64500 Example Networks".to_owned());
    assert_eq!(tells("ipinfo bundle_location_lite.mmdb", &ipinfo_lite()), expected);
    let country_asn = map(&[
        ("continent", "EU".into()),
        ("continent_name", "Europe".into()),
        ("country", "DE".into()),
        ("country_name", "Germany".into()),
        ("asn", "AS64500".into()),
        ("as_name", "Example Networks".into()),
        ("as_domain", "example.net".into()),
    ]);
    assert_eq!(tells("ipinfo country_asn.mmdb", &country_asn), expected);
    let country = map(&[("country", "DE".into()), ("country_name", "Germany".into())]);
    assert_eq!(tells("ipinfo country.mmdb", &country), (expected.0.clone(), String::new()));
    let asn = map(&[
        ("asn", "AS64500".into()),
        ("domain", "example.net".into()),
        ("name", "Example Networks".into()),
    ]);
    assert_eq!(tells("ipinfo asn.mmdb", &asn), (String::new(), expected.1.clone()));
    // What is not known is an empty text.
    let unknown = map(&[("country", "DE".into()), ("asn", "".into()), ("as_name", "".into())]);
    assert_eq!(tells("ipinfo country_asn.mmdb", &unknown), ("DE DE".into(), String::new()));
}

#[test]
fn a_code_alone_is_enough() {
    let code = map(&[("country_code", "DE".into())]);
    assert_eq!(tells("a list as .mmdb", &code), ("DE DE".into(), String::new()));
}

#[test]
fn what_is_not_as_it_should_be_is_passed_over_and_no_more() {
    let asn = [("asn", "AS64500".into()), ("as_name", "Example Networks".into())];
    let strange = [
        Value::U16(7),
        Value::U32(7),
        Value::U64(1 << 40),
        Value::I32(-7),
        Value::Bool(true),
        Value::Bytes(vec![0xff; 40]),
        Value::Array(vec!["DE".into(), Value::Array(vec![Value::U16(7)])]),
        map(&[("iso_code", Value::Array(vec!["DE".into()])), ("names", "Germany".into())]),
        map(&[("names", map(&[("en", Value::U16(7))])), ("iso_code", map(&[("DE", "DE".into())]))]),
        // A double, a float, and a number of 128 bits.
        Value::Raw(vec![0x68, 0x40, 0x49, 0, 0, 0, 0, 0, 0]),
        Value::Raw(vec![4, 8, 0x42, 0x48, 0, 0]),
        Value::Raw([&[16, 3][..], &[0xff; 16]].concat()),
        "Neither code nor name".into(),
        "ZZ".into(),
        "".into(),
    ];
    for strange in strange {
        for field in ["country", "country_code", "country_name", "name", "traits", "else"] {
            let record = map(&[&[(field, strange.clone())][..], &asn].concat());
            let expected = (String::new(), "64500 Example Networks".into());
            assert_eq!(tells("Strange", &record), expected, "{field}: {strange:?}");
        }
    }
    for (number, network) in [
        ("15169".into(), "15169 Example Networks"),
        (Value::U64(15_169), "15169 Example Networks"),
        (Value::I32(15_169), "15169 Example Networks"),
        (Value::U32(0), ""),
        (Value::U64(1 << 32), ""),
        (Value::I32(-1), ""),
        ("AS".into(), ""),
        ("AS0".into(), ""),
        ("AS-1".into(), ""),
        ("AS4294967296".into(), ""),
        ("ASAS1".into(), ""),
        (map(&[]), ""),
    ] {
        let record = map(&[("country", "DE".into()), ("asn", number.clone()), asn[1].clone()]);
        assert_eq!(tells("Strange", &record), ("DE DE".into(), network.into()), "{number:?}");
    }
    // A record that is no map tells nothing, beside others that do.
    let geo = opened(testing::countries(&[GERMANY]));
    assert_eq!(told(&geo, "192.0.2.1").0, Some("DE"));
    let database = Database::new("Mixed").with("192.0.2.0/24", ipinfo_lite());
    let file = database.with("198.51.100.0/24", Value::Map(Vec::new())).bytes();
    assert_eq!(told(&opened(file), "198.51.100.1"), (None, None));
}
