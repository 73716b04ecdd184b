//! What the index is told of an append: documents do not move then, so the index must hear of it from the append itself.

use std::path::PathBuf;

use session_index::{Answer, Change};
use session_model::{SessionHeader, SessionId, SessionRecord};

use super::SessionStore;
use crate::Error;
use crate::backend::Blob;
use crate::order::Recency;
use crate::workspace::Workspace;

/// The file by which an index proves what it says.
const STATE: &str = "state";

/// Whether the index already says what an append makes true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The session is the one pointed to, under every key.
    Already,
    /// It is to be recorded when it is there.
    Later,
}

/// The keys of a session that is being appended to.
#[derive(Debug, Default)]
pub(super) struct Keys {
    of: Option<PathBuf>,
    all: Vec<Option<PathBuf>>,
    /// The directory did not resolve in time, so that these are not all.
    is_unanswered: bool,
}

impl<S: SessionRecord> SessionStore<S> {
    /// Takes out of the index what an append makes untrue, before it becomes so.
    pub(super) fn before_append(
        &self,
        id: &SessionId,
        keys: &mut Keys,
        header: &SessionHeader,
    ) -> Result<Told, Error> {
        self.doubt_others()?;
        self.resolve_keys(keys, header);
        let answers: Vec<Answer> = keys
            .all
            .iter()
            .map(|key| self.shared.index.lookup(key.as_deref()).unwrap_or_default())
            .collect();
        let pointed = |answer: &Answer| names(answer, id);
        if answers.iter().all(pointed) && !keys.is_unanswered {
            return Ok(Told::Already);
        }
        if keys.is_unanswered
            || answers
                .iter()
                .any(|answer| !matches!(answer, Answer::Unknown(_)) && !pointed(answer))
        {
            self.change_index(
                &self.shared.index,
                || Ok(()),
                &mut || Ok(()),
                |change| {
                    if keys.is_unanswered {
                        change.doubt();
                    }
                    for key in &keys.all {
                        change.remove(key.as_deref());
                    }
                    Some(())
                },
            )?;
        }
        Ok(Told::Later)
    }

    /// Points the index at a session that was appended to.
    pub(super) fn after_append(
        &self,
        id: &SessionId,
        told: Told,
        keys: &Keys,
        header: &SessionHeader,
        modified: i128,
    ) {
        // Somebody may have proved something since. What fails here is told by the next append.
        let _untold = self.doubt_others();
        // Who saved a session since may have recorded it over this one, as this one was before.
        let is_pointed_to = |key: &Option<PathBuf>| {
            let answer = self.shared.index.lookup(key.as_deref());
            answer.is_ok_and(|answer| names(&answer, id))
        };
        if told == Told::Already && keys.all.iter().all(is_pointed_to) {
            return;
        }
        let resolver = self.resolver();
        let workspace = header
            .directory
            .as_deref()
            .map(|directory| Workspace::new(directory, &resolver));
        // What fails here leaves an index that does not know, which makes a lookup slower and nothing else.
        let _unrecorded = self.change_index(
            &self.shared.index,
            || Ok(()),
            &mut || Ok(()),
            |change| {
                let recency = Recency::new(id.clone(), header.updated_at, modified);
                if self.point(change, workspace.as_ref(), &recency).is_none() {
                    change.doubt();
                }
                Some(())
            },
        );
    }

    /// Takes the proof from an index in files that this store does not keep, if there is one.
    fn doubt_others(&self) -> Result<(), Error> {
        let Some(others) = &self.shared.others else {
            return Ok(());
        };
        if self.shared.backend.stat(&Blob::index(STATE))?.is_none() {
            return Ok(());
        }
        let doubt = |change: &mut dyn Change| {
            change.doubt();
            Some(())
        };
        self.change_index(others, || Ok(()), &mut || Ok(()), doubt)
    }

    /// Finds the keys under which a session is looked for, anew only when its directory is another.
    fn resolve_keys(&self, keys: &mut Keys, header: &SessionHeader) {
        if !keys.all.is_empty() && !keys.is_unanswered && keys.of == header.directory {
            return;
        }
        let resolver = self.resolver();
        let workspace = header
            .directory
            .as_deref()
            .map(|directory| Workspace::new(directory, &resolver));
        let all = workspace.iter().flat_map(Workspace::keys).map(Some);
        *keys = Keys {
            all: all.chain([None]).collect(),
            of: header.directory.clone(),
            is_unanswered: workspace.as_ref().is_some_and(Workspace::is_unanswered),
        };
    }
}

/// Whether an answer of the index names a session.
fn names(answer: &Answer, id: &SessionId) -> bool {
    let named = answer.pointer();
    named.is_some_and(|pointer| pointer.id == id.as_str())
}
