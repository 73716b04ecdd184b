//! The trash, as futures.

use std::time::Duration;

use session_model::{SessionId, SessionRecord};

use super::{Blocking, SessionStore};
use crate::{Error, Trashed};

impl<S: SessionRecord> SessionStore<S> {
    /// See [`SessionStore::trash`](crate::SessionStore::trash).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn trash(&self, id: &SessionId) -> Result<bool, Error> {
        let id = id.clone();
        self.change(move |store| store.trash(&id)).await
    }

    /// See [`SessionStore::restore`](crate::SessionStore::restore).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn restore(&self, id: &SessionId) -> Result<bool, Error> {
        let id = id.clone();
        self.change(move |store| store.restore(&id)).await
    }

    /// See [`SessionStore::trashed`](crate::SessionStore::trashed).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn trashed(&self) -> Result<Vec<Trashed>, Error> {
        self.run(Blocking::trashed).await
    }

    /// See [`SessionStore::empty_trash`](crate::SessionStore::empty_trash).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn empty_trash(&self, older_than: Duration) -> Result<usize, Error> {
        self.change(move |store| store.empty_trash(older_than))
            .await
    }
}
