//! How large a session may be. Plain numbers; the codec and the calls enforce them.

/// Limits that `save` and `append` refuse to exceed and `load` refuses to follow.
///
/// Tail loads, headers and listings are never capped by the document's size: their memory is bounded by what they return.
///
/// ```
/// use session_store::Limits;
///
/// let limits = Limits::default().document(64 << 20);
/// assert_eq!(limits.element_bytes(), 64 << 20);
/// assert_eq!(limits.depth_levels(), 100);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Limits {
    document: u64,
    element: u64,
    depth: u32,
}

impl Default for Limits {
    /// 4 GiB a document, 64 MiB an element, 100 levels: the depth leaves room below the 127 that `serde_json` reads.
    fn default() -> Self {
        Self {
            document: 4 << 30,
            element: 64 << 20,
            depth: 100,
        }
    }
}

impl Limits {
    /// Sets the largest document, in bytes.
    pub fn document(mut self, bytes: u64) -> Self {
        self.document = bytes;
        self
    }

    /// Sets the largest element of a capped array, in bytes of JSON text.
    pub fn element(mut self, bytes: u64) -> Self {
        self.element = bytes;
        self
    }

    /// Sets the deepest nesting, in brackets; more than 127 has no effect, as `serde_json` reads no deeper.
    pub fn depth(mut self, levels: u32) -> Self {
        self.depth = levels.min(127);
        self
    }

    /// The largest document, in bytes.
    #[must_use]
    pub fn document_bytes(&self) -> u64 {
        self.document
    }

    /// The largest element of a capped array, in bytes.
    #[must_use]
    pub fn element_bytes(&self) -> u64 {
        self.element
    }

    /// The deepest nesting, in brackets.
    #[must_use]
    pub fn depth_levels(&self) -> u32 {
        self.depth
    }
}
