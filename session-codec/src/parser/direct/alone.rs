//! One string that is in memory, decoded for itself. Owns the way of its bytes
//! into a text; must not know what errors are called.

use super::{
    copy::{WINDOW, copy_blocks},
    scan::{copy_text, simple_escape},
    text::{digits, utf8},
};
use crate::block::Instructions;

/// Bytes that are decoded and checked before they are moved to the others, so
/// that all of that happens in the nearest cache, and no long text is zeroed
/// first or copied by each growth.
const PIECE: usize = 4096;

/// Decodes what stands between the quotes of a string; `None` for what
/// `serde_json` has to judge.
pub(crate) fn unescape(raw: &[u8]) -> Option<String> {
    let instructions = Instructions::best().detect();
    let mut text = String::with_capacity(raw.len());
    let mut piece = [0; PIECE];
    let (mut at, mut length) = (0, 0);
    while at < raw.len() {
        if PIECE - length < WINDOW {
            let whole = length - begun(&piece[..length]);
            text.push_str(utf8(&piece[..whole])?);
            piece.copy_within(whole..length, 0);
            length -= whole;
        }
        let (bytes, place) = (&raw[at..], &mut piece[length..]);
        let (taken, written) = if bytes.len() < WINDOW {
            copy_text(bytes, place)
        } else {
            copy_blocks(instructions, bytes, place)
        };
        at += taken;
        length += written;
        let Some(place) = piece[length..].first_chunk_mut::<WINDOW>() else {
            continue;
        };
        match &raw[at..] {
            [b'\\', rest @ ..] => {
                let simple = rest.first().copied().and_then(simple_escape);
                let simple = simple.map(|byte| (char::from(byte), 2));
                let (character, taken) = simple.or_else(|| digits(&raw[at..]))?;
                length += character.encode_utf8(place).len();
                at += taken;
            }
            [b'"' | ..0x20, ..] => return None,
            // Near the end.
            [byte, ..] => {
                place[0] = *byte;
                length += 1;
                at += 1;
            }
            [] => {}
        }
    }
    text.push_str(utf8(&piece[..length])?);
    Some(text)
}

/// Counts the bytes at the end that begin a character and are not all of it.
fn begun(bytes: &[u8]) -> usize {
    let last = bytes.iter().rev().take(3);
    let found = last.zip(1..).find(|(byte, _)| **byte & 0xc0 != 0x80);
    match found {
        Some((first, have)) if first.leading_ones() as usize > have => have,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{PIECE, unescape};

    #[test]
    fn a_string_is_decoded_as_serde_json_does_wherever_pieces_end() {
        const PARTS: [&str; 16] = [
            "a",
            "plain text",
            "\u{e9}",
            "\u{20ac}\u{20ac}",
            "\u{1f600}",
            "\\n",
            "\\\\",
            "\\\"",
            "\\/\\b",
            "\\u0041",
            "\\u20AC",
            "\\ud83d\\ude00",
            // Nothing that is taken.
            "\\ud83d",
            "\\u12g4",
            "\\x",
            "\x1f",
        ];
        let mut rng = 3_u64;
        let mut next = |below: u64| {
            rng = rng.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from((rng >> 33) % below).unwrap()
        };
        let mut taken = 0;
        for round in 0..4_000 {
            let parts = [12, 12, 12, 16][round % 4];
            // One in four goes over the end of a piece, and some are the same all along.
            let bytes = [40, 200, 700, 3 * PIECE][next(4)];
            let same = (next(3) == 0).then(|| next(12));
            let mut raw = "x".repeat(next(5));
            while raw.len() < bytes {
                raw.push_str(PARTS[same.unwrap_or_else(|| next(parts))]);
            }
            let expected = serde_json::from_str::<String>(&format!("\"{raw}\"")).ok();
            taken += usize::from(expected.is_some());
            assert_eq!(unescape(raw.as_bytes()), expected, "{raw}");
        }
        assert!((2_800..3_900).contains(&taken), "{taken}");
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_wherever_they_stand() {
        let text = format!("\u{20ac}{}\\n", "\u{e9}\\t".repeat(PIECE));
        for at in (0..80)
            .chain(PIECE - 80..PIECE + 80)
            .chain(text.len() - 80..text.len())
        {
            for odd in [0x80, 0xc3, 0xe2, 0xf0, 0xff] {
                let mut raw = text.clone().into_bytes();
                raw.insert(at, odd);
                let json = [b"\"", raw.as_slice(), b"\""].concat();
                let expected = serde_json::from_slice::<String>(&json).ok();
                assert_eq!(unescape(&raw), expected, "{odd:x} at {at}");
            }
        }
    }
}
