use super::*;
use crate::form::Packing;
use crate::testing::{Slowly, packed, tar, zip};

const ALL: [Packing; 5] = [Packing::Gzip, Packing::Bzip2, Packing::Xz, Packing::Zstd, Packing::Lz4];

fn open(raw: &[u8]) -> io::Result<Text> {
    Text::open(Cursor::new(raw.to_vec()), 4)
}

fn read(raw: &[u8]) -> (String, io::Result<usize>) {
    let mut text = open(raw).expect("a beginning");
    let mut all = Vec::new();
    let end = text.reader.read_to_end(&mut all);
    (String::from_utf8(all).expect("text"), end)
}

fn refused(raw: &[u8]) -> String {
    open(raw).expect_err("refused").to_string()
}

#[test]
fn the_head_stands_behind_a_hole() {
    for hole in [0, 1, 7, CHUNK + 1, 3 * CHUNK] {
        let raw = [vec![0; hole], b"a line\nand another\n".to_vec()].concat();
        let text = open(&raw).expect("text");
        assert_eq!((text.head.as_slice(), text.hole), (&b"a li"[..], hole as u64));
        assert_eq!(read(&raw).0.as_bytes(), raw);
        let text = open(&packed(Packing::Gzip, &raw)).expect("text");
        assert_eq!((text.hole, text.is_unpacked), (hole as u64, true));
    }
    let only = open(&[0; 9]).expect("text");
    assert_eq!((only.head.len(), only.hole), (0, 9));
}

#[test]
fn a_line_of_a_pipe_is_told_as_soon_as_it_came() {
    // Whoever asks for more would wait.
    struct Once<'a>(&'a [u8], usize);
    impl Read for Once<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            assert!(!self.0.is_empty(), "it would wait");
            let count = self.0.len().min(self.1).min(to.len());
            self.0.read(&mut to[..count])
        }
    }
    for line in [
        "hi\n",
        "a\n",
        "\nx\r\n",
        "Gr\u{fc}\u{df}e\n",
        "a line that is long enough\n",
        "PK\n",
        "{}\n",
        "BZh9\n",
    ] {
        for hole in [0, 1, 2, 15, 16, 511, 512, 513, CHUNK, 2 * CHUNK + 7] {
            let raw: &'static [u8] = [vec![0; hole], line.into()].concat().leak();
            for step in [1, 7, usize::MAX] {
                if raw.len() / step > 2000 {
                    continue;
                }
                let mut text = Text::open(Once(raw, step), 0).expect("text");
                assert_eq!(text.hole, hole as u64, "{line:?}");
                let mut read = vec![0; raw.len()];
                text.reader.read_exact(&mut read).expect("all that came");
                assert_eq!(read, raw, "{line:?}");
            }
        }
    }
}

#[test]
fn what_is_no_text_is_told_however_slowly_it_comes() {
    let wide: Vec<u8> = "a\r\nb\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for text in [&b"a\nb\n"[..], b"\n\nabc\n", &wide] {
        for packing in ALL {
            let raw: &'static [u8] = packed(packing, text).leak();
            for step in [1, 3, 100] {
                let mut read = Vec::new();
                let mut text = Text::open(Slowly(raw, step), 4).expect("text");
                text.reader.read_to_end(&mut read).expect("read");
                assert_eq!(read, self::read(raw).0.as_bytes(), "{packing:?}");
                assert!(text.is_unpacked);
            }
        }
    }
    assert_eq!(read(&wide).0, "a\r\nb\r\n");
    for (raw, what) in [
        (&b"\x89PNG\r\n\x1a\n"[..], "PNG"),
        (b"\x0a\x0d\x0d\x0a\x1c\0\0\0", "pcapng"),
        (b"!<arch>\ndebian-binary", "ar archive"),
        (b"RIFF\n\n\n\nWEBPVP8 ", "WebP"),
        (b"0\0\0\0LfLe", "EVT"),
        (b"age-encryption.org/v1\n", "age"),
    ] {
        let told = Text::open(Slowly(raw, 1), 0).expect_err("refused").to_string();
        assert!(told.contains(what), "{told}");
    }
}

