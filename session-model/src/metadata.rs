//! Owns what is said about a session besides its messages.

use std::path::PathBuf;

use crate::directory::{self, BYTES_MEMBER};
use crate::object::{DefaultTrue, Directory, Nullable, Plain, Skipped, object};
use crate::{Extra, RawJson};

/// Directory, model and settings of a session.
///
/// A directory that is not UTF-8 is written as its lossy text and, beside it, a member
/// `directory_bytes` with the exact bytes in base64. These are believed when read only if their
/// lossy text is `directory`.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the members of the format are bools"
)]
pub struct SessionMetadata {
    /// The working directory the session belongs to.
    pub directory: Option<PathBuf>,
    /// The model that answers.
    pub model: Option<String>,
    /// The knowledge the session was begun with.
    pub knowledge_snapshot: Option<String>,
    /// Where the session came from.
    pub provenance: Option<RawJson>,
    /// Whether edits are applied without asking; false by default.
    pub auto_apply_edits: bool,
    /// Whether tools may use the network; false by default.
    pub allow_network: bool,
    /// Whether slash commands are completed; true by default.
    pub slash_autocomplete: bool,
    /// Whether the agent works in a worktree of its own; true by default.
    pub use_worktree: bool,
    /// Whether the session is shared; false by default.
    pub shared: bool,
    /// Where it is shared.
    pub share_url: Option<String>,
    /// Settings for recursive language models.
    pub rlm: Option<RawJson>,
    /// Members this type does not know.
    pub extra: Extra,
}

object!(SessionMetadata, "a session's metadata", hide: shown_extra, {
    directory: Directory,
    model: Nullable,
    knowledge_snapshot: Skipped,
    provenance: Skipped,
    auto_apply_edits: Plain,
    allow_network: Plain,
    slash_autocomplete: DefaultTrue,
    use_worktree: DefaultTrue,
    shared: Plain,
    share_url: Nullable,
    rlm: Skipped,
});

impl Default for SessionMetadata {
    fn default() -> Self {
        Self {
            directory: None,
            model: None,
            knowledge_snapshot: None,
            provenance: None,
            auto_apply_edits: false,
            allow_network: false,
            slash_autocomplete: true,
            use_worktree: true,
            shared: false,
            share_url: None,
            rlm: None,
            extra: Extra::new(),
        }
    }
}

/// Returns the unknown members to write in place of `extra`, if those would say something wrong
/// about the directory.
///
/// Bytes that did not belong to the directory when it was read stay an unknown member. Once the
/// directory has changed they may clash with its own bytes, or seem to belong to it.
fn shown_extra(metadata: &SessionMetadata) -> Option<Extra> {
    let stale = metadata.extra.get(BYTES_MEMBER)?;
    let path = metadata.directory.as_ref()?;
    let clashes = match path.to_str() {
        None => true,
        Some(text) => directory::honoured(text, stale).is_some(),
    };
    clashes.then(|| {
        let mut shown = metadata.extra.clone();
        shown.remove(BYTES_MEMBER);
        shown
    })
}
