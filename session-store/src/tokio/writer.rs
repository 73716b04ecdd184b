//! One session held for a row of appends that are futures.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use ::tokio::sync::Mutex;
use session_codec::Revision;
use session_model::{Session, SessionRecord};

use super::blocking;
use crate::{Append, Error, Writer as Blocking};

/// A [`Writer`](crate::Writer) whose calls are futures.
///
/// An append that has begun is made, whoever drops its future; the next call waits for it. Dropping the writer lets the
/// next one in once what has begun has ended, and leaves what was appended in the journal.
#[must_use = "the session's lock is released as soon as this is dropped"]
pub struct Writer<S: SessionRecord = Session> {
    writer: Arc<Mutex<Option<Blocking<S>>>>,
    path: PathBuf,
}

impl<S: SessionRecord> Writer<S> {
    pub(super) fn new(writer: Blocking<S>, path: PathBuf) -> Self {
        Self {
            writer: Arc::new(Mutex::new(Some(writer))),
            path,
        }
    }

    /// Waits for the calls before, then runs one on a thread for blocking work.
    async fn run<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Option<Blocking<S>>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let mut writer = Arc::clone(&self.writer).lock_owned().await;
        blocking(self.path.clone(), move || call(&mut writer)).await
    }

    /// See [`Writer::append`](crate::Writer::append).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn append(&self, append: Append) -> Result<Revision, Error> {
        self.append_all(vec![append]).await
    }

    /// See [`Writer::append_all`](crate::Writer::append_all).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn append_all(&self, appends: Vec<Append>) -> Result<Revision, Error> {
        let path = self.path.clone();
        self.run(move |writer| match writer {
            Some(writer) => writer.append_all(&appends),
            None => Err(Error::NotFound { path }),
        })
        .await
    }

    /// See [`Writer::checkpoint`](crate::Writer::checkpoint).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn checkpoint(&self) -> Result<bool, Error> {
        self.run(|writer| writer.as_mut().map_or(Ok(false), Blocking::checkpoint))
            .await
    }

    /// See [`Writer::close`](crate::Writer::close). Where this future is dropped before it has begun, what was appended
    /// stays in the journal.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn close(self) -> Result<(), Error> {
        self.run(|writer| writer.take().map_or(Ok(()), Blocking::close))
            .await
    }
}

impl<S: SessionRecord> fmt::Debug for Writer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
