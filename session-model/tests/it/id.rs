//! What is an id and what is not.

use std::collections::HashMap;

use session_model::{InvalidId, SessionId};

const IDS: [&str; 8] = ["a", "0", "A-_", "conn", "com", "com10", "lpt", "nul-"];

const NO_IDS: [&str; 24] = [
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
];

/// A rule for ids.
type Rule<'r> = &'r dyn Fn(&str) -> bool;

/// P20: the texts that a rule for ids takes for what they are not.
fn misjudged(is_id: Rule<'_>) -> Vec<String> {
    let ids = IDS.map(str::to_owned).into_iter().chain(["a".repeat(128)]);
    let no_ids = NO_IDS.map(str::to_owned).into_iter();
    let no_ids = no_ids.chain(["a".repeat(129), "b".repeat(300)]);
    let wrong = ids.filter(|text| !is_id(text));
    wrong.chain(no_ids.filter(|text| is_id(text))).collect()
}

#[test]
fn ids_are_exactly_those_of_the_rule() {
    let none: [String; 0] = [];
    assert_eq!(misjudged(&|text| SessionId::new(text).is_ok()), none);
    let owned = |text: &str| SessionId::try_from(text.to_owned()).is_ok();
    assert_eq!(misjudged(&owned), none);
    let read = |text: &str| serde_json::from_value::<SessionId>(text.into()).is_ok();
    assert_eq!(misjudged(&read), none);
}

#[test]
fn rules_that_let_an_id_leave_its_directory_or_be_another_are_caught() {
    let is_common = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let is_short = |text: &str| (1..=128).contains(&text.chars().count());
    let mutants: [(&str, Rule<'_>); 5] = [
        ("no rule", &|_| true),
        ("one component of a path", &|text| {
            !text.is_empty() && !text.contains(['/', '\0']) && text != "." && text != ".."
        }),
        ("letters of every script", &|text| {
            is_short(text)
                && text
                    .chars()
                    .all(|c| c.is_alphanumeric() || c == '-' || c == '_')
        }),
        ("names of devices", &|text| {
            is_short(text) && text.chars().all(is_common) && !text.starts_with(['-', '_'])
        }),
        ("any length", &|text| {
            SessionId::new(text.get(..128).unwrap_or(text)).is_ok()
        }),
    ];
    for (what, mutant) in mutants {
        assert!(!misjudged(mutant).is_empty(), "{what} must be caught");
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
