//! Every cut in two, at every place, against the elements as they were written.

use super::{STRIDE, carry_over, escapes};
use crate::{
    block::Instructions,
    lexer::{Lexer, Stop, Visit, Watch},
};

/// Remembers where elements are.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    starts: Vec<u64>,
    ends: Vec<u64>,
    array_end: u64,
}

impl Visit for Heard {
    fn value(&mut self, _at: u64, _first: u8) -> Result<Watch, Stop> {
        Ok(Watch::Skim)
    }

    fn element_start(&mut self, at: u64) -> Result<(), Stop> {
        self.starts.push(at);
        Ok(())
    }

    fn element_end(&mut self, at: u64) -> Result<(), Stop> {
        self.ends.push(at);
        Ok(())
    }

    fn value_end(&mut self, at: u64, _piece: crate::lexer::Piece<'_>) -> Result<(), Stop> {
        self.array_end = at;
        Ok(())
    }
}

/// Writes a document of these elements and says where they are.
fn document(elements: &[String], space: &str) -> (Vec<u8>, Heard) {
    let mut text = "{\"a\":[".to_owned();
    let mut heard = Heard::default();
    for (index, element) in elements.iter().enumerate() {
        text.push_str(if index > 0 { "," } else { "" });
        text.push_str(space);
        heard.starts.push(text.len() as u64);
        text.push_str(element);
        heard.ends.push(text.len() as u64);
        text.push_str(space);
    }
    text.push(']');
    heard.array_end = text.len() as u64;
    text.push('}');
    (text.into_bytes(), heard)
}

fn check(elements: &[String], space: &str) {
    let (bytes, expected) = document(elements, space);
    for set in Instructions::ALL
        .into_iter()
        .filter(|set| set.is_available())
    {
        for cut in 0..=bytes.len() {
            let mut heard = Heard::default();
            let mut lexer = Lexer::new(127, 1).with(set);
            let (before, after) = bytes.split_at(cut);
            let fed = lexer
                .feed(before, &mut heard)
                .and_then(|()| lexer.feed(after, &mut heard))
                .and_then(|()| lexer.finish(&mut heard));
            assert!(
                fed.is_ok(),
                "{fed:?}, cut at {cut}: {}",
                bytes.escape_ascii()
            );
            assert_eq!(
                heard,
                expected,
                "{set:?}, cut at {cut}: {}",
                bytes.escape_ascii()
            );
        }
    }
}

#[test]
fn backslashes_before_quotes_mean_the_same_at_every_cut_and_block_edge() {
    for run in 0..=130 {
        // Odd runs escape the quote, so that the string goes on past it.
        let text = match run % 2 {
            0 => format!("\"{}\"", "\\".repeat(run)),
            _ => format!("\"{}\"],[\"", "\\".repeat(run)),
        };
        check(&[format!("[{text}]"), text, "{}".to_owned()], "");
    }
}

#[test]
fn quotes_mean_the_same_at_every_cut_and_block_edge() {
    for len in 0..=130 {
        let text = format!("\"{}\"", "]".repeat(len));
        check(
            &["1".to_owned(), text.clone(), format!("{{{text}:[{text}]}}")],
            "",
        );
        check(
            &[text, "[ ]".to_owned(), "-0.5".to_owned()],
            &" \n".repeat(len % 40),
        );
    }
}

#[test]
fn escapes_are_those_of_one_byte_after_the_other() {
    let mut seed = 3_u64;
    for round in 0..20_000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        // Dense and sparse, with runs of all lengths.
        let slashes = match round % 4 {
            0 => seed | seed << 1 | seed >> 3,
            1 => seed & seed.rotate_left(21),
            2 => !0 << (seed >> 58),
            _ => !(1 << (seed >> 58)),
        };
        for carry in [0, 1] {
            let (mut expected, mut escaped) = (0, carry);
            for at in 0..64 {
                expected |= escaped << at;
                escaped = u64::from(escaped == 0 && slashes >> at & 1 == 1);
            }
            let (found, escaping) = escapes(slashes, carry);
            assert_eq!(
                (found, escaping >> 63),
                (expected, escaped),
                "{slashes:064b} {carry}"
            );
        }
    }
}

#[test]
fn a_stride_hands_on_whether_the_next_byte_is_escaped() {
    for run in 0..=STRIDE {
        let mut stride = [b'x'; STRIDE];
        stride[STRIDE - run..].fill(b'\\');
        for carry in [0, 1] {
            let mut escaped = carry;
            for byte in stride {
                escaped = u64::from(escaped == 0 && byte == b'\\');
            }
            assert_eq!(carry_over(&stride, carry), escaped, "{run} {carry}");
        }
    }
}
