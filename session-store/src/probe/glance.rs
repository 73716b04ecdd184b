//! The quick look: whether a session is certainly of another workspace, which most are.
//!
//! Owns what is certain from 1 KB of a document's head, and as much of its end where the directory stands there. Whatever is
//! not certain from 4 KB either, matches included, is left to the header, which is exact and slower.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use chrono::{DateTime, Utc};
use session_codec::{Glance, Inner, ReadAt as _, plain_text};
use session_model::{SessionId, SessionRecord};
use session_scan::Entry;

use super::{HeadProbe, PLACE, Reach, shown};
use crate::corpus::{Beside, Document};
use crate::order::{Nanos, Recency};
use crate::store::Met;
use crate::workspace::{Belongs, Workspace};

/// What holds the head of most sessions, and the end of most in the older layout. Copying more costs more, as it has to
/// come from memory first.
const LITTLE: usize = 1 << 10;
/// A page, which holds the head of nearly every session.
const PAGE: usize = 4 << 10;
/// Where the time stands in [`shown`].
const TIME: usize = 3;

/// Directories that are not the asked one, as they are spelt, each with the place in the order up to which its sessions are
/// noted: an older one cannot be its newest.
#[derive(Debug, Default)]
pub(super) struct Elsewhere(RwLock<HashMap<Box<str>, Nanos>>);

impl Elsewhere {
    fn noted_upto(&self, directory: &str) -> Option<Nanos> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(directory).copied()
    }

    fn learn(&self, directory: &str, noted_upto: Nanos) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let upto = known.entry(directory.into()).or_insert(noted_upto);
        *upto = noted_upto.max(*upto);
    }
}

impl<S: SessionRecord> HeadProbe<'_, S> {
    /// Says whether a session is certainly of another workspace than the asked one.
    pub(super) fn is_elsewhere(&self, entry: &Entry, document: &Document<'_>) -> bool {
        match self.workspace {
            // What a journal has changed, directory and time among it, does not stand in the document.
            Some(workspace)
                if self.reach == Reach::Exact
                    && matches!(document.beside(), Beside::Nothing)
                    && self.may_glance() =>
            {
                self.glance(workspace, entry, document).unwrap_or(false)
            }
            _ => false,
        }
    }

    /// Looks at a little, and at a page where that does not say enough.
    fn glance(
        &self,
        workspace: &Workspace<'_>,
        entry: &Entry,
        document: &Document<'_>,
    ) -> Option<bool> {
        self.glance_at::<LITTLE>(workspace, entry, document)
            .or_else(|| self.glance_at::<PAGE>(workspace, entry, document))
    }

    #[inline(never)]
    fn glance_at<const BYTES: usize>(
        &self,
        workspace: &Workspace<'_>,
        entry: &Entry,
        document: &Document<'_>,
    ) -> Option<bool> {
        let mut head = [0; BYTES];
        let read = document.read_at(&mut head, 0).ok()?;
        let whole = read < BYTES && read as u64 == entry.size;
        let glance = look::<S>(&head[..read], whole)?;
        if !glance.has(PLACE) && glance.may_have_more() {
            return self.glance_at_end::<BYTES, _>(workspace, entry, document, &glance);
        }
        self.verdict(workspace, entry, &glance)
    }

    /// Looks at the end of a document, where the older layout has the directory.
    #[inline(never)]
    fn glance_at_end<const BYTES: usize, const N: usize>(
        &self,
        workspace: &Workspace<'_>,
        entry: &Entry,
        document: &Document<'_>,
        head: &Glance<'_, N>,
    ) -> Option<bool> {
        let mut end = [0; BYTES];
        // One byte less than there is room for: that no more comes shows that this is still the end.
        let from = entry.size.saturating_sub(BYTES as u64 - 1);
        let expected = usize::try_from(entry.size - from).ok()?;
        if document.read_at(&mut end[..=expected], from).ok()? != expected {
            return None;
        }
        let names = shown::<S>();
        let is_noted = self.met.is_some();
        let needed = |name: &str| {
            name == names[0] || name == names[PLACE] || is_noted && name == names[TIME]
        };
        let glance = head.with_end(&end[..expected], from, needed)?;
        self.verdict(workspace, entry, &glance)
    }

    /// Judges what was found, if it says what it is about.
    fn verdict<const N: usize>(
        &self,
        workspace: &Workspace<'_>,
        entry: &Entry,
        glance: &Glance<'_, N>,
    ) -> Option<bool> {
        if plain_text(glance.value(0)?)? != entry.name {
            return None;
        }
        let Some(directory) = stored(glance, S::DIRECTORY).ok()? else {
            return Some(true);
        };
        // A path with bytes that are no text is stored twice, and the other spelling counts.
        if directory.contains(char::REPLACEMENT_CHARACTER) {
            return None;
        }
        let known = self.elsewhere.noted_upto(directory);
        if known.is_some_and(|upto| entry.modified < upto) {
            return Some(true);
        }
        if known.is_none() && workspace.belongs(Some(Path::new(directory))) != Belongs::No {
            return Some(false);
        }
        let upto = match self.met {
            Some(met) => note(met, entry, directory, plain_text(glance.value(TIME)?)?)?,
            None => Nanos::MAX,
        };
        self.elsewhere.learn(directory, upto);
        Some(true)
    }
}

/// Takes note of a session whose header is plain, and gives the first component of its place in the order.
fn note(met: &Met, entry: &Entry, directory: &str, updated_at: &str) -> Option<Nanos> {
    let updated_at = DateTime::parse_from_rfc3339(updated_at).ok()?;
    let id = SessionId::new(&entry.name).ok()?;
    let recency = Recency::new(id, Some(updated_at.with_timezone(&Utc)), entry.modified);
    met.note(Path::new(directory), &recency);
    Some(recency.at)
}

/// Looks at the head of a document for what is shown of it, and in the same pass for the directory where that stands in an
/// object that is a member, as it does in sessions.
fn look<S: SessionRecord>(head: &[u8], whole: bool) -> Option<Glance<'_, 6>> {
    match S::DIRECTORY {
        [_, name] => Glance::head_within(head, whole, shown::<S>(), (PLACE, name), S::CAPPED),
        _ => Glance::head(head, whole, shown::<S>(), S::CAPPED),
    }
}

/// What the quick look cannot read.
struct NotPlain;

/// Follows the path to the directory; no directory where there is none.
fn stored<'a, const N: usize>(
    glance: &Glance<'a, N>,
    path: &[&'a str],
) -> Result<Option<&'a str>, NotPlain> {
    let value = match (glance.inner(), path) {
        (Inner::Value(value), [_, _]) => Some(value),
        (Inner::NoMember | Inner::Missing, [_, _]) => None,
        (_, [_, _]) => return Err(NotPlain),
        _ => followed(glance.value(PLACE), path)?,
    };
    match value {
        None | Some("null") => Ok(None),
        Some(text) => plain_text(text).map(Some).ok_or(NotPlain),
    }
}

/// Follows a path through the value of its first member.
fn followed<'a>(value: Option<&'a str>, path: &[&'a str]) -> Result<Option<&'a str>, NotPlain> {
    let (_, steps) = path.split_first().ok_or(NotPlain)?;
    let mut value = value;
    for &step in steps {
        let Some(object) = value else {
            return Ok(None);
        };
        [value] = Glance::object(object, [step]).ok_or(NotPlain)?.values();
    }
    Ok(value)
}
