//! What is recorded of a file system in memory: every call that changes it or makes a change durable.
#![cfg_attr(
    not(feature = "testing"),
    allow(dead_code, reason = "only the crash model reads the record")
)]

use std::collections::{BTreeMap, BTreeSet};

/// One recorded step.
#[derive(Clone, Debug)]
pub(in crate::fs) enum Op {
    /// A directory appeared.
    MakeDir { path: String },
    /// An empty file appeared.
    Create { path: String, inode: u64 },
    /// A file was cut to a length.
    Truncate { inode: u64, size: usize },
    /// Bytes were written.
    Write {
        inode: u64,
        at: usize,
        bytes: Vec<u8>,
    },
    /// A file's content was made durable.
    SyncFile { inode: u64 },
    /// A sync failed: what was unsynced is lost for good.
    SyncLost { inode: u64 },
    /// A file got another name.
    Rename {
        from: String,
        to: String,
        inode: u64,
    },
    /// A name went.
    Remove { path: String },
    /// The names in a directory were made durable.
    SyncDir { path: String },
    /// The root's own name was made durable.
    SyncRootEntry,
    /// A note of the test.
    Mark { note: String },
}

impl Op {
    /// Names the step for a message.
    pub(in crate::fs) fn name(&self) -> String {
        match self {
            Self::MakeDir { path } => format!("make directory {path:?}"),
            Self::Create { path, .. } => format!("create {path:?}"),
            Self::Truncate { size, .. } => format!("truncate to {size} bytes"),
            Self::Write { bytes, .. } => format!("write {} bytes", bytes.len()),
            Self::SyncFile { .. } => "sync file".to_owned(),
            Self::SyncLost { .. } => "failing sync of file".to_owned(),
            Self::Rename { from, to, .. } => format!("rename {from:?} to {to:?}"),
            Self::Remove { path } => format!("remove {path:?}"),
            Self::SyncDir { path } => format!("sync directory {path:?}"),
            Self::SyncRootEntry => "sync the root's own entry".to_owned(),
            Self::Mark { note } => format!("note {note:?}"),
        }
    }
}

/// What was there, and durable, when recording began.
#[derive(Clone, Debug, Default)]
pub(in crate::fs) struct Base {
    pub(in crate::fs) files: BTreeMap<String, u64>,
    pub(in crate::fs) contents: BTreeMap<u64, Vec<u8>>,
    pub(in crate::fs) dirs: BTreeSet<String>,
}

/// A base and the steps since.
#[derive(Clone, Debug)]
pub(in crate::fs) struct Recording {
    pub(in crate::fs) base: Base,
    pub(in crate::fs) ops: Vec<Op>,
}
