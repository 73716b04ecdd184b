//! A checker of JSON, and a finder of elements, that take one byte after the
//! other and nothing clever: oracles for whatever replaces the lexer's inner
//! loops.

use std::ops::Range;

/// Where an array's elements and its closing bracket stand, by structure alone,
/// given the bytes after its opening bracket. `None` if that much is broken.
pub(crate) fn elements(bytes: &[u8]) -> Option<(Vec<Range<usize>>, usize)> {
    let mut found = Vec::new();
    // Start of the element being read, its closing bracket if it has one, and
    // whether it may not go on.
    let mut element: Option<(usize, Option<u8>, bool)> = None;
    let (mut depth, mut string, mut escaped, mut solid) = (0, false, false, 0);
    for (at, byte) in bytes.iter().copied().enumerate() {
        let space = b" \n\t\r".contains(&byte);
        if string {
            string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if byte == b'\\' {
            return None;
        } else if depth > 0 {
            match byte {
                b'"' => string = true,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        let (start, close, _) = element?;
                        if close != Some(byte) {
                            return None;
                        }
                        element = Some((start, close, true));
                    }
                }
                _ => {}
            }
        } else if let Some((start, _, over)) = element {
            match byte {
                b',' | b']' => {
                    found.push(start..solid);
                    element = None;
                    if byte == b']' {
                        return Some((found, at));
                    }
                }
                b'{' | b'[' | b'}' => return None,
                _ if over && !space => return None,
                b'"' => string = true,
                _ => {}
            }
        } else if !space {
            // An empty array has no comma before its end.
            if byte == b']' && found.is_empty() {
                return Some((found, at));
            }
            let close = match byte {
                b'{' => Some(b'}'),
                b'[' => Some(b']'),
                b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => None,
                _ => return None,
            };
            depth = usize::from(close.is_some());
            string = byte == b'"';
            element = Some((at, close, false));
        }
        if !space {
            solid = at + 1;
        }
    }
    None
}

/// Reports whether the bytes are one JSON value by the rules of a skipped one.
pub(crate) fn accepts(bytes: &[u8]) -> bool {
    let mut at = Naive { bytes, at: 0 };
    at.value().is_some() && {
        at.space();
        at.at == bytes.len()
    }
}

#[derive(Debug)]
struct Naive<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Naive<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.take()? == byte).then_some(())
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    /// A stack of its own, for documents deeper than a thread's.
    fn value(&mut self) -> Option<()> {
        let mut open = Vec::new();
        loop {
            self.space();
            match self.peek()? {
                byte @ (b'{' | b'[') => {
                    self.at += 1;
                    self.space();
                    let close = if byte == b'{' { b'}' } else { b']' };
                    if self.peek()? != close {
                        open.push(close);
                        if byte == b'{' {
                            self.name()?;
                        }
                        continue;
                    }
                    self.at += 1;
                }
                b'"' => self.string()?,
                b't' => "true".bytes().try_for_each(|b| self.expect(b))?,
                b'f' => "false".bytes().try_for_each(|b| self.expect(b))?,
                b'n' => "null".bytes().try_for_each(|b| self.expect(b))?,
                _ => self.number()?,
            }
            loop {
                let Some(close) = open.last().copied() else {
                    return Some(());
                };
                self.space();
                match self.take()? {
                    b',' => {
                        if close == b'}' {
                            self.space();
                            self.name()?;
                        }
                        break;
                    }
                    byte if byte == close => drop(open.pop()),
                    _ => return None,
                }
            }
        }
    }

    fn name(&mut self) -> Option<()> {
        self.string()?;
        self.space();
        self.expect(b':')
    }

    fn string(&mut self) -> Option<()> {
        self.expect(b'"')?;
        loop {
            match self.take()? {
                b'"' => return Some(()),
                b'\\' => match self.take()? {
                    b'u' => {
                        for _ in 0..4 {
                            self.take()?.is_ascii_hexdigit().then_some(())?;
                        }
                    }
                    byte => b"\"\\/bfnrt".contains(&byte).then_some(())?,
                },
                0..0x20 => return None,
                _ => {}
            }
        }
    }

    fn digits(&mut self) -> Option<()> {
        self.peek()?.is_ascii_digit().then_some(())?;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        if self.peek()? == b'-' {
            self.at += 1;
        }
        if self.peek()? == b'0' {
            self.at += 1;
            if self.peek().is_some_and(|b| b.is_ascii_digit()) {
                return None;
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }
}
