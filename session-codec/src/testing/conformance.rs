//! The suites that implementations of this crate's traits must pass. Owns what
//! is promised of them; panics where a promise is broken.

use serde_json::Value;

use crate::{Parser, ReadAt};

/// Checks an implementation of [`ReadAt`] that `make` fills with given bytes.
///
/// # Panics
///
/// Where the implementation breaks what the trait says.
pub fn read_at_conformance<R: ReadAt>(mut make: impl FnMut(&[u8]) -> R) {
    let long: Vec<u8> = (0..100_000_u32)
        .map(|n| (n % 251).to_le_bytes()[0])
        .collect();
    for bytes in [&b""[..], b"x", b"hello", &long] {
        let source = make(bytes);
        let source: &dyn ReadAt = &source;
        let size = bytes.len() as u64;
        assert!(
            source.size().is_ok_and(|given| given == size),
            "size is the length"
        );
        assert!(
            source.read_all().is_ok_and(|all| all == bytes),
            "read_all reads all"
        );
        for offset in [0, 1, size / 2, size.saturating_sub(1)] {
            for room in [0, 1, 2, bytes.len() / 2, bytes.len() + 10] {
                check_read(source, bytes, offset, room);
            }
        }
        for offset in [size, size + 1, size + (1 << 40)] {
            let mut buf = [7; 3];
            assert!(
                matches!(source.read_at(&mut buf, offset), Ok(0)),
                "nothing past the end"
            );
            assert_eq!(buf, [7; 3], "a read past the end leaves the buffer alone");
            let error = source
                .read_exact_at(&mut buf, offset)
                .map_err(|error| error.kind());
            assert_eq!(error, Err(std::io::ErrorKind::UnexpectedEof));
            assert!(
                source.read_exact_at(&mut [], offset).is_ok(),
                "nothing is always there"
            );
        }
    }
}

fn check_read(source: &dyn ReadAt, bytes: &[u8], offset: u64, room: usize) {
    let rest = usize::try_from(offset)
        .ok()
        .and_then(|from| bytes.get(from..))
        .unwrap_or(&[]);
    let mut buf = vec![0; room];
    let Ok(read) = source.read_at(&mut buf, offset) else {
        panic!("read_at of {room} at {offset} failed")
    };
    assert!(read <= rest.len().min(room), "no more bytes than there are");
    assert!(
        read > 0 || rest.is_empty() || room == 0,
        "0 only at the end"
    );
    assert_eq!(
        buf[..read],
        rest[..read],
        "the bytes are those at the offset"
    );
    let exact = rest.len().min(room);
    assert!(source.read_exact_at(&mut buf[..exact], offset).is_ok());
    assert_eq!(
        buf[..exact],
        rest[..exact],
        "read_exact_at reads on after a short read"
    );
    if room > rest.len() {
        assert!(
            source.read_exact_at(&mut buf, offset).is_err(),
            "too few bytes is an error"
        );
    }
}

/// Checks a [`Parser`] against `serde_json` on given texts and on generated
/// ones: what `serde_json` accepts it must accept, with an equal value. Only the sign of a zero without a
/// fraction may get lost.
///
/// # Panics
///
/// Where the parser answers differently.
pub fn parser_conformance<P: Parser>(parser: &P) {
    let given: [&[u8]; 10] = [
        b"null",
        b" [1, -2, 3.5, \"x\"] ",
        br#"{"a": {"b": [true, false, null]}, "c": "\u00e9\ud83d\ude00\n"}"#,
        b"18446744073709551615",
        b"18446744073709551616",
        b"-9223372036854775808",
        b"[1, 2",
        b"\xff",
        b"",
        b"1e999",
    ];
    let generated = super::documents(0x5eed, 400);
    for json in given.iter().map(|json| json.to_vec()).chain(generated) {
        let expected = serde_json::from_slice::<Value>(&json);
        let parsed = parser.parse::<Value>(&mut json.clone());
        if let Ok(expected) = expected {
            assert_eq!(
                parsed.ok().map(unsigned_zero),
                Some(unsigned_zero(expected)),
                "{}",
                json.escape_ascii()
            );
        } else if let Err(error) = parsed {
            assert!(error.offset() <= json.len(), "an offset inside the text");
        }
    }
    // Types decide too, and their errors name fields but no values.
    let error = parser
        .parse::<u8>(&mut b"\"secret\"".to_vec())
        .map_err(|error| error.to_string());
    assert!(
        error.is_err_and(|text| !text.contains("secret")),
        "texts quote nothing"
    );
    let raw = parser.parse::<Box<serde_json::value::RawValue>>(&mut b" [1,  2] ".to_vec());
    assert!(
        raw.is_ok_and(|raw| raw.get() == "[1,  2]"),
        "raw values are kept as they are"
    );
}

/// Makes every zero the integer one: `-0` is a float to `serde_json`, and an
/// integer without a sign to others.
fn unsigned_zero(value: Value) -> Value {
    match value {
        Value::Number(number) if number.as_f64() == Some(0.0) => Value::from(0),
        Value::Array(elements) => elements.into_iter().map(unsigned_zero).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, member)| (name, unsigned_zero(member)))
            .collect(),
        other => other,
    }
}
