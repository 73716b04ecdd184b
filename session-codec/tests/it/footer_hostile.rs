//! Footers that are stale, copied, moved, doubled, damaged or forged: the answer
//! is that of decoding everything, nothing panics, nothing outside the file is
//! read, and a check tells.

use std::io;

use serde_json::{Value, json};
use session_codec::{Codec, CountBuffer, FooterFault, FooterUse, ReadAt, Revision, TailCap};

use crate::{
    footer::{ARRAYS, check_page, codec, long, written},
    support::oracle,
};

/// Fails the test if anybody reads from behind the end.
#[derive(Debug)]
struct Fenced<'a>(&'a [u8]);

impl ReadAt for Fenced<'_> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        assert!(offset <= self.0.len() as u64, "a read from {offset}");
        assert!(buf.len() <= self.0.len() + (256 << 10));
        self.0.read_at(buf, offset)
    }

    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }
}

fn small() -> Vec<u8> {
    long(40, 700)
}

fn split(document: &[u8]) -> (&[u8], &[u8]) {
    let body = codec().footer(document).unwrap().unwrap().body_bytes();
    document.split_at(usize::try_from(body).unwrap())
}

/// What a footer alone says of the arrays; it has to be sound for that.
fn counted(document: &[u8]) -> Option<Vec<Option<u64>>> {
    let mut buffer = CountBuffer::new();
    let counts = Codec::new().count_marked(&Fenced(document), ARRAYS, &mut buffer);
    let counts = counts.unwrap().map(<[_]>::to_vec);
    if let Some(counts) = &counts {
        let footer = codec()
            .footer(document)
            .unwrap()
            .expect("one that is sound");
        let named: Vec<_> = ARRAYS.iter().map(|name| footer.count(name)).collect();
        assert_eq!(counts, &named);
    }
    counts
}

/// The counts of a document are those of decoding everything.
fn same_counts(document: &[u8]) {
    let by_footer = counted(document);
    let Ok((value, _)) = oracle(document, &TailCap::all(ARRAYS, usize::MAX)) else {
        return;
    };
    let many = |name: &&str| {
        let array = value.get(*name).and_then(Value::as_array)?;
        Some(array.len() as u64)
    };
    let expected: Vec<_> = ARRAYS.iter().map(many).collect();
    assert!(by_footer.is_none_or(|counts| counts == expected));
    let counts = Codec::new().count(&Fenced(document), ARRAYS).unwrap();
    let counts: Vec<_> = counts.into_iter().map(|(_, count)| count).collect();
    assert_eq!(counts, expected, "{}", document.escape_ascii());
}

/// The tail of a document is what decoding everything gives, errors included.
fn same_answer(document: &[u8]) -> FooterUse {
    same_counts(document);
    let mut used = FooterUse::Used;
    for keep in [2, 25] {
        let cap = TailCap::all(ARRAYS, keep);
        let tail = Codec::new().tail::<Value, _>(&Fenced(document), &cap);
        if let Ok((value, dropped)) = oracle(document, &cap) {
            let tail = tail.unwrap();
            assert_eq!(tail.value, value, "{}", document.escape_ascii());
            let gone: Vec<u64> = tail.dropped.iter().map(|(_, gone)| *gone).collect();
            assert_eq!(gone, dropped);
            let revision = Revision::of_document(document);
            assert_eq!(tail.revision, revision);
            assert_eq!(codec().revision(document).unwrap(), revision);
            used = tail.footer;
        } else {
            used = FooterUse::Absent;
            match tail {
                Err(error) => assert!(error.is_syntax() || error.is_data(), "{error}"),
                // Of the reserved member only the grammar is checked, so bad
                // UTF-8 passes in it, and nowhere else.
                Ok(tail) => {
                    let readable = String::from_utf8_lossy(document).into_owned();
                    assert_ne!(readable.as_bytes(), document);
                    let (value, _) = oracle(readable.as_bytes(), &cap).unwrap();
                    assert_eq!(tail.value, value);
                    used = tail.footer;
                }
            }
        }
    }
    used
}

