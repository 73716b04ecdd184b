//! The forward grammar of a quick look. Owns what is plain; must not know names.
//!
//! Everything accepted here is accepted by the lexer, with the same borders. What is refused may be good JSON too.

use std::ops::Range;

use super::Within;
use crate::block::{BLOCK, Detected, Instructions, Kernel, Masks};

/// How deep a value that is passed over may be nested.
const DEPTH: usize = 64;

/// Blocks that are looked at at once: half a kilobyte holds the head of most sessions.
const BLOCKS: usize = 8;

/// A place in bytes that may end anywhere; `None` of each method means "cannot tell".
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    instructions: Detected,
    /// The number of the block from which on `marks` are known.
    first: usize,
    marks: Marks,
}

/// What stands in a few blocks.
#[derive(Debug, Clone, Copy)]
struct Marks {
    /// A bit for each byte that means something in a string: a quote, a backslash, a control character.
    special: [u64; BLOCKS],
    /// Whether a byte of these blocks, or of those before, is not ASCII.
    has_more: bool,
}

/// Looks at the next blocks.
struct Mark<'a>(&'a [u8]);

impl<'a> Scan<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let instructions = Instructions::best().detect();
        Self {
            bytes,
            at: 0,
            instructions,
            first: 0,
            marks: instructions.run(Mark(bytes)),
        }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Whether all that was passed is ASCII, for certain: what stands outside of strings is.
    pub(super) fn is_ascii(&self) -> bool {
        !self.marks.has_more
    }

    pub(super) fn white_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// Shows the next byte that is no white space.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        if byte > b' ' {
            return Some(byte);
        }
        self.white_space();
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub(super) fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    #[inline]
    pub(super) fn token(&mut self, expected: u8) -> Option<()> {
        (self.next()? == expected).then_some(())
    }

    /// Reads a key without escapes, and gives what is between its quotes, of which nobody has said that it is text.
    #[inline]
    pub(super) fn key(&mut self) -> Option<&'a [u8]> {
        self.token(b'"')?;
        let from = self.at;
        (self.special()? == b'"').then(|| &self.bytes[from..self.at - 1])
    }

    /// Passes a value, and gives its place.
    #[inline]
    pub(super) fn value(&mut self) -> Option<Range<usize>> {
        let first = self.next()?;
        let from = self.at - 1;
        match first {
            b'"' => self.string()?,
            b'{' | b'[' => self.container(first)?,
            first => self.scalar(first)?,
        }
        Some(from..self.at)
    }

    /// Passes a value as [`value`](Self::value) does, and gives the place of a member of it too. One that stands twice is not
    /// plain.
    pub(super) fn value_within(&mut self, name: &[u8]) -> Option<(Range<usize>, Within)> {
        if self.peek()? != b'{' {
            return Some((self.value()?, Within::NoObject));
        }
        let from = self.at;
        self.at += 1;
        let mut found = Within::Missing;
        if self.peek()? == b'}' {
            self.at += 1;
            return Some((from..self.at, found));
        }
        loop {
            let key = self.key()?;
            self.token(b':')?;
            let value = self.value()?;
            if key == name {
                if found != Within::Missing {
                    return None;
                }
                found = Within::At(value);
            }
            match self.next()? {
                b',' => {}
                b'}' => return Some((from..self.at, found)),
                _ => return None,
            }
        }
    }

    /// Passes the rest of an object or array.
    fn container(&mut self, mut first: u8) -> Option<()> {
        let mut open = [0_u8; DEPTH];
        let mut depth = 0;
        loop {
            match first {
                b'"' => self.string()?,
                bracket @ (b'{' | b'[') => {
                    *open.get_mut(depth)? = bracket;
                    depth += 1;
                    // An empty container is over at once; one with content goes on with its first value.
                    if self.peek()? != bracket + 2 {
                        if bracket == b'{' {
                            self.key()?;
                            self.token(b':')?;
                        }
                        first = self.next()?;
                        continue;
                    }
                    self.at += 1;
                    depth -= 1;
                }
                first => self.scalar(first)?,
            }
            // A value is over: close what ends with it.
            loop {
                let Some(inner) = depth.checked_sub(1) else {
                    return Some(());
                };
                match (self.next()?, open[inner]) {
                    (b',', b'{') => {
                        self.key()?;
                        self.token(b':')?;
                        break;
                    }
                    (b',', _) => break,
                    (close, bracket) if close == bracket + 2 => depth = inner,
                    _ => return None,
                }
            }
            first = self.next()?;
        }
    }

    /// Passes a string whose opening quote was passed.
    #[inline]
    fn string(&mut self) -> Option<()> {
        loop {
            match self.special()? {
                b'"' => return Some(()),
                b'\\' => {
                    let escape = *self.bytes.get(self.at)?;
                    self.at += 1;
                    match escape {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                        b'u' => {
                            let digits = self.bytes.get(self.at..self.at + 4)?;
                            if !digits.iter().all(u8::is_ascii_hexdigit) {
                                return None;
                            }
                            self.at += 4;
                        }
                        _ => return None,
                    }
                }
                _ => return None,
            }
        }
    }

    /// Goes behind the next byte that means something in a string: a quote, a backslash, a control character.
    #[inline]
    fn special(&mut self) -> Option<u8> {
        loop {
            let block = self.at / BLOCK;
            let Some(marks) = self.marks.special.get(block.wrapping_sub(self.first)) else {
                self.look_at(block)?;
                continue;
            };
            let ahead = marks >> (self.at % BLOCK);
            if ahead != 0 {
                let at = self.at + ahead.trailing_zeros() as usize;
                self.at = at + 1;
                return self.bytes.get(at).copied();
            }
            self.at = (block + 1) * BLOCK;
        }
    }

    /// Looks at a block and those behind it; `None` where there are no bytes any more.
    #[inline(never)]
    fn look_at(&mut self, block: usize) -> Option<()> {
        let ahead = self.bytes.get(block * BLOCK..)?;
        let marks = self.instructions.run(Mark(ahead));
        self.first = block;
        self.marks = Marks {
            has_more: marks.has_more | self.marks.has_more,
            ..marks
        };
        Some(())
    }

    /// Passes the rest of a number or a word.
    fn scalar(&mut self, first: u8) -> Option<()> {
        match first {
            b't' => self.word(b"rue"),
            b'f' => self.word(b"alse"),
            b'n' => self.word(b"ull"),
            b'-' | b'0'..=b'9' => self.number(first),
            _ => None,
        }
    }

    fn word(&mut self, rest: &[u8]) -> Option<()> {
        let found = self.bytes.get(self.at..self.at + rest.len())?;
        self.at += rest.len();
        (found == rest).then_some(())
    }

    fn number(&mut self, first: u8) -> Option<()> {
        let first = if first == b'-' {
            self.at += 1;
            *self.bytes.get(self.at - 1)?
        } else {
            first
        };
        match first {
            b'0' => {}
            b'1'..=b'9' => self.digits(),
            _ => return None,
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            self.some_digits()?;
        }
        // A number that the bytes end with may go on; one in a value of its own ends with it.
        Some(())
    }

    fn digits(&mut self) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
    }

    fn some_digits(&mut self) -> Option<()> {
        let from = self.at;
        self.digits();
        (self.at > from).then_some(())
    }
}

