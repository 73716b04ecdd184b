//! The search for the end of plain text in a string, by sixteen bytes where the
//! processor has that in its base. Owns that search and the escapes of one
//! letter, which are met on the way; must not know those with digits.

use crate::plain::{BLOCK, ends, special};

/// Returns how many bytes go by before a quote, a backslash or a control
/// character.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> usize {
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    for (index, block) in blocks.iter().enumerate() {
        let found = special(block);
        if found != 0 {
            return index * BLOCK + found.trailing_zeros() as usize;
        }
    }
    blocks.len() * BLOCK
        + rest
            .iter()
            .position(|byte| ends(*byte))
            .unwrap_or(rest.len())
}

/// Bytes that [`copy_text`] needs to go on: a block, and the letter of an escape
/// at its end.
const NEEDED: usize = BLOCK + 1;

/// Copies text to the front of `out`, escapes of one letter decoded, and returns
/// how many bytes were taken and how many written.
///
/// It stops before all else that a string may have, and where less than
/// [`NEEDED`] bytes are left or less than a block of `out`. Stretches between
/// escapes are short, so one copy of a known size is quicker than a search and a
/// copy of any size.
#[inline]
pub(super) fn copy_text(bytes: &[u8], out: &mut [u8]) -> (usize, usize) {
    let (mut taken, mut written) = (0, 0);
    while let Some(block) = bytes[taken..].first_chunk::<NEEDED>()
        && let Some(place) = out[written..].first_chunk_mut::<BLOCK>()
        && let Some(text) = block.first_chunk()
    {
        *place = *text;
        let found = special(text);
        if found == 0 {
            taken += BLOCK;
            written += BLOCK;
            continue;
        }
        // A bit of sixteen, which the mask tells the compiler.
        let at = found.trailing_zeros() as usize % BLOCK;
        let letter = SIMPLE[usize::from(block[at + 1])];
        if block[at] != b'\\' || letter == 0 {
            return (taken + at, written + at);
        }
        place[at] = letter;
        taken += at + 2;
        written += at + 1;
    }
    (taken, written)
}

/// What an escape of one letter stands for, by the letter; 0 for what is none.
pub(super) const SIMPLE: [u8; 256] = {
    let mut table = [0; 256];
    table[b'n' as usize] = b'\n';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table[b'/' as usize] = b'/';
    table[b't' as usize] = b'\t';
    table[b'r' as usize] = b'\r';
    table[b'b' as usize] = 8;
    table[b'f' as usize] = 12;
    table
};

/// Returns what an escape of one letter stands for.
#[inline]
pub(super) fn simple_escape(letter: u8) -> Option<u8> {
    match SIMPLE[usize::from(letter)] {
        0 => None,
        byte => Some(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::{NEEDED, copy_text, plain, simple_escape};
    use crate::plain::{BLOCK, ends};

    #[test]
    fn the_wide_search_finds_what_the_narrow_one_does() {
        let naive = |bytes: &[u8]| bytes.iter().position(|b| ends(*b)).unwrap_or(bytes.len());
        let mut bytes = [b'a'; 70];
        for at in 0..bytes.len() {
            for byte in 0..=u8::MAX {
                bytes[at] = byte;
                for from in [0, at.saturating_sub(17), at.saturating_sub(3), at] {
                    let cut = &bytes[from..];
                    assert_eq!(plain(cut), naive(cut), "byte {byte} at {at} from {from}");
                }
            }
            bytes[at] = [0x80, 0x21, 0x23, 0x5b, 0x5d, 0xff, 0x5f][at % 7];
        }
    }

    /// What [`copy_text`] says, a byte at a time.
    fn naive_copy(bytes: &[u8]) -> (usize, Vec<u8>) {
        let (mut at, mut out) = (0, Vec::new());
        while let Some(&byte) = bytes.get(at) {
            if !ends(byte) {
                out.push(byte);
                at += 1;
            } else if byte == b'\\'
                && let Some(letter) = bytes.get(at + 1)
                && let Some(escaped) = simple_escape(*letter)
            {
                out.push(escaped);
                at += 2;
            } else {
                break;
            }
        }
        (at, out)
    }

    #[test]
    fn text_is_copied_as_a_byte_at_a_time_would() {
        let mut rng = 11_u64;
        for round in 0..20_000 {
            let bytes: Vec<u8> = (0..90)
                .map(|_| {
                    rng = rng.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let pick = (rng >> 58) as usize;
                    // Rounds differ in how much of it is out of the ordinary.
                    *b"\\\\\\n\"/bfrtu\x00\x1f\x80\xff"
                        .get(pick * (1 + round % 8))
                        .unwrap_or(&b'n')
                })
                .collect();
            let mut out = vec![0; 60 + round % 40];
            let (taken, written) = copy_text(&bytes, &mut out);
            assert!(written <= taken && written <= out.len());
            let (end, decoded) = naive_copy(&bytes[..]);
            assert_eq!(
                out[..written],
                decoded[..written],
                "{}",
                bytes.escape_ascii()
            );
            assert_eq!(naive_copy(&bytes[taken..]).0, end - taken);
            // It stops for want of room, or for what it leaves to others.
            let room = bytes.len() - taken >= NEEDED && out.len() - written >= BLOCK;
            assert!(!room || taken == end, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn escapes_of_one_letter_are_those_of_serde_json() {
        for letter in 0..=u8::MAX {
            let text = [b'"', b'\\', letter, b'"'];
            let expected = serde_json::from_slice::<String>(&text).ok();
            let expected = expected.map(|text| text.into_bytes()[0]);
            assert_eq!(simple_escape(letter), expected, "{letter}");
        }
    }
}
