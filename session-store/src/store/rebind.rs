//! Moving the sessions of a directory that was moved.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use session_codec::{Amendment, HeaderSpec, Revision, TailCap};
use session_model::{SessionHeader, SessionId, SessionRecord};

use super::SessionStore;
use super::write::{Over, Target};
use crate::corpus::Documents;
use crate::failure::{from_codec, from_header};
use crate::progress::{Course, Watch};
use crate::rebind::{DirectoryText, NotThere, moved, top_edits};
use crate::repository::is_below;
use crate::trace::{event, span};
use crate::{Counts, Error, Freshness, Progress, Query, Rebind, Rebinding, Rebound};

impl<S: SessionRecord> SessionStore<S> {
    /// Lets the sessions of a directory, and of those below it, name the place that it was moved to.
    ///
    /// Sessions are found by the directory as they name it, as the old one usually is no longer there to be resolved;
    /// the new one need not be there either. Only that member is changed: all else of a document is copied byte for
    /// byte, `updated_at` included, so that rows keep their order, but for a session that does not say when it was updated, or says
    /// more than its file's time: to such a one the change counts. Each session is changed on its own, under its lock,
    /// and only if it still names the directory that it was listed with; one that fails does not stop the others. A
    /// handle that has seen a session before it was rebound has not seen it as it is now: saving it is a conflict.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the sessions directory cannot be read, or the paths cannot be used: one of them is not absolute, or `to`
    /// is below `from`, so that what was moved would be moved again by the next call (by way of a third path it can be done).
    /// [`Error::ReadOnly`]. A session that would go to a directory below `from`, as one of `/p/app/app` from `/p/app` to `/p`, is
    /// left where it is for the same reason, and named; what fails for one session is in its [`Rebound::outcome`].
    ///
    /// # Complexity
    ///
    /// A listing, and one pass over each document that is changed.
    pub fn rebind(
        &self,
        from: impl AsRef<Path>,
        to: impl AsRef<Path>,
        how: Rebind,
    ) -> Result<Rebinding, Error> {
        self.rebind_telling(from.as_ref(), to.as_ref(), how, &Watch::default())
    }

    /// Does what [`rebind`](SessionStore::rebind) does, and calls a function whenever a file was looked at, before each
    /// session is changed, and at the end; [`ControlFlow::Break`] ends the call.
    ///
    /// While sessions are looked for, nothing was changed yet, and the answer is [`Error::Cancelled`]. From then on the
    /// answer says what was moved: each session was changed as a whole, or has `Cancelled` as its
    /// [outcome](Rebound::outcome) and is as it was. Calling this again moves the rest.
    ///
    /// # Errors
    ///
    /// As for [`rebind`](SessionStore::rebind), and [`Error::Cancelled`].
    pub fn rebind_watched(
        &self,
        from: impl AsRef<Path>,
        to: impl AsRef<Path>,
        how: Rebind,
        observe: impl Fn(&Progress) -> ControlFlow<()> + Send + Sync + 'static,
    ) -> Result<Rebinding, Error> {
        self.rebind_telling(from.as_ref(), to.as_ref(), how, &Watch::new(observe))
    }

