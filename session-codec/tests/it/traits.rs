//! Every implementation of the crate's traits runs the trait's suite.

use std::{
    io::{self, Write},
    sync::Arc,
};

use session_codec::{
    Codec, ParseError, Parser, ReadAt, Revision, RevisionHasher, SerdeJson,
    testing::{parser_conformance, read_at_conformance},
};

fn file(bytes: &[u8]) -> std::fs::File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

#[test]
fn every_reader_conforms() {
    read_at_conformance(<[u8]>::to_vec);
    read_at_conformance(|bytes| -> Box<dyn ReadAt> { Box::new(bytes.to_vec()) });
    read_at_conformance(|bytes| -> Arc<[u8]> { bytes.into() });
    read_at_conformance(file);
}

#[cfg(feature = "mmap")]
#[test]
#[expect(unsafe_code, reason = "mapping is unsafe")]
fn the_mapped_reader_conforms() {
    read_at_conformance(|bytes| {
        // SAFETY: nobody else knows this temporary file.
        unsafe { session_codec::Mapped::new(&file(bytes)) }.unwrap()
    });
}

#[test]
fn a_reader_that_reads_past_the_end_is_caught() {
    #[derive(Debug)]
    struct Wraps(Vec<u8>);
    impl ReadAt for Wraps {
        fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
            let size = self.0.len() as u64;
            self.0.read_at(buf, if offset > size { 0 } else { offset })
        }
        fn size(&self) -> io::Result<u64> {
            self.0.size()
        }
    }
    let caught = std::panic::catch_unwind(|| read_at_conformance(|bytes| Wraps(bytes.to_vec())));
    assert!(caught.is_err());
}

#[test]
fn every_parser_conforms() {
    parser_conformance(&SerdeJson);
    #[cfg(feature = "simd-json")]
    parser_conformance(&session_codec::SimdJson);
}

#[test]
fn a_parser_that_rounds_integers_is_caught() {
    #[derive(Debug, Clone, Default)]
    struct Rounds;
    impl Parser for Rounds {
        fn parse<T: serde::de::DeserializeOwned>(&self, json: &mut [u8]) -> Result<T, ParseError> {
            let text = String::from_utf8_lossy(json).replace("18446744073709551615", "1.8e19");
            SerdeJson.parse(&mut text.into_bytes())
        }
    }
    assert!(std::panic::catch_unwind(|| parser_conformance(&Rounds)).is_err());
}

/// What simd-json accepts beyond `serde_json`, through the codec: nothing of
/// structure, since the walk comes first. The differences left are listed here.
#[cfg(feature = "simd-json")]
#[test]
fn the_differences_of_simd_json_are_known() {
    use serde_json::Value;
    let codec = Codec::with_parser(session_codec::SimdJson);
    let mut differences = std::collections::BTreeSet::new();
    for json in session_codec::testing::documents(14, 6000) {
        let (simd, plain) = (
            codec.decode::<Value>(json.clone()),
            Codec::new().decode::<Value>(json),
        );
        match (simd, plain) {
            (Ok(simd), Ok(plain)) if simd == plain => {}
            // `-0` loses its sign, and nothing else differs.
            (Ok(simd), Ok(plain)) => {
                let unsigned = |value: &Value| value.to_string().replace("-0.0", "0");
                assert_eq!(unsigned(&simd), unsigned(&plain));
                differences.insert("a zero without sign".to_owned());
            }
            (Ok(_), Err(error)) => {
                let text = error.to_string();
                differences.insert(text.split(": ").nth(1).unwrap().to_owned());
            }
            (Err(simd), Err(plain)) => assert_eq!(simd.to_string(), plain.to_string()),
            (Err(error), Ok(_)) => panic!("{error} where serde_json accepts"),
        }
    }
    println!("simd-json differs in: {differences:?}");
    let known = ["a zero without sign"];
    assert!(
        differences.iter().all(|d| known.contains(&d.as_str())),
        "{differences:?}"
    );
}

#[test]
fn revisions_have_a_text_form_and_stream() {
    let revision = Revision::of(b"some bytes");
    assert_eq!(revision.to_string().len(), 32);
    assert_eq!(revision.to_string().parse(), Ok(revision));
    assert_eq!(Revision::from_bytes(*revision.as_bytes()), revision);
    for bad in [
        "",
        "0",
        &"g".repeat(32),
        &"A".repeat(32),
        &"0".repeat(33),
        &format!("+{}", "0".repeat(31)),
    ] {
        assert!(bad.parse::<Revision>().is_err(), "{bad}");
    }
    let bytes: Vec<u8> = (0..10_000_u32).flat_map(u32::to_le_bytes).collect();
    for cut in [1, 7, 240, 1024, 39_999] {
        let mut hasher = RevisionHasher::new();
        bytes
            .chunks(cut)
            .for_each(|chunk| hasher.write_all(chunk).unwrap());
        assert_eq!(hasher.finish(), Revision::of(&bytes));
    }
}

#[test]
fn types_are_send_and_sync() {
    fn check<T: Send + Sync + std::fmt::Debug>() {}
    check::<Codec>();
    check::<session_codec::Error>();
    check::<session_codec::Pruned>();
    check::<session_codec::TailDecoded<u8>>();
    check::<session_codec::HeaderSpec>();
    check::<session_codec::HeaderText>();
    check::<session_codec::Amendment>();
    check::<RevisionHasher>();
}
