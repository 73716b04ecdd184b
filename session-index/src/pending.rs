//! The updates of a change that is not committed yet. Knows workspaces as bytes of a path and no format.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use crate::answer::{Entry, Reason, Recorded};
use crate::proof::Ground;
use crate::{Answer, Pointer};

/// What a change does to one workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Update {
    /// As a hint.
    Record(Recorded),
    /// As true, if the change has ground for it.
    Prove(Recorded),
    Remove,
}

impl Update {
    /// Records a hint; `None` for "no session".
    pub(crate) fn record(newest: Option<Pointer>) -> Self {
        Self::Record(newest.map_or(Recorded::Nothing, Recorded::Session))
    }

    /// Records what is true; `None` for "no session".
    pub(crate) fn prove(newest: Option<Pointer>) -> Self {
        Self::Prove(newest.map_or(Recorded::Nothing, Recorded::Session))
    }

    /// What a lookup says once this update is made.
    pub(crate) fn answer(&self) -> Answer {
        match self {
            Self::Record(recorded) | Self::Prove(recorded) => recorded.clone().unproven(),
            Self::Remove => Answer::Unknown(Reason::Absent),
        }
    }

    /// What is written for this update, with the epoch in which it is true; `None` where what is there has to go.
    ///
    /// `Err` leaves the workspace alone. `known` says whether anything is recorded for it.
    pub(crate) fn entry(
        &self,
        ground: &Ground,
        known: impl FnOnce() -> bool,
    ) -> Result<Option<Entry>, Skip> {
        let epoch = match *ground {
            Ground::Epoch(epoch, _) => Some(epoch),
            Ground::Hints | Ground::Moved => None,
        };
        let (recorded, epoch) = match self {
            Self::Remove => return Ok(None),
            Self::Record(recorded) => (recorded, None),
            // That nothing was found is worth nothing without a proof, and a session that was is a hint.
            Self::Prove(Recorded::Nothing) if epoch.is_none() => return Err(Skip),
            Self::Prove(_) if *ground == Ground::Moved && known() => return Err(Skip),
            Self::Prove(recorded) => (recorded, epoch),
        };
        let recorded = recorded.clone();
        Ok(Some(Entry { recorded, epoch }))
    }
}

/// Nothing is to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Skip;

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
