//! The index that remembers nothing. Knows only the traits.

use std::path::Path;

use crate::index::{Change, WorkspaceIndex};
use crate::{Answer, Error, Pointer};

/// Remembers nothing: every lookup is [`Answer::Unknown`], every change succeeds and writes nothing.
///
/// It takes no lock either, so a store that uses it counts as a foreign writer for stores that use another index on the
/// same sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoIndex;

impl WorkspaceIndex for NoIndex {
    fn lookup(&self, _workspace: Option<&Path>) -> Result<Answer, Error> {
        Ok(Answer::default())
    }

    fn begin(&self) -> Result<Box<dyn Change + '_>, Error> {
        Ok(Box::new(Self))
    }
}

impl Change for NoIndex {
    fn lookup(&self, _workspace: Option<&Path>) -> Result<Answer, Error> {
        Ok(Answer::default())
    }

    fn record(&mut self, _workspace: Option<&Path>, _pointer: Pointer) {}

    fn record_none(&mut self, _workspace: Option<&Path>) {}

    fn remove(&mut self, _workspace: Option<&Path>) {}

    fn commit(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}
