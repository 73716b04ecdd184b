//! Which part of a long session a caller wants. Lowers to the codec's caps; knows no JSON.

use session_codec::TailCap;

/// How many elements of each capped array a load keeps, counted from the end.
///
/// ```
/// use session_store::Window;
///
/// assert_eq!(Window::last(200).limit(), Some(200));
/// assert_eq!(Window::all().limit(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Window {
    last: Option<usize>,
}

impl Window {
    /// Keeps the last `n` elements of each capped array; 0 keeps none of them.
    pub fn last(n: usize) -> Self {
        Self { last: Some(n) }
    }

    /// Keeps everything.
    pub fn all() -> Self {
        Self { last: None }
    }

    /// How many elements are kept at most, `None` for all.
    #[must_use]
    pub fn limit(&self) -> Option<usize> {
        self.last
    }

    pub(crate) fn cap(self, arrays: &[&'static str]) -> TailCap {
        TailCap::all(arrays, self.last.unwrap_or(usize::MAX))
    }
}
