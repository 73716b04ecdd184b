//! How much of the machine must fail before an acknowledged write is lost. Knows no files.

/// What an acknowledged write survives.
///
/// | level | steps after the bytes are written | process dies | power is cut |
/// |---|---|---|---|
/// | [`Full`](Durability::Full) | file sync, rename, directory sync | nothing lost | nothing acknowledged is lost |
/// | [`Ordered`](Durability::Ordered) | file sync, rename | nothing lost | may fall back to an older complete session |
/// | [`Process`](Durability::Process) | rename | nothing lost | recent sessions may be empty or unreadable |
///
/// Appends to a journal that is there are synced at `Full` and `Ordered`, and not at `Process`: no name changes with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// File and directory are synced before the write is acknowledged.
    #[default]
    Full,
    /// The file is synced before it replaces the old one; the directory is not.
    Ordered,
    /// Nothing is synced: survives the death of the process only.
    Process,
}

impl Durability {
    /// Whether file contents are synced before they become visible.
    #[must_use]
    pub fn syncs_files(self) -> bool {
        !matches!(self, Self::Process)
    }

    /// Whether directories are synced before a change is acknowledged.
    #[must_use]
    pub fn syncs_directories(self) -> bool {
        matches!(self, Self::Full)
    }
}
