//! A quick look for a few members in bytes that were read anyway: nothing is allocated, nothing copied, and whatever is
//! not plain is left to [`Codec::header`](crate::Codec::header). Owns when an answer is certain; must not know what the
//! members mean.

use std::ops::{ControlFlow, Range};

use crate::header::visit_from_end;

mod scan;

use scan::Scan;

/// The members of an object that a quick look found, each as its text in the document, and perhaps one member of one of them.
///
/// A look either says what [`Codec::header`](crate::Codec::header) would find, or nothing at all. It gives up, with `None`,
/// on escapes in keys, members that stand twice, broken JSON, text that is not UTF-8, deep nesting, and when the bytes end
/// before the members do.
///
/// ```
/// use session_codec::Glance;
///
/// let head = br#"{"id":"a","metadata":{"directory":"/x"},"messages":[{"role":"us"#;
/// let names = ["id", "metadata", "agent"];
/// let glance = Glance::head(head, false, names, &["messages"]).expect("plain");
/// assert_eq!(glance.values(), [Some(r#""a""#), Some(r#"{"directory":"/x"}"#), None]);
///
/// let end = br#"}],"usage":{},"agent":"build"}"#;
/// let glance = glance.with_end(end, 10_000, |name| name == "agent").expect("plain");
/// assert_eq!(glance.values()[2], Some(r#""build""#));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glance<'a, const N: usize> {
    names: [&'a str; N],
    /// Each of them is text.
    values: [Option<&'a [u8]>; N],
    /// The member that is looked into, by its place among the names, and for what.
    within: Option<(usize, &'a str)>,
    inner: Inner<'a>,
    /// Where the look stopped, in bytes from the beginning.
    upto: usize,
    /// Whether members may follow.
    more: bool,
}

/// What was found inside the member that a look [looked into](Glance::head_within).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inner<'a> {
    /// The member to be looked into was not found, or nothing was to be looked into.
    NoMember,
    /// It is no object.
    NoObject,
    /// It is an object without a member of that name.
    Missing,
    /// The text of the member inside it.
    Value(&'a str),
}

/// Where a look found what it looked for.
#[derive(Debug)]
struct Places<const N: usize> {
    values: [Option<Range<usize>>; N],
    inner: Within,
}

/// Where the member of a member is; its object's own place is among the others.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Within {
    NoMember,
    NoObject,
    Missing,
    At(Range<usize>),
}

/// How far a look goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// Until every name was found, as a header does.
    Found,
    End,
}

