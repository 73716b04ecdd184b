//! Error texts that tell nothing of a transcript. Owns what of a serde text may
//! be shown; must not know this crate's error type.

use serde_json::error::Category;

/// Words with which serde names the kind of an unexpected value.
const KINDS: [&str; 18] = [
    "boolean",
    "integer",
    "floating point",
    "character",
    "string",
    "byte array",
    "null",
    "unit value",
    "Option value",
    "newtype struct",
    "sequence",
    "map",
    "enum",
    "unit variant",
    "newtype variant",
    "tuple variant",
    "struct variant",
    "number",
];

/// Turns the line and column that `serde_json` counts, both from 1, into a byte
/// of `json`.
pub(crate) fn offset_of(json: &[u8], line: usize, column: usize) -> usize {
    let start = match line {
        0 | 1 => 0,
        _ => memchr::memchr_iter(b'\n', json)
            .nth(line - 2)
            .map_or(json.len(), |at| at + 1),
    };
    (start + column.saturating_sub(1)).min(json.len())
}

/// Returns a text for `error` that holds type names, field names known to the
/// type, and fixed words, but nothing of the document.
pub(crate) fn without_content(error: &serde_json::Error, text: &str) -> String {
    // The place is told by an offset instead.
    let text = text.rfind(" at line ").map_or(text, |end| &text[..end]);
    match error.classify() {
        // These are fixed texts of serde_json.
        Category::Syntax | Category::Eof => text.to_owned(),
        Category::Io => "read failed".to_owned(),
        Category::Data => data(text),
    }
}

fn data(text: &str) -> String {
    // Field names of these two come from the type, not from the document.
    for fixed in ["missing field `", "duplicate field `"] {
        if let Some(name) = text
            .strip_prefix(fixed)
            .and_then(|rest| rest.strip_suffix('`'))
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
            && name.len() <= 64
        {
            return text.to_owned();
        }
    }
    for known in ["unknown variant", "unknown field"] {
        if text.starts_with(known) {
            return known.to_owned();
        }
    }
    for known in ["invalid type: ", "invalid value: "] {
        let Some(rest) = text.strip_prefix(known) else {
            continue;
        };
        let kind = KINDS
            .iter()
            .find(|kind| rest.starts_with(**kind))
            .copied()
            .unwrap_or("value");
        // What is expected stands last and is written by the type; a quoted
        // value before it may hold the same words.
        let expected = rest.rfind(", expected ").map_or("", |at| &rest[at..]);
        return format!("{known}{kind}{}", expected_words(expected));
    }
    if let Some(rest) = text.strip_prefix("invalid length ") {
        let length: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let expected = rest.rfind(", expected ").map_or("", |at| &rest[at..]);
        return format!("invalid length {length}{}", expected_words(expected));
    }
    // Anything else is a text of the type's own, which may quote the value.
    "a value was refused by its type".to_owned()
}

/// Lets an expectation pass only if it cannot be the end of a quoted value.
fn expected_words(expected: &str) -> &str {
    if expected.contains('"') || expected.len() > 120 {
        ""
    } else {
        expected
    }
}

#[cfg(test)]
mod tests {
    use serde::de::{Error as _, Unexpected};

    use super::{offset_of, without_content};

    fn check(error: &serde_json::Error, expected: &str) {
        assert_eq!(without_content(error, &error.to_string()), expected);
    }

    #[test]
    fn texts_lose_what_they_quote() {
        let custom = serde_json::Error::custom::<&str>;
        check(&custom("missing field `id`"), "missing field `id`");
        check(&custom("duplicate field `id`"), "duplicate field `id`");
        check(
            &custom("unknown variant `secret`, expected `a`"),
            "unknown variant",
        );
        check(
            &custom("unknown field `secret`, expected `a`"),
            "unknown field",
        );
        check(&custom("bad id secret"), "a value was refused by its type");
        check(
            &custom("missing field `a secret`"),
            "a value was refused by its type",
        );
        let wrong =
            serde_json::Error::invalid_type(Unexpected::Str("secret, expected \"x"), &"a number");
        check(&wrong, "invalid type: string, expected a number");
        let length = serde_json::Error::invalid_length(3, &"a pair");
        check(&length, "invalid length 3, expected a pair");
        let other = serde_json::Error::invalid_value(Unexpected::Other("secret"), &"a number");
        check(&other, "invalid value: value, expected a number");
    }

    #[test]
    fn lines_and_columns_become_offsets() {
        for (json, expected) in [("x", 0), ("\n\n x", 3), ("[1,\n 2,\n }", 9), ("[1", 1)] {
            let error = serde_json::from_str::<serde_json::Value>(json).unwrap_err();
            assert_eq!(
                offset_of(json.as_bytes(), error.line(), error.column()),
                expected,
                "{json}"
            );
        }
    }
}
