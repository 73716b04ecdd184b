//! No error says anything of a document's content.

use std::fmt::Write as _;

use serde::Deserialize;
use session_codec::{Amendment, Codec, Error, HeaderSpec, Limits, TailCap, testing::sessions};

const SECRET: &str = "hunter2secret";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only decoded")]
struct Picky {
    id: u8,
    kind: Option<Kind>,
    #[serde(default, deserialize_with = "custom")]
    custom: (),
}

#[derive(Debug, Deserialize)]
enum Kind {
    A,
}

fn custom<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    let text = String::deserialize(deserializer)?;
    Err(serde::de::Error::custom(format!("bad value {text}")))
}

fn check(error: &Error) {
    let mut texts = format!("{error} {error:?}");
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        write!(texts, "{inner} {inner:?}").unwrap();
        source = inner.source();
    }
    assert!(!texts.contains(SECRET), "{texts}");
}

#[test]
fn errors_of_every_kind_quote_nothing() {
    let mut seen = 0;
    for document in [
        format!(r#"{{"id":"{SECRET}"}}"#),
        format!(r#"{{"id":"{SECRET}, expected {SECRET}"}}"#),
        format!(r#"{{"id":1,"kind":"{SECRET}"}}"#),
        format!(r#"{{"id":1,"{SECRET}":1}}"#),
        format!(r#"{{"id":1,"custom":"{SECRET}"}}"#),
        format!(r#"{{"id":{{"{SECRET}":1}}}}"#),
        format!(r#"{{"id":1 {SECRET}"#),
        format!(r#"{{"{SECRET}":[[1]],"messages":["{SECRET}"]}}"#),
        format!(r#"["{SECRET}""#),
    ] {
        let bytes = document.as_bytes();
        let codec = Codec::new().limits(Limits::default().depth(2));
        let cap = TailCap::new().cap("messages", 1);
        let amendment = Amendment::new().element("id", format!("\"{SECRET}\" x"));
        let spec = HeaderSpec::new(&[], &["none"], &["messages"]);
        let errors = [
            codec.decode::<Picky>(bytes.to_vec()).err(),
            codec.tail::<Picky, _>(bytes, &cap).err(),
            codec.tail_from_read::<Picky, _>(bytes, &cap).err(),
            codec.validate(bytes).err(),
            codec.header(bytes, &spec).err(),
            codec.amend(bytes, &amendment, std::io::sink()).err(),
        ];
        for error in errors.into_iter().flatten() {
            check(&error);
            seen += 1;
        }
    }
    assert!(seen > 25, "{seen} errors");
}

#[test]
fn a_truncated_session_fails_at_its_end_for_every_length() {
    for document in sessions(13, 6) {
        let document = document.trim_ascii();
        for cut in 0..document.len() {
            let bytes = &document[..cut];
            let error = Codec::new()
                .decode::<serde_json::Value>(bytes.to_vec())
                .unwrap_err();
            assert!(error.is_syntax(), "{error}");
            assert_eq!(error.offset(), Some(cut as u64), "{error}");
            let cap = TailCap::new().cap("messages", 2);
            let error = Codec::new()
                .tail::<serde_json::Value, _>(bytes, &cap)
                .unwrap_err();
            assert_eq!(error.offset(), Some(cut as u64), "{error}");
        }
    }
}
