//! The strings of one JSON value, each with the way that leads to it, decoded
//! only where somebody asks. Owns the walk over a value in memory; must not know
//! what the strings mean.

use std::borrow::Cow;
use std::fmt;
use std::ops::ControlFlow;

use memchr::memchr;

use crate::{
    Codec, Error, LimitKind, Parser,
    parser::{
        decode,
        direct::{unescape, utf8},
    },
};

/// One step from a value to a value inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<'a> {
    /// To a member of an object. Bytes that are not UTF-8 are replaced.
    Member(Cow<'a, str>),
    /// To an element of an array, counted from 0.
    Element(u64),
}

/// A string as it is spelled in JSON.
#[derive(Clone, Copy)]
pub struct Spelled<'a> {
    json: &'a [u8],
    at: usize,
}

impl<'a> Spelled<'a> {
    /// Returns what stands between the quotes.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        &self.json[1..self.json.len() - 1]
    }

    /// Returns where the string's first quote is in the value walked over.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Decodes the string; one without escapes is borrowed.
    ///
    /// # Errors
    ///
    /// [`Error::Syntax`] at the string for a bad escape, a lone surrogate or
    /// bytes that are not UTF-8.
    pub fn decode(&self) -> Result<Cow<'a, str>, Error> {
        let refused = || Error::syntax(self.at as u64, "expected a valid string");
        if memchr(b'\\', self.json).is_none() {
            let text = utf8(self.raw()).ok_or_else(refused)?;
            return Ok(Cow::Borrowed(text));
        }
        if let Some(text) = unescape(self.raw()) {
            return Ok(Cow::Owned(text));
        }
        decode(self.json).map(Cow::Owned).map_err(|_| refused())
    }

    /// Decodes a name, making the best of a bad one.
    fn name(&self) -> Cow<'a, str> {
        self.decode()
            .unwrap_or_else(|_| String::from_utf8_lossy(self.raw()))
    }
}

impl fmt::Debug for Spelled<'_> {
    /// Tells where it is and how long, not what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spelled")
            .field("at", &self.at)
            .field("bytes", &self.json.len())
            .finish()
    }
}

/// An object or array that is not at its end.
#[derive(Clone, Copy)]
enum Open {
    /// Whether a name comes next.
    Object(bool),
    Array,
}

impl<P: Parser> Codec<P> {
    /// Visits every string in one JSON value that is not a member's name, in
    /// order, until `visit` breaks.
    ///
    /// The value is taken to be well-formed; of one that is not, what can be
    /// told apart is visited.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use session_codec::{Codec, Step};
    ///
    /// let json = br#"{"content": [{"text": "a\nb"}]}"#;
    /// Codec::new().strings(json, |path, string| {
    ///     assert_eq!(path[1], Step::Element(0));
    ///     assert_eq!(string.decode().unwrap(), "a\nb");
    ///     ControlFlow::Continue(())
    /// })?;
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Syntax`] for a string or brackets without end, and
    /// [`Error::Limit`] for depth. What was visited before stands.
    ///
    /// # Complexity
    ///
    /// One pass; memory for the names on the way to the current string.
    pub fn strings<'a>(
        &self,
        json: &'a [u8],
        mut visit: impl FnMut(&[Step<'a>], Spelled<'a>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let mut open = Vec::new();
        let mut path: Vec<Step<'a>> = Vec::new();
        let mut at = 0;
        while let Some(&byte) = json.get(at) {
            match byte {
                b'{' | b'[' => {
                    if open.len() >= self.limits.depth as usize {
                        return Err(Error::Limit {
                            offset: at as u64,
                            what: LimitKind::Depth,
                            limit: u64::from(self.limits.depth),
                        });
                    }
                    let object = byte == b'{';
                    open.push(if object {
                        Open::Object(true)
                    } else {
                        Open::Array
                    });
                    path.push(if object {
                        Step::Member(Cow::Borrowed(""))
                    } else {
                        Step::Element(0)
                    });
                }
                b'}' | b']' => {
                    path.pop();
                    if open.pop().is_none() {
                        return Err(Error::syntax(at as u64, "expected a value"));
                    }
                }
                b',' => match (open.last_mut(), path.last_mut()) {
                    (Some(Open::Object(name)), _) => *name = true,
                    (Some(Open::Array), Some(Step::Element(index))) => *index += 1,
                    _ => {}
                },
                b'"' => {
                    let end = string_end(json, at)
                        .ok_or_else(|| Error::syntax(at as u64, "string without end"))?;
                    let string = Spelled {
                        json: &json[at..end],
                        at,
                    };
                    at = end;
                    if let Some(Open::Object(name @ true)) = open.last_mut() {
                        *name = false;
                        if let Some(step) = path.last_mut() {
                            *step = Step::Member(string.name());
                        }
                    } else if visit(&path, string).is_break() {
                        return Ok(());
                    }
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        if open.is_empty() {
            return Ok(());
        }
        Err(Error::syntax(at as u64, "value without end"))
    }
}

/// Returns the place after the closing quote of the string that starts at `at`.
fn string_end(json: &[u8], at: usize) -> Option<usize> {
    let mut from = at + 1;
    loop {
        // Most escapes are no quotes, so they are not stopped at.
        let quote = from + memchr(b'"', json.get(from..)?)?;
        let slashes = json[from..quote].iter().rev();
        let slashes = slashes.take_while(|byte| **byte == b'\\').count();
        from = quote + 1;
        if slashes % 2 == 0 {
            return Some(from);
        }
    }
}
