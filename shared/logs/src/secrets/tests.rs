use fastrand::Rng;
use report::{AuthFailure, Submission};
use serde_json::{Value, json};

use super::*;
use crate::proofs::Sink;
use crate::{Arrival, Format, LogStream, Options};

const SECRET: &str = "Zq7hunter2==";

fn clean(text: &str) -> String {
    String::from_utf8(without_secrets(text.as_bytes()).into_owned()).expect("text")
}

#[test]
fn a_secret_is_left_out_and_the_rest_stays() {
    for (text, expected) in [
        ("a AUTH PLAIN S", "a AUTH PLAIN X"),
        ("a \"AUTH LOGIN S\" from b", "a \"AUTH LOGIN X\" from b"),
        ("auth\tplain\tS", "auth\tplain\tX"),
        ("cmd: AUTH S", "cmd: AUTH X"),
        ("cmd: AUTH AGFubgBz/X9=", "cmd: AUTH X"),
        ("cmd: AUTH AGFubgBzZWNyZXQgcHcgb2Ygd29yZHM", "cmd: AUTH X"),
        ("cmd: AUTH AGFubgBz", "cmd: AUTH X"),
        (
            "the default user is mox@localhost, with password S S",
            "the default user is mox@localhost, with password X",
        ),
        ("Password mismatch (given password: S) - next", "Password X"),
        ("{\"a\":\"its token \\\"S\\\" S\",\"b\":1}", "{\"a\":\"its token X\",\"b\":1}"),
        ("hook=unknown params=\"AUTH\",\"S\" a=b", "hook=unknown params=\"X\",\"X\" a=b"),
        ("a params=\"S\"", "a params=\"X\""),
        ("client out: OK\t1\tuser=ann\tpass=S", "client out: OK\t1\tuser=ann\tpass=X"),
        ("client in: AUTH\t1\tPLAIN\tresp=S", "client in: AUTH\t1\tPLAIN\tresp=X"),
        ("client in: CONT\t1\tS (data)", "client in: CONT\t1\tX (data)"),
        ("Auth-Pass: S", "Auth-Pass: X"),
        ("Authorization: Bearer S", "Authorization: X"),
        ("with Bearer S, and more", "with Bearer X, and more"),
        ("to smtp://ann:S@mail.example.org/a", "to smtp://ann:X@mail.example.org/a"),
        ("password='S', user='ann'", "password='X', user='ann'"),
        ("{\"smtpPassword\" : \"S\",\"a\":1}", "{\"smtpPassword\" : \"X\",\"a\":1}"),
        (r#"{"p\u0061ssword":"S","a":1}"#, r#"{"p\u0061ssword":"X","a":1}"#),
        (r#"{"a":"\u0041UTH PLAIN S","b":1}"#, r#"{"a":"\u0041UTH PLAIN X","b":1}"#),
        (r#"{"a":"AUTH\tPLAIN\tS","b":1}"#, r#"{"a":"AUTH\tPLAIN\tX","b":1}"#),
        (r#"{"a":"params=\"S\",\"S\" c","b":1}"#, r#"{"a":"params=\"X\",\"X\" c","b":1}"#),
        (r#"{"a":"{\"pwd\":\"S\",\"b\":\"c\"}"}"#, r#"{"a":"{\"pwd\":\"X\",\"b\":\"c\"}"}"#),
        (r#"{"a":"password=S, or S \" S","b":1}"#, r#"{"a":"password=X","b":1}"#),
        (r#"{"password":"S\" S\\","b":1}"#, r#"{"password":"X\\","b":1}"#),
        (r#"{"params":["AUTH","S"],"b":1}"#, r#"{"params":null,"b":1}"#),
        (r#"{"token":{"of":["S"]},"b":1}"#, r#"{"token":null,"b":1}"#),
        (r#"{"pw":123,"b":1}"#, r#"{"pw":null,"b":1}"#),
        // Escaped badly, and cut.
        (r#"{"password":"S"S","b":1"#, r#"{"password":"X","b":1"#),
        (r#"{"msg":"pass=S"S","b":1}"#, r#"{"msg":"pass=X","b":1}"#),
        (r#"{"a":1,"password":"S"#, r#"{"a":1,"password":"X"#),
        (r#"{"a":1,"params":["S"#, r#"{"a":1,"params":null"#),
        (r#"{"a":"{\"pwd\":\"S","#, r#"{"a":"{\"pwd\":\"X","#),
    ] {
        let expected = expected.replace('X', "(left out)");
        assert_eq!(clean(&text.replace('S', SECRET)), expected, "{text}");
    }
    let numbers = |text: &str| json!({"MESSAGE": text.as_bytes(), "a": [1, 2]}).to_string();
    assert_eq!(clean(&numbers("x AUTH PLAIN abc")), numbers("x AUTH PLAIN (left out)"));
}

/// What a client says to log in, as Haraka logs it in each of its forms; the last ones inside of Docker's JSON.
const SAID: &[&str] = &[
    r#"[INFO] [ID] [core]  hook=unrecognized_command plugin=auth/x params="c2VjcmV0cHc=" retval=OK msg="""#,
    "[INFO] [ID] [core]  hook=unrecognized_command plugin=auth/x params=c2VjcmV0cHdk retval=OK",
    r#"level=INFO uuid=ID origin=core message="" hook=unrecognized_command params="c2VjcmV0cHc=" retval=OK"#,
    r#"{"level":"INFO","uuid":"ID","message":"","hook":"unrecognized_command","params":"c2VjcmV0cHc=","retval":"OK"}"#,
    r"[PROTOCOL] [ID] [core] C: c2VjcmV0cHdk state=1",
    r#"level=PROTOCOL uuid=ID origin=core message="C: c2VjcmV0cHdk" state=1"#,
    r#"{"level":"PROTOCOL","uuid":"ID","origin":"core","message":"C: c2VjcmV0cHdk","state":1}"#,
    r#"{"log":"{\"level\":\"INFO\",\"hook\":\"unrecognized_command\",\"params\":\"c2VjcmV0cHc=\"}\n"}"#,
    r#"{"log":"{\"level\":\"PROTOCOL\",\"uuid\":\"ID\",\"message\":\"C: c2VjcmV0cHdk\"}\n"}"#,
];

#[test]
fn what_a_client_says_to_haraka_is_neither_shown_nor_kept() {
    for said in SAID {
        let line = format!("2026-11-23T11:00:00.123Z {said}");
        for line in [*said, &line] {
            assert!(!crate::text::shown(line.as_bytes()).contains("c2Vjc"), "{line}");
            assert!(!clean(line).contains("c2Vjc"), "{line}");
        }
    }
}

#[test]
fn what_is_no_secret_stays() {
    for text in [
        "",
        "Nov 23 11:00:00 mail postfix/smtpd[7]: disconnect from x[192.0.2.1] ehlo=1 auth=1 quit=1",
        "SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=ann@example.org",
        "{\"event\":\"submission\",\"sender\":\"password-reset@example.org\",\"account\":\"token\",\"tls\":\"x\"}",
        "{\"a\":\"your password\",\"b\":\"c\"}",
        "{\"a\":\"password=\",\"b\":\"c\"}",
        "{\"password\":null,\"secret\":\"\",\"has_token\":true,\"params\":",
        "AUTH",
        "AUTH PLAIN",
        "Auth Plain",
        "AUTH SCRAM-SHA-256-PLUS",
        "wrong password",
        "a token, and more",
        "see https://example.org/a:b",
        "[1,2,3,4,5,6,7,8,9]",
        "\\\\\\\"\\u",
    ] {
        assert!(matches!(without_secrets(text.as_bytes()), Cow::Borrowed(_)), "{text}");
    }
}

/// What was put aside, and why.
#[derive(Default)]
struct Aside(Vec<(String, String)>);

impl Sink for Aside {
    fn submission(&mut self, _: u64, _: &Submission<'_>) {}
    fn auth_failure(&mut self, _: u64, _: &AuthFailure<'_>) {}
    fn rejected(&mut self, _: u64, line: &[u8], reason: &str) {
        self.0.push((String::from_utf8_lossy(line).into_owned(), reason.to_owned()));
    }
}

fn put_aside(format: Format, lines: &[&str]) -> Vec<(String, String)> {
    let mut stream = LogStream::new(Options { format, zone: chrono_tz::UTC });
    let mut aside = Aside::default();
    for (number, line) in (0..).zip(lines) {
        let arrival = Arrival { mark: number, before: number, reference: 1_795_435_200 };
        stream.line(line.as_bytes(), arrival, &mut aside);
    }
    stream.close(9, &mut aside);
    aside.0
}

#[test]
fn nothing_that_is_put_aside_holds_a_secret() {
    let event = |field: &str, value: &str| {
        json!({"event": "submission", "time": 1, "sender": "a@example.org", field: value})
            .to_string()
    };
    let auth = format!("AUTH PLAIN {SECRET}");
    let broken = format!("{{\"log\":\"{auth}\",\"a\" 1}}");
    let laid_out = format!("{{\n \"password\": \"{SECRET}\"\n");
    let laid_out: Vec<&str> = laid_out.lines().collect();
    for (format, lines, count) in [
        (Format::Auto, vec![event("tls", &auth).as_str()], 1),
        (Format::Auto, vec![event("client", &format!("pass={SECRET}")).as_str()], 1),
        (Format::Auto, vec![broken.as_str()], 1),
        (Format::Auto, laid_out, 1),
        (Format::Events, vec![format!("hook params=\"AUTH\",\"{SECRET}\"").as_str()], 1),
    ] {
        let aside = put_aside(format, &lines);
        assert_eq!(aside.len(), count, "{lines:?}");
        for (line, reason) in aside {
            assert!(line.contains("(left out)"), "{line}");
            assert!(!line.contains(SECRET) && !reason.contains(SECRET), "{line} {reason}");
        }
    }
}

/// A text with the secret in a known form, and what follows it there.
fn form(rng: &mut Rng, secret: &str) -> String {
    let quoted = || Value::from(secret).to_string();
    let before = ["", "client 1: ", "x=\"y\" ", "Grüße, {[ ", "a\\b "][rng.usize(..5)];
    let text = match rng.u8(..12) {
        0 => format!("AUTH PLAIN {secret}"),
        1 => format!("aUtH  xoauth2 {secret}"),
        2 => format!("params=\"AUTH\",{} next", quoted()),
        3 => format!("pass={secret}"),
        4 => format!("resp={secret}"),
        5 => format!("Password: {secret}"),
        6 => format!("\"AUTH LOGIN {secret}\" said"),
        7 => format!("client_secret={}, next=1", quoted()),
        8 => format!("{{\"api_key\":{},\"a\":1}}", quoted()),
        9 => format!("{{\"params\":[\"AUTH\",{}],\"a\":1}}", quoted()),
        10 => format!("authorization=Basic {secret}"),
        _ => format!("{{\"login\":{{\"passwd\":{}}}}}", quoted()),
    };
    format!("{before}{text}")
}

/// A text as a JSON string, with some of it escaped that need not be.
fn string(rng: &mut Rng, text: &str) -> String {
    let (mut written, mut since) = (String::from("\""), 9);
    for one in text.chars() {
        // What stands in an escape stays as it is.
        since = if one == '\\' { 0 } else { since + 1 };
        match one {
            '"' if rng.bool() => written.push_str("\\u0022"),
            '"' | '\\' => written.extend(['\\', one]),
            '/' if rng.bool() => written.push_str("\\/"),
            one if since > 5 && one.is_ascii_alphanumeric() && rng.u8(..9) == 0 => {
                written.push_str(&format!("\\u{:04X}", u32::from(one)));
            }
            one => written.push(one),
        }
    }
    written + "\""
}

/// Whether a text holds the secret, as it stands or behind escapes.
fn holds(text: &str, secret: &str) -> bool {
    let mut plain = text.to_owned();
    for _ in 0..3 {
        if plain.contains(secret) {
            return true;
        }
        let signs = signs(plain.as_bytes());
        let bytes = signs.iter().map(|sign| match (sign.byte, plain.as_bytes()[sign.at]) {
            (_, b'\\') => sign.byte,
            (_, written) => written,
        });
        plain = String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned();
    }
    plain.to_ascii_lowercase().contains(&secret.to_ascii_lowercase())
}

#[test]
fn no_known_form_of_a_secret_survives_however_it_is_escaped_and_wherever_it_is_cut() {
    let mut rng = Rng::with_seed(7);
    for _ in 0..if cfg!(debug_assertions) { 2000 } else { 6000 } {
        let secret = format!("Zq7{:06}x", rng.u32(..1_000_000));
        let long = match rng.u8(..3) {
            0 => format!("{secret} {secret}, {secret}"),
            1 => format!("{secret}=="),
            _ => secret.clone(),
        };
        let is_word = !long.contains(' ');
        let mut text = form(&mut rng, &long);
        for _ in 0..rng.u8(..3) {
            text = match rng.u8(..3) {
                0 => format!("{{\"log\":{},\"b\":[1,\"c\"]}}", string(&mut rng, &text)),
                1 => format!("{{\"a\":1,\"MESSAGE\":{}}}", string(&mut rng, &text)),
                _ if text.starts_with('{') => text,
                _ => format!("Nov 23 11:00:00 mail app[7]: {text}"),
            };
        }
        let whole = clean(&text);
        assert!(!holds(&whole, &secret), "{text}\n{whole}");
        assert_eq!(clean(&whole), whole, "{text}");
        if let Ok(read) = serde_json::from_str::<Value>(&text) {
            let again = serde_json::from_str::<Value>(&whole);
            let names = |value: &Value| {
                value.as_object().map(|object| object.keys().cloned().collect::<Vec<_>>())
            };
            assert_eq!(names(&again.expect("JSON")), names(&read), "{text}\n{whole}");
        }
        let cut = text.floor_char_boundary(rng.usize(..=text.len()));
        assert!(!is_word || !holds(&clean(&text[..cut]), &secret[..9]), "{}", &text[..cut]);
    }
}

#[test]
fn any_bytes_are_read_and_none_take_long() {
    let mut rng = Rng::with_seed(8);
    for _ in 0..3000 {
        let parts: [&[u8]; 16] = [
            b"\"", b"\\", b"'", b":", b"=", b"{", b"[", b"]", b"}", b"auth ", b"pass", b" ",
            b"://", b"\\u0022", b"1,", b"\xff",
        ];
        let text: Vec<u8> =
            (0..rng.usize(..30)).flat_map(|_| parts[rng.usize(..16)]).copied().collect();
        without_secrets(&text);
    }
    for part in
        ["://a:", "[1,", "auth a", "pass=", "\"pass\":[", "\\", "pass ", "\"", "= ", "pass:\"\\\""]
    {
        without_secrets(part.repeat((1 << 16) / part.len()).as_bytes());
    }
}
