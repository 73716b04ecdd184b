//! The forward grammar of a quick look. Owns what is plain; must not know names.
//!
//! Everything accepted here is accepted by the lexer, with the same borders. What is refused may be good JSON too.

/// How deep a value that is passed over may be nested.
const DEPTH: usize = 64;

/// A place in bytes that may end anywhere; `None` of each method means "cannot tell".
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn white_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// Shows the next byte that is no white space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        self.white_space();
        self.bytes.get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    pub(super) fn token(&mut self, expected: u8) -> Option<()> {
        (self.next()? == expected).then_some(())
    }

    /// Reads a key without escapes, and gives what is between its quotes.
    pub(super) fn key(&mut self) -> Option<&'a [u8]> {
        self.token(b'"')?;
        let from = self.at;
        let plain = self.string()?;
        let key = &self.bytes[from..self.at - 1];
        // A key that is not text is equal to no name, but broken.
        (plain && (key.is_ascii() || std::str::from_utf8(key).is_ok())).then_some(key)
    }

    /// Passes a value, and gives its text.
    pub(super) fn value(&mut self) -> Option<&'a [u8]> {
        self.peek()?;
        let from = self.at;
        let mut open = [0_u8; DEPTH];
        let mut depth = 0;
        loop {
            match self.next()? {
                b'"' => {
                    self.string()?;
                }
                bracket @ (b'{' | b'[') => {
                    *open.get_mut(depth)? = bracket;
                    depth += 1;
                    // An empty container is over at once; one with content goes on with its first value.
                    if self.peek()? != bracket + 2 {
                        if bracket == b'{' {
                            self.key()?;
                            self.token(b':')?;
                        }
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
                    return Some(&self.bytes[from..self.at]);
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
        }
    }

    /// Passes a string whose opening quote was passed, and says whether it has no escapes.
    fn string(&mut self) -> Option<bool> {
        let mut plain = true;
        loop {
            match self.special()? {
                b'"' => return Some(plain),
                b'\\' => {
                    plain = false;
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
    fn special(&mut self) -> Option<u8> {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGH: u64 = 0x8080_8080_8080_8080;
        let zero = |word: u64| word.wrapping_sub(ONES) & !word;
        // Eight bytes at once; borrows only disturb bytes behind the first that is found.
        while let Some(chunk) = self.bytes[self.at..].first_chunk::<8>() {
            let word = u64::from_le_bytes(*chunk);
            let control = word.wrapping_sub(ONES * 0x20) & !word;
            let found = (zero(word ^ (ONES * u64::from(b'"')))
                | zero(word ^ (ONES * u64::from(b'\\')))
                | control)
                & HIGH;
            if found != 0 {
                let index = found.trailing_zeros() as usize / 8;
                self.at += index + 1;
                return Some(chunk[index]);
            }
            self.at += 8;
        }
        loop {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            if matches!(byte, b'"' | b'\\' | 0..=0x1f) {
                return Some(byte);
            }
        }
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
