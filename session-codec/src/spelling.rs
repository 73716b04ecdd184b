//! The byte patterns that betray a text in JSON, however it is escaped. Owns
//! spellings; must not know who searches for them.

/// Returns byte patterns of which every document with a string equal to `key`
/// contains at least one, however that string is escaped.
///
/// A document without any of the patterns does not contain the string; one with
/// a pattern may or may not. The patterns are few: the key as it is normally
/// spelled, and the `\u` spellings of its characters.
///
/// ```
/// let patterns = session_codec::key_spellings("directory");
/// assert_eq!(patterns[0], b"\"directory\"");
/// let odd = br#"{"d\u0069rectory": "/x"}"#;
/// assert!(patterns.iter().any(|p| odd.windows(p.len()).any(|w| w == p)));
/// ```
#[must_use]
pub fn key_spellings(key: &str) -> Vec<Vec<u8>> {
    spellings(key, true)
}

/// Returns byte patterns of which every document with a string that contains
/// `text` contains at least one, however that string is escaped.
///
/// Like [`key_spellings`], for a text that may stand anywhere in a string. For
/// an empty text that is every string, so the pattern is a quote.
///
/// ```
/// let patterns = session_codec::text_spellings("a/b");
/// assert!(patterns.iter().any(|p| p == b"a") || patterns.iter().any(|p| p == b"b"));
/// ```
#[must_use]
pub fn text_spellings(text: &str) -> Vec<Vec<u8>> {
    spellings(text, false)
}

fn spellings(text: &str, whole: bool) -> Vec<Vec<u8>> {
    if text.is_empty() {
        return vec![if whole {
            b"\"\"".to_vec()
        } else {
            b"\"".to_vec()
        }];
    }
    let Some(run) = longest_plain_run(text) else {
        return odd_character(text);
    };
    let mut plain = run.as_bytes().to_vec();
    if whole && run.len() == text.len() {
        plain = [b"\"", run.as_bytes(), b"\""].concat();
    }
    // Either all of the run is spelled plainly, or one of its characters is
    // escaped, and no character of the run has another escape than `\u`.
    let mut patterns = vec![plain];
    for character in run.chars() {
        for pattern in unicode_escapes(character) {
            if !patterns.contains(&pattern) {
                patterns.push(pattern);
            }
        }
    }
    patterns
}

/// Reports whether a character has no spelling but itself and `\u`.
fn is_plain(character: char) -> bool {
    !matches!(character, '"' | '\\' | '/' | '\0'..='\x1f')
}

fn longest_plain_run(text: &str) -> Option<&str> {
    text.split(|c| !is_plain(c))
        .filter(|run| !run.is_empty())
        .max_by_key(|run| run.len())
}

/// Returns all spellings of the first character of a text that has none but
/// characters with escapes of their own.
fn odd_character(text: &str) -> Vec<Vec<u8>> {
    let Some(character) = text.chars().next() else {
        return Vec::new();
    };
    let short: &[u8] = match character {
        // Found in `\/` as well.
        '/' => b"/",
        '"' => b"\\\"",
        '\\' => b"\\\\",
        '\x08' => b"\\b",
        '\x0c' => b"\\f",
        '\n' => b"\\n",
        '\r' => b"\\r",
        '\t' => b"\\t",
        _ => b"",
    };
    let mut patterns = unicode_escapes(character);
    if !short.is_empty() {
        patterns.insert(0, short.to_vec());
    }
    patterns
}

/// Returns the `\u` spellings of a character: one for each way to write its
/// digits. Of a surrogate pair the first half is enough.
fn unicode_escapes(character: char) -> Vec<Vec<u8>> {
    let mut units = [0; 2];
    let unit = character.encode_utf16(&mut units)[0];
    let mut patterns = vec![b"\\u".to_vec()];
    for digit in format!("{unit:04x}").bytes() {
        let mut longer = Vec::with_capacity(patterns.len() * 2);
        for pattern in patterns {
            if digit.is_ascii_alphabetic() {
                longer.push([pattern.as_slice(), &[digit.to_ascii_uppercase()]].concat());
            }
            longer.push([pattern.as_slice(), &[digit]].concat());
        }
        patterns = longer;
    }
    patterns
}
