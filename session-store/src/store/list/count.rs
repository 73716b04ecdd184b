//! Counting messages, of several sessions at once where there are threads for it.
//!
//! Owns who counts what. Must not know which rows a page has.

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use crossbeam::channel;
use session_codec::{Codec, CountBuffer, ReadAt};
use session_model::{SessionId, SessionRecord};

use super::Call;
use super::look::Seen;
use super::pick::{Ahead, Count, Pick, Step};
use crate::catalogue::Row;
use crate::corpus::Document;
use crate::failure::from_codec;
use crate::store::SessionStore;
use crate::{Counts, DefaultParser, Error};

/// How many bytes of a document are read between two questions whether to go on.
const ASKED: u64 = 1 << 20;

/// A document that is read to be counted, unless the caller ends the call in the middle of it.
struct Watched<'w> {
    document: &'w Document<'w>,
    call: &'w Call<'w>,
    read: AtomicU64,
}

impl ReadAt for Watched<'_> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let Call {
            course, documents, ..
        } = self.call;
        if course.is_over() {
            return Err(io::Error::other(Error::Cancelled));
        }
        let read = self.document.read_at(buf, offset)?;
        let before = self.read.fetch_add(read as u64, Ordering::Relaxed);
        if before / ASKED < (before + read as u64) / ASKED {
            let asked = course.step(0, documents.bytes_read());
            asked.map_err(io::Error::other)?;
        }
        Ok(read)
    }

    fn size(&self) -> io::Result<u64> {
        self.document.size()
    }
}

/// What one thread counts with, one document after another.
#[derive(Debug)]
pub(super) struct Counting {
    codec: Codec<DefaultParser>,
    buffer: CountBuffer,
}

impl Counting {
    /// With as many threads as the codec may use: for whoever counts alone.
    pub(super) fn alone(codec: &Codec<DefaultParser>) -> Self {
        Self {
            codec: codec.clone(),
            buffer: CountBuffer::new(),
        }
    }

    /// With one thread, as others count at the same time.
    fn beside_others(codec: &Codec<DefaultParser>) -> Self {
        Self::alone(&codec.clone().threads(1))
    }
}

impl<S: SessionRecord> SessionStore<S> {
    /// Counts the elements of the record's first capped array, which is where its messages are, and says whether that was in
    /// the file that the row is of.
    pub(super) fn count_messages(
        &self,
        call: &Call<'_>,
        seen: &Seen,
        (id, row): (&SessionId, &Row<'_>),
        counting: &mut Counting,
    ) -> Count {
        let Some(array) = S::CAPPED.first() else {
            return Ok((None, false));
        };
        let path = self.path(id);
        let document = call
            .documents
            .document(id)?
            .ok_or_else(|| Error::NotFound { path: path.clone() })?;
        let overlay = document.overlay();
        let messages = if let Some(total) = overlay.and_then(|overlay| overlay.total(array)) {
            total
        } else {
            let watched = Watched {
                document: &document,
                call,
                read: AtomicU64::new(0),
            };
            let Counting { codec, buffer } = counting;
            let counts = codec.count_with(&watched, &[array], buffer);
            let counts = counts.map_err(|error| match error {
                _ if call.course.is_over() => Error::Cancelled,
                error => from_codec("read", &path, error),
            })?;
            // None at all is an empty array to those who load it.
            let own = counts.first().copied().flatten().unwrap_or_default();
            own.saturating_add(overlay.map_or(0, |overlay| overlay.count(array)))
        };
        let is_of_row = match document.overlay() {
            None => document.stat().is_ok_and(|stat| stat == row.stat),
            Some(_) => seen
                .joined
                .get(id)
                .is_some_and(|pair| document.files() == Some(pair.files)),
        };
        Ok((Some(messages), is_of_row))
    }

    /// Counts on several threads what a page of these rows will ask for; where one thread is all there is, only says how much that is.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`] where the caller wants no more of it.
    pub(super) fn count_ahead(
        &self,
        call: &Call<'_>,
        seen: &Seen,
        rows: &[&Row<'_>],
    ) -> Result<Ahead, Error> {
        let mut ahead = Ahead::default();
        if call.query.counts != Counts::Exact {
            return Ok(ahead);
        }
        let wanted = self.uncounted(call, seen, rows, &mut ahead)?;
        call.course.expect(wanted.len());
        if self.shared.threads < 2 {
            return Ok(ahead);
        }
        let (next, (sender, receiver)) = (AtomicUsize::new(0), channel::unbounded());
        let workers = self.shared.threads.min(wanted.len());
        thread::scope(|scope| {
            for _ in 0..workers {
                let (sender, next, wanted) = (sender.clone(), &next, &wanted);
                let codec = &self.shared.codec;
                let mut counting = if workers > 1 {
                    Counting::beside_others(codec)
                } else {
                    Counting::alone(codec)
                };
                // A refused thread is no failure: what is not counted here is counted when its row comes.
                let _ = thread::Builder::new().spawn_scoped(scope, move || {
                    while let Some((id, row)) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let counted = self.count_messages(call, seen, (id, row), &mut counting);
                        if sender.send((row.id, counted)).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            for (id, counted) in receiver {
                ahead.counts.insert(id.to_owned(), counted);
                // An error drops the receiver, which ends the workers.
                call.course.step(1, call.documents.bytes_read())?;
            }
            Ok(ahead)
        })
    }

    /// The rows of a page that have no number of messages.
    fn uncounted<'r, 'b>(
        &self,
        call: &Call<'_>,
        seen: &Seen,
        rows: &[&'r Row<'b>],
        ahead: &mut Ahead,
    ) -> Result<Vec<(SessionId, &'r Row<'b>)>, Error> {
        let mut wanted = Vec::new();
        if rows.iter().all(|row| row.messages.is_some()) {
            return Ok(wanted);
        }
        let mut trial = Pick::trial(self, call, seen);
        for &row in rows {
            let shown = trial.shown();
            let step = trial.take(row)?;
            if trial.shown() > shown
                && row.messages.is_none()
                && let Ok(id) = SessionId::new(row.id)
            {
                wanted.push((id, row));
            }
            if step == Step::Done {
                break;
            }
        }
        ahead.belongs = trial.into_belongs();
        Ok(wanted)
    }
}
