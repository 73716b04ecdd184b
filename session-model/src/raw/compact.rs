//! Owns the removal of white space between the tokens of a valid JSON text, and the measuring of
//! its depth. Must only be given valid JSON; on anything else the answer means nothing.

use memchr::memchr2;

/// What [`compact`] found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Compact {
    /// There was no white space to remove.
    Already,
    /// The text without its white space.
    Rewritten(String),
}

/// The text is nested deeper than allowed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooDeep;

/// Removes the white space outside strings, in one pass and without recursion.
pub(super) fn compact(json: &str, max_depth: u32) -> Result<Compact, TooDeep> {
    let bytes = json.as_bytes();
    let mut out: Option<String> = None;
    let mut kept_from = 0;
    let mut depth = 0_u32;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at + 1);
                continue;
            }
            b'[' | b'{' => {
                depth += 1;
                if depth > max_depth {
                    return Err(TooDeep);
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b' ' | b'\n' | b'\r' | b'\t' => {
                out.get_or_insert_with(|| String::with_capacity(json.len()))
                    .push_str(&json[kept_from..at]);
                kept_from = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    Ok(match out {
        None => Compact::Already,
        Some(mut text) => {
            text.push_str(&json[kept_from..]);
            text.shrink_to_fit();
            Compact::Rewritten(text)
        }
    })
}

/// Returns the position after the closing quote of the string whose inside begins at `at`.
fn string_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::{Compact, TooDeep, compact};

    #[test]
    fn white_space_goes_only_outside_strings() {
        for (json, expected) in [
            (r#"{ "a b" : [ 1 , 2 ] }"#, r#"{"a b":[1,2]}"#),
            ("\r\n\t[\n]", "[]"),
            (r#" "\" x \\" "#, r#""\" x \\""#),
            ("[ \"\u{e9} \u{4e2d}\" ]", "[\"\u{e9} \u{4e2d}\"]"),
        ] {
            assert_eq!(
                compact(json, 127),
                Ok(Compact::Rewritten(expected.to_owned())),
                "{json}"
            );
        }
        assert_eq!(compact(r#"{"a ":[1]}"#, 127), Ok(Compact::Already));
    }

    #[test]
    fn depth_is_counted_outside_strings() {
        assert_eq!(compact(r#"[["[[["]]"#, 2), Ok(Compact::Already));
        assert_eq!(compact("[[[]]]", 2), Err(TooDeep));
        assert_eq!(compact("[[],[],[]]", 2), Ok(Compact::Already));
    }
}
