//! Named bad documents: each gives a typed error with a place, from every
//! operation that reads all of it.

use serde_json::Value;
use session_codec::{Amendment, Codec, TailCap};

fn check(name: &str, document: &[u8], offset: u64) {
    let cap = TailCap::all(&["messages", "tool_uses"], 2);
    let codec = Codec::new();
    let errors = [
        codec.decode::<Value>(document.to_vec()).unwrap_err(),
        codec.tail::<Value, _>(document, &cap).unwrap_err(),
        codec
            .tail_from_read::<Value, _>(document, &cap)
            .unwrap_err(),
        codec.prune(document, &cap).unwrap_err(),
        codec.validate(document).unwrap_err(),
        codec.count(document, &["messages"]).unwrap_err(),
        codec
            .amend(document, &Amendment::new(), std::io::sink())
            .unwrap_err(),
    ];
    for error in errors {
        assert!(error.is_syntax() || error.is_limit(), "{name}: {error}");
        assert_eq!(error.offset(), Some(offset), "{name}: {error}");
    }
}

#[test]
fn bad_documents_give_typed_errors() {
    let good = br#"{"id":"a","messages":[{"role":"user"}]}"#;
    let len = good.len() as u64;
    check("0 bytes", b"", 0);
    check("white space", b" \n", 2);
    check("all nul", &[0; 100], 0);
    check("nul tail", &[&good[..], &[0; 100]].concat(), len);
    check("garbage after", &[&good[..], b"x"].concat(), len);
    check("two documents", &[&good[..], &good[..]].concat(), len);
    check(
        "two documents on two lines",
        &[&good[..], b"\n", &good[..]].concat(),
        len + 1,
    );
    check("byte order mark", &[&b"\xef\xbb\xbf"[..], good].concat(), 0);
    let utf16: Vec<u8> = good.iter().flat_map(|b| [*b, 0]).collect();
    check("utf-16 le", &utf16, 1);
    let utf16: Vec<u8> = good.iter().flat_map(|b| [0, *b]).collect();
    check("utf-16 be", &utf16, 0);
    check("control character", b"{\"id\":\"a\nb\"}", 8);
    check("bad escape", br#"{"id":"\x"}"#, 8);
    check("cut surrogate", br#"{"id":"\ud8"}"#, 11);
    check("trailing comma", br#"{"messages":[1,]}"#, 15);
    check("leading zero", br#"{"n":01}"#, 6);
    check("no colon", br#"{"n" 1}"#, 5);
    check("name is no string", b"{1:1}", 1);
    check("wrong bracket", br#"{"messages":[1}}"#, 14);
    check(
        "100,000 deep",
        &[b"{\"a\":".repeat(100_000), b"1".to_vec()].concat(),
        5 * 127,
    );
    check(
        "100,000 deep arrays",
        &[&b"{\"a\":"[..], &b"[".repeat(100_000)].concat(),
        5 + 126,
    );
}

#[test]
fn bad_text_is_found_where_it_is_kept() {
    for (name, text) in [
        ("bad utf-8", &b"\"\xff\""[..]),
        ("lone surrogate", br#""\ud800""#),
        ("number out of range", b"1e999"),
    ] {
        let document = [b"{\"id\":", text, b"}"].concat();
        let error = Codec::new().decode::<Value>(document.clone()).unwrap_err();
        assert!(error.is_syntax(), "{name}: {error}");
        let error = Codec::new()
            .tail::<Value, _>(&document, &TailCap::new())
            .unwrap_err();
        assert!(error.is_syntax(), "{name}: {error}");
        assert!(
            Codec::new().validate(&document).is_ok(),
            "{name} is grammatical"
        );
    }
}

#[test]
fn wrong_types_are_data_errors() {
    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only decoded")]
    struct Typed {
        id: String,
        messages: Vec<Value>,
    }
    for document in [
        r#"{"id":1,"messages":[]}"#,
        r#"{"id":"a","messages":{}}"#,
        r#"{"id":"a","messages":null}"#,
        r#"{"id":"a"}"#,
        r#"{"id":"a","id":"b","messages":[]}"#,
        "5",
    ] {
        let cap = TailCap::new().cap("messages", 1);
        let bytes = document.as_bytes();
        let errors = [
            Codec::new().decode::<Typed>(bytes.to_vec()).unwrap_err(),
            Codec::new().tail::<Typed, _>(bytes, &cap).unwrap_err(),
            Codec::new()
                .tail_from_read::<Typed, _>(bytes, &cap)
                .unwrap_err(),
        ];
        for error in errors {
            assert!(error.is_data(), "{document}: {error}");
            assert!(
                error.offset().is_some_and(|at| at < bytes.len() as u64),
                "{error}"
            );
        }
    }
}
