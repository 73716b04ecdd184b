//! Pointing the index at a session that was just made visible: what may be proven, and what is only a hint.
//!
//! Everything here happens under the index lock, so it looks at few bytes and asks no file system about directories.

use std::path::Path;

use session_index::{Answer, Change, Pointer, Proof, Rule};
use session_model::{SessionId, SessionRecord};
use session_scan::Look;

use super::SessionStore;
use crate::order::Recency;
use crate::probe::HeadProbe;
use crate::workspace::Workspace;

/// The pointer that names a session at its place in the order.
pub(super) fn pointer(recency: &Recency) -> Pointer {
    Pointer::new(recency.id.as_str(), recency.at, recency.updated)
}

impl<S: SessionRecord> SessionStore<S> {
    /// Points the session's workspace, and the whole store, at a session that is visible.
    ///
    /// `None` where not everything that it makes untrue could be told.
    pub(super) fn point(
        &self,
        change: &mut dyn Change,
        workspace: Option<&Workspace<'_>>,
        recency: &Recency,
    ) -> Option<()> {
        // Its canonical form is not known, so neither is which pointer it makes untrue.
        if workspace.is_some_and(Workspace::is_unanswered) && self.shared.rules.hold(Rule::Resolved)
        {
            return None;
        }
        let keys = workspace
            .into_iter()
            .flat_map(|workspace| workspace.keys().map(Some));
        for key in keys.chain([None]) {
            let of = workspace.filter(|_| key.is_some());
            self.point_one(change, key.as_deref(), of, recency);
        }
        Some(())
    }

    /// Decides what one pointer is after a session became visible.
    ///
    /// A pointer that is true says that all sessions but the one it names come before the place it gives. So it stays as
    /// it is while that session only rises, and while others are saved that come before that place.
    fn point_one(
        &self,
        change: &mut dyn Change,
        key: Option<&Path>,
        workspace: Option<&Workspace<'_>>,
        saved: &Recency,
    ) {
        let rules = self.shared.rules;
        // What cannot be read is not known.
        let known = change.lookup(key).unwrap_or_default();
        let was_true = known.proof() == Proof::Proven;
        let to = pointer(saved);
        match known {
            Answer::Hint {
                pointer: recorded, ..
            } if recorded.id == to.id => {
                if was_true && to < recorded {
                    // It fell, perhaps below others that are not recorded.
                    if rules.hold(Rule::Fallen) {
                        change.record(key, to);
                    } else {
                        change.prove(key, Some(to));
                    }
                }
            }
            Answer::Hint {
                pointer: recorded, ..
            } => match self.as_recorded(&recorded, workspace) {
                Some(pointed) if pointed >= *saved && rules.hold(Rule::Wins) => {
                    // The place it gives has to stay above all others, for when what it names falls.
                    if was_true && to > recorded && rules.hold(Rule::Raised) {
                        change.prove(key, Some(pointer(&pointed)));
                    }
                }
                Some(_) if was_true => change.prove(key, Some(to)),
                // What was pointed to is gone, moved or fallen: who comes next is not known.
                None if was_true && !rules.hold(Rule::PointedVerifies) => {
                    change.prove(key, Some(to));
                }
                Some(_) | None => change.record(key, to),
            },
            Answer::NoneRecorded { .. } if was_true => change.prove(key, Some(to)),
            Answer::Unknown(_) if !rules.hold(Rule::KnownBefore) => change.prove(key, Some(to)),
            _ => change.record(key, to),
        }
    }

    /// The place of the session that a pointer names, as it reads now, if it is of the workspace and no lower than recorded.
    ///
    /// A bounded look, as others wait for the index lock meanwhile; what that cannot settle is not as recorded.
    pub(super) fn as_recorded(
        &self,
        recorded: &Pointer,
        workspace: Option<&Workspace<'_>>,
    ) -> Option<Recency> {
        let id = SessionId::new(&recorded.id).ok()?;
        let documents = self.headers();
        let probe = HeadProbe::<S>::new(&self.shared, &documents, workspace).bounded();
        match probe.look(&documents, &id) {
            Ok(Some((_, Look::Hit(now), _))) => {
                (pointer(&now.recency) >= *recorded).then_some(now.recency)
            }
            _ => None,
        }
    }
}