impl<'a, const N: usize> Glance<'a, N> {
    /// Looks for members at the beginning of a document, up to the first of `arrays`, to the object's end, or until all
    /// were found. `whole` says that the bytes are all of the document.
    ///
    /// # Complexity
    ///
    /// Linear in the bytes up to there; no allocation.
    #[must_use]
    pub fn head(
        bytes: &'a [u8],
        whole: bool,
        names: [&'a str; N],
        arrays: &[&str],
    ) -> Option<Self> {
        Self::look(bytes, whole, names, None, arrays, Until::Found)
    }

    /// Does what [`head`](Self::head) does, and looks for one member of an object that is one of the members, in the same
    /// pass: `within` gives the place of that object's name among the names, and the name of its member.
    ///
    /// ```
    /// use session_codec::{Glance, Inner};
    ///
    /// let head = br#"{"id":"a","metadata":{"model":"m","directory":"/x"}}"#;
    /// let glance = Glance::head_within(head, true, ["id", "metadata"], (1, "directory"), &[]);
    /// assert_eq!(glance.expect("plain").inner(), Inner::Value(r#""/x""#));
    /// ```
    ///
    /// # Complexity
    ///
    /// As for [`head`](Self::head).
    #[must_use]
    pub fn head_within(
        bytes: &'a [u8],
        whole: bool,
        names: [&'a str; N],
        within: (usize, &'a str),
        arrays: &[&str],
    ) -> Option<Self> {
        Self::look(bytes, whole, names, Some(within), arrays, Until::Found)
    }

    fn look(
        bytes: &'a [u8],
        whole: bool,
        names: [&'a str; N],
        within: Option<(usize, &'a str)>,
        arrays: &[&str],
        until: Until,
    ) -> Option<Self> {
        let mut scan = Scan::new(bytes);
        let mut places = Places {
            values: [const { None }; N],
            inner: Within::NoMember,
        };
        let (mut left, mut guess) = (N, 0);
        let more = 'members: {
            scan.token(b'{')?;
            if scan.peek()? == b'}' {
                scan.token(b'}')?;
                break 'members false;
            }
            loop {
                let key = scan.key()?;
                scan.token(b':')?;
                let first = scan.peek()?;
                if first == b'[' && arrays.iter().any(|array| array.as_bytes() == key) {
                    break 'members true;
                }
                // Most documents have them in the order in which they are asked for.
                let place = match names.get(guess) {
                    Some(name) if name.as_bytes() == key => Some(guess),
                    _ => names.iter().position(|name| name.as_bytes() == key),
                };
                if let Some(index) = place {
                    guess = index + 1;
                    let value = match within {
                        Some((member, name)) if member == index => {
                            let (value, inner) = scan.value_within(name.as_bytes())?;
                            places.inner = inner;
                            value
                        }
                        _ => scan.value()?,
                    };
                    if places.values[index].replace(value).is_some() {
                        return None;
                    }
                    left -= 1;
                    if left == 0 && until == Until::Found {
                        break 'members true;
                    }
                } else {
                    scan.value()?;
                }
                match scan.next()? {
                    b',' => {}
                    b'}' => break 'members false,
                    _ => return None,
                }
            }
        };
        if !more {
            // The object is over: nothing but white space may follow, and all of it was seen.
            scan.white_space();
            if !whole || scan.at() != bytes.len() {
                return None;
            }
        }
        // All that was passed has to be text: keys too, which are compared as bytes.
        if !scan.is_ascii() && std::str::from_utf8(&bytes[..scan.at()]).is_err() {
            return None;
        }
        let mut glance = Self {
            names,
            values: places.values.map(|place| bytes.get(place?)),
            within,
            inner: Inner::NoMember,
            upto: scan.at(),
            more,
        };
        glance.inner = found_in(bytes, places.inner)?;
        Some(glance)
    }

    /// Looks at one object that is a value, to its end: a member that stands twice is not passed over.
    #[must_use]
    pub fn object(text: &'a str, names: [&'a str; N]) -> Option<Self> {
        Self::look(text.as_bytes(), true, names, None, &[], Until::End)
    }

    /// Adds the members that the end of the document shows, read backwards until all that are `needed` were found;
    /// `offset` is where `bytes` begin in the document. Of members that stand twice the last counts.
    ///
    /// # Complexity
    ///
    /// Linear in the bytes from there; no allocation.
    #[must_use]
    pub fn with_end(
        mut self,
        bytes: &'a [u8],
        offset: u64,
        needed: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        if !self.more {
            return Some(self);
        }
        let mut seen = [false; N];
        let mut sound = true;
        let names = self.names;
        let has_all = |seen: &[bool; N], values: &[Option<&[u8]>; N]| {
            (0..N).all(|index| seen[index] || values[index].is_some() || !needed(names[index]))
        };
        visit_from_end(bytes, &mut |key, value| {
            let raw = &bytes[key.start + 1..key.end - 1];
            // What the head showed is not met again, and an escaped key may be any name.
            if offset + (key.start as u64) < self.upto as u64 || raw.contains(&b'\\') {
                sound = false;
                return ControlFlow::Break(());
            }
            if let Some(index) = names.iter().position(|name| name.as_bytes() == raw)
                && !seen[index]
            {
                if self.take(index, &bytes[value]).is_none() {
                    sound = false;
                    return ControlFlow::Break(());
                }
                seen[index] = true;
            }
            if has_all(&seen, &self.values) {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        (sound && has_all(&seen, &self.values)).then_some(self)
    }

    /// Takes the value of a member that was found at the end, if it is a value and text.
    fn take(&mut self, index: usize, value: &'a [u8]) -> Option<()> {
        let mut scan = Scan::new(value);
        let (place, inner) = match self.within {
            Some((member, name)) if member == index => scan.value_within(name.as_bytes())?,
            _ => (scan.value()?, Within::NoMember),
        };
        if place != (0..value.len()) || std::str::from_utf8(value).is_err() {
            return None;
        }
        if inner != Within::NoMember {
            self.inner = found_in(value, inner)?;
        }
        self.values[index] = Some(value);
        Some(())
    }

    /// Gives the texts of the members, in the order of the names; `None` for one that was not found.
    #[must_use]
    pub fn values(&self) -> [Option<&'a str>; N] {
        self.values.map(|value| text(value?))
    }

    /// Gives the text of the member whose name has this place.
    ///
    /// # Panics
    ///
    /// If there is no name at this place.
    #[must_use]
    pub fn value(&self, index: usize) -> Option<&'a str> {
        text(self.values[index]?)
    }

    /// Says whether the member whose name has this place was found.
    ///
    /// # Panics
    ///
    /// If there is no name at this place.
    #[must_use]
    pub fn has(&self, index: usize) -> bool {
        self.values[index].is_some()
    }

    /// Gives what was found in the member that was [looked into](Self::head_within).
    #[must_use]
    pub fn inner(&self) -> Inner<'a> {
        self.inner
    }

    /// Whether members may follow that the look did not come to.
    #[must_use]
    pub fn may_have_more(&self) -> bool {
        self.more
    }
}

/// Says what was found inside a member, in bytes that are text.
fn found_in(bytes: &[u8], inner: Within) -> Option<Inner<'_>> {
    Some(match inner {
        Within::NoMember => Inner::NoMember,
        Within::NoObject => Inner::NoObject,
        Within::Missing => Inner::Missing,
        Within::At(place) => Inner::Value(text(bytes.get(place)?)?),
    })
}

/// A part of a text that ends where a token does, as text.
fn text(part: &[u8]) -> Option<&str> {
    std::str::from_utf8(part).ok()
}

/// Gives the text of a JSON string that is spelled as it is meant, without its quotes.
#[must_use]
pub fn plain_text(value: &str) -> Option<&str> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    memchr::memchr(b'\\', inner.as_bytes())
        .is_none()
        .then_some(inner)
}
