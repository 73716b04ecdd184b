//! What is an id and what is not.

use std::collections::HashMap;

use session_model::{InvalidId, SessionId};

#[test]
fn ids_are_exactly_those_of_the_rule() {
    let longest = "a".repeat(128);
    for text in [
        "a",
        "0",
        "A-_",
        "conn",
        "com",
        "com10",
        "lpt",
        "nul-",
        longest.as_str(),
    ] {
        assert_eq!(SessionId::new(text).expect(text), text);
    }
    let long = "a".repeat(129);
    let longer = "b".repeat(300);
    for text in [
        "",
        ".",
        "..",
        "a/b",
        "/a",
        "a\\b",
        "-a",
        "_a",
        "a.json",
        "a b",
        "a\0",
        "a\n",
        "\u{e9}",
        long.as_str(),
        longer.as_str(),
        "CON",
        "con",
        "Prn",
        "AUX",
        "nul",
        "COM0",
        "com9",
        "LPT1",
        "lpt0",
        "C:",
        ".workspace_index",
    ] {
        assert!(SessionId::new(text).is_err(), "{text}");
        assert!(SessionId::try_from(text.to_owned()).is_err(), "{text}");
        assert!(
            serde_json::from_value::<SessionId>(text.into()).is_err(),
            "{text}"
        );
    }
}

#[test]
fn every_single_byte_is_judged_as_the_rule_says() {
    for byte in 0..=127_u8 {
        let alone = char::from(byte).to_string();
        let second = format!("x{alone}");
        assert_eq!(
            SessionId::new(&alone).is_ok(),
            byte.is_ascii_alphanumeric(),
            "{byte}"
        );
        assert_eq!(
            SessionId::new(&second).is_ok(),
            byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_',
            "{byte}"
        );
    }
}

#[test]
fn an_error_shows_little_and_escapes_it() {
    let error = SessionId::new(&"\u{1b}[31m".repeat(1_000))
        .expect_err("too long")
        .to_string();
    assert!(error.len() < 160, "{error}");
    assert!(!error.contains('\u{1b}'));
    assert_eq!(
        SessionId::new("a/b").expect_err("a slash").to_string(),
        "invalid session id \"a/b\": only ASCII letters, digits, `_` and `-` are allowed, letter or digit first"
    );
}

#[test]
fn an_id_is_used_like_a_text() -> Result<(), InvalidId> {
    let id: SessionId = "s1".parse()?;
    let map = HashMap::from([(id.clone(), 1)]);
    assert_eq!(map.get("s1"), Some(&1));
    assert_eq!(id.len(), 2);
    assert_eq!(format!("{id:>4}"), "  s1");
    assert_eq!(String::from(id.clone()), "s1");
    assert!(id < SessionId::try_from("s2")?);
    Ok(())
}
