//! What the index says before a walk, and what it is told after one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use session_index::{Answer, Change, Consultation, Pointer, Proof, Rule, Scope, Stamp};
use session_model::{SessionId, SessionRecord};
use session_scan::Look;

use super::SessionStore;
use super::point::pointer;
use crate::builder::Access;
use crate::corpus::{Document, Documents};
use crate::order::Recency;
use crate::probe::{Candidate, HeadProbe};
use crate::resolve::Resolver;
use crate::trace::index_unused;
use crate::workspace::Workspace;

/// How many workspaces are recorded before the index lock is given to others for a moment.
const AT_ONCE: usize = 64;
/// How many pointers may be there beside two for each session, so that a sweep is rare: it ends every proof.
const SPARE: u64 = 64;

/// The newest session of each directory that a walk came across, by the directory as it is stored.
#[derive(Debug, Default)]
pub(crate) struct Met(Mutex<HashMap<PathBuf, Recency>>);

impl Met {
    /// Takes note of a session.
    pub(crate) fn note(&self, directory: &Path, recency: &Recency) {
        let mut met = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match met.get_mut(directory) {
            Some(newest) if *newest >= *recency => {}
            Some(newest) => newest.clone_from(recency),
            None => drop(met.insert(directory.to_owned(), recency.clone())),
        }
    }

    /// The newest session under each key that a lookup may ask for; `None` if some directory did not resolve in time.
    fn by_key(&self, resolver: &Resolver) -> Option<HashMap<PathBuf, Pointer>> {
        let met = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut newest: HashMap<PathBuf, Pointer> = HashMap::new();
        for (directory, recency) in met.iter() {
            let workspace = Workspace::new(directory, resolver);
            if workspace.is_unanswered() {
                return None;
            }
            let to = pointer(recency);
            for key in workspace.keys() {
                let known = newest.entry(key).or_insert_with(|| to.clone());
                if *known < to {
                    known.clone_from(&to);
                }
            }
        }
        Some(newest)
    }
}

/// What the index said of a workspace.
#[derive(Debug)]
pub(super) struct Told {
    keys: Vec<Option<PathBuf>>,
    says: Consultation,
}

/// What is so by the word of the index alone.
#[derive(Debug)]
pub(super) enum Proven<'d> {
    /// This session is the newest, and this is its document, if it is still open.
    Newest(Box<Candidate>, Option<Document<'d>>),
    /// There is none.
    Nothing,
}

/// What a walk over the directory found.
#[derive(Debug)]
pub(super) struct Walked<'w> {
    /// The greatest session that matches, whether it can be loaded or not.
    pub(super) newest: Option<&'w Recency>,
    /// What every file of the directory was looked at for, if every one was.
    pub(super) all: Option<&'w Met>,
    /// How many files there were.
    pub(super) listed: u64,
}

impl Told {
    /// The sessions that the index names; texts that are no ids are dropped here.
    pub(super) fn hints(&self) -> Vec<SessionId> {
        let named = self.says.answers.iter().filter_map(Answer::pointer);
        let mut hints: Vec<SessionId> = named
            .filter_map(|pointer| SessionId::new(&pointer.id).ok())
            .collect();
        hints.sort_unstable();
        hints.dedup();
        hints
    }
}

impl<S: SessionRecord> SessionStore<S> {
    /// Asks the index, under each spelling of the workspace, and takes a stamp of the directory.
    pub(super) fn consult(&self, workspace: Option<&Workspace<'_>>) -> Told {
        let keys: Vec<Option<PathBuf>> = match workspace {
            Some(workspace) => workspace.keys().map(Some).collect(),
            None => vec![None],
        };
        let asked: Vec<Option<&Path>> = keys.iter().map(Option::as_deref).collect();
        // An index that cannot be read is no index.
        let says = self.shared.index.consult(&asked).unwrap_or_default();
        Told { keys, says }
    }

