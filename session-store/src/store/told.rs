//! What the index is told of an append: documents do not move then, so the index must hear of it from the append itself.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use session_index::Answer;
use session_model::{SessionHeader, SessionId, SessionRecord};

use super::SessionStore;
use crate::Error;
use crate::backend::{Area, BlobStat};
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
    /// The directory of the index when all of it pointed to the session, if it had settled by then.
    pointed: Option<BlobStat>,
}

/// How long ago a directory must have changed for a later change to show in its times, however coarse they are.
const SETTLED: Duration = Duration::from_secs(2);

impl<S: SessionRecord> SessionStore<S> {
    /// Takes out of the index what an append makes untrue, before it becomes so.
    pub(super) fn before_append(
        &self,
        id: &SessionId,
        keys: &mut Keys,
        header: &SessionHeader,
    ) -> Result<Told, Error> {
        self.resolve_keys(keys, header);
        // A pointer is replaced by a rename, which changes the directory: as long as it is the same, so are they.
        let directory = if self.shared.has_index_files {
            self.shared.backend.stat_area(Area::Index)?
        } else {
            None
        };
        if directory.is_some() && directory == keys.pointed {
            return Ok(Told::Already);
        }
        let settled = directory.filter(is_settled);
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
            keys.pointed = settled;
            return Ok(Told::Already);
        }
        if answers
            .iter()
            .any(|answer| !matches!(answer, Answer::Unknown(_)) && !pointed(answer))
        {
            self.change_index(&self.shared.index, &mut || Ok(()), |change| {
                for key in &keys.all {
                    change.remove(key.as_deref());
                }
                Ok(())
            })?;
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
        let _unrecorded = self.change_index(&self.shared.index, &mut || Ok(()), |change| {
            let recency = Recency::new(id.clone(), header.updated_at, modified);
            self.record(change, workspace.as_ref(), &recency);
            Ok(())
        });
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
            pointed: None,
        };
    }
}

/// Whether a directory has not changed for so long that its next change shows.
fn is_settled(directory: &BlobStat) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let changed = directory.changed.max(directory.modified);
    now.is_ok_and(|now| {
        u128::try_from(changed).is_ok_and(|changed| changed + SETTLED.as_nanos() < now.as_nanos())
    })
}