    fn rebind_telling(
        &self,
        from: &Path,
        to: &Path,
        how: Rebind,
        watch: &Watch,
    ) -> Result<Rebinding, Error> {
        span!("rebind");
        for path in [from, to] {
            if !path.is_absolute() {
                return Err(refused(path, "the path is not absolute"));
            }
        }
        if from != to && is_below(to, from) {
            return Err(refused(to, "the path is below the one that was moved"));
        }
        let query = Query::new()
            .counts(Counts::Skip)
            .freshness(Freshness::EachFile);
        let course = Course::new(watch);
        let listing = self.list_along(&query, &course)?;
        let found: Vec<_> = listing
            .rows
            .into_iter()
            .filter_map(|row| {
                let directory = row.directory?;
                let target = moved(&directory, from, to)?;
                Some((row.id, row.bytes + row.unfolded, directory, target))
            })
            .collect();
        if how == Rebind::Apply {
            course.expect(found.len());
        }
        let mut sessions = Vec::with_capacity(found.len());
        // What was dealt with since the function was called last.
        let (mut done, mut bytes_read) = (0, course.bytes_read());
        for (id, bytes, directory, target) in found {
            // The next call would move it once more.
            let is_again = target != directory && is_below(&target, from);
            let outcome = match how {
                _ if is_again => {
                    done += 1;
                    let why = "the directory is below the one that was moved, too";
                    Err(refused(&target, why))
                }
                Rebind::DryRun => Ok(None),
                // It names it as it would.
                Rebind::Apply if target.as_os_str() == directory.as_os_str() => {
                    done += 1;
                    Ok(None)
                }
                Rebind::Apply => {
                    let goes_on = course.step(done, bytes_read);
                    done = 1;
                    bytes_read += bytes;
                    goes_on.and_then(|()| self.rebind_one(&id, &directory, &target).map(Some))
                }
            };
            sessions.push(Rebound {
                id,
                from: directory,
                to: target,
                outcome,
            });
        }
        if how == Rebind::Apply {
            // There is nothing left to stop.
            let _done = course.step(done, bytes_read);
        }
        event!(sessions = sessions.len(), "rebind");
        Ok(Rebinding {
            sessions,
            skipped: listing.skipped,
        })
    }

    fn rebind_one(&self, id: &SessionId, from: &Path, to: &Path) -> Result<Revision, Error> {
        let path = self.path(id);
        let refused = |reason: String| Error::Refused {
            path: path.clone(),
            reason,
        };
        let lock = self.lock(id)?;
        // A document that is written has everything: what was appended goes into it first.
        self.fold(id, &lock)?;
        let documents = Documents::new(&*self.shared.backend);
        let document = documents
            .document(id)?
            .ok_or_else(|| Error::NotFound { path: path.clone() })?;
        let stat = document
            .stat()
            .map_err(|source| Error::io("stat", &path, source))?;
        let codec = &self.shared.codec;
        let failed = |error| from_codec("read", &path, error);
        // All but the elements, checked from end to end: what is wrong with it is not made worse.
        let kept = codec
            .prune(&document, &TailCap::all(S::CAPPED, 0))
            .map_err(failed)?;
        let header = SessionHeader::parse(&kept.json, S::DIRECTORY)
            .map_err(|error| from_header(&path, &error))?;
        if header.id.as_deref() != Some(id.as_str()) {
            return Err(Error::misnamed(&path));
        }
        if header.directory.as_deref() != Some(from) {
            return Err(Error::changed(path));
        }
        let top: Vec<&str> = S::DIRECTORY.iter().take(1).copied().collect();
        let text = self
            .shared
            .header_codec
            .header(
                kept.json.as_slice(),
                &HeaderSpec::new(&top, &top, S::CAPPED),
            )
            .map_err(failed)?;
        let text = String::from_utf8(text.json)
            .map_err(|_| refused("the directory is not in UTF-8".to_owned()))?;
        let directory = DirectoryText::of(to)
            .map_err(|error| refused(format!("no text for the directory: {error}")))?;
        let edits = top_edits(&text, S::DIRECTORY, &directory).map_err(|error| match error {
            NotThere::Missing => refused("the directory is not where the record has it".to_owned()),
            NotThere::Twice => refused("the directory is there twice".to_owned()),
            NotThere::Json(error) => from_header(&path, &error),
        })?;
        let amendment =
            edits
                .into_iter()
                .fold(Amendment::new(), |edit, (name, value)| match value {
                    Some(value) => edit.member(&name, value),
                    None => edit.remove(&name),
                });
        let target = Target {
            id,
            directory: Some(to),
            updated_at: header.updated_at,
            over: Over::Only(Some(stat)),
        };
        let written = self.write_document(&lock, &target, &mut |out| {
            codec.amend(&document, &amendment, out)
        })?;
        event!(%id, revision = %written.seen.revision, "rebound");
        written.durable.map(|()| written.seen.revision)
    }
}

fn refused(path: &Path, why: &str) -> Error {
    Error::io(
        "rebind",
        path,
        io::Error::new(io::ErrorKind::InvalidInput, why),
    )
}