impl Kernel for Mark<'_> {
    type Output = Marks;

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "compiled with the features of its caller"
    )]
    fn run<M: Masks>(self, masks: M) -> Marks {
        let mut found = Marks {
            special: [0; BLOCKS],
            has_more: false,
        };
        let (blocks, rest) = self.0.as_chunks::<BLOCK>();
        let mut seen = 0;
        for (block, special) in blocks.iter().zip(&mut found.special) {
            *special = special_of(masks, block);
            seen |= all_of(block);
        }
        if let Some(special) = found.special.get_mut(blocks.len()) {
            let mut padded = [b' '; BLOCK];
            padded[..rest.len()].copy_from_slice(rest);
            *special = special_of(masks, &padded);
            seen |= all_of(&padded);
        }
        found.has_more = seen & 0x8080_8080_8080_8080 != 0;
        found
    }
}

#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "compiled with the features of its caller"
)]
fn special_of<M: Masks>(masks: M, block: &[u8; BLOCK]) -> u64 {
    let texts = masks.texts(block);
    texts.quotes | texts.slashes | masks.below(block, b' ')
}

/// Combines the words of a block by `or`.
#[inline]
fn all_of(block: &[u8; BLOCK]) -> u64 {
    let (words, _) = block.as_chunks::<8>();
    words
        .iter()
        .fold(0, |all, word| all | u64::from_ne_bytes(*word))
}
