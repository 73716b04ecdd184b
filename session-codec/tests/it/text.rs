//! Strings are judged and decoded as `serde_json` does it, wherever in a block of bytes
//! something stands in them, with every instruction set and at every cut.

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;
use session_codec::{Codec, testing::Instructions};

/// What may stand in a string, and what may not.
const PIECES: [&[u8]; 34] = [
    br#"\""#,
    br"\\",
    br"\/",
    br"\b",
    br"\f",
    br"\n",
    br"\r",
    br"\t",
    br"\\\\",
    br"\\\n",
    br#"\\\""#,
    br"\u0041",
    br"\uD7ff",
    br"\ue000",
    br"\u00e9\n\u00E8",
    br"\ud83d\ude00",
    br"\ud83d",
    br"\ud83dx",
    br"\ud83d\n",
    br"\ud83d\u0041",
    br"\ude00",
    br"\uDBFF\uDFFF",
    br"\u12",
    br"\u12g4",
    br"\u123g",
    br"\U0041",
    br"\x",
    b"\\\n",
    b"\n",
    b"\0",
    b"\x1f",
    b"\x7f",
    "é€😀".as_bytes(),
    b"\xff",
];

fn sets() -> impl Iterator<Item = Instructions> {
    Instructions::ALL
        .into_iter()
        .filter(|set| set.is_available())
}

/// Compares the walker with the skip and the decode of `serde_json`, and the
/// name it gives a fault with that of other cuts and instruction sets.
fn check(json: &[u8], read_sizes: &[usize]) -> bool {
    let skipped = serde_json::from_slice::<IgnoredAny>(json).is_ok();
    let value = serde_json::from_slice::<Value>(json).ok();
    let decoded = value.is_some();
    assert_eq!(Codec::new().decode::<Value>(json.to_vec()).ok(), value);
    assert_eq!(
        Codec::new()
            .load::<Value, _>(json)
            .ok()
            .map(|loaded| loaded.value),
        value
    );
    let named = |codec: &Codec| {
        let loose = codec.validate(json).map(|valid| valid.bytes);
        let strict = codec.clone().strict(true).check_footer(json);
        [
            loose.err().map(|error| error.to_string()),
            strict.err().map(|error| error.to_string()),
        ]
    };
    let narrow = Codec::new().instructions(Instructions::Portable);
    let expected = named(&narrow.read_size(1));
    let accepts = [expected[0].is_none(), expected[1].is_none()];
    assert_eq!(accepts, [skipped, decoded], "{}", json.escape_ascii());
    for set in sets() {
        for read_size in read_sizes {
            let codec = Codec::new().instructions(set).read_size(*read_size);
            let found = named(&codec);
            let shown = json.escape_ascii();
            assert_eq!(found, expected, "{set:?} by {read_size}: {shown}");
        }
    }
    decoded
}

#[test]
fn every_escape_and_fault_is_met_at_every_place_of_a_block() {
    let mut accepted = 0;
    for piece in PIECES {
        for before in (0..140).chain([16_000]) {
            let text = [&vec![b'a'; before], piece, &[b'b'; 70]].concat();
            let json = [b"[\"", text.as_slice(), b"\"]"].concat();
            accepted += u32::from(check(&json, &[1 << 16, 64, 127]));
        }
    }
    // Twenty of the pieces are sound.
    assert_eq!(accepted, 20 * 141);
}

#[test]
fn what_stands_behind_the_end_of_a_string_is_not_taken_for_its_inside() {
    for piece in PIECES {
        for before in 0..70 {
            for after in [0, 80] {
                let (text, rest) = (vec![b'a'; before], vec![b'b'; after]);
                let json = [
                    b"{\"",
                    &text[..],
                    b"\":\"",
                    piece,
                    &rest,
                    b"\",\"c\":\"\\n\"}",
                ];
                check(&json.concat(), &[1 << 16]);
            }
        }
    }
}

#[test]
fn strings_cut_off_anywhere_are_refused() {
    let text = PIECES[..16].concat();
    for before in [0, 1, 2, 3, 60, 61, 62, 63] {
        let json = [&b"\""[..], &vec![b'a'; before], &text, &text].concat();
        for end in 0..=json.len() {
            assert!(!check(&json[..end], &[1 << 16, 5]));
        }
        assert!(check(&[json, b"\"".to_vec()].concat(), &[1 << 16, 5]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_string_cut_and_set(
        parts in proptest::collection::vec((0_usize..80, 0..PIECES.len()), 0..12),
        sound in any::<bool>(),
        cut in 1_usize..300,
    ) {
        let mut json = b"[\"".to_vec();
        for (plain, piece) in parts {
            json.resize(json.len() + plain, b'x');
            // Most strings with any piece are broken.
            json.extend_from_slice(PIECES[if sound { piece % 16 } else { piece }]);
        }
        json.extend_from_slice(b"\", \"end\"]");
        check(&json, &[cut, 1 << 16]);
    }
}
