//! The updates of a change that is not committed yet. Knows workspaces as bytes of a path and no format.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use crate::Answer;
use crate::answer::{Reason, Recorded};

/// What a change does to one workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Update {
    Record(Recorded),
    Remove,
}

impl Update {
    /// What a lookup says once this update is made.
    pub(crate) fn answer(&self) -> Answer {
        match self {
            Self::Record(recorded) => recorded.clone().unproven(),
            Self::Remove => Answer::Unknown(Reason::Absent),
        }
    }
}

/// The last update of each workspace.
///
/// Keys are [`OsString`]s because `Path` compares by components: `/a` and `/a/` would be one key.
#[derive(Debug, Default)]
pub(crate) struct Pending(BTreeMap<Option<OsString>, Update>);

impl Pending {
    pub(crate) fn set(&mut self, workspace: Option<&Path>, update: Update) {
        self.0.insert(key(workspace), update);
    }

    pub(crate) fn get(&self, workspace: Option<&Path>) -> Option<&Update> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&key(workspace))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Option<&Path>, &Update)> {
        self.0
            .iter()
            .map(|(workspace, update)| (workspace.as_deref().map(Path::new), update))
    }

    pub(crate) fn into_inner(self) -> BTreeMap<Option<OsString>, Update> {
        self.0
    }
}

pub(crate) fn key(workspace: Option<&Path>) -> Option<OsString> {
    workspace.map(|path| path.as_os_str().to_owned())
}
