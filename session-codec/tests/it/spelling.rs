//! A document with a string contains one of the string's spellings.

use std::fmt::Write as _;

use proptest::prelude::*;
use session_codec::{key_spellings, text_spellings};

/// Spells a text as JSON might, choosing for each character.
pub(crate) fn spell(text: &str, mut choose: impl FnMut() -> u8) -> Vec<u8> {
    let mut out = String::new();
    for c in text.chars() {
        let short = match c {
            '"' => Some("\\\""),
            '\\' => Some("\\\\"),
            '/' => Some("\\/"),
            '\n' => Some("\\n"),
            '\r' => Some("\\r"),
            '\t' => Some("\\t"),
            '\x08' => Some("\\b"),
            '\x0c' => Some("\\f"),
            _ => None,
        };
        let plain = !matches!(c, '"' | '\\' | '\0'..='\x1f');
        match (choose() % 5, short) {
            (0 | 1, _) if plain => out.push(c),
            (0..=2, Some(short)) => out += short,
            (3, _) => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .for_each(|u| write!(out, "\\u{u:04X}").unwrap()),
            _ if plain && choose().is_multiple_of(2) => out.push(c),
            _ => c.encode_utf16(&mut [0; 2]).iter().for_each(|u| {
                let digits = format!("{u:04x}");
                out += "\\u";
                // Mixed case within one escape.
                digits.chars().enumerate().for_each(|(i, d)| {
                    out.push(if i % 2 == 0 {
                        d.to_ascii_uppercase()
                    } else {
                        d
                    });
                });
            }),
        }
    }
    let json = format!("\"{out}\"");
    assert_eq!(
        serde_json::from_str::<String>(&json).unwrap(),
        text,
        "the speller spells"
    );
    json.into_bytes()
}

fn found(patterns: &[Vec<u8>], document: &[u8]) -> bool {
    patterns
        .iter()
        .any(|p| document.windows(p.len()).any(|window| window == p))
}

#[test]
fn the_patterns_of_a_plain_key_are_few_and_selective() {
    let patterns = key_spellings("directory");
    assert!(patterns.len() < 20, "{}", patterns.len());
    assert!(!found(
        &patterns,
        br#"{"dir":"directory\n","x":"\u001b[0m"}"#
    ));
    assert!(found(&patterns, br#"{"directory":1}"#));
    // The mutant "only the plain spelling" misses this one.
    let odd = br#"{"director\u0079":1}"#;
    assert!(!found(&patterns[..1], odd));
    assert!(found(&patterns, odd));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_spelling_is_missed(
        text in "[a-z/\\\\\"\n\t\u{1}é漢😀\u{7f} ]{0,12}",
        before in "[a-z\"/]{0,3}",
        choices in proptest::collection::vec(any::<u8>(), 64),
    ) {
        let mut choices = choices.into_iter().cycle();
        let whole = spell(&text, || choices.next().unwrap());
        prop_assert!(found(&key_spellings(&text), &whole), "{}", whole.escape_ascii());
        let inside = spell(&format!("{before}{text}{before}"), || choices.next().unwrap());
        prop_assert!(found(&text_spellings(&text), &inside), "{}", inside.escape_ascii());
    }
}