    /// The newest session by the word of the index alone: `None` where its word is not enough.
    ///
    /// What is named must be there and be what was recorded: who wrote the pointer may have died before the session moved.
    pub(super) fn proven<'d>(
        &self,
        told: &Told,
        documents: &'d Documents<'_>,
        workspace: Option<&Workspace<'_>>,
        probe: &HeadProbe<'_, S>,
    ) -> Option<Proven<'d>> {
        let rules = self.shared.rules;
        let proven = |answer: &Answer| answer.proof() == Proof::Proven;
        let answers = &told.says.answers;
        let enough = if rules.hold(Rule::EveryKey) {
            !answers.is_empty() && answers.iter().all(proven)
        } else {
            answers.iter().any(proven)
        };
        if !enough || workspace.is_some_and(Workspace::is_unanswered) {
            return None;
        }
        let mut newest: Option<(Candidate, Option<Document<'d>>)> = None;
        for recorded in answers.iter().filter_map(Answer::pointer) {
            if (newest.as_ref())
                .is_some_and(|(newest, _)| newest.recency.id.as_str() == recorded.id)
            {
                continue;
            }
            let id = SessionId::new(&recorded.id).ok()?;
            let found = match probe.look(documents, &id) {
                Ok(Some((_, Look::Hit(found), document)))
                    if pointer(&found.recency) >= *recorded =>
                {
                    (found, Some(document))
                }
                _ if rules.hold(Rule::HintVerifies) => return None,
                _ => (self.candidate(&id)?, None),
            };
            if (newest.as_ref()).is_none_or(|(newest, _)| newest.recency < found.0.recency) {
                newest = Some(found);
            }
        }
        Some(newest.map_or(Proven::Nothing, |(newest, document)| {
            Proven::Newest(Box::new(newest), document)
        }))
    }

    /// Tells the index what a walk found, so that the next lookup needs none, unless somebody holds its lock.
    pub(super) fn remember(&self, told: &Told, walked: &Walked<'_>, resolver: &Resolver) {
        if self.shared.access == Access::ReadOnly {
            return;
        }
        let newest = walked.newest.map(pointer);
        let asked = told.keys.iter().map(Option::as_deref);
        let Some(since) = told.says.stamp else {
            // Nothing can be proven here; a hint is still worth having.
            if let Some(newest) = newest
                && told
                    .says
                    .answers
                    .iter()
                    .any(|answer| answer.pointer() != Some(&newest))
            {
                self.note(|change| asked.for_each(|key| change.record(key, newest.clone())));
            }
            return;
        };
        let noted = self.note(|change| {
            change.walked(&since, Scope::Some);
            for (key, told) in asked.zip(&told.says.answers) {
                // An append changes no stamp of the directory: what was recorded since the walk began is newer than it,
                // and so may be what is pointed to, as appends to that record nothing.
                let now = change.lookup(key);
                if now.is_ok_and(|now| now.pointer() == told.pointer())
                    && self.is_below(key, told.pointer(), newest.as_ref(), resolver)
                {
                    change.prove(key, newest.clone());
                }
            }
        });
        let Some(met) = walked.all.filter(|_| noted) else {
            return;
        };
        let is_first = told.says.scope == Scope::Some;
        if is_first {
            self.remember_all(&since, met, resolver);
        }
        // Beside that pass, counting costs little. Whoever finds a session, once each has been recorded, adds no pointer.
        if is_first || walked.newest.is_none() {
            self.sweep_index(walked.listed);
        }
    }

    /// Takes pointers out of the index that lookups of directories without sessions have left, and sessions that are elsewhere
    /// now, where there are far more than there can be of sessions.
    fn sweep_index(&self, sessions: u64) {
        let most = sessions.saturating_mul(2).saturating_add(SPARE);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let index = &self.shared.hurried_index;
        let mut last = usize::MAX;
        // A sweep takes some at once, as others wait for the lock; one that takes none has failed.
        while let Ok(size) = index.size()
            && size > most
            && size < last
        {
            last = size;
            self.sweep_some(most);
        }
    }

    fn sweep_some(&self, most: usize) {
        self.note(|change| {
            // Whoever is walking now has seen the index without what was recorded since, and sees it so again.
            change.step(&mut || {
                if self.shared.rules.hold(Rule::Swept) {
                    // Where that fails nothing is swept.
                    let _unswept = self.shared.backend.disturb();
                }
            });
            change.sweep(most);
        });
    }

    /// Records every workspace that a walk over all files came across, a few at a time.
    fn remember_all(&self, since: &Stamp, met: &Met, resolver: &Resolver) {
        let Some(by_key) = met.by_key(resolver) else {
            return;
        };
        let pointers: Vec<(PathBuf, Pointer)> = by_key.into_iter().collect();
        for some in pointers.chunks(AT_ONCE) {
            let noted = self.note(|change| {
                change.walked(since, Scope::Some);
                for (key, newest) in some {
                    let now = change.lookup(Some(key));
                    // One that was recorded since, or that only a lookup of its own can refute.
                    if now.is_ok_and(|now| {
                        let now = now.pointer();
                        now.is_none_or(|now| now <= newest)
                            && self.is_below(Some(key), now, Some(newest), resolver)
                    }) {
                        change.prove(Some(key), Some(newest.clone()));
                    }
                }
            });
            if !noted {
                return;
            }
        }
        self.note(|change| change.walked(since, Scope::All));
    }

    /// Whether the session that is pointed to, as it reads now, does not come after the newest that a walk has found.
    fn is_below(
        &self,
        key: Option<&Path>,
        pointed: Option<&Pointer>,
        newest: Option<&Pointer>,
        resolver: &Resolver,
    ) -> bool {
        let Some(pointed) = pointed.filter(|pointed| newest.is_none_or(|new| new.id != pointed.id))
        else {
            return true;
        };
        let Ok(id) = SessionId::new(&pointed.id) else {
            return true;
        };
        let documents = self.headers();
        // The index lock is held, so no file system is asked that may not answer.
        let workspace = key.map(|key| Workspace::known(key, resolver));
        let probe = HeadProbe::<S>::new(&self.shared, &documents, workspace.as_ref()).bounded();
        match probe.look(&documents, &id) {
            _ if !self.shared.rules.hold(Rule::Reread) => true,
            // Gone, or no longer of this workspace.
            Ok(None | Some((_, Look::Miss, _))) => true,
            Ok(Some((_, Look::Hit(now), _))) => {
                newest.is_some_and(|newest| pointer(&now.recency) <= *newest)
            }
            _ => false,
        }
    }

    /// Makes one change to the index in passing: whoever holds its lock is not waited for, and failures leave hints at worst.
    fn note(&self, tell: impl FnOnce(&mut dyn Change)) -> bool {
        let Ok(mut change) = self.shared.hurried_index.begin() else {
            return false;
        };
        tell(&mut *change);
        match change.commit() {
            Ok(()) => true,
            Err(error) => {
                index_unused(&error);
                false
            }
        }
    }
}
