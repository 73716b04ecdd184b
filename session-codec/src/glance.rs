//! A quick look for a few members in bytes that were read anyway: nothing is allocated, nothing copied, and whatever is
//! not plain is left to [`Codec::header`](crate::Codec::header). Owns when an answer is certain; must not know what the
//! members mean.

use std::ops::ControlFlow;

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
        let mut glance = Self {
            names,
            values: [None; N],
            upto: 0,
            more: true,
        };
        let mut scan = Scan::new(bytes);
        scan.token(b'{')?;
        if scan.peek()? == b'}' {
            return glance.ended(scan, bytes, whole);
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
                let text = std::str::from_utf8(value).ok()?;
                if glance.values[index].replace(text).is_some() {
                    return None;
                }
                if glance.values.iter().all(Option::is_some) {
                    break;
                }
            }
            match scan.next()? {
                b',' => {}
                b'}' => return glance.ended_after(scan, bytes, whole),
                _ => return None,
            }
        }
        glance.upto = scan.at();
        Some(glance)
    }

    /// Looks at one object that is a value.
    #[must_use]
    pub fn object(text: &'a str, names: [&'a str; N]) -> Option<Self> {
        Self::head(text.as_bytes(), true, names, &[])
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
                let whole = scan.value().is_some_and(|text| text.len() == value.len());
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

    fn ended(self, mut scan: Scan<'a>, bytes: &[u8], whole: bool) -> Option<Self> {
        scan.token(b'}')?;
        self.ended_after(scan, bytes, whole)
    }

    /// The object is over: nothing but white space may follow, and all of it was seen.
    fn ended_after(mut self, mut scan: Scan<'a>, bytes: &[u8], whole: bool) -> Option<Self> {
        scan.white_space();
        self.upto = bytes.len();
        self.more = false;
        (whole && scan.at() == bytes.len()).then_some(self)
    }
}

/// Gives the text of a JSON string that is spelled as it is meant, without its quotes.
#[must_use]
pub fn plain_text(value: &str) -> Option<&str> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains('\\')).then_some(inner)
}