/// Gives a changed footer the checksum it needs to be believed.
fn forge(footer: &[u8]) -> Vec<u8> {
    let checked = footer.len() - "\",\"check\":\"01234567\"}}".len();
    let mut forged = footer[..checked].to_vec();
    let check = crc32fast::hash(&forged);
    forged.extend_from_slice(format!("\",\"check\":\"{check:08x}\"}}}}").as_bytes());
    forged
}

#[test]
fn a_damaged_byte_of_a_footer_changes_no_answer() {
    let document = long(12, 30);
    let (body, _) = split(&document);
    assert_eq!(same_answer(&document), FooterUse::Used);
    for at in body.len()..document.len() {
        for change in [1_u8, 0x20, 0x80] {
            let mut damaged = document.clone();
            damaged[at] ^= change;
            assert_ne!(same_answer(&damaged), FooterUse::Used, "byte {at}");
        }
        same_answer(&document[..at]);
        let mut shorter = document.clone();
        shorter.remove(at);
        assert_ne!(same_answer(&shorter), FooterUse::Used, "without {at}");
    }
}

#[test]
fn forged_numbers_never_panic_nor_read_outside_and_a_check_tells() {
    let document = small();
    let (body, footer) = split(&document);
    let text = std::str::from_utf8(footer).unwrap();
    let mut forgeries = 0;
    let mut at = 0;
    while let Some(from) = text[at..]
        .find(|c: char| c.is_ascii_digit())
        .map(|i| i + at)
    {
        let to = text[from..]
            .find(|c: char| !c.is_ascii_digit())
            .map_or(text.len(), |i| i + from);
        at = to;
        let number: u64 = text[from..to].parse().unwrap_or(0);
        let size = document.len() as u64;
        let others = [
            0,
            1,
            number.wrapping_add(1),
            number.wrapping_sub(1),
            number.wrapping_mul(2),
            size,
            size * 2,
            u64::from(u32::MAX),
            i64::MAX.unsigned_abs(),
            u64::MAX,
        ];
        for other in others.into_iter().filter(|other| *other != number) {
            let forged = [&text[..from], &other.to_string(), &text[to..]].concat();
            let forged = [body, &forge(forged.as_bytes())].concat();
            if forged == document {
                // It was the checksum that was changed.
                continue;
            }
            let source = Fenced(&forged);
            for keep in [0, 3, 100] {
                let cap = TailCap::all(ARRAYS, keep);
                let _ = Codec::new().tail::<Value, _>(&source, &cap);
            }
            let _ = Codec::new().page::<Value, _>(&source, ARRAYS, "messages", 3..9);
            let _ = Codec::new().count(&source, ARRAYS);
            let _ = counted(&forged);
            let report = Codec::new().check_footer(&source);
            // Bounds may be wider than they need be.
            let bound = ["\"depth\":", "\"largest\":"]
                .iter()
                .any(|name| text[..from].ends_with(name));
            if let Ok(report) = report
                && !bound
            {
                assert_ne!(report.used, FooterUse::Used, "{from}: {other}");
            }
            forgeries += 1;
        }
    }
    assert!(forgeries > 200, "{forgeries}");
}

#[test]
fn footers_left_over_by_honest_tools_change_no_answer() {
    let document = small();
    let (body, footer) = split(&document);
    let other = long(41, 700);
    let (other_body, other_footer) = split(&other);
    let member = &footer[1..footer.len() - 1];
    let object = std::str::from_utf8(body).unwrap();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("copied", [body, other_footer].concat()),
        ("of a shorter one", [other_body, footer].concat()),
        ("doubled", [body, b",", member, footer].concat()),
        (
            "another before",
            [body, &other_footer[..other_footer.len() - 1], footer].concat(),
        ),
        (
            "twice the same",
            [body, &footer[..footer.len() - 1], footer].concat(),
        ),
        ("not last", [body, b",", member, b",\"z\":1}"].concat()),
        ("first", [b"{", member, b",", &body[1..], b"}"].concat()),
        ("a line after", [&document[..], b"\n"].concat()),
        ("white space before", [b" ", &document[..]].concat()),
        (
            "an element added",
            [
                object
                    .replacen("\"messages\":[", "\"messages\":[0,", 1)
                    .as_bytes(),
                footer,
            ]
            .concat(),
        ),
        (
            "a member added",
            [body, b",\"agent\":\"x\"", footer].concat(),
        ),
        (
            "an array twice",
            [body, b",\"messages\":[1,2]", footer].concat(),
        ),
        ("indented", {
            let value: Value = serde_json::from_slice(&document).unwrap();
            serde_json::to_vec_pretty(&value).unwrap()
        }),
    ];
    for (name, case) in cases {
        assert!(serde_json::from_slice::<Value>(&case).is_ok(), "{name}");
        assert_ne!(same_answer(&case), FooterUse::Used, "{name}");
        let report = codec().check_footer(&case).unwrap();
        assert_ne!(report.used, FooterUse::Used, "{name}");
        let tail = codec().tail::<Value, _>(&case, &TailCap::all(ARRAYS, 3));
        check_page(&case, 5, 9, tail.unwrap().footer);
    }
}

