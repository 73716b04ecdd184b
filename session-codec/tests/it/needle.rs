//! A string that contains a text is a candidate for it, however it is spelled.

use proptest::prelude::*;
use session_codec::testing::Instructions;
use session_codec::{Case, Needle};

use crate::spelling::spell;

/// The oracle for decoded text.
fn naive(text: &str, needle: &str, case: Case) -> Option<usize> {
    let fold = |text: &str| match case {
        Case::AsciiInsensitive => text.to_ascii_lowercase(),
        _ => text.to_owned(),
    };
    if needle.is_empty() {
        return None;
    }
    fold(text).find(&fold(needle))
}

/// The oracle for one place: the text as `serde_json` spells it, or an escape of one of its characters that it would not write.
fn is_candidate(bytes: &[u8], text: &str, case: Case) -> bool {
    let spelled = serde_json::to_vec(text).unwrap();
    let usual = &spelled[1..spelled.len() - 1];
    let begin = bytes.get(..usual.len());
    let texts = begin.is_some_and(|begin| match case {
        Case::AsciiInsensitive => begin.eq_ignore_ascii_case(usual),
        _ => begin == usual,
    });
    let units: Vec<u16> = match case {
        Case::AsciiInsensitive => {
            let cases = [text.to_ascii_lowercase(), text.to_ascii_uppercase()];
            cases
                .iter()
                .flat_map(|text| text.encode_utf16().collect::<Vec<_>>())
                .collect()
        }
        _ => text.encode_utf16().collect(),
    };
    let digits = bytes.strip_prefix(b"\\u").and_then(|rest| rest.get(..4));
    let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    let unit =
        digits.and_then(|digits| u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
    texts
        || unit.is_some_and(|unit| units.contains(&unit))
        || text.contains('/') && bytes.starts_with(b"\\/")
}

fn characters() -> impl Strategy<Value = char> {
    prop_oneof![
        8 => prop::sample::select("abkzAKZ0/ ".chars().collect::<Vec<_>>()),
        3 => prop::sample::select("\"\\\n\t\u{8}\u{c}\r\u{1b}\u{1}\u{1f}".chars().collect::<Vec<_>>()),
        2 => prop::sample::select("é日本\u{7f}\u{2028}\u{abcd}\u{ef}🚀😀\u{212a}".chars().collect::<Vec<_>>()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn no_spelling_escapes_the_search(
        text in prop::collection::vec(characters(), 0..24),
        from in 0..24_usize,
        long in 0..24_usize,
        insensitive in any::<bool>(),
        choices in prop::collection::vec(any::<u8>(), 64),
        usual in any::<bool>(),
    ) {
        let cut: String = text.iter().skip(from).take(long).collect();
        let text: String = text.into_iter().collect();
        let (needle, case) = if insensitive {
            (cut.to_ascii_uppercase(), Case::AsciiInsensitive)
        } else {
            (cut, Case::Sensitive)
        };
        let mut choices = choices.into_iter().cycle();
        let json = if usual {
            serde_json::to_vec(&text).unwrap()
        } else {
            spell(&text, || choices.next().unwrap())
        };
        let prepared = Needle::new(&needle, case);
        let expected = naive(&text, &needle, case);
        prop_assert_eq!(prepared.find_in(&text, 0).map(|range| range.start), expected);
        let candidate = prepared.candidates(&json).next_from(0);
        prop_assert_eq!(candidate.is_some(), prepared.may_be_in(&json));
        if expected.is_some() {
            prop_assert!(candidate.is_some(), "{:?} in {}", needle, json.escape_ascii());
        }
        // Whatever the stretches are, the text is whole in one of them.
        if expected.is_some() {
            let stretch = prepared.span() + 3;
            let found = (0..json.len()).step_by(4).any(|start| {
                prepared.may_be_in(&json[start..(start + stretch).min(json.len())])
            });
            prop_assert!(found, "{:?} in stretches of {}", needle, json.escape_ascii());
        }
    }

    #[test]
    fn candidates_come_in_order_and_belong_to_the_text(
        texts in prop::collection::vec(prop::collection::vec(characters(), 0..9), 1..9),
        needle in prop::collection::vec(characters(), 1..4),
        choices in prop::collection::vec(any::<u8>(), 64),
    ) {
        let needle: String = needle.into_iter().collect();
        let prepared = Needle::new(&needle, Case::Sensitive);
        let mut choices = choices.into_iter().cycle();
        let mut json = Vec::new();
        let mut ranges = Vec::new();
        for text in &texts {
            let text: String = text.iter().collect();
            let spelled = spell(&text, || choices.next().unwrap());
            ranges.push((json.len()..json.len() + spelled.len(), text.contains(&needle)));
            json.extend(spelled);
        }
        let mut candidates = prepared.candidates(&json);
        for (range, contains) in ranges {
            let candidate = candidates.next_from(range.start);
            prop_assert!(candidate.is_none_or(|at| at >= range.start));
            if contains {
                prop_assert!(candidate.is_some_and(|at| range.contains(&at)));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Candidates lie before, across and behind the borders of blocks, and up to the last byte.
    #[test]
    fn one_pass_finds_what_looking_at_every_place_finds(
        text in prop::collection::vec(characters(), 1..70),
        around in prop::collection::vec(prop::sample::select(b"abkz\\u006e \"".to_vec()), 0..400),
        places in prop::collection::vec((0..400_usize, any::<bool>()), 0..6),
        choices in prop::collection::vec(any::<u8>(), 64),
        from in 0..80_usize,
        insensitive in any::<bool>(),
    ) {
        let text: String = text.into_iter().collect();
        let mut choices = choices.into_iter().cycle();
        let mut json = around;
        for (at, usual) in places {
            let spelled = if usual {
                serde_json::to_vec(&text).unwrap()
            } else {
                spell(&text, || choices.next().unwrap())
            };
            let at = at.min(json.len());
            json.splice(at..at, spelled);
        }
        let case = if insensitive { Case::AsciiInsensitive } else { Case::Sensitive };
        let places = |from| (from..json.len()).filter(|at| is_candidate(&json[*at..], &text, case));
        let expected: Vec<usize> = places(from).collect();
        for set in Instructions::ALL.into_iter().filter(|set| set.is_available()) {
            let needle = Needle::new(&text, case).instructions(set);
            let mut candidates = needle.candidates(&json);
            let next = |at: &usize| candidates.next_from(at + 1);
            let all = std::iter::successors(needle.candidates(&json).next_from(from), next);
            prop_assert_eq!(&all.collect::<Vec<_>>(), &expected, "{:?}", set);
            prop_assert_eq!(needle.may_be_in(&json), places(0).next().is_some());
        }
    }
}

#[test]
fn an_empty_text_is_found_nowhere() {
    for case in [Case::Sensitive, Case::AsciiInsensitive] {
        let needle = Needle::new("", case);
        assert!(!needle.may_be_in(br#""some \u0061 text""#));
        assert_eq!(needle.candidates(b"text").next_from(0), None);
        assert_eq!(needle.find_in("text", 0), None);
    }
}

#[test]
fn usual_texts_are_seldom_candidates_for_others() {
    let needle = Needle::new("/home/me/project", Case::Sensitive);
    for other in [
        "/home/me/projects",
        "\u{1b}[1m /home/you/project",
        "a project",
        "/home/me",
    ] {
        let json = serde_json::to_vec(other).unwrap();
        assert_eq!(
            needle.may_be_in(&json),
            other.starts_with("/home/me/project"),
            "{other:?}"
        );
    }
}

#[test]
fn a_mutant_that_knows_only_the_usual_spelling_is_caught() {
    let json = br#""d\u0069rectory""#;
    assert!(Needle::new("directory", Case::Sensitive).may_be_in(json));
    assert!(!json.windows(9).any(|bytes| bytes == b"directory"));
}

#[test]
fn debug_texts_do_not_tell_what_is_looked_for() {
    let needle = Needle::new("secret", Case::Sensitive);
    let text = format!("{needle:?} {:?}", needle.candidates(b"secret"));
    assert!(!text.contains("secret"));
}
