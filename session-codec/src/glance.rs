//! A quick look for a few members in bytes that were read anyway: nothing is allocated, nothing copied, and whatever is
//! not plain is left to [`Codec::header`](crate::Codec::header). Owns when an answer is certain; must not know what the
//! members mean.

use std::ops::{ControlFlow, Range};

use crate::header::visit_from_end;

mod scan;

use scan::Scan;

/// The members of an object that a quick look found, each as its text in the document.
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
    values: [Option<&'a str>; N],
    /// Where the look stopped, in bytes from the beginning.
    upto: usize,
    /// Whether members may follow.
    more: bool,
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
        Self::look(bytes, whole, names, arrays, Until::Found)
    }

    fn look(
        bytes: &'a [u8],
        whole: bool,
        names: [&'a str; N],
        arrays: &[&str],
        until: Until,
    ) -> Option<Self> {
        let mut scan = Scan::new(bytes);
        let mut places = [const { None }; N];
        let mut left = N;
        scan.token(b'{')?;
        if scan.peek()? == b'}' {
            scan.token(b'}')?;
            return Self::ended(names, places, scan, bytes, whole);
        }
        loop {
            let key = scan.key()?;
            scan.token(b':')?;
            let first = scan.peek()?;
            if first == b'[' && arrays.iter().any(|array| array.as_bytes() == key) {
                break;
            }
            let value = scan.value()?;
            if let Some(index) = names.iter().position(|name| name.as_bytes() == key) {
                if places[index].replace(value).is_some() {
                    return None;
                }
                left -= 1;
                if left == 0 && until == Until::Found {
                    break;
                }
            }
            match scan.next()? {
                b',' => {}
                b'}' => return Self::ended(names, places, scan, bytes, whole),
                _ => return None,
            }
        }
        Self::at(names, places, bytes.get(..scan.at())?, true)
    }

    /// Looks at one object that is a value, to its end: a member that stands twice is not passed over.
    #[must_use]
    pub fn object(text: &'a str, names: [&'a str; N]) -> Option<Self> {
        Self::look(text.as_bytes(), true, names, &[], Until::End)
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
        let has_all = |seen: &[bool; N], values: &[Option<&str>; N]| {
            (0..N).all(|index| seen[index] || values[index].is_some() || !needed(self.names[index]))
        };
        visit_from_end(bytes, &mut |key, value| {
            let raw = &bytes[key.start + 1..key.end - 1];
            // What the head showed is not met again, and an escaped key may be any name.
            if offset + (key.start as u64) < self.upto as u64 || raw.contains(&b'\\') {
                sound = false;
                return ControlFlow::Break(());
            }
            if let Some(index) = self.names.iter().position(|name| name.as_bytes() == raw)
                && !seen[index]
            {
                let value = &bytes[value];
                let mut scan = Scan::new(value);
                let whole = scan.value().is_some_and(|place| place == (0..value.len()));
                match std::str::from_utf8(value) {
                    Ok(text) if whole => self.values[index] = Some(text),
                    _ => {
                        sound = false;
                        return ControlFlow::Break(());
                    }
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

    /// Gives the texts of the members, in the order of the names; `None` for one that was not found.
    #[must_use]
    pub fn values(&self) -> [Option<&'a str>; N] {
        self.values
    }

    /// Whether members may follow that the look did not come to.
    #[must_use]
    pub fn may_have_more(&self) -> bool {
        self.more
    }

    /// The object is over: nothing but white space may follow, and all of it was seen.
    fn ended(
        names: [&'a str; N],
        places: [Option<Range<usize>>; N],
        mut scan: Scan<'a>,
        bytes: &'a [u8],
        whole: bool,
    ) -> Option<Self> {
        scan.white_space();
        if !whole || scan.at() != bytes.len() {
            return None;
        }
        Self::at(names, places, bytes, false)
    }

    /// Takes what stands at these places, if all that was passed is text: keys too, which are compared as bytes.
    fn at(
        names: [&'a str; N],
        places: [Option<Range<usize>>; N],
        passed: &'a [u8],
        more: bool,
    ) -> Option<Self> {
        let text = std::str::from_utf8(passed).ok()?;
        Some(Self {
            names,
            values: places.map(|place| text.get(place?)),
            upto: passed.len(),
            more,
        })
    }
}

/// Gives the text of a JSON string that is spelled as it is meant, without its quotes.
#[must_use]
pub fn plain_text(value: &str) -> Option<&str> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains('\\')).then_some(inner)
}
