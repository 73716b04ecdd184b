//! What the index is told of an append: documents do not move then, so the index must hear of it from the append itself.

use std::path::PathBuf;

use session_index::Answer;
use session_model::{SessionHeader, SessionId, SessionRecord};

use super::SessionStore;
use crate::Error;
use crate::order::Recency;
use crate::workspace::Workspace;

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
}

impl<S: SessionRecord> SessionStore<S> {
    /// Takes out of the index what an append makes untrue, before it becomes so.
    pub(super) fn before_append(
        &self,
        id: &SessionId,
        keys: &mut Keys,
        header: &SessionHeader,
    ) -> Result<Told, Error> {
        self.resolve_keys(keys, header);
        let answers: Vec<Answer> = keys
            .all
            .iter()
            .map(|key| self.shared.index.lookup(key.as_deref()).unwrap_or_default())
            .collect();
        let pointed = |answer: &Answer| {
            answer
                .pointer()
                .is_some_and(|pointer| pointer.id == id.as_str())
        };
        if answers.iter().all(pointed) {
            return Ok(Told::Already);
        }
        if answers
            .iter()
            .any(|answer| !matches!(answer, Answer::Unknown(_)) && !pointed(answer))
        {
            self.change_index(
                &self.shared.index,
                || Ok(()),
                &mut || Ok(()),
                |change| {
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
        header: &SessionHeader,
        modified: i128,
    ) {
        if told == Told::Already {
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
                self.point(change, workspace.as_ref(), &recency)
            },
        );
    }

    /// Finds the keys under which a session is looked for, anew only when its directory is another.
    fn resolve_keys(&self, keys: &mut Keys, header: &SessionHeader) {
        if !keys.all.is_empty() && keys.of == header.directory {
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
        };
    }
}
