//! What is and is not judged in elements that a tail drops: the list in the
//! crate's documentation, and the codec that judges all.

use serde_json::Value;
use session_codec::{Codec, TailCap, testing::documents};

fn codecs() -> [Codec; 3] {
    let codec = Codec::new();
    [
        codec.clone(),
        codec.clone().read_size(1),
        codec.read_size(5),
    ]
}

fn drops(codec: &Codec, element: &[u8]) -> Result<Value, session_codec::Error> {
    let document = [b"{\"a\":[", element, b", 1]}"].concat();
    let cap = TailCap::new().cap("a", 1);
    let read = codec.tail_from_read::<Value, _>(document.as_slice(), &cap);
    let tail = codec.tail::<Value, _>(&document, &cap);
    assert_eq!(
        read.as_ref()
            .map_err(ToString::to_string)
            .map(|tail| &tail.value),
        tail.as_ref()
            .map_err(ToString::to_string)
            .map(|tail| &tail.value)
    );
    tail.map(|tail| tail.value)
}

#[test]
fn the_list_of_what_is_not_checked_in_dropped_elements_is_exact() {
    let passes: [(&str, &[u8]); 20] = [
        ("bad UTF-8", b"\"\xff\""),
        ("lone surrogate", br#""\ud800""#),
        ("number out of range", b"1e999"),
        ("invalid escape", br#"["\x"]"#),
        ("cut escape", br#"["\u12"]"#),
        ("control character in a string", b"\"\n\""),
        ("invalid number", b"01"),
        ("number without digits", b"-"),
        ("invalid word", b"nul"),
        ("words side by side", b"1 2"),
        ("strings side by side", br#""a" "b""#),
        ("something after a string", br#""a"b"#),
        ("brackets of another kind inside", b"[[}]"),
        ("missing comma inside", b"[1 2]"),
        ("surplus comma inside", b"[1,,]"),
        ("missing colon", br#"{"a" 1}"#),
        ("missing name", b"{1}"),
        ("missing value", br#"{"a":}"#),
        ("control character outside strings", b"[\0]"),
        ("bare text inside", b"[abc]"),
    ];
    for (name, element) in passes {
        let document = [b"{\"a\":[", element, b"]}"].concat();
        assert!(
            serde_json::from_slice::<Value>(&document).is_err(),
            "{name}"
        );
        for codec in codecs() {
            assert!(drops(&codec, element).is_ok(), "{name}");
            assert!(codec.count(&document, &["a"]).is_ok(), "{name}");
            // Kept, or asked for by name, it is refused.
            let kept = codec.tail::<Value, _>(&document, &TailCap::new().cap("a", 1));
            assert!(kept.unwrap_err().is_syntax(), "{name}");
            let strict = drops(&codec.strict(true), element).unwrap_err();
            assert!(strict.is_syntax(), "{name}: {strict}");
        }
    }
    let refused: [(&str, &[u8]); 12] = [
        ("no element", b""),
        ("no element after one", b"1, ,2"),
        ("unterminated string", b"\"a"),
        ("unterminated array", b"[1"),
        ("unterminated object", br#"{"a":1"#),
        ("surplus bracket", b"1]"),
        ("surplus brace", b"1}"),
        ("element closed by another kind", b"[1}"),
        ("something after a container", b"{} 1"),
        ("containers side by side", b"[][]"),
        ("a container after a scalar", b"1 []"),
        ("a backslash outside strings", br#"[\"]"#),
    ];
    for (name, element) in refused {
        for codec in codecs() {
            assert!(drops(&codec, element).is_err(), "{name}");
            assert!(drops(&codec.strict(true), element).is_err(), "{name}");
        }
    }
    for start in ["x", "+1", ".5", "'a'", "\u{feff}1", "/"] {
        assert!(
            drops(&Codec::new(), start.as_bytes()).is_err(),
            "{start} begins no value"
        );
    }
}

#[test]
fn strict_judges_as_a_decode_does() {
    let given: [&[u8]; 26] = [
        b"1e308",
        b"1e309",
        b"-1e309",
        b"0e999999999999999999999",
        b"1e-999999999999999999999",
        b"1.7976931348623157e308",
        b"1.7976931348623158e308",
        b"1.7976931348623159e308",
        b"0.0000000000000000000000000000000001e340",
        b"0.1e309",
        b"0.1e310",
        b"10000000000e298",
        b"10000000000e299",
        b"123456789012345678901234567890",
        b"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
        b"\"\xc3\"",
        b"\"\xf0\x9f\x98\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xc0\x80\"",
        b"\"\xf5\x80\x80\x80\"",
        br#""\ud83d\ude00""#,
        br#""\ud83dx""#,
        br#""\ud83d\n""#,
        br#""\ud83d\ud83d""#,
        br#""\ude00""#,
        br#""\ud83d""#,
    ];
    let long = [
        [b"1".to_vec(), vec![b'0'; 308]].concat(),
        [b"1".to_vec(), vec![b'0'; 309]].concat(),
        [vec![b'9'; 2000], b"e-1800".to_vec()].concat(),
        [vec![b'9'; 2000], b"e-1600".to_vec()].concat(),
        [b"0.".to_vec(), vec![b'0'; 2000], b"1e2300".to_vec()].concat(),
        [b"0.".to_vec(), vec![b'0'; 2000], b"1e2400".to_vec()].concat(),
        // Half way to infinity, and one digit far behind that.
        b"179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880".to_vec(),
    ];
    let generated = documents(31, 3000);
    let mut refused = 0;
    for element in given
        .iter()
        .map(|e| e.to_vec())
        .chain(long)
        .chain(generated)
    {
        let document = [b"{\"a\":[", element.as_slice(), b", 1]}"].concat();
        let expected = serde_json::from_slice::<Value>(&document).is_ok();
        refused += usize::from(!expected);
        for codec in codecs() {
            let verdict = drops(&codec.strict(true), &element);
            assert_eq!(verdict.is_ok(), expected, "{}", document.escape_ascii());
        }
    }
    assert!((500..2800).contains(&refused), "{refused} refused");
}

#[test]
fn strict_faults_are_placed_at_one_byte_however_the_document_is_cut() {
    for element in documents(32, 600) {
        let texts = codecs().map(|codec| {
            let verdict = drops(&codec.strict(true), &element);
            verdict.map_err(|error| error.to_string())
        });
        assert!(texts.windows(2).all(|pair| pair[0] == pair[1]), "{texts:?}");
    }
}
