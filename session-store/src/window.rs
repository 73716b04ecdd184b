//! Which part of a long session a caller wants. Lowers to the codec's caps; knows no JSON.

use session_codec::TailCap;

/// How many elements of each capped array a load keeps, counted from the end.
///
/// ```
/// use session_store::{Alignment, Window};
///
/// assert_eq!(Window::last(200).limit(), Some(200));
/// assert_eq!(Window::all().limit(), None);
/// assert_eq!(Window::last(200).align_tool_pairs().alignment(), Alignment::Extend);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Window {
    last: Option<usize>,
    alignment: Alignment,
}

/// What becomes of a window that would start on the result of a tool call which it leaves out.
///
/// Model providers refuse such a beginning. Only the start of the array that the record names as
/// [paired](crate::SessionRecord::PAIRED) is looked at, by the links that the record tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Alignment {
    /// It stays as it is.
    #[default]
    None,
    /// It starts earlier, on the element that makes the call. A result whose call is nowhere in the session stays.
    ///
    /// A few more elements are loaded at once. Where the call is farther away, as many as it takes: all of the session
    /// if there is no such call.
    Extend,
    /// It starts later, on the first element that answers nothing before it. Nothing more is loaded.
    Trim,
}

impl Window {
    /// Keeps the last `n` elements of each capped array; 0 keeps none of them.
    pub fn last(n: usize) -> Self {
        Self {
            last: Some(n),
            alignment: Alignment::None,
        }
    }

    /// Keeps everything.
    pub fn all() -> Self {
        Self {
            last: None,
            alignment: Alignment::None,
        }
    }

    /// Lets the window start earlier where it would start on the result of a tool call that it leaves out:
    /// [`Alignment::Extend`].
    pub fn align_tool_pairs(self) -> Self {
        self.align(Alignment::Extend)
    }

    /// Says what becomes of a window that would start on the result of a tool call that it leaves out.
    pub fn align(self, alignment: Alignment) -> Self {
        Self { alignment, ..self }
    }

    /// How many elements are kept at most, `None` for all. An aligned window may have more, or fewer, of the paired array.
    #[must_use]
    pub fn limit(&self) -> Option<usize> {
        self.last
    }

    /// How the window's start is aligned.
    #[must_use]
    pub fn alignment(&self) -> Alignment {
        self.alignment
    }

    pub(crate) fn cap(self, arrays: &[&'static str]) -> TailCap {
        TailCap::all(arrays, self.last.unwrap_or(usize::MAX))
    }

    /// As `cap`, but for one array.
    pub(crate) fn cap_but(self, arrays: &[&'static str], but: &str, keep: usize) -> TailCap {
        arrays.iter().fold(TailCap::new(), |cap, array| {
            let other = self.last.unwrap_or(usize::MAX);
            cap.cap(array, if *array == but { keep } else { other })
        })
    }
}
