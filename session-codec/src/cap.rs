//! Which arrays a windowed decode may shorten, and to how many elements. Owns
//! the cap as a plain value; must not know how a window is cut.

/// The number of last elements to keep of each named array.
///
/// The cap travels as an argument, never through state of a thread, so a panic
/// in one decode cannot shorten another.
///
/// ```
/// use session_codec::TailCap;
///
/// let cap = TailCap::new().cap("messages", 20).cap("tool_uses", 0);
/// assert_eq!(cap.keep("messages"), Some(20));
/// assert_eq!(cap.keep("title"), None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TailCap {
    arrays: Vec<(String, usize)>,
}

impl TailCap {
    /// Creates a cap that shortens nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a cap that keeps the last `keep` elements of each of `arrays`.
    #[must_use]
    pub fn all(arrays: &[&str], keep: usize) -> Self {
        arrays
            .iter()
            .fold(Self::new(), |cap, array| cap.cap(array, keep))
    }

    /// Keeps the last `keep` elements of `array`; a later call for the same
    /// name wins.
    #[must_use]
    pub fn cap(mut self, array: &str, keep: usize) -> Self {
        match self.arrays.iter_mut().find(|(name, _)| name == array) {
            Some(found) => found.1 = keep,
            None => self.arrays.push((array.to_owned(), keep)),
        }
        self
    }

    /// Returns how many elements of `array` are kept, or `None` for all.
    #[must_use]
    pub fn keep(&self, array: &str) -> Option<usize> {
        self.arrays()
            .find(|(name, _)| *name == array)
            .map(|(_, keep)| keep)
    }

    /// Lists the capped arrays in the order they were named.
    #[must_use]
    pub fn arrays(&self) -> impl ExactSizeIterator<Item = (&str, usize)> {
        self.arrays
            .iter()
            .map(|(name, keep)| (name.as_str(), *keep))
    }
}
