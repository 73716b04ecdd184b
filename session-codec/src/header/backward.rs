//! Reading the members of an object from its end. Owns the backward grammar;
//! must not know names.
//!
//! Outside of a string every quote met backwards closes a string, and the quote
//! that opened it is the nearest one before it with an even number of
//! backslashes in front: a quote inside a string is escaped, so it has an odd
//! number, and the one that opens stands after punctuation or white space, so it
//! has none. On a valid document the result is therefore exact.

use std::ops::{ControlFlow, Range};

/// Where a member lies in the bytes looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ranges {
    /// With its quotes.
    pub(super) key: Range<usize>,
    pub(super) value: Range<usize>,
}

/// Why reading backwards came to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Halt {
    /// The object's opening brace was reached, here.
    Start(usize),
    /// The bytes ran out, perhaps inside an array that is a member.
    Cut { in_array: bool },
    /// This is not the end of a JSON object.
    Broken,
}

/// Returns the members that lie wholly in `bytes`, the end of a document, last
/// first. `complete` says that the bytes are all of the document.
pub(super) fn members_from_end(bytes: &[u8], complete: bool) -> (Vec<Ranges>, Halt) {
    let mut reader = Backward::new(bytes);
    let mut members = Vec::new();
    let halt = match reader.members(&mut |key, value| {
        members.push(Ranges { key, value });
        ControlFlow::Continue(())
    }) {
        Ok(start) => Halt::Start(start),
        Err(Trouble::RanOut) if !complete => Halt::Cut {
            in_array: reader.in_array,
        },
        Err(_) => Halt::Broken,
    };
    (members, halt)
}

/// Calls `visit` with the places of the key, quotes included, and of the value
/// of each member that lies wholly in `bytes`, the end of a document, last
/// first, until it says break.
pub(crate) fn visit_from_end(
    bytes: &[u8],
    visit: &mut dyn FnMut(Range<usize>, Range<usize>) -> ControlFlow<()>,
) {
    // Where the reading ends does not matter to whoever breaks it off.
    let _ = Backward::new(bytes).members(visit);
}

#[derive(Debug)]
enum Trouble {
    RanOut,
    Broken,
}

#[derive(Debug)]
struct Backward<'a> {
    bytes: &'a [u8],
    /// Bytes before this are still to be read.
    at: usize,
    in_array: bool,
}