#[test]
fn every_packing_and_archive_in_every_other() {
    let text = "Nov 26 06:00:00 mail some text\n".repeat(50);
    for outer in ALL {
        for inner in ALL {
            let one = packed(inner, text.as_bytes());
            assert_eq!(read(&packed(outer, &one)).0, text, "{outer:?} {inner:?}");
            for archive in [tar, zip] {
                let files = [("log/", &b""[..]), ("log/mail.log", &one)];
                assert_eq!(read(&archive(&files)).0, text, "{inner:?}");
                assert_eq!(read(&packed(outer, &archive(&files))).0, text, "{outer:?} {inner:?}");
            }
        }
    }
    let within = tar(&[("a.zip", &zip(&[("mail.log.gz", &packed(Packing::Gzip, b"text\n"))]))]);
    assert_eq!(read(&packed(Packing::Xz, &within)).0, "text\n");
    let deep = packed(Packing::Gzip, &packed(Packing::Gzip, &within));
    assert!(refused(&deep).contains("packed more than 4 times"), "{}", refused(&deep));
    let deep = (0..5).fold(b"text".to_vec(), |text, _| packed(Packing::Gzip, &text));
    assert!(refused(&deep).contains("packed more than 4 times"));
}

#[test]
fn logs_are_read_that_xz_compressed_as_well_as_it_can() {
    let options = lzma_rust2::XzOptions::with_preset(9);
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).expect("options");
    io::Write::write_all(&mut encoder, b"text\n").expect("in memory");
    let best = encoder.finish().expect("in memory");
    for outer in ALL {
        assert_eq!(read(&packed(outer, &tar(&[("mail.log.xz", &best)]))).0, "text\n", "{outer:?}");
    }
}

#[test]
fn the_oldest_of_an_archive_comes_first_and_each_from_a_line_on() {
    let gzip = packed(Packing::Gzip, b"oldest\n");
    let wide: Vec<u8> = "\u{feff}third\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let files: [(&str, &[u8]); 4] = [
        ("var/log/mail.log", b"last"),
        ("var/log/mail.log.1", &wide),
        ("var/log/mail.log.2", b"second, without its end"),
        ("var/log/mail.log.3.gz", &gzip),
    ];
    for archive in [tar, zip] {
        let text = read(&archive(&files)).0;
        assert_eq!(text, "oldest\nsecond, without its end\nthird\r\nlast\n");
    }
}

#[test]
fn what_is_no_log_is_left_out_and_told() {
    let noise: Vec<u8> = (0..=255).cycle().take(5000).collect();
    let inner = tar(&[("one.png", b"\x89PNG\r\n\x1a\n"), ("a.log", b"inner\n")]);
    let files: [(&str, &[u8]); 6] = [
        ("mail.log", b"text\n"),
        ("mail.err", b""),
        ("core", &noise),
        ("old.7z", b"7z\xbc\xaf\x27\x1c\0\x04"),
        ("more.tar", &inner),
        ("bad.gz", b"\x1f\x8bno gzip at all"),
    ];
    for archive in [tar, zip] {
        let mut left_out = open(&archive(&files)).expect("an archive").left_out;
        left_out.sort_unstable();
        let expected = [
            "bad.gz: damaged gzip data",
            "core: it is no text",
            "mail.err: it is empty",
            "more.tar: one.png: looks like a PNG image, not like a log",
            "old.7z: looks like 7z: unpack it first",
        ];
        assert_eq!(left_out.len(), expected.len(), "{left_out:?}");
        assert!(
            left_out.iter().zip(expected).all(|(one, begin)| one.starts_with(begin)),
            "{left_out:?}"
        );
        assert_eq!(read(&archive(&files)).0, "text\ninner\n");
        assert_eq!(
            refused(&archive(&files[2..3])),
            "an archive without a log in it: core: it is no text"
        );
        assert_eq!(refused(&archive(&[("log/", b"")])), "an archive without a file in it");
    }
}

