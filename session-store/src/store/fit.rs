//! Whether an append fits its session, judged by the record's type before a byte is written.
//!
//! Owns what the session's header becomes, and the time that an append is stamped with. Must not know journals or files.

use std::path::Path;

use chrono::{DateTime, Utc};
use session_model::{SessionHeader, SessionId, SessionRecord};

use super::SessionStore;
use super::journaling::Journaling;
use crate::Error;
use crate::append::{Append, Stamped, UPDATED_AT};
use crate::failure::{from_codec, from_header};

/// An append that fits its session, and what the session is with it.
pub(super) struct Fitting<'a> {
    pub(super) append: Stamped<'a>,
    /// When the session was last added to, with it.
    pub(super) updated_at: Option<DateTime<Utc>>,
    /// The record less its elements, and its header; `None` where nothing of them changes but the time.
    becomes: Option<(Vec<u8>, SessionHeader)>,
}

impl Fitting<'_> {
    /// The directory of the session with the append.
    pub(super) fn directory<'h>(&'h self, before: Option<&'h SessionHeader>) -> Option<&'h Path> {
        let after = self.becomes.as_ref().map(|(_, header)| header);
        after.or(before)?.directory.as_deref()
    }

    /// Notes what the session has become, once the append is part of it.
    pub(super) fn note(&mut self, state: &mut Journaling) {
        if let Some((kept, header)) = self.becomes.take() {
            state.kept = kept;
            state.header = Some(header);
            state.skeletons.clear();
        } else if let Some(header) = &mut state.header {
            header.updated_at = self.updated_at;
        }
    }
}

impl<S: SessionRecord> SessionStore<S> {
    /// Decodes what an append would make of the session, less the elements that are there already.
    ///
    /// Returns the append stamped with the present time where the record has an `updated_at` that the caller left alone.
    pub(super) fn fit<'a>(
        &self,
        id: &SessionId,
        append: &'a Append,
        state: &mut Journaling,
    ) -> Result<Fitting<'a>, Error> {
        let codec = &self.shared.plain_codec;
        let before = match &mut state.header {
            Some(header) => header,
            none => none.insert(self.header_of(id, &state.kept)?),
        };
        let before = before.updated_at;
        // Never back in time, whatever the clock says: an append makes no session older.
        let stamp = before
            .filter(|_| !append.sets(UPDATED_AT))
            .map(|before| before.max(Utc::now()));
        let only_adds = append.only_adds_to(S::CAPPED);
        let append = append.stamped(stamp);
        if only_adds
            && let Some(json) = state.skeletons.filled(&append)
            && codec
                .decode::<S>(json)
                .is_ok_and(|record| record.id() == id.as_str())
        {
            return Ok(Fitting {
                append,
                updated_at: stamp,
                becomes: None,
            });
        }
        let fitting = self.fit_amended(id, append, only_adds, state)?;
        if only_adds {
            // Its kind fits this record: what comes after it is put into the same places, and only that is new.
            let alone = S::INDEPENDENT.then(|| format!("{{\"id\":\"{id}\"}}"));
            let kept = alone.as_deref().map_or(&*state.kept, str::as_bytes);
            state.skeletons.learn(codec, kept, &fitting.append);
        }
        Ok(fitting)
    }

    /// Does as `fit` for any append, by amending the record; and says what is wrong with one that does not fit.
    fn fit_amended<'a>(
        &self,
        id: &SessionId,
        append: Stamped<'a>,
        only_adds: bool,
        state: &Journaling,
    ) -> Result<Fitting<'a>, Error> {
        let path = self.path(id);
        let (codec, kept) = (&self.shared.plain_codec, state.kept.as_slice());
        let edited = |wanted: &dyn Fn(&str) -> bool| {
            let mut edited = Vec::with_capacity(kept.len() + 256);
            let amended = codec.amend(kept, &append.amendment_of(wanted), &mut edited);
            amended.map(|_| edited).map_err(|error| unfit(&path, error))
        };
        let added = edited(&|_| true)?;
        let (updated_at, becomes) = if only_adds {
            (append.stamp(), None)
        } else {
            let becomes = edited(&|array| !S::CAPPED.contains(&array))?;
            let header = self.header_of(id, &becomes)?;
            (header.updated_at, Some((becomes, header)))
        };
        match codec.decode::<S>(added) {
            Ok(record) if record.id() == id.as_str() => Ok(Fitting {
                append,
                updated_at,
                becomes,
            }),
            Ok(_) => {
                let reason = "an append cannot change the id".to_owned();
                Err(Error::Refused { path, reason })
            }
            // What is wrong may have been there before.
            Err(error) => Err(match codec.decode::<S>(kept.to_vec()) {
                Ok(_) => unfit(&path, error),
                Err(error) => from_codec("read", &path, error),
            }),
        }
    }

    fn header_of(&self, id: &SessionId, json: &[u8]) -> Result<SessionHeader, Error> {
        SessionHeader::parse(json, S::DIRECTORY)
            .map_err(|error| from_header(&self.path(id), &error))
    }
}

/// What cannot be added, as opposed to what cannot be read.
fn unfit(path: &Path, error: session_codec::Error) -> Error {
    match error {
        session_codec::Error::Limit { .. } | session_codec::Error::Io(_) => {
            from_codec("write", path, error)
        }
        other => Error::Refused {
            path: path.to_owned(),
            reason: format!("what is appended does not fit: {other}"),
        },
    }
}