impl<'a> Backward<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: bytes.len(),
            in_array: false,
        }
    }

    fn members(
        &mut self,
        visit: &mut dyn FnMut(Range<usize>, Range<usize>) -> ControlFlow<()>,
    ) -> Result<usize, Trouble> {
        if self.token()? != b'}' {
            return Err(Trouble::Broken);
        }
        if self.peek()? == b'{' {
            return Ok(self.at - 1);
        }
        loop {
            let value = self.value()?;
            self.in_array = false;
            if self.token()? != b':' {
                return Err(Trouble::Broken);
            }
            let end = self.skip_whitespace();
            if self.token()? != b'"' {
                return Err(Trouble::Broken);
            }
            self.string()?;
            if visit(self.at..end, value).is_break() {
                return Ok(self.at);
            }
            match self.token()? {
                b',' => {}
                b'{' => return Ok(self.at),
                _ => return Err(Trouble::Broken),
            }
        }
    }

    fn skip_whitespace(&mut self) -> usize {
        while self.at > 0 && matches!(self.bytes[self.at - 1], b' ' | b'\n' | b'\t' | b'\r') {
            self.at -= 1;
        }
        self.at
    }

    /// Returns the byte before the white space here.
    fn peek(&mut self) -> Result<u8, Trouble> {
        match self.skip_whitespace() {
            0 => Err(Trouble::RanOut),
            at => Ok(self.bytes[at - 1]),
        }
    }

    fn token(&mut self) -> Result<u8, Trouble> {
        let byte = self.peek()?;
        self.at -= 1;
        Ok(byte)
    }

    fn value(&mut self) -> Result<Range<usize>, Trouble> {
        let last = self.peek()?;
        let end = self.at;
        match last {
            b'"' => {
                self.at -= 1;
                self.string()?;
            }
            b'}' | b']' => {
                self.in_array = last == b']';
                self.container()?;
            }
            b'{' | b'[' | b',' | b':' => return Err(Trouble::Broken),
            _ => self.scalar()?,
        }
        Ok(self.at..end)
    }

    /// Goes to the quote that opens the string whose closing quote was read.
    fn string(&mut self) -> Result<(), Trouble> {
        loop {
            let before = &self.bytes[..self.at];
            let Some(quote) = memchr::memrchr(b'"', before) else {
                return Err(Trouble::RanOut);
            };
            let slashes = before[..quote]
                .iter()
                .rev()
                .take_while(|b| **b == b'\\')
                .count();
            if slashes == quote {
                // The run of backslashes may go on before these bytes.
                return Err(Trouble::RanOut);
            }
            self.at = quote;
            if slashes % 2 == 0 {
                return Ok(());
            }
        }
    }

    /// Goes to the bracket that opens the container whose closing one is next.
    fn container(&mut self) -> Result<(), Trouble> {
        let mut depth = 0_usize;
        while self.at > 0 {
            self.at -= 1;
            match self.bytes[self.at] {
                b'"' => self.string()?,
                b']' | b'}' => depth += 1,
                b'[' | b'{' => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                _ => {}
            }
        }
        Err(Trouble::RanOut)
    }

    fn scalar(&mut self) -> Result<(), Trouble> {
        let part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.');
        let end = self.at;
        while self.at > 0 && part(self.bytes[self.at - 1]) {
            self.at -= 1;
        }
        match self.at {
            0 => Err(Trouble::RanOut),
            at if at == end => Err(Trouble::Broken),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Halt, members_from_end};

    /// The texts of the members found in every cut of a document, and why the
    /// reading ended.
    fn check(document: &str, names: &[&str]) {
        let bytes = document.as_bytes();
        let texts = |from: usize, complete| {
            let (members, halt) = members_from_end(&bytes[from..], complete);
            let names: Vec<_> = members
                .iter()
                .map(|m| document[from..][m.key.clone()].to_owned())
                .collect();
            (names, halt)
        };
        let whole: Vec<_> = names
            .iter()
            .rev()
            .map(|name| format!("\"{name}\""))
            .collect();
        let start = document.find('{').unwrap();
        assert_eq!(texts(0, true), (whole.clone(), Halt::Start(start)));
        for from in 1..bytes.len() {
            if !document.is_char_boundary(from) {
                continue;
            }
            // Whatever is cut off, what is found is the end of the truth.
            let (found, halt) = texts(from, false);
            assert_eq!(found, whole[..found.len()], "from {from} of {document}");
            assert_eq!(halt == Halt::Start(start.wrapping_sub(from)), from <= start);
        }
    }

    #[test]
    fn members_are_found_from_the_end_whatever_is_cut_off() {
        check("{}", &[]);
        check(" { } ", &[]);
        check(r#" {"a":1}"#, &["a"]);
        check(r#"{"a" : -1.5e+7 , "b":true,"c":null}"#, &["a", "b", "c"]);
        check(
            r#"{"a":"x\\\\","b\"":"\\\"{[","c":{"d":["]",{}]}}"#,
            &["a", "b\\\"", "c"],
        );
        check(r#"{"\\":[[],[[]],"}"],"":"","é":"é"} "#, &["\\\\", "", "é"]);
    }

    #[test]
    fn what_is_no_end_of_an_object_is_broken() {
        for bytes in [
            "",
            "5",
            "]",
            "{]}",
            "{:}",
            "{1:2}",
            "{\"a\" 1}",
            "{\"a\":1 2}",
            "{,}",
        ] {
            let (_, halt) = members_from_end(bytes.as_bytes(), true);
            assert_eq!(halt, Halt::Broken, "{bytes}");
        }
    }
}