#[test]
fn a_body_edited_in_place_is_noticed_wherever_it_is_read() {
    let document = long(300, 700);
    let (body, _) = split(&document);
    let cap = TailCap::all(ARRAYS, 20);
    let clean = codec().tail::<Value, _>(&document, &cap).unwrap();
    let mut unread = 0;
    for at in (0..body.len())
        .filter(|at| document[*at] == b'x')
        .step_by(97)
    {
        let mut edited = document.clone();
        edited[at] = b'y';
        let tail = codec().tail::<Value, _>(&edited, &cap).unwrap();
        assert_eq!(tail.value, oracle(&edited, &cap).unwrap().0);
        same_counts(&edited);
        assert_eq!(tail.dropped, clean.dropped);
        if tail.footer == FooterUse::Used {
            // Of bytes that are not read, only reading them all can tell.
            assert_eq!(tail.value, clean.value);
            unread += 1;
        } else {
            assert_eq!(tail.footer, FooterUse::Ignored(FooterFault::Checksum));
        }
        let report = codec().check_footer(&edited).unwrap();
        assert_eq!(report.used, FooterUse::Ignored(FooterFault::Checksum));
        let revision = codec().revision(&edited).unwrap();
        assert_eq!(revision, Revision::of(&edited));
        assert_ne!(revision, clean.revision);
    }
    assert!(unread > 100, "{unread}");
}

#[test]
fn a_mutant_that_believes_a_footer_unchecked_is_caught() {
    // Two documents of one length, with different numbers of elements.
    let (one, _) = written(&json!({"messages": ["a", "b", "c"]}));
    let (two, _) = written(&json!({"messages": ["a,b", "123"]}));
    let ((one_body, one_footer), (two_body, _)) = (split(&one), split(&two));
    assert_eq!(one_body.len(), two_body.len());
    let stale = [two_body, one_footer].concat();
    // What the mutant would say.
    let claimed = codec().footer(&stale).unwrap().unwrap();
    assert_eq!(claimed.count("messages"), Some(3));
    assert_ne!(same_answer(&stale), FooterUse::Used);
}

#[test]
fn a_parser_that_fails_on_the_window_is_given_the_whole() {
    #[derive(Debug, serde::Deserialize)]
    struct Numbers {
        #[serde(rename = "messages")]
        _messages: Vec<u32>,
    }
    // Bytes that only a type refuses, inside the window, under right checksums.
    let document = br#"{"messages":[1,2,"three"]}"#;
    let mut out = Vec::new();
    codec()
        .amend(document, &session_codec::Amendment::new(), &mut out)
        .unwrap();
    let cap = TailCap::new().cap("messages", 1);
    let error = codec().tail::<Numbers, _>(&out, &cap).unwrap_err();
    let plain = Codec::new().tail::<Numbers, _>(document, &cap).unwrap_err();
    assert_eq!(error.to_string(), plain.to_string());
}

#[test]
fn the_documented_example_and_the_golden_file_are_what_is_written() {
    let value = json!({"id": "a", "messages": [{"n": 1}, {"n": 2}], "tool_uses": [], "z": 3});
    let (document, _) = written(&value);
    let golden = include_bytes!("../fixtures/footer-1.json");
    assert_eq!(document, golden, "{}", document.escape_ascii());
    assert_eq!(same_answer(golden), FooterUse::Used);
    let text = include_str!("../../../docs/format.md");
    let written = std::str::from_utf8(golden).unwrap();
    assert!(text.contains(written), "the example differs from {written}");
}