#[test]
fn what_came_before_the_damage_is_text() {
    let line = "Nov 26 06:00:00 mail some text\n";
    let long = line.repeat(20_000);
    let gzip = packed(Packing::Gzip, long.as_bytes());
    let cut = &gzip[..gzip.len() / 2];
    for archive in [tar, zip] {
        let (text, end) = read(&archive(&[("mail.log.1.gz", cut), ("mail.log", b"more")]));
        assert!(long.starts_with(&text) && text.len() > 1000);
        let told = end.expect_err("cut").to_string();
        let expected =
            format!("mail.log.1.gz: the gzip data ends early, behind {} bytes of text", text.len());
        assert_eq!(told, expected);
    }
    let whole = tar(&[("mail.log.1", b"first\n"), ("mail.log", long.as_bytes())]);
    let (text, end) = read(&whole[..whole.len() / 2]);
    assert!(format!("first\n{long}").starts_with(text.trim_end()) && text.len() > 1000);
    let told = end.expect_err("cut").to_string();
    assert!(told.starts_with("the tar archive ends early, in or behind mail.log"), "{told}");
    let packed = packed(Packing::Xz, &whole);
    let told = read(&packed[..packed.len() - 30]).1.expect_err("cut").to_string();
    assert!(told.starts_with("the xz data ends early, behind"), "{told}");
    let (text, end) = read(&[tar(&[("mail.log", b"text\n")]), vec![0; 1 << 21]].concat());
    assert_eq!((text.as_str(), end.is_ok()), ("text\n", true));
    let two = [tar(&[("mail.log", b"text\n")]), tar(&[("mail.err", b"lost\n")])].concat();
    let told = read(&two).1.expect_err("two archives").to_string();
    assert!(told.contains("something follows its end"), "{told}");
    let whole = zip(&[("mail.log", long.as_bytes())]);
    assert!(refused(&whole[..whole.len() - 9]).starts_with("damaged zip archive"));
}

#[test]
fn a_tar_archive_can_neither_fill_the_memory_nor_give_without_end() {
    // A long name of 8 MiB before a file, and a file that says it is 2^60 zeros long.
    let mut long = ::tar::Header::new_gnu();
    long.set_entry_type(::tar::EntryType::GNULongName);
    long.set_size(8 << 20);
    long.set_cksum();
    let name =
        [long.as_bytes().as_slice(), &vec![b'x'; 8 << 20], &tar(&[("a", b"text\n")])].concat();
    let files = tar(&[("mail.log", b"text\n")]);
    let (text, end) = read(&[&files[..1024], &name].concat());
    assert_eq!(text, "text\n");
    assert!(end.expect_err("damage").to_string().contains("too long"));
    let mut sparse = ::tar::Header::new_gnu();
    let about = sparse.as_gnu_mut().expect("GNU");
    about.set_real_size(1 << 60);
    about.sparse[0].set_offset(1 << 60);
    about.sparse[0].set_length(0);
    sparse.set_path("holes.log").expect("a name");
    sparse.set_entry_type(::tar::EntryType::GNUSparse);
    sparse.set_size(0);
    sparse.set_cksum();
    let text = open(&[sparse.as_bytes(), &files[..]].concat()).expect("text");
    assert_eq!(text.left_out, ["holes.log: it is a sparse file: unpack it first"]);
}

#[test]
fn utf_16_is_text_and_no_file_that_grows() {
    let written = "Nov 26 06:00:00 Grüße\r\n";
    let wide: Vec<u8> = written.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let text = open(&wide).expect("text");
    assert_eq!((text.head.as_slice(), text.is_unpacked), (&b"Nov "[..], true));
    for raw in [wide.clone(), [&[0xfe, 0xff], &wide[..]].concat(), packed(Packing::Bzip2, &wide)] {
        assert_eq!(read(&raw).0, written);
    }
    let text = open(b"\xef\xbb\xbfNov 26 06:00:00\n").expect("text");
    assert!(!text.is_unpacked, "a mark of UTF-8 changes no offset");
}

#[test]
fn what_is_not_read_is_told() {
    assert!(refused(b"LPKSHHRH\0\0\0\0").contains("journalctl"));
    assert!(refused(&packed(Packing::Gzip, b"SQLite format 3\0")).contains("SQLite"));
}
