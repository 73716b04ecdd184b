//! The bounds that hostile input meets. Owns the numbers and their defaults;
//! must not know how they are counted.

/// Bounds on what a document may cost.
///
/// ```
/// use session_codec::Limits;
///
/// let limits = Limits::default().depth(100).element_bytes(1 << 20);
/// assert_eq!(limits.depth, 100);
/// assert_eq!(limits.members, Limits::default().members);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one element of an array that is a member of the document:
    /// 64 MiB. A tail counts only the elements it keeps.
    pub element_bytes: u64,
    /// Containers inside containers, the document's own object included: 127,
    /// the deepest that `serde_json` decodes.
    pub depth: u32,
    /// Members of the document's object: 65,536.
    pub members: u32,
    /// Bytes that a windowed decode may hold for the parser: 4 GiB.
    pub kept_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            element_bytes: 64 << 20,
            depth: 127,
            members: 1 << 16,
            kept_bytes: 4 << 30,
        }
    }
}

impl Limits {
    /// Bounds the bytes of one array element.
    #[must_use]
    pub fn element_bytes(mut self, bytes: u64) -> Self {
        self.element_bytes = bytes;
        self
    }

    /// Bounds the nesting depth.
    #[must_use]
    pub fn depth(mut self, depth: u32) -> Self {
        self.depth = depth;
        self
    }

    /// Bounds the number of members of the document.
    #[must_use]
    pub fn members(mut self, members: u32) -> Self {
        self.members = members;
        self
    }

    /// Bounds what a windowed decode holds.
    #[must_use]
    pub fn kept_bytes(mut self, bytes: u64) -> Self {
        self.kept_bytes = bytes;
        self
    }
}
